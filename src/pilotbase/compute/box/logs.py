"""What is kept of a box's standard output and error: the first bytes up to a cap; the rest is counted and dropped."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.compute.box.settings import LogPolicy


@dataclass(frozen=True)
class Logs:
    """What the application printed, if the policy lets it out.

    Where it is not ``text`` is empty and ``dropped_bytes`` is rounded up to a power of two: the exact length of
    a log could carry hidden data out, too.
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
        """Return what the policy lets out."""
        if self._policy is not LogPolicy.FULL:
            rounded = 1 << (self._total - 1).bit_length() if self._total else 0
            return Logs("", rounded, withheld=True)
        return Logs(self._kept.decode("utf-8", "replace"), self._total - len(self._kept), withheld=False)

    def head(self, size: int = 2000) -> str:
        """Return the first words for our own diagnosis, before any code of the application has run."""
        return self._kept[:size].decode("utf-8", "replace").strip()
