"""A spec as the JSON that waits in an attempt's folder, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase_estate.backends.backend import (
    AttemptPhase,
    EndCause,
    JobSpec,
    MemberAttempt,
    Metered,
    ProgramWork,
    Status,
)


def write_spec(spec: JobSpec) -> str:
    """Return the JSON of a spec."""
    work = spec.work
    value = {
        "job": spec.attempt.job,
        "number": spec.attempt.number,
        "member": spec.attempt.member,
        "members": spec.members,
        "folder": str(work.folder),
        "entry": list(work.entry),
        "environment": str(work.environment) if work.environment else None,
        "data": {name: str(folder) for name, folder in work.data.items()},
        "demand": dict(spec.demand),
        "limits": spec.limits.to_json_value(),
        "level": spec.level.value,
        "uid": spec.uid,
        "node": spec.node,
    }
    return json.dumps(value)


def read_spec(text: str) -> JobSpec:
    """Return the spec from JSON that `write_spec` wrote."""
    value: dict[str, Any] = json.loads(text)
    return JobSpec(
        attempt=MemberAttempt(value["job"], value["number"], value["member"]),
        work=ProgramWork(
            folder=Path(value["folder"]),
            entry=tuple(value["entry"]),
            environment=Path(value["environment"]) if value["environment"] else None,
            data={name: Path(folder) for name, folder in value["data"].items()},
        ),
        demand=value["demand"],
        members=value["members"],
        limits=Limits.model_validate(value["limits"]),
        level=IsolationLevel(value["level"]),
        uid=value["uid"],
        node=value["node"],
    )


def write_status(status: Status) -> str:
    """Return the JSON of an attempt's status."""
    value = {
        "phase": status.phase,
        "cause": status.cause,
        "box": status.box,
        "detail": status.detail,
        "exit_code": status.exit_code,
        "metered": vars(status.metered),
    }
    return json.dumps(value)


def read_status(text: str) -> Status:
    """Return the status of an attempt from JSON that `write_status` wrote."""
    value: dict[str, Any] = json.loads(text)
    return Status(
        phase=AttemptPhase(value["phase"]),
        cause=EndCause(value["cause"]) if value["cause"] else None,
        box=EndReason(value["box"]) if value["box"] else None,
        detail=value["detail"],
        exit_code=value["exit_code"],
        metered=Metered(**value["metered"]),
    )
