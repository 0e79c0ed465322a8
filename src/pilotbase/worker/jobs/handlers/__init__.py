"""What each kind of job does: the stages of a trial, joined to the record that ordered them.

A handler may run again after its worker was killed, with the same attempt: it continues from what its stage has
committed, and takes its step on the record only if the record still waits for it. Every file here, and in the folder of
this name of a plug-in, lists its ``HANDLERS``; it may list ``FAILURES``, ``SWEEPS`` and ``PASSING``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.plugins import loaded
from pilotbase.documents.texts import Text
from pilotbase.worker.base import Base
from pilotbase.worker.jobs.handling import Failure, Handler, Sweep
from pilotbase.workspace.jobs import Job

_FOUND = loaded("worker.jobs.handlers")
HANDLERS: Mapping[str, Handler] = {kind: handler for module in _FOUND for kind, handler in module.HANDLERS.items()}
"""Kind of job → what it does."""
PASSING = frozenset(code for module in _FOUND for code in getattr(module, "PASSING", ()))
"""Codes of errors that pass by themselves: the job is put back in the queue."""
SWEEPS: tuple[Sweep, ...] = tuple(sweep for module in _FOUND for sweep in getattr(module, "SWEEPS", ()))
_FAILURES: Mapping[str, Failure] = {
    kind: one for module in _FOUND for kind, one in getattr(module, "FAILURES", {}).items()
}
"""Kind of job → what follows when it fails."""


def give_up(base: Base, job: Job, reason: Text) -> None:
    """Record on the record that its job failed, if it still waits for the job."""
    act = _FAILURES.get(job.kind)
    if act is None:
        return
    if callable(act):
        act(base, replace(job, reason=reason))
        return
    try:
        advance(base.lab.view, job.subject, act, Move(reason=reason))
    except PilotbaseError as error:
        if error.code != "record.wrong_state":
            raise
