"""The last number of a text: digits of any width, thousands separators, per cent, 1.2万, 一百二十, 百分之五.

Numerals in words count only where the text has no digits, since 一 and 两 stand in many words. English numerals in
words do not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from pilotbase.measures.characters import SIMPLIFIED

_LONGEST = 10_000
"""Letters at the end of an answer in which its last number is looked for."""
_LONGEST_NUMBER = 100
_WRITTEN = re.compile(
    r"(?P<sign>(?<![\w)])[-+\u2212])?[$€£¥]?\s?(?<![A-Za-z_])"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?<!\d)\.\d+)(?P<power>[eE][-+]?\d{1,2}(?!\d))?"
    r"\s?(?P<scale>[%‰]|(?:百|千(?![克米瓦帕卡伏安])|万|亿)+|(?:thousand|million|billion|trillion)\b)?"
)
_SCALES: Mapping[str, Fraction] = {
    "%": Fraction(1, 100), "‰": Fraction(1, 1000), "百": Fraction(100), "千": Fraction(1000), "万": Fraction(10**4),
    "亿": Fraction(10**8), "thousand": Fraction(1000), "million": Fraction(10**6), "billion": Fraction(10**9),
    "trillion": Fraction(10**12),
}  # fmt: skip
_NUMERALS: Mapping[str, int] = {
    sign: value
    for value, signs in enumerate(("零〇", "一壹", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"))
    for sign in signs
}
_UNITS: Mapping[str, int] = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_MYRIADS: Mapping[str, int] = {"万": 10**4, "亿": 10**8}
_RUN = "[" + "".join((*_NUMERALS, *_UNITS, *_MYRIADS)) + "]{1,40}"
_PLACES = "[" + "".join(_NUMERALS) + "]{1,40}"
_IN_WORDS = re.compile(rf"(?P<sign>负)?(?:(?P<under>{_RUN})分之)?(?P<over>{_RUN})(?:点(?P<places>{_PLACES}))?")


def last_number(text: str) -> Fraction | None:
    """Return the last number of ``text``, exactly; None where there is none."""
    end = unicodedata.normalize("NFKC", text[-_LONGEST:]).translate(SIMPLIFIED)
    written = list(_WRITTEN.finditer(end))
    if written:
        return _written(written[-1])
    spelled = list(_IN_WORDS.finditer(end))
    return _in_words(spelled[-1]) if spelled else None


def _written(found: re.Match[str]) -> Fraction | None:
    digits = found["digits"].replace(",", "")
    if len(digits) > _LONGEST_NUMBER:
        return None
    value = Fraction(Decimal(digits + (found["power"] or "")))
    scale = found["scale"] or ""
    for unit in [scale] if scale in _SCALES else scale:
        value *= _SCALES[unit]
    return -value if found["sign"] in ("-", "\u2212") else value


def _in_words(found: re.Match[str]) -> Fraction | None:
    value = Fraction(_whole(found["over"]))
    if found["places"]:
        value += Fraction(_in_digits(found["places"]), 10 ** len(found["places"]))
    if found["under"]:
        under = _whole(found["under"])
        if under == 0:
            return None
        value /= under
    return -value if found["sign"] else value


def _whole(run: str) -> int:
    """Return the number of a run of numerals: 二〇二四 by digits, else by units; 一百二 is 120, 一百零二 is 102."""
    if not set(run) & {*_UNITS, *_MYRIADS}:
        return _in_digits(run)
    total = section = digit = 0
    after = 1
    for sign in run:
        if sign in _NUMERALS:
            digit = _NUMERALS[sign]
            after = after if digit else 10
        elif sign in _UNITS:
            section += (digit or (0 if section else 1)) * _UNITS[sign]
            digit, after = 0, _UNITS[sign]
        else:
            total = (total + section + digit) * _MYRIADS[sign] if sign == "亿" else total + (section + digit) * 10**4
            section, digit, after = 0, 0, _MYRIADS[sign]
    return total + section + digit * max(after // 10, 1)


def _in_digits(run: str) -> int:
    return int("".join(str(_NUMERALS[sign]) for sign in run))
