"""A supplier's own program, handed in to a pool: its folder taken in like an application's, its data by the gate.

What it reads leaves the vault for a box whose output and log the program's owner sees. So it gets only data that the
terms let the owner download. Closed data are for trials.

What a job needs to run, prepared just before it starts: its files, its packages, its data under a counted leave.

Data are opened into a private folder of the attempt, readable by its box alone, and removed when it has ended.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
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
from pilotbase.documents.limits import Limits
from pilotbase.documents.quantities import MOST_SECONDS
from pilotbase.documents.subjects import Subject, name_of
from pilotbase.documents.terms import Action, Channel, Purpose, Request
from pilotbase.documents.vocabularies import Role
from pilotbase.sandbox.box.environments import build_environment
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.trial.lab import organisation_uid
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.keeping import take_file
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View
from pilotbase_estate.backends.backend import ProgramWork
from pilotbase_estate.queue.rows import JobRow
from pilotbase_estate.queue.submitting import JobRequest, submit
from pilotbase_estate.queue.turns import Prepared, Works

LIMITS = Limits(wall_seconds=MOST_SECONDS, scratch_bytes=1 << 30, file_bytes=1 << 30, log_bytes=1 << 20)
"""Besides the job's own request: memory, cores, time."""
_OPENED = "job-data"


def works_of(base: Base) -> Works:
    """Return what makes the jobs of a base ready."""

    def prepare(job: JobRow) -> Prepared:
        order = WorkOrder.model_validate_json(job.work)
        folder, uid = folder_of(base, order.folder), organisation_uid(base.lab, job.asked.organisation)
        data = _opened(base, job, order, uid) if order.data else {}
        return Prepared(ProgramWork(folder, order.entry, _environment(base, job, folder, uid), data), LIMITS, uid)

    return prepare


def forget_data(base: Base, job: str) -> None:
    """Remove what was opened for a job that no longer runs."""
    shutil.rmtree(_place(base, job), ignore_errors=True)


def jobs_with_data(base: Base) -> list[str]:
    """Return the jobs for which anything is open."""
    return [place.name for place in base.lab.folder(_OPENED).iterdir()]


def _environment(base: Base, job: JobRow, folder: Path, uid: int) -> Path | None:
    lock = folder / LOCK
    if not lock.is_file():
        return None
    cache = base.lab.folder("environments", job.asked.organisation)
    return build_environment(lock.read_bytes(), LOCK, cache, BoxSettings(uid=uid)).path


def _opened(base: Base, job: JobRow, order: WorkOrder, uid: int) -> dict[str, Path]:
    """Open the data of a job as its organisation, each dataset into a folder under its name.

    Each file is written aside and renamed, so a running member continues to read the file that it has open.
    """
    view = base.lab.store.as_actor(Actor(job.asked.organisation, frozenset({Role.SUPPLIER})))
    folders: dict[str, Path] = {}
    for dataset, file in order.data:
        name = name_of(dataset).rpartition("/")[2]
        folder = folders.setdefault(name, _place(base, job.name) / name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        taken = take_file(base, view, dataset, file, Purpose.TRAINING)
        fresh = folder / f".{uuid.uuid4().hex}"
        with fresh.open("wb") as written:
            for piece in taken.pieces:
                written.write(piece)
        fresh.rename(folder / plain_name(taken.name))
        _give(folder, uid)
    return folders


def _give(folder: Path, uid: int) -> None:
    """Let the box's user, and nobody else, read a folder."""
    if os.getuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, uid, uid)


def _place(base: Base, job: str) -> Path:
    return base.lab.folder(_OPENED) / job


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
