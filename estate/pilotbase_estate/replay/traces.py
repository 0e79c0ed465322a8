"""Recorded traces: which jobs came when, from whom, with what request, and how long they ran; and the nodes.

Two forms are read, recognised by their columns: our own, with a column for each dimension as `Resources` spells it, and
that of the public GPU trace (``openb``, Alibaba 2023). If a trace names no organisations, some are made up: a job's
name alone decides its organisation, and the first has the most jobs, so every replay of a trace is the same.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.files import format_csv, read_cell
from pilotbase.documents.quantities import SIZES
from pilotbase.documents.texts import Text, text
from pilotbase_estate.documents.pool import Labels as PoolLabels
from pilotbase_estate.documents.resources import ANY_GPU, MILLI, Demand, Resources, Vector
from pilotbase_estate.placing.fleet import read_ask

MOST_ROWS = 5_000_000
_T = TypeVar("_T")
Labels = Mapping[str, str]
_MOST_SECONDS = 1e10
_MOST_ISSUES = 200
_DEMAND: TypeAdapter[Resources] = TypeAdapter(Demand)
_LABELS: TypeAdapter[Labels] = TypeAdapter(PoolLabels)
_OWN = {"job", "submitted_seconds", "runs_seconds"}
_OPENB = {"name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "creation_time", "deletion_time"}
_OPENB_NODES = {"sn", "cpu_milli", "memory_mib", "gpu", "model"}


@dataclass(frozen=True)
class TraceJob:
    """One job as recorded; times in seconds of the trace's own clock."""

    name: str
    organisation: str
    person: str
    submitted: float
    runs: float
    demand: Vector
    """Of one member."""
    members: int = 1
    priority: int = 0
    longest: float | None = None
    """How long it said that it would run at most; None: not stated."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """The labels that a machine must have."""
    preemptible: bool = True


@dataclass(frozen=True)
class Trace:
    """Nodes and jobs, in the order of submission."""

    nodes: Mapping[str, Vector]
    jobs: tuple[TraceJob, ...]
    made_up_organisations: bool = False
    left_out: tuple[Issue, ...] = ()
    """The first of the broken rows that were skipped."""
    rows_left_out: int = 0
    recorded_of: str | None = None
    """The pool whose own record it is."""
    labels: Mapping[str, Labels] = field(default_factory=dict)
    """Node → its labels."""
    began: datetime | None = None
    """The moment of second 0; None: unknown, and no maintenance window is replayed."""


@dataclass(frozen=True)
class TraceFormat:
    """How a trace is read."""

    organisations: int = 3
    """How many are made up if the trace names none."""
    skip_broken: bool = False


def read_trace(jobs: Path, nodes: Path, reading: TraceFormat = TraceFormat()) -> Trace:
    """Return the trace that two CSV files hold.

    Raises:
        InputError: ``compute.trace_columns``: the columns match no known form; or every broken row with its line,
            unless ``reading`` skips them; ``compute.trace_empty``: nothing is left.
    """
    found = _read(nodes, _node_reader, TraceFormat()).rows
    if not found:
        raise InputError("compute.trace_empty", file=str(nodes))
    read = read_jobs(jobs, {node.name: node.capacity for node in found}, reading)
    return replace(read, labels={node.name: node.labels for node in found if node.labels})


def read_jobs(jobs: Path, nodes: Mapping[str, Vector], reading: TraceFormat = TraceFormat()) -> Trace:
    """Return the trace of the jobs that a CSV file holds on these nodes; raises as `read_trace`."""
    found = _read(jobs, _job_reader, reading)
    if not found.rows:
        raise InputError("compute.trace_empty", file=str(jobs))
    named = [job for job in found.rows if job.organisation]
    made_up = not named
    rows = [_given(job, reading.organisations) for job in found.rows] if made_up else found.rows
    ordered = tuple(sorted(rows, key=lambda job: job.submitted))
    return Trace(nodes, ordered, made_up, tuple(found.issues), found.broken)


def write_trace(trace: Trace, folder: Path) -> None:
    """Write ``jobs.csv`` and ``nodes.csv`` as `read_trace` reads them back."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes: list[dict[str, object]] = [
        {"node": name, "labels": _spelled(trace.labels.get(name, {})), **_written(vector)}
        for name, vector in trace.nodes.items()
    ]
    jobs: list[dict[str, object]] = [
        {
            "job": job.name,
            "organisation": job.organisation,
            "person": job.person,
            "submitted_seconds": job.submitted,
            "runs_seconds": job.runs,
            "longest_seconds": job.longest if job.longest is not None else "",
            "members": job.members,
            "priority": job.priority,
            "labels": _spelled(job.labels),
            "preemptible": "yes" if job.preemptible else "no",
            **_written(job.demand),
        }
        for job in trace.jobs
    ]
    for file, rows in (("nodes.csv", nodes), ("jobs.csv", jobs)):
        columns = dict.fromkeys(name for row in rows for name in row)
        cells = ([str(row.get(name, "")) for name in columns] for row in rows)
        (folder / file).write_bytes(format_csv(list(columns), cells))


