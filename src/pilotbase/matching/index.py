"""The meanings of a base in memory: the nearest of a hundred thousand listings, among those that the asker may see.

One flat product in 32 bits, exact, with nothing to rebuild: what a worker has read since is added at the next question.
The mask of what the asker sees comes first, and the means are over what it sees, so nothing hidden has an influence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.texts import Language
from pilotbase.matching.comparing import Group, Kind, Passages
from pilotbase.matching.meaning import DIMENSIONS, MeaningComparer, Model, mean_with_background, model_or_reason
from pilotbase.matching.words import Values
from pilotbase.workspace import meanings
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.engine import Database
from pilotbase.workspace.listings import Query
from pilotbase.workspace.store import View, newest_change

KIND_OF: dict[str, Kind] = {
    "demand": "demand",
    "scenario": "demand",
    "application": "offer",
    "capability": "offer",
}
_AUDIENCES = 32
_MOVED = 0.1
"""A mean is taken again when there is this share more or less to see."""
_FIRST_ROWS = 256
_TINY = 1e-6
_Numbers = npt.NDArray[np.int64]
_Lengths = npt.NDArray[np.float32]
_Mask = npt.NDArray[np.bool_]


@dataclass
class _Space:
    """The meanings of one kind and language, one row a listing."""

    rows: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((_FIRST_ROWS, DIMENSIONS), np.float32))
    sequences: _Numbers = field(default_factory=lambda: np.zeros(_FIRST_ROWS, np.int64))
    subjects: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """The digest of the text of each row."""
    place_of: dict[str, int] = field(default_factory=dict)
    version: int = 0
    """How often a row was set."""

    def put(self, row: Any) -> int:
        """Set the row of a subject and return its number."""
        place = self.place_of.setdefault(row.subject, len(self.subjects))
        if place == len(self.subjects):
            self.subjects.append(row.subject)
            self.texts.append(row.text)
        if place == len(self.rows):
            self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
            self.sequences = np.concatenate([self.sequences, np.zeros_like(self.sequences)])
        self.rows[place] = np.frombuffer(row.vector, np.float16)
        self.sequences[place], self.texts[place] = row.sequence, row.text
        self.version += 1
        return place


@dataclass(frozen=True)
class Audience:
    """Who asks for what, and the newest change of the base as they ask: one reading of it for a whole question."""

    view: View
    query: Query
    newest: int


@dataclass
class MeaningIndex:
    """The meanings of one store that this process knows."""

    model: str = ""
    place: int = 0
    spaces: dict[Group, _Space] = field(default_factory=dict)
    texts: dict[tuple[Kind, str], list[tuple[_Space, int]]] = field(default_factory=dict)
    """(kind, digest of the text) → the rows that had it, of which some may have another text by now."""
    seen: dict[tuple[Actor, Query], tuple[int, _Numbers]] = field(default_factory=dict)
    """Who asked for what → the newest change then, and the sequences of what it saw."""
    masks: dict[tuple[Actor, Query, Group], tuple[int, int, _Mask]] = field(default_factory=dict)
    """Who asked for what of a group → the newest change and the version of the space then, and which rows it saw."""
    means: dict[tuple[Actor, Query, Group], tuple[int, Values]] = field(default_factory=dict)
    """Who asked for what of a group → how many texts it saw, and their mean."""
    lengths: dict[tuple[Actor, Query, Group], tuple[int, Values, _Lengths]] = field(default_factory=dict)
    """The same → version of the space, mean, and the length of each row seen from it."""
    lock: RLock = field(default_factory=RLock)

    def refresh(self, view: View) -> bool:
        """Add what a worker has read since the last time; return whether there is anything."""
        with self.lock, view.reading() as connection:
            known = meanings.newest(connection)
            if known is None or known[0] != self.model or known[1] < self.place:
                self.model, self.place = known[0] if known else "", 0
                self.spaces, self.texts, self.seen, self.masks, self.means, self.lengths = {}, {}, {}, {}, {}, {}
            if known is not None and known[1] > self.place:
                for row in meanings.after(connection, self.place, self.model):
                    self._put(row)
                self.place = known[1]
        return bool(self.spaces)

    def _put(self, row: Any) -> None:
        kind = KIND_OF[row.kind]
        space = self.spaces.setdefault((kind, row.language), _Space())
        self.texts.setdefault((kind, row.text), []).append((space, space.put(row)))

    def stored(self, kind: Kind, said: str) -> Values | None:
        """Return the meaning of a text that a worker has read, or None."""
        digest = digest_of_text(said)
        rows = (space.rows[at] for space, at in self.texts.get((kind, digest), ()) if space.texts[at] == digest)
        return next(rows, None)

    def mask(self, audience: Audience, group: Group) -> _Mask:
        """Return for each row of a group whether the audience sees it and its query finds it."""
        key = (audience.view.actor, audience.query, group)
        with self.lock:
            space, known = self.spaces[group], self.masks.get(key)
            if known is None or known[:2] != (audience.newest, space.version):
                known = (audience.newest, space.version, self._mask(audience, space))
                _keep(self.masks, key, known)
            return known[2]

    def _mask(self, audience: Audience, space: _Space) -> _Mask:
        key = (audience.view.actor, audience.query)
        known = self.seen.get(key)
        if known is None or known[0] != audience.newest:
            with audience.view.reading() as connection:
                sequences = meanings.seen_sequences(connection, audience.view, audience.query)
            known = (audience.newest, sequences)
            _keep(self.seen, key, known)
        rows = space.sequences[: len(space.subjects)]
        there = np.zeros(max(rows.max(initial=0), known[1].max(initial=0)) + 1, bool)
        there[known[1]] = True
        return there[rows]

    def mean(self, audience: Audience, group: Group) -> Values:
        """Return the mean of what the audience sees of a group, with its background."""
        space = self.spaces.get(group)
        if space is None:
            return mean_with_background(group, np.zeros(DIMENSIONS), 0)
        key, seen = (audience.view.actor, audience.query, group), self.mask(audience, group)
        number, known = int(np.count_nonzero(seen)), self.means.get(key)
        if known is None or abs(number - known[0]) > _MOVED * known[0]:
            total = seen.astype(np.float32) @ space.rows[: len(seen)]
            known = (number, mean_with_background(group, total.astype(np.float64), number))
            with self.lock:
                _keep(self.means, key, known)
        return known[1]

    def lengths_from(self, mean: Values, key: tuple[Actor, Query, Group], space: _Space) -> _Lengths:
        """Return the length of each row seen from a mean: a product as long as a question's, so it is kept."""
        version, known = space.version, self.lengths.get(key)
        if known is None or known[0] != version or known[1] is not mean:
            products = space.rows[: len(space.subjects)] @ mean.astype(np.float32)
            known = (version, mean, np.sqrt(np.maximum(1 - 2 * products + np.float32(mean @ mean), _TINY)))
            with self.lock:
                _keep(self.lengths, key, known)
        return known[2]


