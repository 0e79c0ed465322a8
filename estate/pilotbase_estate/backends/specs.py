"""A spec, and the status of an attempt, as the JSON that waits in its folder, and back."""

from __future__ import annotations

from pydantic import TypeAdapter

from pilotbase_estate.backends.backend import JobSpec, Status

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
