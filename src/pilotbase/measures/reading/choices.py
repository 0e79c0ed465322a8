"""Which letter of a multiple-choice question an answer takes: ``The answer is (B)``, ``答案：B``, ``B. Paris``."""

from __future__ import annotations

import re
import unicodedata

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


def chosen_letter(text: str) -> str | None:
    """Return the letter that ``text`` takes, A to Z; None where it takes none, or several without saying which.

    In this order: the letter is all there is; the last that is said to be the answer; the one that the text begins
    with, as in ``B. Paris``; the only capital letter that stands alone.
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