@dataclass(frozen=True)
class AskedMeaning:
    """A question of one asker: what it compares with, and the words that were embedded for it."""

    index: MeaningIndex
    view: View
    queries: Mapping[Kind, Query]
    """What of each kind the means are over."""
    newest: int
    """The newest change of the base as it was asked."""
    embedded: Mapping[tuple[Kind, str], Values]

    def comparer(self) -> MeaningComparer:
        """Return the comparer that embeds nothing: a text that no worker has read is left to characters."""
        return MeaningComparer(self.embed, lambda group, rows: self._mean(group))

    def embed(self, kind: Kind, said: str) -> Values | None:
        """Return the meaning of a text, or None for one that no worker has read yet."""
        found = self.embedded.get((kind, said))
        return self.index.stored(kind, said) if found is None else found

    def nearest(self, query: Query, asked: Passages, limit: int) -> list[str]:
        """Return the subjects of at most ``limit`` listings that the asker sees, the likest first."""
        best: dict[str, float] = {}
        for group, space in self.index.spaces.items():
            if group[0] != KIND_OF[query.kind]:
                continue
            seen = self.index.mask(Audience(self.view, query, self.newest), group)
            for direction in self._directions(asked, group[1]) if seen.any() else ():
                mean = self._mean(group)
                lengths = self.index.lengths_from(mean, (self.view.actor, query, group), space)
                for place, value in _first_of(space, seen, direction, (mean, lengths), limit):
                    subject = space.subjects[place]
                    best[subject] = max(best.get(subject, -1.0), value)
        return sorted(best, key=lambda subject: (-best[subject], subject))[:limit]

    def read(self, query: Query) -> _Numbers:
        """Return the sequence of each listing that ``query`` finds and that a worker has read."""
        read = [np.zeros(0, np.int64)]
        for group, space in self.index.spaces.items():
            if group[0] == KIND_OF[query.kind]:
                seen = self.index.mask(Audience(self.view, query, self.newest), group)
                read.append(space.sequences[: len(seen)][seen])
        return np.unique(np.concatenate(read))

    def _mean(self, group: Group) -> Values:
        return self.index.mean(self._audience(group[0]), group)

    def _audience(self, kind: Kind) -> Audience:
        return Audience(self.view, self.queries[kind], self.newest)

    def _directions(self, asked: Passages, language: Language) -> Iterator[Values]:
        """Yield the direction of each passage: in ``language``, else in another that it has."""
        for one in asked:
            spoken = language if language in one.texts else next(iter(one.texts), None)
            meant = self.embed(one.kind, one.texts[spoken]) if spoken else None
            if spoken and meant is not None:
                seen = meant - self._mean((one.kind, spoken))
                yield seen / max(float(np.linalg.norm(seen)), _TINY)


