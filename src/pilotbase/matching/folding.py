"""A text as rules read it, with the way back: widths, cases, scripts and look-alike letters folded, offsets kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from unicodedata import category, normalize

from pilotbase.documents.texts import UNSEEN, Language
from pilotbase.matching.words import LOOK_ALIKE, language_of
from pilotbase.measures.characters import SIMPLIFIED

_PLAIN = str.maketrans("’‘“”、，；：。！？（）【】\t\u2028\u2029", "''\"\",,;:。!?()[] \n\n")
_END = re.compile(r"[。!?;\n]|(?<![^a-z][a-z])(?<!e\.g)\.(?=\s|$)")
_COMMA = re.compile(r"(?<!\d),|,(?!\d{3})|:")
_LONGEST_SENTENCE = 1000
"""What is longer is read in pieces, so that the time grows with the length and no faster."""
_LONGEST_FOLD = 8
"""NFKC makes eighteen letters of one character."""


@dataclass(frozen=True)
class TextSpan:
    """Places ``start`` to ``end`` of a folded text."""

    start: int
    end: int


@dataclass(frozen=True)
class Sentence(TextSpan):
    """A sentence, in the language of most of its letters."""

    language: Language
    words: str
    """Its folded text."""

    @cached_property
    def clauses(self) -> tuple[TextSpan, ...]:
        """Return its parts between commas, as places in it."""
        return tuple(_parts(self.words, _COMMA))


@dataclass(frozen=True)
class Folded:
    """A text, folded: ``origin[i]`` is the place in ``text`` of the i-th folded character."""

    text: str
    words: str
    origin: tuple[int, ...]
    disguised: tuple[int, ...]
    """Places in ``text`` of hidden characters, and of letters of another script within Latin words."""

    def place(self, span: TextSpan) -> tuple[int, int]:
        """Return where the characters of a span stand in the text, without spaces at the ends."""
        first, last = self.origin[span.start], self.origin[span.end - 1] + 1
        said = self.text[first:last]
        return last - len(said.lstrip()), first + len(said.rstrip())

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """Return the sentences that hold a letter or a digit."""
        said = ((one, self.words[one.start : one.end]) for one in _parts(self.words, _END))
        return tuple(
            Sentence(one.start, one.end, language_of(words), words)
            for one, words in said
            if any(map(str.isalnum, words))
        )


def fold(text: str) -> Folded:
    """Return ``text`` folded; hidden characters are left out."""
    words, origin, disguised = [], [], []
    for place, character in enumerate(text):
        plain = _plain(character)
        if plain != character and _is_disguised(character, text[place - 1 : place] + text[place + 1 : place + 2]):
            disguised.append(place)
        words.append(plain)
        origin += [place] * len(plain)
    return Folded(text, "".join(words), tuple(origin), tuple(disguised))


@lru_cache(maxsize=1 << 14)
def _plain(character: str) -> str:
    if character in "\n\t":
        return character.translate(_PLAIN)
    if character.isascii() and character.isprintable():
        return character.lower()
    if category(character) in UNSEEN:
        return ""
    seen = LOOK_ALIKE.get(character, character)
    return normalize("NFKC", seen).translate(SIMPLIFIED).translate(_PLAIN).casefold()[:_LONGEST_FOLD]


def _is_disguised(character: str, beside: str) -> bool:
    if character in "\n\t\r" or (character.isascii() and character.isprintable()):
        return False
    in_latin = character in LOOK_ALIKE and any(one.isascii() and one.isalpha() for one in beside)
    return in_latin or category(character) in UNSEEN


def _parts(words: str, ends: re.Pattern[str]) -> Iterator[TextSpan]:
    """Yield the parts of a text that end at ``ends``."""
    last = 0
    for end in (*(found.end() for found in ends.finditer(words)), len(words)):
        for start in range(last, end, _LONGEST_SENTENCE):
            yield TextSpan(start, min(start + _LONGEST_SENTENCE, end))
        last = end
