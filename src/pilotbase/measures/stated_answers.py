"""What an answer in words states: a letter (``答案：B``, ``The answer is B``) or a number (1.2万, 一百二十, 百分之五).

Numerals in words count only where the text has no digits, since 一 and 两 stand in many words. English numerals in
words do not count.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction

from pilotbase.measures.characters import SIMPLIFIED

_LONGEST = 10_000
# Possessive quantifiers: an answer of blanks must not take time that grows with the square of its length.
_OPEN = r"[\s(\[{<\"'“‘*_`$【《「]*+(?:\\(?:boxed|text|mathbf)\{)*+"
_SHUT = r"(?![A-Za-z0-9])"
_CUES = r"\b(?:answer|choice|option|select|choose|pick)s?\b|答案|选项|应选|故选|选择|选|答[:是为]"
_LINKS = r"is|are|was|be|would|should|must|correct|option|choice|letter|最终|正确|应该|应|该|的|是|为|选项|选|:|=|,|-"
_ALONE = re.compile(rf"{_OPEN}([A-Za-z]){_SHUT}\W*")
_STATED = re.compile(rf"(?i:{_CUES})(?:\s*+(?i:{_LINKS}))*+{_OPEN}([A-Z]){_SHUT}")
_LEADING = re.compile(rf"{_OPEN}([A-Z])\s*+[).\]:、,】}}]")
_SINGLE = re.compile(r"(?<![A-Za-z0-9'])([A-Z])(?![A-Za-z0-9'])")
_WORDS = frozenset("AI")
"""Letters that are words, too: they count in brackets, before a stop or after "answer" only."""
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


def chosen_letter(text: str) -> str | None:
    """Return the letter that ``text`` chooses, A to Z; None if it chooses none, or several ambiguously.

    In this order: the letter is the whole text; the last one called the answer; the one that the text begins with, as
    in ``B. Paris``; the only capital letter that is a word of its own.
    """
    read = unicodedata.normalize("NFKC", text[-_LONGEST:]).strip()
    alone = _ALONE.fullmatch(read)
    if alone:
        return alone[1].upper()
    stated = _STATED.findall(read)
    if stated:
        return str(stated[-1])
    leading = _LEADING.match(read)
    if leading:
        return leading[1]
    single = set(_SINGLE.findall(read)) - _WORDS
    return single.pop() if len(single) == 1 else None


def last_number(text: str) -> Fraction | None:
    """Return the last number of ``text``, exactly; None if there is none."""
    end = unicodedata.normalize("NFKC", text[-_LONGEST:]).translate(SIMPLIFIED)
    written = list(_WRITTEN.finditer(end))
    if written:
        return _written(written[-1])
    spelled = list(_IN_WORDS.finditer(end))
    return _in_words(spelled[-1]) if spelled else None


def numbers_in(text: str) -> Iterator[tuple[int, int, Fraction]]:
    """Yield (start, end, value) of the numbers of a normalised text: written in digits, then in Chinese numerals."""
    end, digits = 0, []
    for found in _WRITTEN.finditer(text):
        digits.append((end, found.start()))
        end = found.end()
        value = _written(found)
        if value is not None:
            yield found.start(), end, value
    for first, last in (*digits, (end, len(text))):
        for found in _IN_WORDS.finditer(text, first, last):
            value = _in_words(found)
            if value is not None:
                yield found.start(), found.end(), value


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
