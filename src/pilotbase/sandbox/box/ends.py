"""How a box ended, in words, and what it printed: the first bytes up to a cap; the rest is counted and dropped."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pilotbase.documents.errors import PilotbaseError, offer
from pilotbase.documents.limits import EndReason
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.box.settings import LogPolicy

_OWN_LINE = re.compile(r'File "/application/(?P<file>[^"]+)", line (?P<line>\d+)')
_FOREIGN = re.compile(r'  File "(?!/application/)')
_ADVICE = (
    (re.compile(r"ModuleNotFoundError: No module named '(?P<name>[^'.]+)"), "module"),
    (re.compile(r"FileNotFoundError: .*'(?P<name>[^']*)'"), "file"),
    (re.compile(r"(OSError: \[Errno 30\]|PermissionError: \[Errno 13\]).*'(?P<name>[^']*)'"), "read_only"),
    (re.compile(r"(?P<name>URLError|gaierror|Connect\w*Error|PermissionError: \[Errno 1\]|Max retries)"), "network"),
    (re.compile(r"KeyError: (?:\"no column )?'(?P<name>[^']*)'"), "column"),
    (re.compile(r"TypeError: .*(?P<name>positional argument|'Batch')"), "batch"),
)
"""The last line of a traceback → what helps: the text ``box.advice.<name>``."""
END_TEXTS: Mapping[EndReason, Text] = {reason: text(f"box.end.{reason.value}") for reason in EndReason}


LIMITS_OF_ENDS: Mapping[EndReason, str] = {
    EndReason.LOAD_TIMEOUT: "load_seconds",
    EndReason.BATCH_TIMEOUT: "batch_seconds",
    EndReason.OUTPUT_FLOOD: "batch_seconds",
    EndReason.WALL_LIMIT: "wall_seconds",
    EndReason.CPU_LIMIT: "cpu_seconds",
    EndReason.MEMORY_LIMIT: "memory_bytes",
    EndReason.PROCESS_LIMIT: "processes",
    EndReason.SCRATCH_LIMIT: "scratch_bytes",
}
"""End → the limit of a scenario that it reached."""


@dataclass(frozen=True)
class BoxEnd:
    """Why a box ended, and during which batch (0 while loading)."""

    reason: EndReason = EndReason.FINISHED
    batch: int = 0
    detail: str = ""
    """The application's own words, such as a traceback; empty if the log policy withholds them."""


def own_words(detail: str) -> str:
    """Return what an application said as it ended; of a traceback, only the lines of its own files and the error."""
    if _OWN_LINE.search(detail) is None:
        return detail.strip()
    kept, foreign = [], False
    for line in detail.splitlines():
        if line.startswith("  File "):
            foreign = _FOREIGN.match(line) is not None
        elif not line.startswith("    "):
            foreign = False
        kept += [] if foreign else [line]
    return "\n".join(kept).strip()


def advice(detail: str, columns: Sequence[str]) -> Text | None:
    """Return what helps against the error that a traceback ends with, at its place in the application's own files.

    ``columns``: those of a batch. None if ``detail`` is no traceback.
    """
    places = list(_OWN_LINE.finditer(detail))
    last = detail.strip().rpartition("\n")[2]
    if not places and "Traceback" not in detail:
        return None
    place = f"{places[-1]['file']}:{places[-1]['line']}" if places else "predict"
    for pattern, name in _ADVICE:
        if found := pattern.search(last):
            allowed = offer(found["name"], columns)
            return text(f"box.advice.{name}", place=place, name=found["name"], allowed=allowed)
    return text("box.advice.own", place=place)


class WorkerLostError(PilotbaseError):
    """The box was lost through no fault of the application's: its machine failed, or someone else killed it."""


class BoxEnded(PilotbaseError):  # noqa: N818 - an end, not always an error of ours
    """The box ended before it had answered; it will send nothing more."""

    def __init__(self, end: BoxEnd) -> None:
        super().__init__(END_TEXTS[end.reason].code)
        self.end = end

    @property
    def reason(self) -> EndReason:
        return self.end.reason

    @property
    def detail(self) -> str:
        return self.end.detail


class ClosedAtEnd(ABC):
    """What runs until it is closed: at the end of its block as finished, after an error as cancelled."""

    @abstractmethod
    def close(self, reason: EndReason = EndReason.FINISHED) -> None:
        """End it and leave nothing of it behind; harmless when repeated."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(EndReason.FINISHED if problem is None else EndReason.CANCELLED)


@dataclass(frozen=True)
class Logs:
    """What the application printed, if the policy releases it.

    If not, ``text`` is empty and ``dropped_bytes`` is rounded up to a power of two: the exact length of a log could
    carry hidden data out, too.
    """

    text: str
    dropped_bytes: int
    withheld: bool


class CappedLog:
    """Collects both streams in the order of arrival."""

    def __init__(self, cap: int, policy: LogPolicy) -> None:
        self._cap = cap
        self._policy = policy
        self._kept = bytearray()
        self._total = 0

    @property
    def total_bytes(self) -> int:
        return self._total

    def add(self, chunk: bytes) -> None:
        """Keep what fits under the cap and count everything."""
        self._kept += chunk[: max(0, self._cap - len(self._kept))]
        self._total += len(chunk)

    def read(self) -> Logs:
        """Return the output that the policy releases."""
        if self._policy is not LogPolicy.FULL:
            rounded = 1 << (self._total - 1).bit_length() if self._total else 0
            return Logs("", rounded, withheld=True)
        return Logs(self._kept.decode("utf-8", "replace"), self._total - len(self._kept), withheld=False)

    def head(self, size: int = 2000) -> str:
        """Return the first words for our own diagnosis, before any code of the application has run."""
        return self._kept[:size].decode("utf-8", "replace").strip()
