"""Scenarios in a world, made on a hub: in one of the base's, or in one that was sent and tried by a worker."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pilotbase.catalogue.saving import SaveOptions
from pilotbase.data.scenario_yaml import write_scenario_yaml
from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import parse_request
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.documents.world import WORLD_MANIFEST, World, WorldCheck, WorldUse
from pilotbase.trial.arena.gates import check_folder
from pilotbase.trial.arena.kept_worlds import read_world
from pilotbase.trial.arena.shelf import world_of
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.uploads import Upload, erase_upload, find_upload, list_uploads, read_upload
from pilotbase.worker.base import Base, vault_of
from pilotbase.worker.datasets.owner_jobs import (
    FileRefusal,
    OwnerWork,
    erase_result,
    has_result,
    keep_result,
    owner_of,
    result_of,
)
from pilotbase.worker.intake.kept_files import take_scenario
from pilotbase.worker.intake.versions import own_names, unpacked
from pilotbase.worker.intake.world_checks import check_world_cases
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.jobs import Job, JobState, enqueue, jobs_ordered_for
from pilotbase.workspace.store import View
from pilotbase.worlds.folders import WORLDS

FOLDER = "world"
"""Where the world lies in the folder of its scenario."""
_MOST_BYTES = 256 << 20


class CheckedWorld(Document):
    """A world that was sent, and what every gate has found."""

    document: Literal["checked-world/1"] = "checked-world/1"
    world: World
    check: WorldCheck


@dataclass(frozen=True)
class SentWorld(OwnerWork[CheckedWorld]):
    """A world that was sent, and the progress of its check."""

    upload: Upload


def order_check(view: View, upload: Upload) -> None:
    """Queue the check of the world whose zipped folder is ``upload``, unless one is queued or has ended well."""
    ordered = jobs_ordered_for(view, _work(upload.identity))
    if ordered and ordered[0].state is not JobState.FAILED:
        return
    with view.transaction("world.check_ordered") as change:
        change.record("world.check_ordered", [upload.digest])
        enqueue(change, WorkKind.WORLD, _work(upload.identity), {"upload": upload.identity})


def find_sent(base: Base, view: View, identity: str) -> SentWorld:
    """Return a world that the actor's organisation has sent; raises `NotFoundError`: none such, or its time is over."""
    upload = find_upload(vault_of(base, view), identity)
    jobs = jobs_ordered_for(view, _work(identity))
    if not jobs:
        raise NotFoundError("hub.not_found")
    return SentWorld(jobs[0], result_of(base, view, upload.owner, _work(identity), CheckedWorld), upload)


def all_sent(base: Base, view: View) -> list[Upload]:
    """Return the worlds that the actor's organisation has sent and not yet used."""
    return [one for one in list_uploads(vault_of(base, view)) if jobs_ordered_for(view, _work(one.identity))]


def forget_sent(base: Base, view: View, identity: str) -> None:
    """Erase a world that was sent and what was found about it; raises as `find_sent`."""
    found = find_sent(base, view, identity)
    erase_result(base, found.upload.owner, _work(identity))
    erase_upload(vault_of(base, view), identity)


def check_ordered(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Try every gate on the world of ``job``, and keep what was found, or why it can't be read."""
    upload = job.payload["upload"]
    if has_result(base, job.organisation, _work(upload)):
        return
    found: CheckedWorld | FileRefusal
    with suppress(NotFoundError):  # given up meanwhile
        try:
            with _opened(base, owner_of(base, job), upload) as folder:
                check = check_folder(base.lab, folder, on_progress=on_progress)
                found = CheckedWorld(world=read_world(folder).world, check=check)
        except InputError as error:
            found = FileRefusal.of(error)
        keep_result(base, job.organisation, _work(upload), found)


def read_here(name: str) -> World:
    """Return a world that comes with the base; raises `NotFoundError`: none of that name does."""
    if name not in WORLDS:
        raise NotFoundError("hub.not_found")
    with world_of(WorldUse(name=name, hidden=1), Path()) as found:
        return found.world


def take_in_world(base: Base, view: View, world: str, said: Mapping[str, Any]) -> Record:
    """Register a new scenario in a world of the base, or in one that was sent, which is then forgotten.

    ``said``: the fields of the scenario. The references were played when the gates were tried.

    Raises:
        InputError: the scenario is wrong, with every problem at once.
        NotFoundError, RefusedError: as `find_sent` and `take_scenario`.
    """
    known = view.done(Record)
    if known is not None:
        return known
    sent = world not in WORLDS
    with tempfile.TemporaryDirectory(dir=base.home.scratch) as scratch, own_names(Path(scratch)):
        folder = Path(scratch, "scenario")
        folder.mkdir()
        if sent:
            with _opened(base, view, world) as found:
                shutil.copytree(found, folder / FOLDER)
        place = {"folder": FOLDER} if sent else {"name": world}
        scenario = parse_request(Scenario, {**said, "world": {**place, **said["world"]}})
        (folder / MANIFEST).write_text(write_scenario_yaml(scenario), "utf-8")
        check_world_cases(scenario, folder, played=False)
        record = take_scenario(base, view, folder, SaveOptions(new=True))
    if sent:
        forget_sent(base, view, world)
    return record


@contextmanager
def _opened(base: Base, view: View, upload: str) -> Iterator[Path]:
    """Yield the folder of the world, which may lie in a folder of its own."""
    grant = ReaderGrant.of_owner(view.actor.organisation)
    with unpacked(base, read_upload(vault_of(base, view), upload, grant), _MOST_BYTES) as folder:
        inner = [one for one in folder.iterdir() if (one / WORLD_MANIFEST).is_file()]
        yield inner[0] if len(inner) == 1 and not (folder / WORLD_MANIFEST).is_file() else folder


def _work(upload: str) -> str:
    return f"{WorkKind.WORLD}:{upload}"
