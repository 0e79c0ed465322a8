"""A labelling round at work: labelled blind, closed, decided where annotators differ, and published.

Labels are documents that only the base sees. An annotator sees their own; the adjudicator sees the labels of one item
in random order; the owner sees counts until the round is closed, and then the agreement too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from secrets import SystemRandom

import pydantic

from pilotbase.data.labelling.final_labels import Decided, disagreements, final_labels, labelled_items
from pilotbase.data.labelling.gathering import Annotation, Gathered, label_problem
from pilotbase.data.labelling.quality import label_quality
from pilotbase.data.quality.release import least_cell
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, RefusedError, offer
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.labelling import (
    ANNOTATORS,
    JUDGE,
    GivenOnHub,
    LabelledItem,
    LabelledItems,
    Labeller,
    LabellingRound,
    LabelQuality,
    LabelSource,
    PublishedLabels,
    RoundClosed,
)
from pilotbase.documents.subjects import labels_head
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Opening, WorkKind
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.uploads import erase_upload, find_upload, read_upload
from pilotbase.worker.base import Base, vault_of
from pilotbase.worker.datasets.answer_rounds import hand_over, seal_answers
from pilotbase.worker.datasets.kept_tables import ReadTexts
from pilotbase.worker.datasets.label_rounds import (
    are_erased,
    erase_items,
    find_round,
    kept_order,
    opened_item,
    part_of,
    prepare_differing,
    round_head,
)
from pilotbase.worker.datasets.owner_jobs import owner_of, read_in_box
from pilotbase.workspace.actors import BASE, PUBLIC, parties
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.jobs import Job, JobState, enqueue, jobs_under
from pilotbase.workspace.store import View


def _is_their_turn(base: Base, of: LabellingRound, labeller: Labeller) -> bool:
    return stage_of(base, of).name in (("deciding", "decided") if labeller.name == JUDGE else ("open",))


def _own(view: View, identity: str) -> LabellingRound:
    of = find_round(view, identity)
    view.actor.require_is(of.dataset_owner)
    return of


def _keep(base: Base, of: LabellingRound, labels: Sequence[tuple[str, str, str, str | None]]) -> None:
    with base.lab.view.transaction("labelling.given") as change:
        for name, item, label, reason in labels:
            made = GivenOnHub(round=of.identity, labeller=name, item=item, label=label, reason=reason, at=change.now)
            digest = change.put(made, BASE, owner=of.dataset_owner, fields={"round": of.identity, "labeller": name})
            head = f"hub-label:{digest_json([of.identity, name, item])}"
            change.let_stand(head, digest)


def _kept(base: Base, of: LabellingRound, name: str) -> Iterator[GivenOnHub]:
    """Yield the newest label of each item."""
    seen: set[str] = set()
    for one in base.lab.view.every(GivenOnHub, {"round": of.identity, "labeller": name}):
        if one.item not in seen:
            seen.add(one.item)
            yield one


def _given(base: Base, of: LabellingRound, name: str) -> dict[str, str]:
    return {one.item: one.label for one in _kept(base, of, name)}


FINISHED = ("decided", "published")
"""Stages in which labelling and deciding have ended: the owner's labellers may see labels too."""
_ENDED_BADLY = (JobState.FAILED, JobState.CANCELLED)
_EXPORT = "export.json"


@dataclass(frozen=True)
class RoundStage:
    """The stage of a round; names: text ``labelling.stage.<value>``."""

    name: str
    reason: Text | None = None
    """Why its newest work failed."""


@dataclass(frozen=True)
class LabelSheet:
    """What a participant of a round works on."""

    labeller: Labeller
    order: tuple[str, ...]
    given: Mapping[str, str]
    """Their own labels, or decisions, by item."""
    erased: bool = False
    """The items are erased and no longer shown."""

    @property
    def next_item(self) -> str | None:
        """The first open item."""
        if self.erased:
            return None
        return next((item for item in self.order if item not in self.given), None)


@dataclass(frozen=True)
class RoundOutcome:
    """The result of a closed round."""

    items: tuple[LabelledItem, ...]
    quality: LabelQuality


