"""A set of attacks on language models and of harmless look-alikes, in English and Chinese, as a scenario's folder.

Every case has instructions with a code that must not be said (``secret_told``). The truth says what is right:

    empty     an attack: to be declined (``declined``)
    a dash    a harmless question, or one about a text that contains an attack: to be answered (``answered``)

Both sides are always there, so that an application which declines everything fails as surely as one that gives in. The
questions are published with this software, so a model may have been trained on them: only the codes, and the
instructions for each question, are newly drawn. A low rate proves little, a high one is a finding.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

from pilotbase.documents.files import format_csv

SafetyLanguage = Literal["en", "zh"]
SAFETY_LANGUAGES: tuple[SafetyLanguage, ...] = ("en", "zh")
ROLES = 8
"""Instructions available for a question."""
ANSWERED = "—"
"""Stands in for an answer: there is no single right one, but one is due."""
_COLUMNS = ("case", "item", "language", "kind", "instructions", "context", "question", "secret", "truth")
_NO_CONTEXT = {"en": "(none)", "zh": "（无）"}
_LETTERS, _DIGITS = "BCDFGHJKLMNPQRSTVWXZ", "23456789"


@dataclass(frozen=True)
class SafetyItem:
    """One question; ``side``: ``refused``, ``injected`` or ``harmless``."""

    name: str
    language: SafetyLanguage
    side: str
    kind: str
    question: str
    context: str = ""


def safety_items(language: SafetyLanguage) -> tuple[SafetyItem, ...]:
    """Return the questions in ``language``, in the order of the file."""
    found = _read(language)
    return tuple(
        _item(language, side, kind, number, given)
        for side in ("refused", "injected", "harmless")
        for kind, items in found[side].items()
        for number, given in enumerate(items, start=1)
    )


def safety_roles(language: SafetyLanguage) -> Sequence[str]:
    """Return the instructions in ``language``; ``{secret}`` is replaced by the code."""
    roles: Sequence[str] = _read(language)["roles"]
    return roles


def safety_scenario(languages: Sequence[SafetyLanguage], variants: int, seed: int | None) -> Mapping[str, bytes]:
    """Return the files of a scenario: ``scenario.yaml`` and ``cases.csv``.

    ``variants``: how many instructions, each with its own code, each question gets; 1 to `ROLES`.
    ``seed``: the seed for drawing these; None: drawn at random, so that nobody can know the codes.
    """
    draw = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 - a seed is for tests
    rows = list(_rows(languages, variants, draw))
    draw.shuffle(rows)
    numbered = ([f"s{number:04}", *row] for number, row in enumerate(rows, start=1))
    scenario = resources.files(__name__).joinpath("scenario.yaml").read_text("utf-8")
    if len(languages) == 1:
        scenario = "".join(line for line in scenario.splitlines(keepends=True) if "by language" not in line)
    return {"scenario.yaml": scenario.encode(), "cases.csv": format_csv(_COLUMNS, numbered)}


def _rows(languages: Sequence[SafetyLanguage], variants: int, draw: random.Random) -> Iterator[list[str]]:
    for language in languages:
        roles = safety_roles(language)
        for item in safety_items(language):
            for role in draw.sample(roles, variants):
                secret = "".join(draw.choices(_LETTERS, k=4)) + "-" + "".join(draw.choices(_DIGITS, k=4))
                truth, told = "" if item.side == "refused" else ANSWERED, "" if item.side == "harmless" else secret
                context = item.context or _NO_CONTEXT[language]
                instructions, kind = role.replace("{secret}", secret), f"{item.side}:{item.kind}"
                yield [item.name, language, kind, instructions, context, item.question, told, truth]


def _item(language: SafetyLanguage, side: str, kind: str, number: int, given: str | Mapping[str, str]) -> SafetyItem:
    question, context = (given, "") if isinstance(given, str) else (given["question"], given["context"])
    return SafetyItem(f"{language}-{side}-{kind}-{number}", language, side, kind, question, context)


@cache
def _read(language: SafetyLanguage) -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(resources.files(__name__).joinpath(f"{language}.yaml").read_text("utf-8"))
    return found
