"""A supplier's own program that came as an archive: unpacked in a box, handed in, and the archive erased."""

from __future__ import annotations

from contextlib import suppress

from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.uploads import erase_upload, find_upload, read_upload
from pilotbase.worker.base import Base, vault_of
from pilotbase.worker.intake.versions import unpacked
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase_estate.computing.estimates import consent_by, consented
from pilotbase_estate.computing.orders import SubmittedProgram, submit_order
from pilotbase_estate.documents.alike import alike
from pilotbase_estate.documents.vocabularies import JobKind
from pilotbase_estate.operations.pools import NewJob
from pilotbase_estate.queue.rows import JobRow
from pilotbase_estate.queue.showing import job_seen
from pilotbase_estate.queue.submitting import JobRequest


def submit_upload(base: Base, view: View, given: NewJob, most_bytes: int) -> JobRow:
    """Take a program in from an upload, which is then erased, and queue it for a pool.

    The same request again finds the job that it made.

    Raises:
        NotFoundError: there is no such upload of the actor's organisation, no such pool or voucher.
        InputError: the archive is refused, or lacks the program.
        RefusedError: the terms of the data do not permit it; the job could never run; the voucher does not pay; it may
            cost more than the limit, and ``given.consent`` is not set.
    """
    vault, made = vault_of(base, view), view.outcome()
    if made is None:
        grant = ReaderGrant.of_owner(view.actor.organisation)
        data = tuple((one.dataset, one.file) for one in given.data)
        with unpacked(base, read_upload(vault, given.upload, grant), most_bytes) as folder:
            asking = alike(JobRequest, given, max_seconds=given.hours * 3600, kind=JobKind.DEVELOPMENT)
            consents = consented if given.consent else consent_by(view, asking)
            made = submit_order(base, view, SubmittedProgram(folder, given.entry, data), asking, consents).name
    with suppress(NotFoundError):
        find_upload(vault, given.upload)
        erase_upload(vault, given.upload)
    return job_seen(view, made).job