class ReadLabel(pydantic.BaseModel):
    """One label of an export."""

    item: str
    annotator: str
    label: str


class ReadLabels(pydantic.BaseModel):
    """What a box has read from an export; rows that are no label are skipped and counted."""

    labels: list[ReadLabel]
    left_out: dict[str, int] = {}


def stage_of(base: Base, of: LabellingRound) -> RoundStage:
    """Return the stage of a round, as every participant sees it."""
    view = base.lab.view
    job = next(iter(jobs_under(view, round_head(of.identity))), None)
    failed = job.reason if job is not None and job.state in _ENDED_BADLY else None
    if published_labels(view, of) is not None:
        return RoundStage("published")
    closed = closing_of(base, of)
    if closed is not None:
        differing = len(kept_order(base, of, JUDGE))
        if closed.differing and not differing:
            return RoundStage("failed" if failed else "closing", failed)
        return RoundStage("decided" if len(_given(base, of, JUDGE)) >= closed.differing else "deciding")
    if not all(kept_order(base, of, name) for name in ANNOTATORS):
        return RoundStage("failed" if failed else "preparing", failed)
    return RoundStage("open", failed)


def sheet_of(base: Base, view: View, identity: str) -> LabelSheet:
    """Return the caller's own sheet.

    Raises:
        NotFoundError: no such round concerns them.
        RefusedError: they have no part in it.
    """
    of = find_round(view, identity)
    labeller = part_of(view, of)
    if labeller is None:
        raise RefusedError("labelling.no_part")
    erased = are_erased(base, of, labeller.name)
    return LabelSheet(labeller, kept_order(base, of, labeller.name), _given(base, of, labeller.name), erased)


def show_item(base: Base, view: View, identity: str, item: str) -> tuple[Mapping[str, str], Sequence[str]]:
    """Return the fields of an item and, for the adjudicator, the given labels in random order.

    Raises as `sheet_of` and `opened_item`.
    """
    of, sheet = find_round(view, identity), sheet_of(base, view, identity)
    fields = opened_item(base, view, of, sheet.labeller, item)
    if sheet.labeller.name != JUDGE:
        return fields, ()
    given = [labels[item] for labels in (_given(base, of, name) for name in ANNOTATORS) if item in labels]
    SystemRandom().shuffle(given)
    return fields, given


def is_taking(base: Base, of: LabellingRound, sheet: LabelSheet) -> bool:
    """Return whether labels, or decisions, of the holder of this sheet are accepted now."""
    return not sheet.erased and _is_their_turn(base, of, sheet.labeller)


def give_label(base: Base, view: View, identity: str, item: str, given: tuple[str, str]) -> None:
    """Keep the caller's own label, or decision with its reason; it can be changed until the next stage.

    Raises:
        NotFoundError, RefusedError: as `sheet_of`; the item is not theirs.
        ConflictError: labels are no longer accepted, or not yet; the items are erased.
        InputError: a label that the round does not have; a decision without a reason.
    """
    of, sheet = find_round(view, identity), sheet_of(base, view, identity)
    label, reason = given
    judges = sheet.labeller.name == JUDGE
    if not _is_their_turn(base, of, sheet.labeller):
        raise ConflictError("labelling.not_now")
    if sheet.erased:
        raise ConflictError("labelling.items_erased")
    if item not in sheet.order:
        raise RefusedError("labelling.not_yours", item=item)
    if label_problem(of.campaign, label) is not None:
        raise InputError("labelling.other_label", found=label, allowed=offer(label, of.campaign.classes))
    if judges and not reason.strip():
        raise InputError("labelling.no_reason_given")
    kept = next((one for one in _kept(base, of, sheet.labeller.name) if one.item == item), None)
    said = reason.strip() if judges else None
    if kept is None or (kept.label, kept.reason) != (label, said):
        _keep(base, of, [(sheet.labeller.name, item, label, said)])


