"""The record of every call: an append-only file of lines in a hash chain, written as each request ends.

    line   canonical JSON of `Call`, a space, 64 hex digits of HMAC-SHA-256 under the run's key of (link before ‖ JSON)

Requests and responses are included as digests: they hold hidden cases. The last link commits to all of it. Opening
drops a torn last line. Every request is included, also those of batches that a crash left uncommitted: they were sent,
and paid for.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Self

import pydantic

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Part
from pilotbase.documents.endpoint import Endpoint, EndpointUse
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest, canonical_json, digest_of
from pilotbase.documents.limits import EndReason

_LINK = 64
MOST_NAMES = 20
"""Names by which the answering models may identify themselves in a report."""
_EXACT = 9


class Call(Part):
    """One request and its result."""

    number: int = pydantic.Field(ge=0)
    """Number of the question within its run; its retries have the same."""
    attempt: int = pydantic.Field(ge=1)
    began: float
    """Seconds after its worker was opened."""
    cases: int
    request: Digest
    response: Digest | None = None
    """None: no response came, or not all of it."""
    status: int | None = None
    seconds: float
    fault: EndReason | None = None
    final: bool
    """The question is closed: it has its answer, or none will come."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    estimated: bool = False
    """The response did not state the tokens."""
    unread: int = 0
    served: str = ""


@dataclass
class Total:
    """The sum of calls."""

    calls: int = 0
    attempts: int = 0
    unanswered: int = 0
    unread: int = 0
    cases: int = 0
    """Cases asked about, in calls that ended."""
    counted: int = 0
    """Calls with stated tokens."""
    estimated: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    served: dict[str, None] = field(default_factory=dict)

    def add(self, call: Call) -> None:
        self.attempts += 1
        self.calls += call.final
        self.unanswered += call.final and call.fault is not None
        self.unread += call.unread
        self.cases += call.cases if call.final else 0
        self.counted += call.prompt_tokens is not None
        self.estimated += call.estimated
        self.prompt_tokens += call.prompt_tokens or 0
        self.completion_tokens += call.completion_tokens or 0
        self.seconds += call.seconds
        if call.served and len(self.served) < MOST_NAMES:
            self.served.setdefault(call.served[:200])


class CallLog:
    """The calls of one run on disk; threads may write to it at the same time."""

    def __init__(self, path: Path | None, commitment: bytes, key: bytes = b"") -> None:
        """Open or create the log in ``path`` (None: nothing is kept); ``commitment`` is the first link of the chain."""
        self.total = Total()
        self._link = hashlib.sha256(commitment).hexdigest()
        self._key, self._lock = key, threading.Lock()
        self._stream = None if path is None else path.open("ab+", buffering=0)
        self._resume()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def digest(self) -> Digest:
        return digest_of(self._link)

    def append(self, call: Call) -> None:
        """Record a request that has ended. Raises `OSError` when the disk is full: the log stays as it was."""
        body = canonical_json(call.to_json_value())
        with self._lock:
            link = _next_link(self._key, self._link, body)
            self._write(body + b" " + link.encode() + b"\n")
            self._link = link
            self.total.add(call)

    def close(self) -> None:
        if self._stream is not None and not self._stream.closed:
            os.fdatasync(self._stream.fileno())
            self._stream.close()

    def _write(self, line: bytes) -> None:
        if self._stream is None:
            return
        position = self._stream.seek(0, os.SEEK_END)
        try:
            if self._stream.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            self._stream.truncate(position)
            raise

    def _resume(self) -> None:
        if self._stream is None:
            return
        self._stream.seek(0)
        end = 0
        for call, link, position in _calls(self._stream.read(), self._link, self._key):
            self.total.add(call)
            self._link, end = link, position
        self._stream.truncate(end)


def read_calls(path: Path, commitment: bytes, expected: Digest, key: bytes = b"") -> list[Call]:
    """Return the calls in ``path``; raises `InvalidProofError`: the chain does not end in ``expected``."""
    link, calls = hashlib.sha256(commitment).hexdigest(), []
    for call, link_after, _ in _calls(path.read_bytes(), link, key):
        calls.append(call)
        link = link_after
    if digest_of(link) != expected:
        raise InvalidProofError("endpoint.calls_altered", file=path.name, call=len(calls))
    return calls


def cost_of_calls(endpoint: Endpoint, total: Total) -> Decimal | None:
    """Return the exact cost of the answered calls to ``endpoint``, in its currency; None: it states no prices."""
    if endpoint.prices is None:
        return None
    return endpoint.prices.cost(total.calls - total.unanswered, total.prompt_tokens, total.completion_tokens)


def endpoint_use(endpoint: Endpoint, total: Total, records: Digest) -> EndpointUse:
    """Return the report's statement on the calls to ``endpoint``."""
    prices, cost = endpoint.prices, cost_of_calls(endpoint, total)
    share = None if cost is None or not total.cases else round(cost * 1000 / total.cases, _EXACT)
    counted = total.counted > 0
    return filled(
        EndpointUse,
        total,
        endpoint,
        prompt_tokens=total.prompt_tokens if counted else None,
        completion_tokens=total.completion_tokens if counted else None,
        seconds=round(total.seconds, 3),
        cost=None if cost is None else round(cost, _EXACT),
        cost_per_thousand=share,
        currency=None if prices is None else prices.currency,
        served=tuple(total.served),
        records=records,
    )


def summed(uses: Iterable[EndpointUse], records: Digest) -> EndpointUse:
    """Return the sum of several runs; the cost of a thousand cases is that of the first, which asked them unchanged."""
    first, *others = uses
    names = dict.fromkeys(name for use in (first, *others) for name in use.served)
    counts = ("calls", "attempts", "unanswered", "unread", "cases", "estimated", "seconds")
    totals: dict[str, object] = {name: sum(getattr(use, name) for use in (first, *others)) for name in counts}
    for name in ("prompt_tokens", "completion_tokens"):
        told = [getattr(use, name) for use in (first, *others) if getattr(use, name) is not None]
        totals[name] = sum(told) if told else None
    if first.cost is not None:
        totals["cost"] = sum((use.cost or 0 for use in others), first.cost)
    return first.model_copy(update={**totals, "served": tuple(names)[:MOST_NAMES], "records": records})


def _calls(data: bytes, link: str, key: bytes) -> Iterator[tuple[Call, str, int]]:
    position = 0
    while (end := data.find(b"\n", position)) >= 0:
        body, told = data[position : max(end - _LINK - 1, position)], data[end - _LINK : end]
        link = _next_link(key, link, body)
        if not hmac.compare_digest(told, link.encode()):
            return
        position = end + 1
        yield Call.model_validate_json(body), link, position


def _next_link(key: bytes, link: str, body: bytes) -> str:
    return hmac.digest(key, link.encode() + body, "sha256").hex()
