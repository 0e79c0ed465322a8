"""What handlers of jobs share: their type, the record that ordered a job, and the step that a job takes on it."""

from __future__ import annotations

from collections.abc import Callable

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.records import load_record
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import Act
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.record import Record, Result
from pilotbase.worker.base import Base
from pilotbase.workspace.jobs import Job

Handler = Callable[[Base, Job, OnProgress], None]
Sweep = Callable[[Base], int]
"""Erases what jobs have left and nobody needs any more; returns the number of erased things."""


def record_of(base: Base, job: Job) -> Record:
    """Return the record that ordered a job."""
    return load_record(base.lab.view, job.subject)[0]


def take_step(base: Base, job: Job, act: Act, made: Digest | None = None) -> None:
    """Take a step on the record that ordered a job, with what the job has made."""
    advance(base.lab.view, job.subject, act, Move(Result(made=made) if made is not None else None))
