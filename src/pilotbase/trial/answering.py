"""Answering: features stream to a box batch by batch, and each batch of answers is committed before the next is sent.

Committed answers are an append-only file of batches in a hash chain: a crash resumes, and no case is asked again.

    record   40 bytes, little endian: sequence u64, rows u64, seconds f64, payload bytes u64, dtype char[8]
             payload: the answers as they left the box; ``texts`` denotes a column of texts
             32 bytes: HMAC-SHA-256 under the attempt's key of (previous link ‖ head ‖ payload)

The last link commits to all answers; the order of scoring is revealed only after it is fixed. The key is a secret of
the hidden set: someone who can write the file but lacks the vault's keys can't forge a valid chain.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import hmac
import os
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import Prediction
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch, Following, abstentions, decode_texts, encode_texts
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded
from pilotbase.trial.delivering import CaseDelivery

HEAD = struct.Struct("<QQdQ8s")
_LINK_BYTES = 32
_TEXTS = b"texts"
_SYNC_SECONDS = 0.5
"""A killed process loses nothing (the kernel keeps written pages); a power cut loses at most this much work."""
Column = NDArray[Any]
MOST_BYTES = 1 << 30
"""Of all answers of a run: they are kept together, and measured outside of the box."""


@dataclass(frozen=True)
class CommittedBatch:
    """Answers of one batch and how long the application took for them (seconds)."""

    sequence: int
    values: Column
    seconds: float


class AnswerLog:
    """The answers of one attempt on disk; opening it drops a torn last record and goes on after the last whole one."""

    def __init__(self, path: Path, commitment: bytes, key: bytes = b"") -> None:
        """Open or create the log in ``path``; ``commitment`` (of the plan) is the first link of the chain.

        Raises:
            RefusedError: another process is writing it.
        """
        self.batches: list[CommittedBatch] = []
        self._answered = 0
        self.link = hashlib.sha256(commitment).digest()
        self.path, self.key, self._commitment = path, key, commitment
        self._stream = path.open("ab+", buffering=0)
        self._lock(path)
        self._resume()
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def digest(self) -> str:
        """Return the last link: the commitment to all answers so far."""
        return digest_of(self.link.hex())

    @property
    def answered(self) -> int:
        """Return how many cases have an answer."""
        return self._answered

    @property
    def size(self) -> int:
        """Return how many bytes all answers take as they are kept."""
        return os.fstat(self._stream.fileno()).st_size

    def beside(self, name: str) -> tuple[Path, bytes, bytes]:
        """Return the path of another log of this attempt, the start of its chain, and its key."""
        return self.path.with_name(f"{self.path.name}-{name}"), self._commitment + name.encode(), self.key

    def append(self, values: Column, seconds: float) -> None:
        """Commit the answers of the next batch. Raises `OSError` when the disk is full: the log stays as it was."""
        form, payload = _written(values)
        head = HEAD.pack(len(self.batches), len(values), seconds, len(payload), form)
        link = _next_link(self.key, self.link, head, payload)
        position = self._stream.seek(0, os.SEEK_END)
        record = head + payload + link
        try:
            if self._stream.write(record) != len(record):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if time.monotonic() - self._synced > _SYNC_SECONDS:
                self.sync()
        except OSError:
            self._stream.truncate(position)
            raise
        self._take(CommittedBatch(len(self.batches), values, seconds), link)

    def sync(self) -> None:
        os.fdatasync(self._stream.fileno())
        self._synced = time.monotonic()

    def values(self) -> Column:
        """Return the answers of all committed batches, in order."""
        return np.concatenate([batch.values for batch in self.batches]) if self.batches else np.empty(0)

    def seconds(self) -> tuple[float, ...]:
        return tuple(batch.seconds for batch in self.batches)

    def close(self) -> None:
        """Put everything on the disk and close the file."""
        if not self._stream.closed:
            self.sync()
            self._stream.close()

    def _lock(self, path: Path) -> None:
        """Let only one process answer at a time; the kernel releases the lock when that process ends."""
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._stream.close()
            raise RefusedError("trial.already_running", attempt=path.name) from None

    def _take(self, batch: CommittedBatch, link: bytes) -> None:
        self.batches.append(batch)
        self.link = link
        self._answered += len(batch.values)

    def _resume(self) -> None:
        self._stream.seek(0)
        end = 0
        for batch, link, position in _records(self._stream.read(), self.link, self.key):
            self._take(batch, link)
            end = position
        self._stream.truncate(end)


def read_answers(path: Path, commitment: bytes, expected: str, key: bytes = b"") -> list[CommittedBatch]:
    """Return the committed batches in ``path``.

    Raises:
        InvalidProofError: the chain does not end in ``expected``: a record was altered, added, removed or reordered.
    """
    link = hashlib.sha256(commitment).digest()
    batches: list[CommittedBatch] = []
    for batch, link_after, _ in _records(path.read_bytes(), link, key):
        batches.append(batch)
        link = link_after
    if digest_of(link.hex()) != expected:
        raise InvalidProofError("trial.answers_altered", file=path.name, batch=len(batches))
    return batches


class Predictor(Protocol):
    """What answers batches: a warm worker."""

    def predict(self, batch: FeatureBatch, following: Following = lambda: None) -> AnswerBatch: ...


def answer_cases(
    worker: Predictor,
    asked: CaseDelivery,
    log: AnswerLog,
    on_batch: Callable[[int], None] = lambda _: None,
) -> BoxEnd:
    """Request an answer for every case without a committed one, commit the answers, and return how the run ended.

    Answers are committed in the order of delivery. ``on_batch`` receives the number of answered cases. An application
    that fails ends the run: its answers so far are kept, the other cases have none. So does an application whose
    answers exceed `MOST_BYTES`.
    """
    batches = asked.batches(log.answered)
    batch = next(batches, None)
    while batch is not None:
        if log.size > MOST_BYTES:
            return BoxEnd(EndReason.OVERSIZED_ANSWER, detail=f"more than {MOST_BYTES} bytes of answers in all")
        following = cache(partial(next, batches, None))
        began = time.perf_counter()
        try:
            answers = worker.predict(batch, following)
        except BoxEnded as ended:
            return ended.end
        log.append(answers.values, time.perf_counter() - began)
        on_batch(log.answered)
        batch = following()
    return BoxEnd()


def complete_answers(asked: CaseDelivery, values: Column, prediction: Prediction) -> Column:
    """Return one answer per case in case order; ``values``: the committed answers, in delivery order."""
    complete = abstentions(len(asked.order), prediction)
    if len(values):
        complete[asked.order[: len(values)]] = values
    return complete


def count_abstentions(answers: Column, answered: int, prediction: Prediction) -> int:
    """Count the abstentions among ``answered`` cases; ``answers``: one per case, an abstention where there is none."""
    if prediction.is_spelled:
        empty = sum(answer is None for answer in answers.tolist())
    elif prediction.kind == "label":
        empty = int((answers < 0).sum())
    else:
        empty = int(np.isnan(answers).any(axis=-1).sum() if prediction.kind == "interval" else np.isnan(answers).sum())
    return empty - (len(answers) - answered)


def _records(data: bytes, link: bytes, key: bytes) -> Iterator[tuple[CommittedBatch, bytes, int]]:
    position = sequence = 0
    while position + HEAD.size <= len(data):
        head = data[position : position + HEAD.size]
        number, rows, seconds, length, dtype = HEAD.unpack(head)
        end = position + HEAD.size + length + _LINK_BYTES
        payload = data[position + HEAD.size : end - _LINK_BYTES]
        if (
            end > len(data)
            or number != sequence
            or data[end - _LINK_BYTES : end] != _next_link(key, link, head, payload)
        ):
            return
        values = _read(payload, dtype.rstrip(b"\0"), rows)
        if len(values) != rows:
            return
        link, position, sequence = data[end - _LINK_BYTES : end], end, sequence + 1
        yield CommittedBatch(number, values, seconds), link, position


def _written(values: Column) -> tuple[bytes, bytes]:
    """Return how answers are written, and their bytes."""
    if values.dtype == object:
        return _TEXTS, encode_texts(values.tolist())
    form = values.dtype.str if values.ndim == 1 else f"({values.shape[1]},){values.dtype.str}"
    return form.encode(), np.ascontiguousarray(values).tobytes()


def _read(payload: bytes, form: bytes, rows: int) -> Column:
    if form == _TEXTS:
        return decode_texts(payload, rows)
    return np.frombuffer(payload, dtype=np.dtype(form.decode("ascii")))


def _next_link(key: bytes, link: bytes, head: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, link + head + payload, "sha256")
