"""How a box ended, in words, and what it printed: the first bytes up to a cap; the rest is counted and dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.box.settings import LogPolicy

END_TEXTS: Mapping[EndReason, Text] = MappingProxyType(
    {
        EndReason.FINISHED: text("box.end.finished"),
        EndReason.LOAD_FAILED: text("box.end.load_failed"),
        EndReason.MODEL_UNREADABLE: text("box.end.model_unreadable"),
        EndReason.MODEL_TOO_NEW: text("box.end.model_too_new"),
        EndReason.MODEL_REFUSED: text("box.end.model_refused"),
        EndReason.MODEL_MISFIT: text("box.end.model_misfit"),
        EndReason.LOAD_TIMEOUT: text("box.end.load_timeout"),
        EndReason.BATCH_TIMEOUT: text("box.end.batch_timeout"),
        EndReason.WALL_LIMIT: text("box.end.wall_limit"),
        EndReason.CPU_LIMIT: text("box.end.cpu_limit"),
        EndReason.MEMORY_LIMIT: text("box.end.memory_limit"),
        EndReason.PROCESS_LIMIT: text("box.end.process_limit"),
        EndReason.SCRATCH_LIMIT: text("box.end.scratch_limit"),
        EndReason.OUTPUT_FLOOD: text("box.end.output_flood"),
        EndReason.APPLICATION_ERROR: text("box.end.application_error"),
        EndReason.APPLICATION_EXIT: text("box.end.application_exit"),
        EndReason.WRONG_COUNT: text("box.end.wrong_count"),
        EndReason.WRONG_TYPE: text("box.end.wrong_type"),
        EndReason.UNKNOWN_CLASS: text("box.end.unknown_class"),
        EndReason.OUT_OF_RANGE: text("box.end.out_of_range"),
        EndReason.OVERSIZED_ANSWER: text("box.end.oversized_answer"),
        EndReason.BROKEN_PROTOCOL: text("box.end.broken_protocol"),
        EndReason.ENDPOINT_UNREACHABLE: text("box.end.endpoint_unreachable"),
        EndReason.ENDPOINT_REFUSED: text("box.end.endpoint_refused"),
        EndReason.ENDPOINT_BUSY: text("box.end.endpoint_busy"),
        EndReason.ENDPOINT_TIMEOUT: text("box.end.endpoint_timeout"),
        EndReason.ENDPOINT_BROKEN_ANSWER: text("box.end.endpoint_broken_answer"),
        EndReason.ENDPOINT_REDIRECT: text("box.end.endpoint_redirect"),
        EndReason.CANCELLED: text("box.end.cancelled"),
    }
)


@dataclass(frozen=True)
class BoxEnd:
    """Why a box ended, and during which batch (0 while loading)."""

    reason: EndReason
    batch: int
    detail: str
    """The application's own words, such as a traceback; empty if the log policy withholds them."""


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
