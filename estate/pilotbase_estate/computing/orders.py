"""A supplier's own program, handed in to a pool: its folder taken in like an application's, its data by the gate.

What it reads leaves the vault for a box whose output and log the program's owner sees. So it gets only data that the
terms let the owner download. Closed data are for trials.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from pilotbase.catalogue.folders import FolderTree, kept_folder, read_tree, store_tree
from pilotbase.catalogue.records import declared_ties
from pilotbase.data.terms.gate import require_permitted
from pilotbase.documents.base import Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import Subject
from pilotbase.documents.terms import Action, Channel, Purpose, Request
from pilotbase.worker.base import Base
from pilotbase.workspace.store import View
from pilotbase_estate.queue.rows import JobRow
from pilotbase_estate.queue.submitting import JobRequest, submit

LOCK = "requirements.lock"
"""Locked requirements, if the folder has them under this name."""
MOST_ARGUMENTS = 100


class WorkOrder(Part):
    """What a backend is to do for a job: which files, which program of them, on which data."""

    folder: Digest
    entry: tuple[str, ...] = Field(min_length=1, max_length=MOST_ARGUMENTS)
    """A Python file of the folder, and its arguments."""
    data: tuple[tuple[Subject, str], ...] = Field(default=(), max_length=50)
    """Dataset and name of a file of it that is kept at the base."""


@dataclass(frozen=True)
class SubmittedProgram:
    """A program that somebody hands in."""

    folder: Path
    entry: tuple[str, ...]
    data: tuple[tuple[Subject, str], ...] = ()


def submit_order(
    base: Base,
    view: View,
    program: SubmittedProgram,
    asking: JobRequest,
    consents: Callable[[WorkOrder], None] = lambda _: None,
) -> JobRow:
    """Take a program in and queue it for its pool.

    ``consents`` is called before anything is kept; it raises if nobody has consented to what the job costs.

    Raises:
        InputError: the folder is refused, or lacks the program; a file of the data is named by a path.
        RefusedError: the terms of the data do not permit it; the job could never run; the voucher does not pay.
    """
    tree, order = order_of(program)
    for dataset, file in program.data:
        plain_name(file)
        require_permitted(view, _request(view, dataset))
    consents(order)
    store_tree(tree, folders_of(base))
    work = json.dumps(order.to_json_value(), sort_keys=True)
    given = JobRequest(**{**vars(asking), "work": work})
    return submit(view, given, declared_ties(base.lab.view) if asking.voucher else {})


def order_of(program: SubmittedProgram) -> tuple[FolderTree, WorkOrder]:
    """Return the files of a program, and what a backend is to do; raises `InputError` where there is no program."""
    tree = read_tree(program.folder)
    if not program.entry or tree.file(program.entry[0]) is None or not program.entry[0].endswith(".py"):
        raise InputError("compute.no_program", found=program.entry[0] if program.entry else "", folder=program.folder)
    return tree, WorkOrder(folder=tree.digest, entry=program.entry, data=program.data)


def plain_name(file: str) -> str:
    """Return the name of a file if it is a plain name and not a path; raises `InputError`."""
    if file in ("", ".", "..") or "/" in file or "\0" in file:
        raise InputError("compute.bad_data", found=file[:60])
    return file


def folders_of(base: Base) -> Path:
    """Return the folder that keeps programs, each under its digest."""
    return base.lab.folder("programs")


def folder_of(base: Base, digest: Digest) -> Path:
    """Return the kept folder of a program."""
    return kept_folder(folders_of(base), digest)


def _request(view: View, dataset: Subject) -> Request:
    by = view.actor.organisation
    return Request(
        target=dataset,
        action=Action.USE,
        by=by,
        purpose=Purpose.TRAINING,
        recipient=by,
        channel=Channel.DOWNLOAD,
        rows=0,
    )