def _written(vector: Vector) -> Mapping[str, object]:
    written: Mapping[str, object] = Resources.of(vector).model_dump()
    return written


def _spelled(labels: Labels) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(labels.items()))


def hastened(trace: Trace, load: float) -> Trace:
    """Return a trace with the gaps between submissions divided by ``load``; jobs run as long as they ran."""
    first = trace.jobs[0].submitted
    jobs = tuple(replace(job, submitted=first + (job.submitted - first) / load) for job in trace.jobs)
    return replace(trace, jobs=jobs)


@dataclass
class _Rows(Generic[_T]):
    rows: list[_T] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    broken: int = 0


class _BrokenRowError(Exception):
    """One field of a row has an impossible value."""

    def __init__(self, column: str, problem: Text) -> None:
        super().__init__(column)
        self.column, self.problem = column, problem


@dataclass(frozen=True)
class _Node:
    name: str
    capacity: Vector
    labels: Labels = field(default_factory=dict)


_Row = Mapping[str, str]


def _read(path: Path, reader_of: Callable[[Path, set[str]], Callable[[_Row], _T]], reading: TraceFormat) -> _Rows[_T]:
    found: _Rows[_T] = _Rows()
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file, restkey="", restval="")
        try:
            reader = reader_of(path, set(table.fieldnames or ()))
            for row in table:
                if table.line_num > MOST_ROWS:
                    raise InputError("compute.trace_too_long", file=str(path), allowed=MOST_ROWS)
                _read_row(row, reader, found, (str(path), table.line_num))
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError("compute.trace_unreadable", file=str(path), error=str(error)) from error
    if found.issues and not reading.skip_broken:
        raise InputError.from_issues(str(path), found.issues)
    return found


def _read_row(row: _Row, reader: Callable[[_Row], _T], found: _Rows[_T], place: tuple[str, int]) -> None:
    try:
        if "" in row:
            raise _BrokenRowError("", text("compute.trace_row_too_wide"))
        found.rows.append(reader(row))
    except _BrokenRowError as error:
        found.broken += 1
        if len(found.issues) < _MOST_ISSUES:
            file, line = place
            found.issues.append(Issue(file=file, path=error.column, problem=error.problem, line=line))


def _job_reader(path: Path, columns: set[str]) -> Callable[[_Row], TraceJob]:
    if columns >= _OWN:
        dimensions = sorted(name for name in columns if name in ("cpu", "memory", "disk") or "/" in name)
        return lambda row: _own_job(row, dimensions)
    if columns >= _OPENB:
        return _openb_job
    raise _unknown(path, columns, _OWN)


def _node_reader(path: Path, columns: set[str]) -> Callable[[_Row], _Node]:
    if columns >= _OPENB_NODES:
        return _openb_node
    if "node" in columns:
        dimensions = sorted(columns - {"node", "labels"})
        return lambda row: _Node(_word(row, "node"), _resources(row, dimensions), _labels(row))
    raise _unknown(path, columns, {"node", "cpu", "memory"})


def _unknown(path: Path, columns: set[str], wanted: set[str]) -> InputError:
    return InputError(
        "compute.trace_columns",
        file=str(path),
        found=", ".join(sorted(name or "" for name in columns)[:20]),
        allowed=", ".join(sorted(wanted)),
    )


def _own_job(row: _Row, dimensions: list[str]) -> TraceJob:
    longest, demand = row.get("longest_seconds"), _resources(row, dimensions)
    try:
        read_ask(demand)
    except InputError as error:
        raise _BrokenRowError("", error.text) from None
    return TraceJob(
        name=_word(row, "job"),
        organisation=read_cell(row.get("organisation", "")),
        person=read_cell(row.get("person", "")),
        submitted=_seconds(row, "submitted_seconds"),
        runs=_seconds(row, "runs_seconds"),
        demand=demand,
        members=_count(row, "members", 1) if row.get("members") else 1,
        priority=_count(row, "priority", 0) if row.get("priority") else 0,
        longest=_seconds(row, "longest_seconds") if longest else None,
        labels=_labels(row),
        preemptible=_is_yes(row, "preemptible"),
    )


