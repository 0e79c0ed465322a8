"""Files described on a hub: sent, read in a box by a worker, guessed at, asked about, saved as a draft dataset.

Each round of answers is an order of its own. The files stay uploads of their organisation, erased in due time, until
the description is saved; then they may be kept as files of the dataset.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from pilotbase.catalogue.saving import SaveOptions, save
from pilotbase.data.terms.templates import offer_for
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.uploads import DescriptionTold, GuessTold, OpenDescription, QuestionTold
from pilotbase.documents.base import Document
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.described import Answers, Described
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.record import Record
from pilotbase.documents.subjects import Subject
from pilotbase.documents.texts import Language, make_visible, text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.place import Vault
from pilotbase.vault.uploads import Upload, erase_upload, find_upload, read_upload
from pilotbase.worker.base import Base, vault_of
from pilotbase.worker.datasets.committing import commit_files, with_hashes
from pilotbase.worker.datasets.keeping import keep_upload
from pilotbase.worker.datasets.owner_jobs import (
    FileRefusal,
    OwnerWork,
    erase_result,
    has_result,
    keep_result,
    own_listing,
    owner_of,
    problems_told,
    read_in_box,
    result_of,
    work_told,
)
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.jobs import Job, enqueue, jobs_ordered_for, stop
from pilotbase.workspace.store import View

MOST_FILES = 20
_NOTHING: dict[str, list[object]] = {
    name: [] for name in ("guesses", "findings", "questions", "units", "missing", "changed")
}


class DescribingOrder(Document):
    """An organisation's order to describe files, with its answers so far."""

    document: Literal["describing-order/1"] = "describing-order/1"
    identity: str
    owner: str
    round: int
    uploads: tuple[str, ...]
    names: tuple[str, ...]
    answers: Answers
    dataset: Subject | None = None
    """The dataset whose newest description stays wherever the files do not say otherwise."""
    forgotten: bool = False


@dataclass(frozen=True)
class DescriptionProgress(OwnerWork[Described]):
    """A description under way: the progress of its newest round, and the result."""

    order: DescribingOrder


def start_describing(
    base: Base, view: View, uploads: Sequence[str], answers: Answers, dataset: Subject | None = None
) -> DescriptionProgress:
    """Queue the description of finished uploads; under the same request as before, return the earlier one.

    Raises:
        NotFoundError: no such upload of the actor's organisation; no such dataset.
        InputError: an upload is not finished, two have one name, there are none or too many.
        RefusedError: the dataset is not the actor's.
    """
    known = view.outcome()
    if known is not None:
        return find_describing(base, view, known)
    sent = _require_uploads(base, view, uploads)
    owner = view.actor.organisation
    if dataset is not None:
        _require_own(view, dataset)
    order = DescribingOrder(
        identity=secrets.token_hex(16),
        owner=owner,
        round=1,
        uploads=tuple(uploads),
        names=tuple(one.name for one in sent),
        answers=answers.model_copy(update={"organisation": owner}),
        dataset=dataset,
    )
    _put(view, order, None)
    return find_describing(base, view, order.identity)


def answer_describing(base: Base, view: View, identity: str, answers: Answers) -> DescriptionProgress:
    """Queue the description again with ``answers`` replacing the earlier ones; the same request twice is one round.

    Raises:
        NotFoundError: as `find_describing`; the files are erased.
        ConflictError: somebody else answered at the same moment.
    """
    if view.outcome() is not None:
        return find_describing(base, view, identity)
    before, head = _order(view, identity)
    _require_uploads(base, view, before.uploads)
    given = answers.model_copy(update={"organisation": before.owner})
    _put(view, before.model_copy(update={"answers": given, "round": before.round + 1}), head)
    return find_describing(base, view, identity)


def find_describing(base: Base, view: View, identity: str) -> DescriptionProgress:
    """Return a description under way of the actor's organisation.

    Raises:
        NotFoundError: there is none, it was forgotten, or it is others'.
    """
    order, head = _order(view, identity)
    jobs = jobs_ordered_for(view, _work(head))
    found = result_of(base, view, order.owner, _work(head), Described)
    return DescriptionProgress(jobs[0], found, order)


def describings(view: View) -> Iterator[DescribingOrder]:
    """Yield the descriptions under way of the actor's organisation, newest first, each once."""
    seen: set[str] = set()
    for stored in view.find("describing-order", {"for": view.actor.organisation}, limit=200):
        identity = stored.load(DescribingOrder).identity
        if identity not in seen:
            seen.add(identity)
            with suppress(NotFoundError):
                yield _order(view, identity)[0]


def save_described(base: Base, view: View, identity: str, usual_terms: bool, keep: bool) -> Record:
    """Save what was described as a draft dataset, or as the newest version of the dataset it was begun for.

    ``usual_terms``: add the usual offer of its level of opening, if it has none. For files that nobody may take, the
    draft holds commitments and no hash. ``keep``: keep the files as files of the dataset, else erase them. Saved before
    under the same request, return the earlier record.

    Raises:
        NotFoundError: as `find_describing`.
        ConflictError: nothing is described yet; the name is taken.
        InputError, RefusedError: as `save`.
    """
    known = view.done(Record)
    if known is not None:
        return known
    found = find_describing(base, view, identity)
    if found.result is None:
        raise ConflictError("describe.nothing_yet")
    dataset = found.result.dataset
    if usual_terms and dataset.usage is None:
        offer = offer_for(dataset.opening, dataset.owner.organisation, dataset.subject)
        dataset = dataset.model_copy(update={"usage": offer})
    dataset = commit_files(vault_of(base, view.asked_by(None)), dataset)
    record = save(view, dataset, SaveOptions(new=found.order.dataset is None), dataset.subject)
    for upload in found.order.uploads:
        with suppress(NotFoundError):
            if keep:
                keep_upload(base, view.asked_by(None), dataset.subject, upload)
            else:
                erase_upload(vault_of(base, view), upload)
    _forget(base, view, found.order)
    return record


