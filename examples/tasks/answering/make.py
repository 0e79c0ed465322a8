"""Writes questions of equipment, English and Chinese, each with four answers to choose from and a number to reckon.

Numbers differ in every question. In Chinese some of them are written in characters or in full width.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path

CASES = 220
LETTERS = "ABCD"
FIGURES = "零一二三四五六七八九"


def write(folder: Path) -> None:
    """Write ``cases.csv``."""
    draw = random.Random(20261127)
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "question", "language", "answer"))
        for number in range(CASES):
            language = draw.choice(("en", "zh"))
            asked, right, unit = draw.choice(KINDS)(draw, language)
            options = choices(draw, right)
            listed = " ".join(f"({letter}) {value} {unit}" for letter, value in zip(LETTERS, options, strict=True))
            answer = f"{LETTERS[options.index(right)]}: {right}"
            table.writerow((f"c{number:04}", f"{asked} {listed}", language, answer))


def choices(draw: random.Random, right: int) -> list[int]:
    """Return the right number among three that are near it or ten times as much."""
    others = {right + draw.randrange(1, 9), max(1, right - draw.randrange(1, 9)), right * 10, right * 2} - {right}
    found = [right, *draw.sample(sorted(others), 3)]
    draw.shuffle(found)
    return found


def said(draw: random.Random, number: int, language: str) -> str:
    """Return a number as somebody might write it: in Chinese also in characters, or in full width."""
    if language == "zh" and number < 20 and draw.random() < 0.5:
        tens, ones = divmod(number, 10)
        return ("十" if tens else "") + (FIGURES[ones] if ones or not tens else "")
    wide = language == "zh" and draw.random() < 0.3
    return "".join(chr(ord(figure) + 0xFEE0) if wide else figure for figure in str(number))


def energy(draw: random.Random, language: str) -> tuple[str, int, str]:
    count, power, hours = draw.randrange(2, 12), draw.randrange(3, 60), draw.randrange(2, 20)
    n, p, h = (said(draw, number, language) for number in (count, power, hours))
    asked = (
        f"{n} pumps of {p} kW each run for {h} hours. How much energy do they use?"
        if language == "en"
        else f"{n}台水泵每台功率{p}千瓦，运行{h}小时，共耗电多少？"
    )
    return asked, count * power * hours, "kWh"


def filling(draw: random.Random, language: str) -> tuple[str, int, str]:
    rate, minutes = draw.randrange(5, 90), draw.randrange(4, 60)
    r, v = said(draw, rate, language), said(draw, rate * minutes, language)
    asked = (
        f"A tank of {v} litres is filled at {r} litres a minute. After how many minutes is it full?"
        if language == "en"
        else f"水箱容积{v}升，以每分钟{r}升的流量注水，多少分钟注满？"
    )
    return asked, minutes, "min"


def changes(draw: random.Random, language: str) -> tuple[str, int, str]:
    days, times = draw.randrange(5, 40), draw.randrange(3, 30)
    d, span = said(draw, days, language), said(draw, days * times, language)
    asked = (
        f"A filter is changed every {d} days. How many changes fall into {span} days?"
        if language == "en"
        else f"滤芯每{d}天更换一次，{span}天内要更换多少次？"
    )
    return asked, times, "×"


def torque(draw: random.Random, language: str) -> tuple[str, int, str]:
    force, arm = draw.randrange(20, 300), draw.randrange(2, 9)
    f, a = said(draw, force, language), said(draw, arm, language)
    asked = (
        f"A force of {f} N acts on a lever of {a} m. Which torque is that?"
        if language == "en"
        else f"{f}牛的力作用在{a}米长的力臂上，力矩是多少？"
    )
    return asked, force * arm, "N·m"


KINDS: tuple[Callable[[random.Random, str], tuple[str, int, str]], ...] = (energy, filling, changes, torque)
