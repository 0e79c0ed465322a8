"""What a column reveals about a person, by its name and its values, and its unit: guesses that err safely."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

import yaml

from pilotbase.data.column_guesses import guess_unit
from pilotbase.data.personal_values import (
    is_card_number,
    is_chinese_name,
    is_identity_number,
    is_mail_address,
    is_mobile_number,
    is_plate,
)
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Sensitivity


class Sure(StrEnum):
    """How sure a guess is."""

    CERTAIN = "certain"
    """All values say so, or a database declares it."""
    LIKELY = "likely"
    """The name says so and no value contradicts it."""
    UNSURE = "unsure"
    """A value is needed."""

    @property
    def said(self) -> Text:
        return Text(code=f"describe.sure.{self}")


@dataclass(frozen=True)
class Guess:
    """``part`` of a field or a record set, such as ``unit``; the document contains the guessed value."""

    part: str
    ground: Text
    sure: Sure


_SHARE = 0.5
"""Share of the values that must have a form for the column to hold it."""
_FORMS: tuple[tuple[object, Callable[[str], bool]], ...] = (
    (text("describe.personal.identity_number"), is_identity_number),
    (text("describe.personal.mobile"), is_mobile_number),
    (text("describe.personal.mail"), is_mail_address),
    (text("describe.personal.plate"), is_plate),
    (text("describe.personal.card"), is_card_number),
    (text("describe.personal.chinese_name"), is_chinese_name),
)
_COUNTS = re.compile(r"(^|[_\s])(in|per|each|of|every)[_\s][A-Za-z]+$", re.IGNORECASE)
"""``departures_in_hour`` counts departures: it is no length of time."""


def _read(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(files(__package__).joinpath(name).read_text("utf-8"))
    return found


_UNITS = _read("units.yaml")
_SAME = frozenset(_UNITS["same"])
_UCUM = {unit.lower(): unit for unit in _SAME} | {
    word: unit for unit, words in _UNITS["spelled"].items() for word in words
}
"""A unit as people write it, in lower case → in UCUM; a word that already is UCUM takes precedence."""
_NAMES = tuple(
    (re.compile(pattern, re.IGNORECASE), Sensitivity(sensitivity))
    for sensitivity, words in _read("personal.yaml").items()
    for pattern in (rf"(?<![A-Za-z])({'|'.join(words['patterns'])})(?![A-Za-z])", "|".join(words["characters"]))
)


def guess_sensitivity(name: str, sample: Sequence[str]) -> tuple[Sensitivity, Guess] | None:
    """Return what a column may reveal about a person, and on which ground; None if nothing indicates that."""
    by_values = _by_values(sample)
    if by_values is not None:
        return by_values
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    for pattern, sensitivity in _NAMES:
        found = pattern.search(spelled)
        if found is not None:
            ground = text("describe.ground.personal_name", name=name, word=found[0])
            return sensitivity, Guess("sensitivity", ground, Sure.LIKELY)
    return None


def _by_values(sample: Sequence[str]) -> tuple[Sensitivity, Guess] | None:
    values = [value.strip() for value in sample if value.strip()]
    for what, holds in _FORMS:
        share = sum(map(holds, values)) / len(values) if values else 0.0
        if share >= _SHARE:
            ground = text("describe.ground.personal_values", what=what, share=percent(share))
            return Sensitivity.IDENTIFIER, Guess("sensitivity", ground, Sure.CERTAIN)
    return None


def guess_ucum(name: str) -> tuple[str, Guess] | None:
    """Return the unit at the end of a column's name in the spelling of UCUM 2.1, and why; None for an unknown one."""
    written = guess_unit(name)
    if written is None or _COUNTS.search(name):
        return None
    unit = written if written in _SAME else _UCUM.get(written.strip().lower())
    if unit is None:
        return None
    return unit, Guess("unit", text("describe.ground.unit", name=name, written=written), Sure.LIKELY)