def forget_describing(base: Base, view: View, identity: str) -> None:
    """Erase a description under way and its files at once; raises as `find_describing`."""
    order, _ = _order(view, identity)
    for upload in order.uploads:
        with suppress(NotFoundError):
            erase_upload(vault_of(base, view), upload)
    _forget(base, view, order)


def description_told(found: DescriptionProgress, reader: Language) -> DescriptionTold:
    """Return a description under way with all findings, as the API shows it."""
    described = found.result
    return DescriptionTold(
        **order_told(found.order).model_dump(),
        **work_told(found, reader),
        answers=found.order.answers,
        dataset=described.dataset if described else None,
        **(_found_told(described, reader) if described else _NOTHING),
    )


def order_told(order: DescribingOrder) -> OpenDescription:
    """Return a description under way as a list shows it."""
    return OpenDescription(identity=order.identity, files=list(order.names), round=order.round)


def _found_told(described: Described, reader: Language) -> dict[str, list[object]]:
    return {
        "guesses": [
            filled(GuessTold, one, ground=one.ground.render(reader, make_visible)) for one in described.guesses
        ],
        "findings": list(problems_told(described.findings, reader)),
        "questions": [
            filled(QuestionTold, one, asked=one.asked.render(reader, make_visible)) for one in described.questions
        ],
        "units": list(described.units),
        "missing": list(described.missing),
        "changed": [one.render(reader, make_visible) for one in described.changed],
    }


def describe_ordered(base: Base, job: Job) -> None:
    """Describe the files of ``job`` in a box and keep the findings, or the reason why it was refused."""
    view, head = owner_of(base, job), job.payload["order"]
    order = view.load(head, DescribingOrder)
    if has_result(base, order.owner, _work(head)):
        return
    earlier = None if order.dataset is None else _earlier(base, view, order, order.dataset).to_json_value()
    said = {name: value for name, value in order.answers.to_json_value().items() if value not in ([], {})}
    given = {"files": list(order.names), "answers": said, "earlier": earlier}
    found: Described | FileRefusal
    try:
        found = read_in_box(base, "describe", _files(vault_of(base, view), order), given, Described)
    except InputError as error:
        found = FileRefusal.of(error)
    keep_result(base, order.owner, _work(head), found)


def _earlier(base: Base, view: View, order: DescribingOrder, dataset: Subject) -> Dataset:
    vault, before = vault_of(base, view), _require_own(view, dataset)
    return with_hashes(vault, before, [find_upload(vault, upload) for upload in order.uploads])


def _files(vault: Vault, order: DescribingOrder) -> Iterator[tuple[str, Iterator[bytes]]]:
    for name, upload in zip(order.names, order.uploads, strict=True):
        yield name, read_upload(vault, upload, ReaderGrant.of_owner(order.owner))


def _put(view: View, order: DescribingOrder, expected: Digest | None) -> None:
    name = _name(order.identity)
    with view.transaction("dataset.describing") as change:
        digest = change.put(order, parties(), owner=order.owner, fields={"for": order.owner})
        change.set_head(name, digest, expected=expected)
        change.record("dataset.describing", [digest])
        if expected is not None:
            stop(change, _work(expected), text("describe.superseded"))
        if not order.forgotten:
            enqueue(change, WorkKind.DESCRIBE, _work(digest), {"order": digest})
        change.settle(order.identity)


def _forget(base: Base, view: View, order: DescribingOrder) -> None:
    head = view.head(_name(order.identity))
    if head is not None:
        erase_result(base, order.owner, _work(head))
        gone = order.model_copy(update={"forgotten": True, "answers": Answers(), "round": order.round + 1})
        _put(view.asked_by(None), gone, head)


def _order(view: View, identity: str) -> tuple[DescribingOrder, Digest]:
    head = view.head(_name(identity))
    order = None if head is None else view.load(head, DescribingOrder)
    if head is None or order is None or order.forgotten or order.owner != view.actor.organisation:
        raise NotFoundError("describe.not_found")
    return order, head


def _require_uploads(base: Base, view: View, uploads: Sequence[str]) -> list[Upload]:
    if not 1 <= len(uploads) <= MOST_FILES:
        raise InputError("describe.number_of_files", found=len(uploads), allowed=MOST_FILES)
    sent = [find_upload(vault_of(base, view), identity) for identity in uploads]
    names = [one.name for one in sent]
    for one in sent:
        if names.count(one.name) > 1:
            raise InputError("describe.double_file", name=one.name)
        if one.name in (".", ".."):
            raise InputError("data.no_file", file=one.name)
        if not one.finished:
            raise InputError("describe.unfinished_file", name=one.name)
    return sent


def _require_own(view: View, dataset: Subject) -> Dataset:
    return view.load(own_listing(view, dataset).digest, Dataset)


def _name(identity: str) -> str:
    return f"describing:{identity}"


def _work(order: Digest) -> str:
    return f"{WorkKind.DESCRIBE}:{order}"
