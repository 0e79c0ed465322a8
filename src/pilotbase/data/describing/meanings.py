"""What a column reveals about a person, by its name and the form of its values, and its unit: guesses that err safely.

Numbers of the resident identity card are recognised by their check digit (GB 11643-1999; ISO 7064, MOD 11-2), bank
cards by theirs (ISO/IEC 7812-1, annex B), mobile numbers by their form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

import yaml

from pilotbase.data.column_guesses import guess_unit
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
_ID_CARD = re.compile(r"[1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx]")
_MOBILE = re.compile(r"(\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_PLATE = re.compile(r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·\s]?[A-Z0-9]{5,6}")
_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟"
    "汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_CHINESE_NAME = re.compile(r"[一-鿿]{2,4}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
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


def is_identity_number(number: str) -> bool:
    """Return whether ``number`` is one of a resident identity card, by its form and its check digit."""
    if _ID_CARD.fullmatch(number) is None:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def is_card_number(number: str) -> bool:
    """Return whether ``number`` is one of a bank card: 16 to 19 digits with the check digit."""
    digits = number.replace(" ", "")
    if not re.fullmatch(r"[3-6]\d{15,18}", digits):
        return False
    doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


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


def _is_chinese_name(value: str) -> bool:
    return _CHINESE_NAME.fullmatch(value) is not None and len(value) < 4 and value[0] in _SURNAMES


_FORMS: tuple[tuple[object, Callable[[str], bool]], ...] = (
    (text("describe.personal.identity_number"), is_identity_number),
    (text("describe.personal.mobile"), lambda value: _MOBILE.fullmatch(value) is not None),
    (text("describe.personal.mail"), lambda value: _MAIL.fullmatch(value) is not None),
    (text("describe.personal.plate"), lambda value: _PLATE.fullmatch(value) is not None),
    (text("describe.personal.card"), is_card_number),
    (text("describe.personal.chinese_name"), _is_chinese_name),
)


def guess_ucum(name: str) -> tuple[str, Guess] | None:
    """Return the unit at the end of a column's name in the spelling of UCUM 2.1, and why; None for an unknown one."""
    written = guess_unit(name)
    if written is None or _COUNTS.search(name):
        return None
    unit = written if written in _SAME else _UCUM.get(written.strip().lower())
    if unit is None:
        return None
    return unit, Guess("unit", text("describe.ground.unit", name=name, written=written), Sure.LIKELY)
