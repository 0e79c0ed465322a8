"""What a job needs to run, prepared just before it starts: its files, its packages, its data under a counted leave.

Data are opened into a private folder of the attempt, readable by its box alone, and removed when it has ended.
"""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from pilotbase.documents.limits import Limits
from pilotbase.documents.quantities import MOST_SECONDS
from pilotbase.documents.subjects import name_of
from pilotbase.documents.terms import Purpose
from pilotbase.documents.vocabularies import Role
from pilotbase.sandbox.box.environments import build_environment
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.trial.lab import organisation_uid
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.keeping import take_file
from pilotbase.workspace.actors import Actor
from pilotbase_estate.backends.backend import ProgramWork
from pilotbase_estate.computing.orders import LOCK, WorkOrder, folder_of, plain_name
from pilotbase_estate.queue.members import Prepared, Works
from pilotbase_estate.queue.rows import JobRow

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
