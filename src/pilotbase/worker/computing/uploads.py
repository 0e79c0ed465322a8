"""A supplier's own program that came as an archive: unpacked in a box, handed in, and the archive erased."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from pilotbase.compute.queue.rows import JobRow
from pilotbase.compute.queue.showing import job_seen
from pilotbase.compute.queue.submitting import Asking
from pilotbase.documents.subjects import Subject
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.uploads import erase_upload, find_upload, read_upload
from pilotbase.worker.base import Base
from pilotbase.worker.computing.orders import Program, hand_in
from pilotbase.worker.intake.versions import unpacked, vault_of
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class Archive:
    """A program whose zipped folder was uploaded."""

    upload: str
    entry: tuple[str, ...]
    """A Python file of the folder, and its arguments."""
    data: tuple[tuple[Subject, str], ...] = ()
    """Dataset and name of a file of it."""


def hand_in_upload(base: Base, view: View, archive: Archive, most_bytes: int, asking: Asking) -> JobRow:
    """Take a program in from an upload, which is erased then, and let it wait for its pool.

    The same request again finds the job that it made.

    Raises:
        NotFoundError: there is no such upload of the actor's organisation, no such pool or voucher.
        InputError: the archive is refused, or does not hold the program.
        RefusedError: the terms of the data do not permit it; the job could never run; the voucher does not pay.
    """
    vault, made = vault_of(base, view), view.outcome()
    if made is None:
        grant = ReaderGrant.of_owner(view.actor.organisation)
        with unpacked(base, read_upload(vault, archive.upload, grant), most_bytes) as folder:
            made = hand_in(base, view, Program(folder, archive.entry, archive.data), asking).name
    with suppress(NotFoundError):
        find_upload(vault, archive.upload)
        erase_upload(vault, archive.upload)
    return job_seen(view, made).shown.job