def _openb_job(row: _Row) -> TraceJob:
    """Return a job of the public trace: GPUs are of the kind that ``gpu_spec`` names, or of any if it names none.

    A demand can't express a choice of kinds (``V100M16|V100M32``): such a row is broken, never read as less.
    """
    gpus, part = _count(row, "num_gpu", 0), _count(row, "gpu_milli", 0)
    if part > MILLI or (gpus > 1 and part not in (0, MILLI)):
        raise _BrokenRowError("gpu_milli", text("compute.trace_bad_number", found=row["gpu_milli"][:40]))
    demand = {"cpu": _count(row, "cpu_milli", 0), "memory": _count(row, "memory_mib", 0) * SIZES["MiB"]}
    began, ended = _seconds(row, "creation_time"), _seconds(row, "deletion_time")
    scheduled = _seconds(row, "scheduled_time") if row.get("scheduled_time") else began
    if ended < scheduled:
        raise _BrokenRowError("deletion_time", text("compute.trace_ends_before", found=row["deletion_time"][:40]))
    return TraceJob(
        name=_word(row, "name"),
        organisation=row.get("organisation", ""),
        person="",
        submitted=began,
        runs=ended - scheduled,
        demand={**demand, _gpu_kind(row.get("gpu_spec", "")): gpus * part} if gpus else demand,
    )


def _gpu_kind(spec: str) -> str:
    kinds = {kind.strip().lower() for kind in spec.split("|") if kind.strip()}
    if len(kinds) > 1:
        raise _BrokenRowError("gpu_spec", text("compute.trace_gpu_kinds", found=spec[:40]))
    return f"gpu/{kinds.pop()}" if kinds else ANY_GPU


def _openb_node(row: _Row) -> _Node:
    vector = {"cpu": _count(row, "cpu_milli", 0), "memory": _count(row, "memory_mib", 0) * SIZES["MiB"]}
    gpus = _count(row, "gpu", 0)
    whole = {**vector, f"gpu/{row['model'].lower()}": gpus * MILLI} if gpus else vector
    return _Node(_word(row, "sn"), whole)


def _word(row: _Row, column: str) -> str:
    if not row[column].strip():
        raise _BrokenRowError(column, text("compute.trace_missing"))
    return read_cell(row[column].strip())


def _count(row: _Row, column: str, least: int) -> int:
    found = row[column].strip()
    if not found.isascii() or not found.isdigit() or len(found) > 15 or int(found) < least:
        raise _BrokenRowError(column, text("compute.trace_bad_number", found=found[:40]))
    return int(found)


def _seconds(row: _Row, column: str) -> float:
    try:
        found = float(row[column])
    except ValueError:
        found = math.nan
    if not 0 <= found <= _MOST_SECONDS:
        raise _BrokenRowError(column, text("compute.trace_bad_number", found=row[column][:40]))
    return found


def _labels(row: _Row) -> Labels:
    """Return the labels that ``labels`` lists: ``zone=hall-2 disk=fast``."""
    written = read_cell(row.get("labels", "")).split()
    pairs = [one.partition("=") for one in written]
    try:
        return _LABELS.validate_python({name: value for name, _, value in pairs})
    except ValidationError:
        raise _BrokenRowError("labels", text("compute.trace_bad_labels", found=" ".join(written)[:40])) from None


def _is_yes(row: _Row, column: str) -> bool:
    found = row.get(column, "").strip() or "yes"
    if found not in ("yes", "no"):
        raise _BrokenRowError(column, text("compute.trace_bad_answer", found=found[:40]))
    return found == "yes"


def _resources(row: _Row, dimensions: list[str]) -> Vector:
    found: dict[str, int] = {}
    for name in dimensions:
        written = row[name].strip()
        size = name in ("memory", "disk") and written.isascii() and written.isdigit() and len(written) < 20
        try:
            found |= _DEMAND.validate_python({name: int(written) if size else written}).vector if written else {}
        except ValidationError as error:
            raise _BrokenRowError(name, _problem(error)) from None
    return found


def _problem(error: ValidationError) -> Text:
    inner = error.errors()[0].get("ctx", {}).get("error")
    return inner.text if isinstance(inner, InputError) else text("compute.trace_bad_number", found="")


def _given(job: TraceJob, organisations: int) -> TraceJob:
    """Return the job as one of made-up organisations: the n-th has about an n-th of what the first has."""
    drawn = int.from_bytes(hashlib.blake2b(job.name.encode(), digest_size=8).digest()) / 2**64
    shares = [1 / (number + 1) for number in range(organisations)]
    edges = [sum(shares[: number + 1]) / sum(shares) for number in range(organisations)]
    number = next((number for number, edge in enumerate(edges) if drawn < edge), organisations - 1)
    return replace(job, organisation=f"org-{number + 1}")
