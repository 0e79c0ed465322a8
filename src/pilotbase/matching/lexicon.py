"""Lists of terms in both languages, and where a text names them: concepts to compare by, cues to draft by.

A file holds ``Chinese terms | English terms | facets`` a line; of terms that begin at the same place the longest wins.
A facet is ``name:value``, with ``*weight`` where it isn't one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple
from unicodedata import normalize

from pilotbase.documents.texts import LANGUAGES, Language

_WHOLE_WORD = "."


class NamedTerm(NamedTuple):
    """A term in a text: ``text[start:end]``, and the numbers of the lines that have it."""

    start: int
    end: int
    lines: tuple[int, ...]


class CueFacet(NamedTuple):
    """What a line is a sign of, and how much."""

    name: str
    value: str
    weight: float


@dataclass(frozen=True)
class Lexicon:
    """The terms of one file."""

    terms: Mapping[Language, Mapping[str, tuple[int, ...]]]
    longest: Mapping[Language, Mapping[str, int]]
    """First two characters of a term → length of the longest one that begins so."""
    facets: tuple[tuple[CueFacet, ...], ...]
    """Of each line."""

    def named_in(self, text: str, language: Language) -> Iterator[NamedTerm]:
        """Yield the terms in a folded text; an English term begins where a word begins."""
        terms, beginnings, place = self.terms[language], self.longest[language], 0
        while place < len(text):
            step = 1
            if language == "zh" or not text[place - 1 : place].isalnum():
                longest = max(beginnings.get(text[place : place + 2], 0), beginnings.get(text[place], 0))
                for length in range(min(longest, len(text) - place), 0, -1):
                    term = text[place : place + length]
                    if term not in terms and term + _WHOLE_WORD in terms and _ends_word(text, place + length):
                        term += _WHOLE_WORD
                    if term in terms:
                        yield NamedTerm(place, place + length, terms[term])
                        step = length
                        break
            place += step


@lru_cache(maxsize=4)
def lexicon(name: str) -> Lexicon:
    """Return the lexicon in ``NAME.txt``."""
    said = files("pilotbase.matching").joinpath(f"{name}.txt").read_text("utf-8")
    lines = [line.split("|") for line in said.splitlines() if "|" in line and not line.startswith("#")]
    terms: dict[Language, dict[str, tuple[int, ...]]] = {language: {} for language in LANGUAGES}
    for number, (chinese, english, *_) in enumerate(lines):
        for language, named in zip(LANGUAGES, (english, chinese), strict=True):
            for term in filter(None, map(str.strip, normalize("NFKC", named).casefold().split(","))):
                terms[language][term] = (*terms[language].get(term, ()), number)
    longest: dict[Language, dict[str, int]] = {language: {} for language in LANGUAGES}
    for language, known in terms.items():
        for term in known:
            plain = term.removesuffix(_WHOLE_WORD)
            longest[language][plain[:2]] = max(longest[language].get(plain[:2], 0), len(plain))
    return Lexicon(terms, longest, tuple(tuple(map(_facet, " ".join(one[2:]).split())) for one in lines))


def _facet(spelled: str) -> CueFacet:
    said, _, weight = spelled.partition("*")
    name, _, value = said.partition(":")
    return CueFacet(name, value, float(weight or 1))


def _ends_word(text: str, end: int) -> bool:
    """Return whether a word ends at ``end``, or one letter later if it is a plural."""
    after = text[end : end + 2]
    return not (after[1:] if after[:1] == "s" else after[:1]).isalnum()