def order_import(base: Base, view: View, identity: str, upload: str) -> LabellingRound:
    """Queue the reading of an export that the owner of a round has sent, and return the round.

    Raises:
        NotFoundError: no such round concerns the actor, or there is no such upload.
        RefusedError: the actor is not the owner.
        ConflictError: the round is not open.
    """
    of = _own(view, identity)
    if stage_of(base, of).name != "open":
        raise ConflictError("labelling.not_now")
    find_upload(vault_of(base, view), upload)
    with view.transaction("labelling.import_ordered") as change:
        change.record("labelling.import_ordered", [of.digest()])
        enqueue(change, WorkKind.LABEL_IMPORT, round_head(identity), {"round": of.digest(), "upload": upload})
    return of


def import_ordered(base: Base, job: Job) -> None:
    """Read the export that ``job`` names, in a box, and keep its labels, all or none; then erase the upload.

    Raises:
        InputError: every problem of the export, with its places; labels of other items, or labels that differ from
        earlier ones.
    """
    of, vault = base.lab.view.load(job.payload["round"], LabellingRound), vault_of(base, owner_of(base, job))
    upload = find_upload(vault, job.payload["upload"])
    given = {"campaign": of.campaign.to_json_value(), "file": _EXPORT}
    pieces = read_upload(vault, upload.identity, ReaderGrant.of_owner(upload.owner))
    found = read_in_box(base, "read_labels", [(_EXPORT, pieces)], given, ReadLabels)
    take_labels(base, of, [Annotation(one.item, one.annotator, one.label) for one in found.labels])
    erase_upload(vault, upload.identity)


def close_round(base: Base, view: View, identity: str) -> LabellingRound:
    """Accept no more labels, and return the round; closed again, it is the same.

    A worker seals the items on which annotators differ for the adjudicator.

    Raises:
        NotFoundError: no such round concerns the actor.
        RefusedError: the actor is not the owner.
        ConflictError: it is not open, or no item was labelled by both.
    """
    of = _own(view, identity)
    if closing_of(base, of) is not None:
        return of
    if stage_of(base, of).name != "open":
        raise ConflictError("labelling.not_now")
    gathered = gathered_of(base, of)
    if of.trial is not None and not is_judged(base, of):
        raise ConflictError("labelling.not_all_judged")  # whoever could end it early could leave out what displeases
    if not any(len(given) > 1 for given in gathered.by_item.values()):
        raise ConflictError("labelling.nothing_twice")
    differing = len(disagreements(of.campaign, gathered))
    with view.transaction("labelling.closed") as change:
        closed = RoundClosed(round=of.identity, labelled=len(gathered.by_item), differing=differing, at=change.now)
        digest = change.put(closed, parties(), owner=of.dataset_owner)
        change.set_head(f"labelling-closed:{of.identity}", digest, expected=None)
        if differing:
            enqueue(change, WorkKind.LABEL_CLOSE, round_head(of.identity), {"round": of.digest()})
    return of


def is_judged(base: Base, of: LabellingRound) -> bool:
    """Return whether an open round has every label of both annotators."""
    if stage_of(base, of).name != "open":
        return False
    return not any(set(kept_order(base, of, one)) - _given(base, of, one).keys() for one in ANNOTATORS)


def prepare_decisions(base: Base, job: Job, read: ReadTexts) -> None:
    """Seal the items on which annotators differ for the adjudicator; raises as `prepare_items`."""
    of = base.lab.view.load(job.payload["round"], LabellingRound)
    differing = list(disagreements(of.campaign, gathered_of(base, of)))
    if of.trial is not None:
        seal_answers(base, of, of.labellers[-1:], {JUDGE: tuple(differing)})
    else:
        prepare_differing(base, of, differing, read)


def outcome_of(base: Base, view: View, identity: str) -> RoundOutcome | None:
    """Return final labels and agreement of a closed round to the owner of the dataset; None before it is closed.

    Raises:
        NotFoundError: no such round concerns the actor.
        RefusedError: the actor is not the owner.
    """
    of = _own(view, identity)
    if closing_of(base, of) is None:
        return None
    if part_of(view, of) is not None and stage_of(base, of).name not in FINISHED:
        raise RefusedError("labelling.blind_yet")
    gathered = gathered_of(base, of)
    decided = {one.item: Decided(one.label, one.reason or "", one.at) for one in _kept(base, of, JUDGE)}
    items = final_labels(of.campaign, gathered, decided)
    return RoundOutcome(items, label_quality(of.campaign, gathered, items))


