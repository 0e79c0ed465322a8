"""How long the base keeps handed-in files: until their owner erases them, or their time is over. Sealed data stay."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

from pilotbase.catalogue.records import load_record
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.record import Record
from pilotbase.vault.uploads import erase_expired
from pilotbase.worker.base import Base, renew_revocations
from pilotbase.worker.intake.kept_files import ScenarioFiles, erase_scenario_files, kept_of
from pilotbase.worker.jobs.handlers import SWEEPS
from pilotbase.worker.rounds import Pace, in_rounds
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View

PACE = Pace(idle=600.0, rest=600.0)


def kept_files(base: Base, view: View, subject: str) -> list[tuple[Stored, ScenarioFiles]]:
    """Return the kept files of a scenario's versions, newest first.

    Raises:
        NotFoundError: the actor sees no such record.
        RefusedError: it does not belong to the actor's organisation.
    """
    found = [kept for digest in _versions(_own_record(view, subject)) for kept in kept_of(base, digest)]
    return sorted(found, key=lambda one: one[0].stored_at, reverse=True)


def erase_kept_files(base: Base, view: View, subject: str) -> int:
    """Erase the files of every version of a scenario and return how many there were; raises as `kept_files`."""
    return sum(erase_scenario_files(base, digest) for digest in _versions(_own_record(view, subject)))


def sweep(base: Base, files_days: int) -> int:
    """Erase everything handed in or made for somebody whose time is over, and return the number of erased things.

    Uploads, what jobs have made or left (`SWEEPS`), and files of scenarios that are older than ``files_days``.
    """
    oldest = base.lab.store.clock() - timedelta(days=files_days)
    old = [files.scenario for stored, files in kept_of(base, None) if stored.stored_at < oldest]
    erased = erase_expired(base.lab.vault) + sum(one(base) for one in SWEEPS)
    return erased + sum(erase_scenario_files(base, digest) for digest in old)


def sweeping(base: Base, files_days: int) -> AbstractContextManager[None]:
    """Sweep now and every ten minutes, in a thread, until the end of the block; also keep the public list fresh."""

    def once() -> bool:
        renew_revocations(base)
        sweep(base, files_days)
        return False

    return in_rounds("retention", once, PACE)


def _own_record(view: View, subject: str) -> Record:
    record, _ = load_record(view, subject)
    if not view.actor.may_write_for(record.owner):
        raise RefusedError("worker.files_not_yours", subject=subject)
    return record


def _versions(record: Record) -> list[Digest]:
    handed_in = [step.document for step in record.history if step.document is not None]
    return list(dict.fromkeys([record.documents["scenario"], *handed_in]))
