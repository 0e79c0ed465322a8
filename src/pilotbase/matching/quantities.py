"""Quantities in a folded text of either language: money, durations, shares and counts, each with its place.

Read are ``3 万元``, ``三百张``, ``百分之六``, ``两百多万``, ``9千6百元``, ``1.2 million``, ``CNY 30,000``, ``80k``,
``half a day`` and ``forty-five thousand euros``. A number that names none, such as 几千, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pilotbase.matching.folding import TextSpan
from pilotbase.measures.stated_answers import numbers_in

_CURRENCIES: Mapping[str, str] = {
    "CNY": "cny|rmb|yuan|renminbi|人民币|元(?!素|器|件)|块钱?|¥", "USD": "usd|us dollars?|dollars?|美元|美金|\\$",
    "EUR": "eur|euros?|欧元|€", "GBP": "gbp|pounds?|英镑|£", "HKD": "hkd|港元|港币", "JPY": "jpy|日元|yen",
}  # fmt: skip
_SIGNS: Mapping[str, str] = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY"}
_BEFORE = re.compile(r"(?P<code>cny|rmb|人民币|usd|us\$|eur|gbp|hkd|jpy)\s?$")
_GLUED = re.compile(r"(?<![a-z])(?:cny|rmb|usd|eur|gbp|hkd|jpy)(?=\d)")
_AFTER = re.compile(
    rf"\s?(?:左右|上下|or so)?\s?(?:{'|'.join(f'(?P<{name}>{words})' for name, words in _CURRENCIES.items())})(?![a-z])"
)
_DIME = re.compile(r"\s?(?:毛|角)(?:钱|$|[^度落])")
_SECONDS: Mapping[str, tuple[int | Fraction, str]] = {
    "ms": (Fraction(1, 1000), "毫秒|ms|milliseconds?"), "s": (1, "秒钟?|s|secs?|seconds?"),
    "min": (60, "分钟|min|mins|minutes?"), "h": (3600, "个?(?:小时|钟头)|h|hours?|hrs?"),
    "d": (86_400, "天|日(?!元|均)|days?"), "wk": (604_800, "个?(?:星期|礼拜)|周(?!期)|weeks?"),
    "mo": (2_592_000, "个?月(?!份)|months?"), "a": (31_536_000, "年(?!级|龄|轻)|years?"),
}  # fmt: skip
_TIME = re.compile(rf"\s?(?:{'|'.join(f'(?P<{name}>{words})' for name, (_, words) in _SECONDS.items())})(?![a-z])")
_SHARE = re.compile(r"\s?(?:个百分点|per ?cent\b|percent\b|成(?!本|为|果|分|功|员|立|熟|绩|长))")
_MORE = re.compile(r"(?:[多余来几])\s?(?P<scale>[百千万亿]{1,2})?")
_LETTER = re.compile(r"(?P<scale>k|bn|m)(?![a-z])")
_SCALES: Mapping[str, int] = {
    "百": 100, "千": 1000, "万": 10**4, "亿": 10**8, "百万": 10**6, "千万": 10**7, "k": 1000, "m": 10**6, "bn": 10**9,
}  # fmt: skip
_VAGUE = re.compile(r"[几数上好第]\s?$")
_ABOUT = re.compile(
    r"(?:约|大概|大约|近|左右|上下|差不多|(?<![a-z])(?:about|around|roughly|some|nearly|approximately|up to))\s?$"
)
_HALF = re.compile(r"半(?=个?(?:小时|天|年|月|钟头|个月))|(?<![a-z])half an? (?=[a-z])|(?<![a-z])half (?=a [a-z])")
_UNITS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ENGLISH: Mapping[str, int] = {
    **{word: number for number, word in enumerate(f"{_UNITS} eighteen nineteen".split(), 1)},
    **{word: 10 * number for number, word in enumerate(_TENS.split(), 2)},
    "dozen": 12,
}
_POWERS: Mapping[str, int] = {"hundred": 100, "thousand": 1000, "million": 10**6}
_WORD = "|".join(sorted((*_ENGLISH, *_POWERS), key=len, reverse=True))
_IN_ENGLISH = re.compile(
    rf"(?<![a-z])(?:a (?=hundred|thousand|million|dozen))?(?:{_WORD})(?:(?:[ -]| and )(?:{_WORD}))*(?![a-z])"
)
_A = re.compile(r"(?<![a-z])an? (?=(?:second|minute|hour|day|week|month|year)\b)")
Kind = Literal["money", "time", "share", "count"]


@dataclass(frozen=True)
class Quantity(TextSpan):
    """A number with its unit: a currency, a unit of time; empty for shares (0.06) and counts."""

    value: Fraction
    kind: Kind
    unit: str
    exact: bool
    """False: the text says about, or more than."""

    @property
    def seconds(self) -> Fraction:
        """Return a duration in seconds."""
        return self.value * _SECONDS[self.unit][0]


def quantities_in(words: str) -> list[Quantity]:
    """Return the quantities of a folded text, by their place."""
    found: list[Quantity] = []
    for each in _joined(words, sorted(_numbers(words), key=lambda one: (one[0], -one[1]))):
        one = _quantity(words, *each) if not found or each[0] >= found[-1].end else None
        if one is not None:
            found.append(one)
    return found


def spelled(value: Fraction) -> str:
    """Return a number without an exponent, such as ``30000`` or ``0.06``."""
    return str(value) if value.denominator == 1 else f"{float(value):.12g}"


def _numbers(words: str) -> Iterator[tuple[int, int, Fraction]]:
    yield from numbers_in(_GLUED.sub(lambda code: "(" * len(code[0]), words))
    for found in _IN_ENGLISH.finditer(words):
        yield found.start(), found.end(), Fraction(_english(found[0]))
    for found in _HALF.finditer(words):
        yield found.start(), found.end(), Fraction(1, 2)
    for found in _A.finditer(words):
        yield found.start(), found.end(), Fraction(1)


def _joined(words: str, numbers: list[tuple[int, int, Fraction]]) -> Iterator[tuple[int, int, Fraction]]:
    """Yield the numbers, one that goes on at once after a unit of ten added to it: 9千6百."""
    before: tuple[int, int, Fraction] | None = None
    for start, end, value in numbers:
        if before and before[1] == start and words[start - 1] in "百千万亿" and value < before[2]:
            before = (before[0], end, before[2] + value)
            continue
        if before:
            yield before
        before = (start, end, value)
    if before:
        yield before


def _english(said: str) -> int:
    total = part = 0
    for word in re.findall("[a-z]+", said):
        if word in _ENGLISH:
            part = part * 12 if word == "dozen" and part else part + _ENGLISH[word]
        elif word in _POWERS and _POWERS[word] > 100:
            total, part = total + max(part, 1) * _POWERS[word], 0
        elif word in _POWERS:
            part = max(part, 1) * _POWERS[word]
    return total + part


def _quantity(words: str, start: int, end: int, value: Fraction) -> Quantity | None:
    before = words[max(start - 14, 0) : start]
    if _VAGUE.search(before):
        return None
    exact = not _ABOUT.search(before)
    more = _MORE.match(words, end) or _LETTER.match(words, end)
    if more:
        value, end, exact = value * _SCALES.get(more["scale"] or "", 1), more.end(), exact and more.re is _LETTER
    if words[start:end].rstrip().endswith(("%", "‰")) or "分之" in words[start:end]:
        return Quantity(start, end, value, "share", "", exact)
    return _with_unit(words, TextSpan(start, end), value, exact)


def _with_unit(words: str, at: TextSpan, value: Fraction, exact: bool) -> Quantity:
    before, sign = _BEFORE.search(words[max(at.start - 12, 0) : at.start]), _SIGNS.get(words[at.start])
    after, dime = _AFTER.match(words, at.end), _DIME.match(words, at.end)
    if dime:
        return Quantity(at.start, at.end + 1, value / 10, "money", "CNY", exact)
    if sign or after or before:
        code = sign or (after and after.lastgroup) or _code(before["code"] if before else "")
        start = at.start - len(before[0]) if before and not sign else at.start
        return Quantity(start, after.end() if after else at.end, value, "money", str(code), exact)
    share, time = _SHARE.match(words, at.end), _TIME.match(words, at.end)
    if share:
        return Quantity(at.start, share.end(), value / (10 if "成" in share[0] else 100), "share", "", exact)
    if time:
        return Quantity(at.start, time.end(), value, "time", str(time.lastgroup), exact)
    return Quantity(at.start, at.end, value, "count", "", exact)


def _code(said: str) -> str:
    return "CNY" if said in ("rmb", "人民币") else said.upper().replace("US$", "USD")
