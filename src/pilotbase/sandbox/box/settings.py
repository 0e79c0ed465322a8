"""How to start a box: level, limits, identity, and which of its output may be seen."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

from pilotbase.documents.limits import IsolationLevel, Limits

FIRST_ORGANISATION_UID = 200_001


class LogPolicy(StrEnum):
    """What leaves the box; if no words and no answers do, it reads copies that no box of another policy reads."""

    FULL = "full"
    """Everything: a rehearsal, a job, our own readers of files."""
    ANSWERS = "answers"
    """Its answers, unchanged, and no other words: a service."""
    FIGURES = "figures"
    """Figures, at any time: a rehearsal on cases that its supplier may not hold, a reference application in one."""
    WITHHELD = "withheld"
    """Figures, once an attempt: it may get hidden cases."""


class StartMode(StrEnum):
    """The two secure ways to start a box (see `docs/security.md`).

    ``C``: bubblewrap without privileges, in a user namespace in which further ones are disabled.
    ``D``: bubblewrap as root without a user namespace; the program drops to the organisation's uid inside.
    """

    C = "C"
    D = "D"


class MemoryWatch(StrEnum):
    """What limits the memory of the whole box: the kernel's control group, or a supervisor that sums and kills."""

    CGROUP_V1 = "cgroup-v1"
    CGROUP_V2 = "cgroup-v2"
    SUPERVISOR = "supervisor"
    NONE = "none"
    """There is no box: an endpoint answers."""


class Protection(StrEnum):
    """Protections that a test may remove to show that an attack is real; nothing else removes any."""

    NETWORK = "network"
    SECCOMP = "seccomp"
    MEMORY = "memory"
    PROCESSES = "processes"
    SCRATCH = "scratch"
    ENVIRONMENT = "environment"
    DESCRIPTORS = "descriptors"
    PROCESS_NAMESPACE = "process_namespace"
    COPIES = "copies"
    SETTLING = "settling"


@dataclass(frozen=True)
class Interpreter:
    """The Python that runs in the box; ``prefix`` is bound read-only, its site-packages are never on the path."""

    executable: Path
    prefix: Path
    tag: str
    """For example ``cpython-311-x86_64``: environments are built for it."""


@dataclass(frozen=True)
class BoxSettings:
    """Everything about a box except the program in it."""

    limits: Limits = field(default_factory=Limits)
    level: IsolationLevel = IsolationLevel.L2
    uid: int = FIRST_ORGANISATION_UID
    """Real uid of the box when started as root, one per organisation; otherwise the user's own is used.

    Without a control group, start D counts processes by this uid: boxes of one organisation then share their limit.
    """
    logs: LogPolicy = LogPolicy.WITHHELD
    interpreter: Interpreter | None = None
    """Another Python than the one that runs Pilotbase."""
    start: StartMode | None = None
    """Force a start that the probe has found to work; by default C if everything is readable, else D."""
    memory_watch: MemoryWatch | None = None
    """Force the supervisor even if a control group is available."""
    hash_seed: int = 0
    """Of Python's order of sets of texts: another one shows a program that depends on it."""
    removed: frozenset[Protection] = frozenset()
    """For tests only."""

    @property
    def hidden(self) -> bool:
        """Return whether the box may get hidden cases, so that what it leaves in the kernel must reach no other."""
        return self._walled(Protection.SETTLING) and self.logs is LogPolicy.WITHHELD

    @property
    def prints(self) -> bool:
        """Return whether words or unchanged answers of the box leave."""
        return self._walled(Protection.SETTLING) and self.logs in (LogPolicy.FULL, LogPolicy.ANSWERS)

    @property
    def copies(self) -> str | None:
        """Return which copies the box reads (`copies`); None: the host's own files, as for boxes whose words leave."""
        kept_apart = self.logs in (LogPolicy.FIGURES, LogPolicy.WITHHELD)
        return self.logs.value if kept_apart and self._walled(Protection.COPIES) else None

    def _walled(self, protection: Protection) -> bool:
        return self.level not in (IsolationLevel.L0, IsolationLevel.L1) and protection not in self.removed


@cache
def running_interpreter() -> Interpreter:
    """Return the interpreter beneath the running virtual environment."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    version = f"{sys.version_info.major}{sys.version_info.minor}"
    tag = f"{sys.implementation.name}-{version}-{platform.machine()}"
    return Interpreter(Path(base).resolve(), Path(sys.base_prefix).resolve(), tag)
