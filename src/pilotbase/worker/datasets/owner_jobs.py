"""An owner's own work on files in a box: ordered on a hub, done by a worker, its result kept for that owner alone.

Such an order is on no record: nobody else sees it in the queue. One is ordered when a file is kept: its first rows.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import pydantic

from pilotbase.data.terms.gate import permit
from pilotbase.documents.api.shapes import ProblemIssue, filled
from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.subjects import Subject, holder_of
from pilotbase.documents.terms import Action, Channel, Purpose, Request
from pilotbase.documents.texts import Language, Text, make_visible, sentence, text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.sandbox.box.own_functions import BoxedCall, call_in_box
from pilotbase.vault.dataset_files import (
    KeptFile,
    add_preview,
    find_all_kept,
    open_file,
)
from pilotbase.vault.envelopes import open_envelope, seal_envelope
from pilotbase.vault.opening import ReaderGrant
from pilotbase.worker.base import Base, vault_of
from pilotbase.worker.datasets.first_rows import FirstRows
from pilotbase.worker.progress import told
from pilotbase.worker.retention_dates import KeptUntil, erase, erase_over
from pilotbase.workspace.actors import Actor, parties
from pilotbase.workspace.jobs import Job, enqueue
from pilotbase.workspace.listings import Listing, require_listing
from pilotbase.workspace.store import View

KEPT = timedelta(days=30)
_ERASED = "result.erased"
D = TypeVar("D", bound=Document)
M = TypeVar("M", bound=pydantic.BaseModel)


class FileRefusal(Document):
    """Why files were refused: every problem at once, each with its place and what to do."""

    document: Literal["refusal/1"] = "refusal/1"
    problem: Text
    hint: Text
    issues: tuple[Issue, ...] = ()

    @classmethod
    def of(cls, error: InputError) -> FileRefusal:
        return cls(problem=error.text, hint=error.hint, issues=error.issues)


class KeptResult(KeptUntil):
    """Records that the base keeps the result of a piece of work, until its time is over."""

    document: Literal["kept-result/1"] = "kept-result/1"
    work: str
    """Names the piece of work: its input and its order."""
    owner: str
    refused: bool


@dataclass(frozen=True)
class OwnerWork(Generic[D]):
    """A piece of work for an owner: its newest job, and the kept result of the last one that ended."""

    job: Job
    found: D | FileRefusal | None

    @property
    def result(self) -> D | None:
        return None if isinstance(self.found, FileRefusal) else self.found

    @property
    def refusal(self) -> FileRefusal | None:
        return self.found if isinstance(self.found, FileRefusal) else None


def owner_of(base: Base, job: Job) -> View:
    """Return the view of the organisation for which a job was ordered: the job has its owner's permissions."""
    return base.lab.store.as_actor(Actor(job.organisation, frozenset(), job.person))


def own_listing(view: View, dataset: Subject) -> Listing:
    """Return a dataset of the actor's organisation itself; raises `NotFoundError`, `RefusedError`."""
    listing = require_listing(view, dataset)
    view.actor.require_is(listing.owner)
    return listing


def read_in_box(
    base: Base, function: str, files: Iterable[tuple[str, Iterable[bytes]]], given: Mapping[str, object], model: type[M]
) -> M:
    """Return the result of a function of `in_box` about ``files`` (name, pieces); raises `InputError`."""
    with tempfile.TemporaryDirectory(dir=base.lab.folder("tmp")) as scratch:
        folder = Path(scratch, "files")
        folder.mkdir()
        for name, pieces in files:
            with (folder / name).open("xb") as written:
                written.writelines(pieces)
        names = ", ".join(sorted(path.name for path in folder.iterdir()))
        broken = InputError("data.not_a_table", file=names, reason=text("data.reason.box"))
        return call_in_box(BoxedCall(f"pilotbase.worker.datasets.in_box:{function}", folder, given, broken), model)


def opened_for_owner(base: Base, job: Job, kept: KeptFile) -> Iterator[bytes]:
    """Return the pieces of a file that its owner's job reads: the gate counts one use for each job, and logs it.

    Raises:
        RefusedError: the job does not belong to its owner.
    """
    owner = holder_of(kept.dataset)
    asked = Request(
        target=kept.dataset,
        action=Action.COMPUTE_ON,
        by=owner,
        purpose=Purpose.STATISTICS,
        recipient=owner,
        channel=Channel.STATISTICS,
        rows=kept.rows or 0,
    )
    leave = permit(base.lab.view, asked, digest_json([job.kind, job.identity, kept.digest()]))
    return open_file(base.lab.vault, kept, leave, action=Action.COMPUTE_ON)


