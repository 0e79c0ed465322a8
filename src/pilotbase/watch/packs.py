"""Packs: cases of one service that came at once, column by column, as they stand compressed in the store."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

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

    def moment(self, index: int) -> datetime:
        """Return when a case was answered."""
        return moment_of(self.at[index])

    def to_bytes(self) -> bytes:
        """Return the pack as it is stored."""
        columns = {
            "ids": self.ids,
            "at": self.at,
            "milliseconds": self.milliseconds,
            "versions": self.versions,
            "ends": self.ends,
            "inputs": self.inputs,
            "answers": self.answers,
        }
        return zlib.compress(json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode(), _LEVEL)

    @classmethod
    def from_bytes(cls, body: bytes) -> Pack:
        """Return the pack that `to_bytes` has written."""
        return cls(**json.loads(zlib.decompress(body)))


def pack_of(batch: ObservationBatch, rows: Sequence[int] | None = None) -> Pack:
    """Return the cases of a batch, or those of them that ``rows`` names."""
    kept = range(len(batch.ids)) if rows is None else rows
    at = microseconds(batch.at)
    return Pack(
        ids=[batch.ids[row] for row in kept],
        at=[at] * len(kept),
        milliseconds=[batch.milliseconds] * len(kept),
        versions=[batch.version] * len(kept),
        ends=[batch.end.value] * len(kept),
        inputs={name: [column[row] for row in kept] for name, column in batch.inputs.items()},
        answers=[batch.answers[row] for row in kept] if batch.answers else [],
    )


def joined(packs: Sequence[Pack]) -> Pack:
    """Return packs of the same columns as one, in order."""
    return Pack(
        ids=_chain(pack.ids for pack in packs),
        at=_chain(pack.at for pack in packs),
        milliseconds=_chain(pack.milliseconds for pack in packs),
        versions=_chain(pack.versions for pack in packs),
        ends=_chain(pack.ends for pack in packs),
        inputs={name: _chain(pack.inputs[name] for pack in packs) for name in packs[0].inputs},
        answers=_chain(pack.answers for pack in packs),
    )


def without(pack: Pack, row: int) -> Pack:
    """Return the pack with nothing left of one case but that there was one."""
    return Pack(
        ids=_blanked(pack.ids, row, ""),
        at=pack.at,
        milliseconds=pack.milliseconds,
        versions=pack.versions,
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
