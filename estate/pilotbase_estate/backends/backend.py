"""What every backend does with an attempt at a job, and what it reports about it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from pydantic import TypeAdapter

from pilotbase.documents.errors import PilotbaseError, RefusedError
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase_estate.documents.resources import MILLI, Vector, format_vector
from pilotbase_estate.placing.fleet import Fleet, read_ask


@dataclass(frozen=True)
class BackendNode:
    """One machine of a backend: what it reports to have."""

    name: str
    capacity: Vector


@dataclass(frozen=True)
class MemberAttempt:
    """One try at one member of a job. A new try has a new number, so a late answer from an old one is recognised."""

    job: str
    """A name that is safe in a path."""
    number: int
    member: int = 0

    @property
    def name(self) -> str:
        return f"{self.job}.{self.number}.{self.member}"

    @classmethod
    def named(cls, name: str) -> MemberAttempt:
        """Return the attempt of that `name`."""
        job, number, member = name.rsplit(".", 2)
        return cls(job, int(number), int(member))


@dataclass(frozen=True)
class ProgramWork:
    """A supplier's program: run in a box, on data that its terms open; nothing else of the host is in the box."""

    folder: Path
    """Its own files; read-only in the box."""
    entry: tuple[str, ...]
    """A Python file of ``folder`` and its arguments."""
    environment: Path | None = None
    """Its packages; None: the standard library alone."""
    data: Mapping[str, Path] = field(default_factory=dict)
    """Name → folder mounted read-only at ``/data/<name>``."""


@dataclass(frozen=True)
class JobSpec:
    """What is started: the work, what it may use, and where it was placed."""

    attempt: MemberAttempt
    work: ProgramWork
    demand: Vector
    """Of this member."""
    members: int = 1
    limits: Limits = field(default_factory=Limits)
    level: IsolationLevel = IsolationLevel.L2
    uid: int | None = None
    """Of the organisation's boxes, as `BoxSettings.uid`; None: the default."""
    node: str | None = None
    """Where it was placed; None: wherever the backend finds room."""


class AttemptPhase(StrEnum):
    """An attempt's state on its backend."""

    UNKNOWN = "unknown"
    """Never started here, or forgotten."""
    RUNNING = "running"
    ENDED = "ended"


class EndCause(StrEnum):
    """Why an attempt ended, as far as the backend is concerned; the box's own report is separate."""

    RAN = "ran"
    """The box came to its own end: `Status.box` says which."""
    STOPPED = "stopped"
    LOST = "lost"
    """Process or node disappeared without reporting: not the job's fault."""
    FAILED = "failed"
    """It could not be set up: our fault or the machine's."""


@dataclass(frozen=True)
class Metered:
    """What the box used, by the counters of the backend, in whole numbers: milliseconds, MiB-milliseconds."""

    wall_ms: int = 0
    cpu_ms: int = 0
    memory_mib_ms: int = 0
    memory_peak_bytes: int = 0


@dataclass(frozen=True)
class Status:
    """What a backend knows of an attempt."""

    phase: AttemptPhase
    cause: EndCause | None = None
    box: EndReason | None = None
    detail: str = ""
    """The program's own words or ours, for those who may see them."""
    exit_code: int | None = None
    metered: Metered = Metered()


@dataclass(frozen=True)
class LogPart:
    """A part of what a job printed, from ``offset`` on; ``lost``: it went with its node, or is no longer kept."""

    text: bytes
    offset: int
    lost: bool = False


class BackendAwayError(PilotbaseError):
    """A backend does not answer: nothing is known of what runs there, and nothing counts as lost."""

    def __init__(self, code: str = "compute.cluster_away", /, **params: object) -> None:
        super().__init__(code, **params)


class ComputeBackend(Protocol):
    """Runs attempts. Each call may be repeated: the second changes nothing and returns the same.

    Each raises `BackendAwayError` while it cannot be reached.
    """

    @property
    def engine(self) -> str:
        """``local`` or ``ray``: attempts of one engine can't be found on another."""
        ...

    @property
    def holds_room(self) -> bool:
        """Return whether what exceeds its nodes waits there unreported; otherwise it runs everything it is given."""
        ...

    def capacity(self) -> list[BackendNode]:
        """Return the nodes that are there now."""
        ...

    def start(self, spec: JobSpec) -> None:
        """Start an attempt, unless it was started before.

        Raises:
            RefusedError: ``compute.no_such_node``: it was placed where there is no node, or none could ever hold it.
            PilotbaseError: it could not be started, through no fault of the job's.
        """
        ...

    def poll(self, attempt: MemberAttempt) -> Status:
        """Return what is known of an attempt."""
        ...

    def stop(self, attempt: MemberAttempt, grace_seconds: float) -> None:
        """End an attempt: a request first, removal with its processes after the grace period; returns once ended."""
        ...

    def logs(self, attempt: MemberAttempt, offset: int) -> LogPart:
        """Return what an attempt printed from ``offset`` on, as far as it is kept."""
        ...

    def output(self, attempt: MemberAttempt) -> bytes | None:
        """Return the archive that an ended attempt left, unread because it is the supplier's; None: there is none."""
        ...

    def forget(self, attempt: MemberAttempt) -> None:
        """Remove what is kept of an ended attempt."""
        ...


_SPEC, _STATUS = TypeAdapter(JobSpec), TypeAdapter(Status)


def write_spec(spec: JobSpec) -> str:
    """Return the JSON of a spec."""
    return _SPEC.dump_json(spec).decode()


def read_spec(text: str) -> JobSpec:
    """Return the spec from JSON that `write_spec` wrote."""
    return _SPEC.validate_json(text)


def write_status(status: Status) -> str:
    """Return the JSON of an attempt's status."""
    return _STATUS.dump_json(status).decode()


def read_status(text: str) -> Status:
    """Return the status of an attempt from JSON that `write_status` wrote."""
    return _STATUS.validate_json(text)


def require_room(
    demand: Vector, there: list[BackendNode], node: str | None = None, unseen: AbstractSet[str] = frozenset()
) -> None:
    """Require that one of the nodes, or the chosen one, could hold a demand if it were empty.

    ``unseen``: dimensions that the backend doesn't report.

    Raises:
        RefusedError: ``compute.no_such_node``, ``compute.beyond_node``.
        InputError: ``compute.two_gpu_kinds``.
    """
    possible = {one.name: one.capacity for one in there if node in (None, one.name)}
    if not possible:
        raise RefusedError("compute.no_such_node", node=node or "", known=", ".join(one.name for one in there))
    asked = {name: amount for name, amount in demand.items() if name not in unseen}
    if not Fleet.of(possible).fitting(read_ask(asked)).any():
        most = max(possible.values(), key=lambda capacity: capacity.get("cpu", 0))
        raise RefusedError("compute.beyond_node", asked=format_vector(demand), most=format_vector(most))


def measured() -> Vector:
    """Return what this machine really has: cores that this process may use, in thousandths, and memory, in bytes."""
    return {
        "cpu": len(os.sched_getaffinity(0)) * MILLI,
        "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
    }