def ask(view: View, queries: Mapping[Kind, Query], asked: Passages) -> AskedMeaning | None:
    """Return the question after ``asked`` by meaning; None: no worker has read texts here, or not this one.

    Words that no worker has read are embedded here, if the worker's model runs in this process.
    """
    index = _index_of(view.store.database)
    if not index.refresh(view):
        return None
    embedded = {}
    for kind, said in ((one.kind, said) for one in asked for said in one.texts.values()):
        if index.stored(kind, said) is None:
            model = model_or_reason()
            if not isinstance(model, Model) or model.digest != index.model:
                return None
            embedded[kind, said] = model.embed(kind, said)
    return AskedMeaning(index, view, queries, newest_change(view), embedded)


def digest_of_text(said: str) -> str:
    """Return the digest by which the meaning of a text is kept."""
    return digest_bytes(said.encode("utf-8", "replace"))


def _first_of(
    space: _Space, seen: _Mask, direction: Values, origin: tuple[Values, _Lengths], limit: int
) -> list[tuple[int, float]]:
    """Return the (row, cosine) of the likest rows that are seen; ``origin``: a mean, and the lengths from there."""
    mean, lengths = origin
    number = min(len(seen), len(lengths))
    products = space.rows[:number] @ direction.astype(np.float32)
    values = np.where(seen[:number], (products - np.float32(direction @ mean)) / lengths[:number], -np.inf)
    first = np.argpartition(values, max(number - limit, 0))[-limit:]
    return [(int(place), float(values[place])) for place in first[seen[first]]]


def _keep(kept: dict[Any, Any], key: Any, value: Any) -> None:
    """Keep a value, of the latest few askers."""
    kept.pop(key, None)
    while len(kept) >= _AUDIENCES:
        kept.pop(next(iter(kept)))
    kept[key] = value


_INDEXES: WeakKeyDictionary[Database, MeaningIndex] = WeakKeyDictionary()


def _index_of(database: Database) -> MeaningIndex:
    return _INDEXES.setdefault(database, MeaningIndex())
