"""Makes a document with errors readable in its other places, so that one run finds every problem.

A word similar to a known one is taken for it; what cannot be read is left out or substituted.
Nobody gets a mended document: it is only used for further checks. Places always refer to the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from pilotbase.documents.nearest import meant
from pilotbase.documents.texts import Text
from pilotbase.documents.yaml_reader import Plain

UNKNOWN_FIELD, MISSING_FIELD = "input.unknown_field", "input.missing_field"


@dataclass(frozen=True)
class Mended:
    """The content of a file, mended so far."""

    value: dict[str, Plain]
    places: Mapping[str, str]
    """Path in ``value`` → path in the file."""
    parts: Mapping[str, Plain]
    """Path in ``value`` → the value there."""
    doubtful: frozenset[str] = frozenset()
    """Places that could not be read: an issue there, or one that depends on them, is not a separate problem."""
    guessed: frozenset[str] = frozenset()
    """Places of unknown fields that were taken for others: only a value of the other's type confirms the guess."""

    def place(self, path: str) -> str:
        """Return the place of ``path`` in the file, even if there is nothing there."""
        known = nearest_above(path, self.places)
        return self.places.get(known, "") + path[len(known) :] if known else path

    def follows(self, path: str, rests_on: Iterable[str] = ()) -> bool:
        """Return whether a problem at ``path``, and at others it depends on, may follow from an unreadable place."""
        places = [self.place(one) for one in (path, *rests_on)]
        return any(place in self._around or not self.doubtful.isdisjoint(ways_up(place)) for place in places)

    @cached_property
    def _around(self) -> frozenset[str]:
        return frozenset(above for place in self.doubtful for above in ways_up(place))


def as_written(value: dict[str, Plain]) -> Mended:
    """Return ``value`` as in the file."""
    return _edited(Mended(value, {}, {}), _Edits())


def mend(draft: Mended, problems: Iterable[tuple[str, Text]], stand_ins: Mapping[str, Plain]) -> Mended | None:
    """Return ``draft`` without ``problems`` (path, sentence); None if nothing would be left to read."""
    edits, doubtful = _Edits(), set(draft.doubtful)
    for path, problem in problems:
        if problem.code == UNKNOWN_FIELD:
            edits.take_name(draft, path, _meant_field(path, problem))
        elif not edits.take_word(draft, path, problem):
            doubtful.add(draft.place(path))
            if not edits.leave_out(draft, path, problem.code == MISSING_FIELD, stand_ins):
                return None
    guessed = draft.guessed | {draft.place(path) for path in edits.names}
    return replace(_edited(draft, edits), doubtful=frozenset(doubtful), guessed=guessed)


def without_followers(problems: Sequence[tuple[str, Text]]) -> list[tuple[str, Text]]:
    """Return ``problems`` without fields that are missing because they are misspelt."""
    named = {_meant_field(path, problem) for path, problem in problems if problem.code == UNKNOWN_FIELD}
    return [(path, problem) for path, problem in problems if problem.code != MISSING_FIELD or path not in named]


def _meant_field(path: str, problem: Text) -> str | None:
    name = meant(problem)
    return None if name is None else join(_above(path), name)


@dataclass
class _Edits:
    left_out: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    added: dict[str, Plain] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def take_name(self, draft: Mended, path: str, other: str | None) -> None:
        """Take an unknown field for the ``other`` that was meant, unless that is present too."""
        if other is None or other in draft.parts or other in self.taken:
            self.left_out.add(path)
        else:
            self.names[path] = other
            self.taken.add(other)

    def take_word(self, draft: Mended, path: str, problem: Text) -> bool:
        """Take an unknown word for the one that was meant; False if none was, or if it isn't a separate value."""
        word, found, there = meant(problem), problem.params.get("found"), draft.parts.get(path)
        if isinstance(there, dict):
            path = next((join(path, key) for key, inner in there.items() if inner == found), path)
        if word is None or draft.parts.get(path) != found:
            return False
        self.words[path] = word
        return True

    def leave_out(self, draft: Mended, path: str, missing: bool, stand_ins: Mapping[str, Plain]) -> bool:
        """Leave out the value at ``path``, or the part that lacks it; False if that is the whole document."""
        out = path if path in stand_ins else nearest_above(_above(path) if missing else path, draft.parts)
        self.left_out.add(out)
        if out in stand_ins:
            self.added[out] = stand_ins[out]
        return bool(out)


def join(path: str, name: str) -> str:
    """Return the path of the field ``name`` in the value at ``path``."""
    return f"{path}.{name}" if path else name


def nearest_above(path: str, known: Iterable[str]) -> str:
    """Return ``path`` if it is ``known``, else its nearest known parent."""
    while path and path not in known:
        path = _above(path)
    return path


def _above(path: str) -> str:
    return path[: max(path.rfind("."), path.rfind("["), 0)]


def ways_up(path: str) -> Iterator[str]:
    """Yield ``path`` and all its parents except the root."""
    while path:
        yield path
        path = _above(path)


def _edited(draft: Mended, edits: _Edits) -> Mended:
    places: dict[str, str] = {}
    parts: dict[str, Plain] = {}
    value = _copy(draft.value, ("", ""), edits, places, parts)
    whole = {**value, **edits.added} if isinstance(value, dict) else {}
    return Mended(whole, {now: draft.place(path) for now, path in places.items()}, parts)


def _copy(value: Plain, way: tuple[str, str], edits: _Edits, places: dict[str, str], parts: dict[str, Plain]) -> Plain:
    """Return ``value``, moved between the two paths of ``way``, with the edits below it."""
    path, now = way
    copy: Plain = edits.words.get(path, value) if isinstance(value, str) else value
    if isinstance(value, dict):
        copy = {}
        for key, inner in value.items():
            if (old := join(path, key)) not in edits.left_out:
                new = edits.names.get(old, old)[len(path) :].lstrip(".")
                copy[new] = _copy(inner, (old, join(now, new)), edits, places, parts)
    elif isinstance(value, list):
        left = [(f"{path}[{index}]", inner) for index, inner in enumerate(value)]
        left = [(old, inner) for old, inner in left if old not in edits.left_out]
        copy = [_copy(inner, (old, f"{now}[{at}]"), edits, places, parts) for at, (old, inner) in enumerate(left)]
    places[now], parts[now] = path, copy
    return copy