def keep_result(base: Base, owner: str, work: str, found: Document) -> None:
    """Keep the result of ``work`` for ``owner``; an earlier result is erased."""
    erase_result(base, owner, work)
    vault = base.lab.vault
    blob = seal_envelope(vault, owner, work, found.canonical())
    kept = KeptResult(
        work=work,
        owner=owner,
        refused=isinstance(found, FileRefusal),
        blob=blob,
        until=base.lab.store.clock() + KEPT,
    )
    with vault.view.transaction("result.kept") as change:
        change.put(kept, parties(), owner=owner, fields={"work": work})
        change.record("result.kept", [blob])


def result_of(base: Base, view: View, owner: str, work: str, model: type[D]) -> D | FileRefusal | None:
    """Return the result of ``work``; None if there is none, or its time is over.

    Raises:
        RefusedError: the actor is not the owner.
    """
    kept = _kept(base, owner, work)
    if kept is None:
        return None
    plain = json.loads(open_envelope(vault_of(base, view), owner, work, kept.blob, ReaderGrant.of_owner(owner)))
    return FileRefusal.from_json_value(plain) if kept.refused else model.from_json_value(plain)


def work_told(found: OwnerWork[D], reader: Language) -> dict[str, Any]:
    """Return the progress of a piece of work, and why its files were refused, as the API shows it."""
    refusal = found.refusal
    return {
        "progress": told(found.job).spoken(reader, make_visible),
        "refused": sentence(refusal.problem, reader, make_visible) if refusal is not None else None,
        "problems": problems_told(refusal.issues, reader) if refusal is not None else [],
    }


def problems_told(issues: Iterable[Issue], reader: Language) -> list[ProblemIssue]:
    """Return problems as the API shows them, each with its place."""
    return [
        filled(
            ProblemIssue,
            one,
            path=make_visible(one.path),
            code=one.problem.code,
            detail=one.say(reader, make_visible),
            file=make_visible(one.file),
        )
        for one in issues
    ]


def has_result(base: Base, owner: str, work: str) -> bool:
    """Return whether a result of ``work`` is still kept; opens nothing."""
    return _kept(base, owner, work) is not None


def erase_result(base: Base, owner: str, work: str) -> None:
    """Erase the result of ``work``, if there is one."""
    for kept in base.lab.view.every(KeptResult, {"work": work}):
        if kept.owner == owner:
            erase(base, kept, _ERASED)


def erase_old_results(base: Base) -> int:
    """Erase expired results, and return how many."""
    return erase_over(base, KeptResult, _ERASED)


def _kept(base: Base, owner: str, work: str) -> KeptResult | None:
    now, blobs = base.lab.store.clock(), base.lab.vault.blobs
    found = base.lab.view.every(KeptResult, {"work": work})
    return next((one for one in found if one.owner == owner and one.until > now and blobs.exists(one.blob)), None)


def order_preview(view: View, kept: KeptFile) -> None:
    """Queue the making of a file's first rows."""
    with view.asked_by(None).transaction("dataset.preview_ordered") as change:
        change.record("dataset.preview_ordered", [kept.dataset, kept.digest()])
        enqueue(
            change, WorkKind.FIRST_ROWS, _preview_of(kept.digest()), {"dataset": kept.dataset, "file": kept.digest()}
        )


def make_preview(base: Base, job: Job) -> None:
    """Make the first rows for ``job``; if the table cannot be read, its owner sees why.

    Raises:
        RefusedError: this host gives no box.
    """
    wanted = job.payload["file"]
    files = find_all_kept(base.lab.vault, job.payload["dataset"])
    kept = next((one for one in files if one.digest() == wanted), None)
    if kept is None or kept.preview is not None:
        return  # erased, or kept anew, meanwhile
    try:
        opened = opened_for_owner(base, job, kept)
        found = read_in_box(base, "show_first_rows", [(kept.name, opened)], {"file": kept.name}, FirstRows)
    except InputError as error:
        keep_result(base, holder_of(kept.dataset), _preview_of(wanted), FileRefusal.of(error))
        return
    add_preview(base.lab.vault, kept, found.rows, found.shown.model_dump_json().encode())


def why_none(base: Base, view: View, kept: KeptFile) -> FileRefusal | None:
    """Return why a file of the actor's own has no first rows, if a worker found why; raises `RefusedError`."""
    return result_of(base, view, holder_of(kept.dataset), _preview_of(kept.digest()), FileRefusal)


def _preview_of(file: Digest) -> str:
    return f"{WorkKind.FIRST_ROWS}:{file}"
