"""What a base measures by, as anybody may read it: its words in both languages, its measures, where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from pilotbase.documents.texts import LANGUAGES, Text
from pilotbase.documents.vocabularies import SUBHEADS, VOCABULARIES, Action
from pilotbase.measures import Measure, ResourceMeasure, measures, resource_measures
from pilotbase.workspace.records import fold

SHOWN = ("action", "support", "sector", "grain", "verification", "outcome", "verdict", "estimand", "role")
"""Vocabularies in the order of the page; sub-heads stand under their action."""
_MOST_FOUND = 12


@dataclass(frozen=True)
class Word:
    """One value of a vocabulary."""

    vocabulary: str
    value: str
    name: Text
    below: tuple[Word, ...] = ()


@dataclass(frozen=True)
class MeasureLine:
    """One measure as the page shows it."""

    name: str
    title: Text
    formula: str
    source: str
    better: str


@dataclass(frozen=True)
class StandardRow:
    """A word or a measure that a search came upon, and where on the page it stands."""

    name: Text
    code: str
    place: str


def vocabularies() -> dict[str, list[Word]]:
    """Return vocabulary → its words, in the order of the page."""
    return {name: [_word(name, value) for value in VOCABULARIES[name]] for name in SHOWN}


def vocabularies_json() -> dict[str, Any]:
    """Return vocabulary → value → name by language, with the sub-heads of each action."""
    return {
        name: {
            value.value: {language: _name(name, value).render(language) for language in LANGUAGES} for value in words
        }
        for name, words in VOCABULARIES.items()
    } | {"subheads": {action.value: [one.value for one in below] for action, below in SUBHEADS.items()}}


@cache
def measures_shown() -> tuple[MeasureLine, ...]:
    """Return every measure that a criterion can name."""
    everything: list[Measure | ResourceMeasure] = [*measures().values(), *resource_measures().values()]
    return tuple(MeasureLine(one.name, one.title, one.formula, one.source, one.better) for one in everything)


def find(words: str) -> list[StandardRow]:
    """Return what of the base's words and measures holds every word asked for, in either language."""
    terms = fold(words).split()
    if not terms:
        return []
    return [found for spoken, found in _everything() if all(term in spoken for term in terms)][:_MOST_FOUND]


@cache
def _everything() -> tuple[tuple[str, StandardRow], ...]:
    lines = [(word, f"vocabulary-{word.vocabulary}") for words in vocabularies().values() for word in words]
    lines += [(below, "vocabulary-action") for word, _ in lines for below in word.below]
    found = [(_spoken(word.name, word.value), StandardRow(word.name, word.value, place)) for word, place in lines]
    found += [(_spoken(one.title, one.name), StandardRow(one.title, one.name, "measures")) for one in measures_shown()]
    return tuple(found)


def _spoken(name: Text, code: str) -> str:
    return fold("\n".join([code, *(name.render(language) for language in LANGUAGES)]))


def _word(vocabulary: str, value: Any) -> Word:
    below = tuple(_word("subhead", one) for one in SUBHEADS[value]) if isinstance(value, Action) else ()
    return Word(vocabulary, value.value, _name(vocabulary, value), below)


def _name(vocabulary: str, value: Any) -> Text:
    return Text(code=f"{vocabulary}.{value.value}")
