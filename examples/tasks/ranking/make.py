"""Words questions about equipment, and ten procedures each of which one or two answer it; Chinese or English both."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

CASES = 520
SEED = 20260918
THINGS = {
    "pump": ("pump", "水泵"), "valve": ("valve", "阀门"), "motor": ("motor", "电机"), "filter": ("filter", "滤网"),
    "belt": ("belt", "皮带"), "sensor": ("sensor", "传感器"), "battery": ("battery", "蓄电池"), "fan": ("fan", "风机"),
}  # fmt: skip
WORK = {
    "replace": ("Replacement of the {}", "{}更换规程", ("swap the {}", "put in a new {}"), ("换{}", "更换{}")),
    "clean": ("Cleaning of the {}", "{}清洗规程", ("clean the {}", "wash the {}"), ("清洗{}", "把{}洗干净")),
    "inspect": ("Inspection of the {}", "{}检查规程", ("inspect the {}", "check the {}"), ("检查{}", "检验{}")),
    "oil": ("Lubrication of the {}", "{}润滑规程", ("oil the {}", "lubricate the {}"), ("给{}加油", "润滑{}")),
    "restart": ("Restart of the {}", "{}重启规程", ("restart the {}", "start the {} again"), ("重启{}", "重新启动{}")),
}
SAFETY = ("Safety when working at the {}", "{}作业安全须知")
ASKED = {
    "en": ("How do I {} at line {}?", "Line {1}: we have to {0}. Which way?", "What is needed to {} in hall {}?"),
    "zh": ("{1}号线怎么{0}？", "{1}号车间要{0}，该怎么做？", "请问如何{0}？位置：{1}号。"),
}
LANGUAGES = ("en", "zh")


def write(folder: Path) -> None:
    """Write ``cases.csv``."""
    draw = np.random.default_rng(SEED)
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "pair", "question", "procedures", "wanted"))
        for number in range(CASES):
            table.writerow((f"q{number:04}", *case(draw)))


def case(draw: np.random.Generator) -> tuple[str, str, str, str]:
    """Return the languages, a question, ten procedures and the numbers of those that answer it."""
    asked, written = draw.choice(LANGUAGES), draw.choice(LANGUAGES)
    thing, work = draw.choice(list(THINGS)), draw.choice(list(WORK))
    right = [(thing, work), (thing, "safety")][: draw.integers(1, 3)]
    listed = right + others(thing, work, draw)[: 10 - len(right)]
    numbers = [f"P{number}" for number in draw.choice(900, len(listed), replace=False) + 100]
    lines = [f"{number} {title(*one, written)}" for number, one in zip(numbers, listed, strict=True)]
    procedures = "\n".join(lines[at] for at in draw.permutation(len(lines)))
    return f"{asked}-{written}", question(thing, work, asked, draw), procedures, "|".join(numbers[: len(right)])


def others(thing: str, work: str, draw: np.random.Generator) -> list[tuple[str, str]]:
    """Return procedures that do not answer it: other work at the same thing, the same work at others, neither."""
    near = [(thing, one) for one in WORK if one != work] + [(one, work) for one in THINGS if one != thing]
    return [near[at] for at in draw.permutation(len(near))]


def title(thing: str, work: str, language: str) -> str:
    """Return how a procedure is called."""
    which = LANGUAGES.index(language)
    named = SAFETY[which] if work == "safety" else WORK[work][which]
    return named.format(THINGS[thing][which])


def question(thing: str, work: str, language: str, draw: np.random.Generator) -> str:
    """Return how an operator asks for it."""
    which = LANGUAGES.index(language)
    doing = str(draw.choice(WORK[work][2 + which])).format(THINGS[thing][which])
    return str(draw.choice(ASKED[language])).format(doing, draw.integers(1, 30))
