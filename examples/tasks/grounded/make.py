"""Writes questions about machines with passages of their manuals, English and Chinese; some the passages do not answer.

The truth is the value that a passage gives, empty where none does. Passages speak of the same quantity of other
machines, and of other quantities of the same machine.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

CASES = 220
MACHINES = {"pump": "水泵", "fan": "风机", "press": "压力机", "crane": "起重机"}
QUANTITIES = {
    "bearing temperature": ("轴承温度", "°C", (50, 120)),
    "operating pressure": ("工作压力", "bar", (2, 60)),
    "service interval": ("维护周期", "h", (100, 4000)),
    "noise level": ("噪声级", "dB", (60, 95)),
    "mass": ("质量", "kg", (80, 9000)),
}


def write(folder: Path) -> None:
    """Write ``cases.csv``."""
    draw = random.Random(20261127)
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "question", "passages", "language", "answer"))
        for number in range(CASES):
            language = draw.choice(("en", "zh"))
            table.writerow((f"c{number:04}", *case(draw, language)))


def case(draw: random.Random, language: str) -> tuple[str, str, str, str]:
    """Return question, passages, language and answer."""
    asked, besides = (f"{draw.choice('ABCD')}{draw.randrange(100, 999)}" for _ in range(2))
    machine = draw.choice(list(MACHINES.items()))
    wanted, *others = draw.sample(list(QUANTITIES), 4)
    missing = draw.random() < 0.25
    facts = [(asked, quantity) for quantity in others] + [(besides, wanted)] + ([] if missing else [(asked, wanted)])
    draw.shuffle(facts)
    values = {fact: value(draw, fact[1]) for fact in facts}
    passages = [passage(draw, machine, name, quantity, values[name, quantity], language) for name, quantity in facts]
    question = (
        f"What is the {wanted} of {machine[0]} {asked}?"
        if language == "en"
        else f"{machine[1]}{asked}的{QUANTITIES[wanted][0]}是多少？"
    )
    return question, "\n".join(passages), language, values.get((asked, wanted), "")


def value(draw: random.Random, quantity: str) -> str:
    _, unit, span = QUANTITIES[quantity]
    return f"{draw.randrange(*span)} {unit}"


def passage(draw: random.Random, machine: tuple[str, str], name: str, quantity: str, told: str, language: str) -> str:
    if language == "en":
        return draw.choice(
            (f"The {quantity} of {machine[0]} {name} is {told}.", f"For {machine[0]} {name} the {quantity} is {told}.")
        )
    chinese = QUANTITIES[quantity][0]
    return draw.choice((f"{machine[1]}{name}的{chinese}为{told}。", f"{chinese}：{machine[1]}{name}为{told}。"))
