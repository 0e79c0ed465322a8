"""Packs: cases of one service that came at once, column by column, as they stand compressed in the store."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pilotbase.documents.observation import ObservationBatch, Scalar
from pilotbase.documents.vocabularies import CallEnd

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEVEL = 3
"""Of zlib: about as small as more would make it, in a third of the time."""


@dataclass(frozen=True)
class Pack:
    """Cases as columns of one length, all with the same inputs."""

    ids: Sequence[str]
    """An erased case has an empty one."""
    at: Sequence[int]
    """When each was answered: microseconds since 1970."""
    milliseconds: Sequence[float | None]
    versions: Sequence[str | None]
    """Digest of the application that answered."""
    ends: Sequence[str]
    """How each call ended, as `CallEnd` says it."""
    inputs: Mapping[str, Sequence[Scalar]]
    answers: Sequence[Scalar] = ()
    """Empty where nothing was answered; None: an abstention."""

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, index: int) -> tuple[object, ...]:
        """Return everything of one case that may not differ when it comes again."""
        answer = (self.answers[index],) if self.answers else ()
        inputs = tuple(sorted((name, column[index]) for name, column in self.inputs.items()))
        return (self.at[index], self.versions[index], self.ends[index], answer, inputs)

    def by_column(self, change: Callable[[Sequence[Any]], Sequence[Any]]) -> Pack:
        """Return the pack with each of its columns changed, those of the inputs too."""
        columns = {name: change(column) for name, column in vars(self).items() if name != "inputs"}
        return Pack(inputs={name: change(column) for name, column in self.inputs.items()}, **columns)

    def among(self, rows: Sequence[int]) -> Pack:
        """Return the cases that ``rows`` names, in that order."""
        return self.by_column(lambda column: [column[row] for row in rows] if column else [])

    def spelled(self) -> bytes:
        """Return the one spelling of the pack, by which two are told apart."""
        columns = {**vars(self), "inputs": dict(sorted(self.inputs.items()))}
        return json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode()

    def to_bytes(self) -> bytes:
        """Return the pack as it is stored."""
        return zlib.compress(self.spelled(), _LEVEL)

    @classmethod
    def from_bytes(cls, body: bytes) -> Pack:
        """Return the pack that `to_bytes` has written."""
        return cls(**json.loads(zlib.decompress(body)))


@dataclass(frozen=True)
class PackedBatch:
    """Cases that are handed in at once, each with a time and an end of its own, as those of a file are."""

    service: str
    batch: str
    pack: Pack


def packed(batch: ObservationBatch) -> PackedBatch:
    """Return the batch as a pack."""
    count = len(batch.ids)
    pack = Pack(
        ids=batch.ids,
        at=[microseconds(batch.at)] * count,
        milliseconds=[batch.milliseconds] * count,
        versions=[batch.version] * count,
        ends=[batch.end.value] * count,
        inputs=batch.inputs,
        answers=batch.answers,
    )
    return PackedBatch(batch.service, batch.batch, pack)


def joined(packs: Sequence[Pack]) -> Pack:
    """Return packs of the same columns as one, in order."""
    return Pack(
        **{name: _chain(getattr(pack, name) for pack in packs) for name in vars(packs[0]) if name != "inputs"},
        inputs={name: _chain(pack.inputs[name] for pack in packs) for name in packs[0].inputs},
    )


def without(pack: Pack, row: int) -> Pack:
    """Return the pack with nothing left of one case but that there was one."""
    return replace(
        pack,
        ids=_blanked(pack.ids, row, ""),
        ends=_blanked(pack.ends, row, CallEnd.CANCELLED.value),
        inputs={name: _blanked(column, row, None) for name, column in pack.inputs.items()},
        answers=_blanked(pack.answers, row, None) if pack.answers else [],
    )


def microseconds(moment: datetime) -> int:
    """Return a moment as microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(micros: int) -> datetime:
    """Return the moment so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def _chain(columns: Iterable[Sequence[T]]) -> list[T]:
    return [value for column in columns for value in column]


def _blanked(column: Sequence[T], row: int, blank: T) -> list[T]:
    return [blank if index == row else value for index, value in enumerate(column)]