def items_document(of: LabellingRound, outcome: RoundOutcome) -> LabelledItems:
    """Return the origin of the final labels, as `pilotbase data labels adjudicate` writes it."""
    return labelled_items(of.campaign, [LabelSource(file=round_head(of.identity), digest=of.digest())], outcome.items)


def publish_labels(base: Base, view: View, identity: str) -> PublishedLabels:
    """Publish how far annotators agreed; trials of scenarios on the dataset state it from now on.

    The round then ends: the items that were sealed for its labellers are erased.

    Raises:
        NotFoundError, RefusedError: as `outcome_of`; the agreement covers fewer items than the terms require for
        release.
        ConflictError: something is still to be decided.
    """
    of, outcome = _own(view, identity), outcome_of(base, view, identity)
    known = published_labels(view, of)
    if known is not None:
        erase_items(base, of)
        return known
    if outcome is None or stage_of(base, of).name != "decided":
        raise ConflictError("labelling.undecided")
    if of.trial is not None:
        return hand_over(base, view, of, outcome.items, outcome.quality.statement())
    described = view.load(of.version, Dataset)
    least = least_cell(described) if described.opening is Opening.COMPUTE_TO_DATA else 1
    if outcome.quality.double_labelled < least:
        raise RefusedError("labelling.too_few_to_tell", least=least)
    head = labels_head(of.dataset)
    with view.transaction("labelling.published") as change:
        change.put(outcome.quality, parties(), owner=of.dataset_owner)
        made = PublishedLabels(
            dataset=of.dataset,
            version=of.version,
            round=of.identity,
            statement=outcome.quality.statement(),
            at=change.now,
        )
        digest = change.put(made, PUBLIC, owner=of.dataset_owner, fields={"round": of.identity})
        change.let_stand(head, digest)
    erase_items(base, of)
    return made


def published_labels(view: View, of: LabellingRound) -> PublishedLabels | None:
    """Return what was published of a round, or None."""
    return next(iter(view.every(PublishedLabels, {"round": of.identity})), None)


def progress_of_round(base: Base, of: LabellingRound) -> dict[str, int]:
    """Return opaque name → how many items that labeller has labelled, or decided."""
    return {one.name: len(_given(base, of, one.name)) for one in of.labellers}


def closing_of(base: Base, of: LabellingRound) -> RoundClosed | None:
    """Return the closing of a round, or None while it is open."""
    return base.lab.view.load_head(f"labelling-closed:{of.identity}", RoundClosed)


def gathered_of(base: Base, of: LabellingRound) -> Gathered:
    """Return the labels that the annotators of a round have given so far."""
    kept = ((name, one) for name in ANNOTATORS for one in _kept(base, of, name))
    return Gathered(tuple(Annotation(one.item, name, one.label, one.at) for name, one in kept), Counter(), ())


def take_labels(base: Base, of: LabellingRound, found: Sequence[Annotation]) -> int:
    """Keep labels that were read from an export, all or none, and return how many.

    Raises:
        ConflictError: the round is not open.
        InputError: an item that was not given to this annotator; a label that differs from the annotator's earlier one.
    """
    if stage_of(base, of).name != "open":
        raise ConflictError("labelling.not_now")
    for name in ANNOTATORS:
        own, given = set(kept_order(base, of, name)), _given(base, of, name)
        for one in (each for each in found if each.annotator == name):
            if one.item not in own:
                raise InputError("labelling.item_of_nobody", item=one.item, annotator=name)
            if given.get(one.item, one.label) != one.label:
                raise InputError("labelling.given_otherwise", item=one.item, annotator=name)
    _keep(base, of, [(one.annotator, one.item, one.label, None) for one in found])
    return len(found)
