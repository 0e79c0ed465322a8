"""Labelling rounds on a hub: opened by the owner of a dataset; a worker draws the items and seals them for labellers.

What a labeller may see passes the gate of the dataset's terms: one counted use each, checked against the terms again
whenever an item is shown. Closed data are shown only to their owner's own people: no terms permit more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
import pydantic

from pilotbase.data.labelling.gathering import assign
from pilotbase.data.labelling.label_tables import is_name
from pilotbase.data.quality.columns import column_name
from pilotbase.data.terms.gate import permit, require_permitted
from pilotbase.documents.api.labelling import NewRound, RoundParticipant
from pilotbase.documents.dataset import DataField, Dataset, RecordSet
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.hashes import digest_bytes, digest_json
from pilotbase.documents.labelling import ANNOTATORS, JUDGE, KeptItems, Labeller, LabellingCampaign, LabellingRound
from pilotbase.documents.subjects import Subject
from pilotbase.documents.terms import AccessGrant, Action, Channel, Purpose, Request
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.vault.dataset_files import open_file
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.kept_tables import ReadTexts, kept_record_set, kept_table, table_names, texts_of
from pilotbase.worker.datasets.owner_jobs import own_listing
from pilotbase.worker.retention_dates import seal, unseal
from pilotbase.workspace.actors import BASE, Actor, parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.jobs import Job, enqueue
from pilotbase.workspace.store import View

GUIDELINE = "guideline.md"
_KEY_FILE = "labelling.key"
_LONGEST_CELL = 2000
IsMember = Callable[[str, str], bool]
"""Returns whether a person (by identifier) acts for an organisation."""


class RoundItems(NamedTuple):
    """Items in the order of one labeller, with the shown fields of each."""

    order: tuple[str, ...]
    fields: Mapping[str, Mapping[str, str]]


def open_round(base: Base, view: View, dataset: Subject, wanted: NewRound, known: IsMember) -> LabellingRound:
    """Open a round over items of the actor's own dataset; a worker draws them. Opened again, it is the same round.

    ``known``: who acts for whom.

    Raises:
        NotFoundError: no such dataset is seen.
        InputError: no table of it is kept; it lacks the fields or key; classes or people do not fit together.
        RefusedError: the actor is not the owner; the terms do not let a labeller's organisation see items.
    """
    listing = own_listing(view, dataset)
    described = view.load(listing.digest, Dataset)
    record_set = kept_record_set(base, described, wanted.record_set)
    made = LabellingRound(
        dataset=dataset,
        version=listing.digest,
        record_set=record_set.name,
        key=_key(record_set).name,
        key_column=column_name(_key(record_set), _key(record_set).name),
        shown=_shown(record_set, wanted.shown),
        campaign=_campaign(dataset, wanted),
        guideline=wanted.guideline,
        labellers=labellers_of((*wanted.annotators, wanted.adjudicator)),
        items=wanted.items,
        opened_at=view.store.clock(),
    )
    return opened_once(base, view, made, known)


def labellers_of(people: Sequence[RoundParticipant]) -> tuple[Labeller, ...]:
    """Return two annotators and the adjudicator under their opaque names."""
    return tuple(
        Labeller(name=name, organisation=one.organisation, person=one.person)
        for name, one in zip((*ANNOTATORS, JUDGE), people, strict=True)
    )


def opened_once(base: Base, view: View, made: LabellingRound, known: IsMember) -> LabellingRound:
    """Return the round, opened if it is not; a trial has one round, even if other experts are named later."""
    others = rounds_of(view, made.dataset)
    same = (one for one in others if one.model_copy(update={"opened_at": made.opened_at}) == made)
    before = next((one for one in others if one.version == made.version) if made.trial else same, None)
    if before is not None:
        return before
    people = made.labellers
    if len({one.person for one in people}) < len(people):
        raise InputError("labelling.one_person_twice")
    for one in people:
        if not known(one.organisation, one.person):
            raise InputError("labelling.not_a_member", organisation=one.organisation, found=one.person)
        if (request := _request(made, one)) is not None:
            require_permitted(base.lab.view, request)
    with view.transaction("labelling.opened") as change:
        outside = {one.organisation for one in people} - {made.dataset_owner}
        digest = change.put(made, parties(*outside), owner=made.dataset_owner, fields={"dataset": made.dataset})
        change.set_head(round_head(made.identity), digest, expected=None)
        enqueue(change, WorkKind.LABEL_ITEMS, round_head(made.identity), {"round": digest})
    return made


def find_round(view: View, identity: str) -> LabellingRound:
    """Return a round to its participants, the owner, operator and regulator; raises `NotFoundError`."""
    found = view.load_head(round_head(identity), LabellingRound)
    if found is None or not (_owns(view, found) or part_of(view, found) is not None):
        raise NotFoundError("labelling.no_round")
    return found


def rounds_of(view: View, dataset: Subject | None = None) -> list[LabellingRound]:
    """Return the rounds that concern the actor, newest first, of one dataset or of all."""
    found = view.every(LabellingRound, {"dataset": dataset} if dataset else {})
    return [one for one in found if _owns(view, one) or part_of(view, one) is not None]


def part_of(view: View, of: LabellingRound) -> Labeller | None:
    """Return the caller's own part in a round."""
    return of.labeller(view.actor.organisation, view.actor.person)


def prepare_items(base: Base, job: Job, read: ReadTexts) -> None:
    """Draw the items of a round and seal them for its two annotators.

    Raises:
        InputError: the table cannot be read; item names that do not exist, or occur twice.
        RefusedError: the terms do not let an annotator see them, or no longer do.
    """
    of = base.lab.view.load(job.payload["round"], LabellingRound)
    described = base.lab.view.load(of.version, Dataset)
    tables: dict[str, pl.DataFrame] = {}
    for labeller in of.labellers[: len(ANNOTATORS)]:
        if base.lab.view.head(items_head(of.identity, labeller.name)) is not None:
            continue
        leave = leave_of(base.lab.view, of, labeller)
        if labeller.organisation not in tables:
            tables[labeller.organisation] = _opened(base, of, described, leave, read)
        table = tables[labeller.organisation]
        order = assign(of.campaign, _drawn(of, table), seed=_seed(of))[labeller.name]
        seal_items(base, of, labeller, RoundItems(order, _fields(of, described, table)))


def prepare_differing(base: Base, of: LabellingRound, differing: Sequence[str], read: ReadTexts) -> None:
    """Seal the items on which annotators differ for the adjudicator; raises as `prepare_items`."""
    judge = of.labellers[-1]
    if not differing or base.lab.view.head(items_head(of.identity, judge.name)) is not None:
        return
    described = base.lab.view.load(of.version, Dataset)
    table = _opened(base, of, described, leave_of(base.lab.view, of, judge), read)
    order = [differing[place] for place in np.random.default_rng(_seed(of)).permutation(len(differing))]
    seal_items(base, of, judge, RoundItems(tuple(order), _fields(of, described, table)))


def seal_items(base: Base, of: LabellingRound, labeller: Labeller, items: RoundItems) -> None:
    """Keep the items of one labeller, sealed."""
    shown = {name: items.fields[name] for name in items.order}
    sealed = seal(base, _KEY_FILE, json.dumps(shown, ensure_ascii=False).encode(), _context(of, labeller))
    kept = KeptItems(round=of.identity, labeller=labeller.name, order=items.order, blob=digest_bytes(sealed))
    with base.lab.view.transaction("labelling.items_sealed") as change:
        digest = change.put(kept, BASE, owner=of.dataset_owner)
        change.set_head(items_head(of.identity, labeller.name), digest, expected=None)
    base.lab.vault.blobs.put(sealed)


def kept_order(base: Base, of: LabellingRound, labeller: str) -> tuple[str, ...]:
    """Return the names of the items that were sealed for a labeller; empty until they are sealed."""
    kept = base.lab.view.load_head(items_head(of.identity, labeller), KeptItems)
    return kept.order if kept is not None else ()


def are_erased(base: Base, of: LabellingRound, labeller: str) -> bool:
    """Return whether the items that were sealed for a labeller are erased."""
    kept = base.lab.view.load_head(items_head(of.identity, labeller), KeptItems)
    return kept is not None and not base.lab.vault.blobs.exists(kept.blob)


def erase_items(base: Base, of: LabellingRound) -> None:
    """Erase what was sealed for the labellers of a round; labels stay, and the log still records that it was here."""
    for labeller in of.labellers:
        kept = base.lab.view.load_head(items_head(of.identity, labeller.name), KeptItems)
        if kept is None or not base.lab.vault.blobs.exists(kept.blob):
            continue
        with base.lab.view.transaction("labelling.items_erased") as change:
            change.record("labelling.items_erased", [of.dataset, kept.digest()], {"labeller": labeller.name})
        base.lab.vault.blobs.remove(kept.blob)


def erase_items_of(base: Base, dataset: Subject, name: str | None) -> None:
    """Erase what was sealed for labellers from the files of a dataset, those called ``name`` or all."""
    view = base.lab.view
    for of in view.every(LabellingRound, {"dataset": dataset}):
        described = view.load(of.version, Dataset)
        if name is None or name in table_names(described, described.record_set(of.record_set)):
            erase_items(base, of)


def opened_item(base: Base, view: View, of: LabellingRound, labeller: Labeller, item: str) -> Mapping[str, str]:
    """Return the fields of one item to the labeller for whom it was sealed; the log records that it was shown.

    Raises:
        RefusedError: the terms no longer let the labeller see it.
        NotFoundError: it was not sealed for this labeller, or was erased.
        InvalidProofError: the bytes that were kept were altered.
    """
    kept = base.lab.view.load_head(items_head(of.identity, labeller.name), KeptItems)
    if kept is None:
        raise NotFoundError("labelling.not_yours", item=item)
    if not base.lab.vault.blobs.exists(kept.blob):
        raise NotFoundError("labelling.items_erased")
    leave = leave_of(view, of, labeller)
    with view.transaction("labelling.item_shown") as change:
        facts = {"ground": leave.by, "labeller": labeller.name}
        named = [of.dataset, kept.digest(), digest_json([of.identity, item])]
        change.record("labelling.item_shown", named, facts)
    sealed = base.lab.vault.blobs.get(kept.blob)
    opened = unseal(base, _KEY_FILE, sealed, _context(of, labeller), (kept.blob, of.dataset_owner))
    found = _Shown.validate_json(opened)
    if item not in found:
        raise NotFoundError("labelling.not_yours", item=item)
    return found[item]


def round_head(identity: str) -> str:
    """Return the head of a round; it also names its work."""
    return f"labelling:{identity}"


def items_head(identity: str, labeller: str) -> str:
    """Return the head of what was sealed for a labeller."""
    return f"labelling-items:{identity}:{labeller}"


_Shown = pydantic.TypeAdapter(dict[str, dict[str, str]])


def _owns(view: View, of: LabellingRound) -> bool:
    return view.actor.sees_all or view.actor.organisation == of.dataset_owner


def _key(record_set: RecordSet) -> DataField:
    if len(record_set.key) != 1:
        raise InputError("labelling.no_item_key", record_set=record_set.name)
    return next(field for field in record_set.fields if field.name == record_set.key[0])


def _shown(record_set: RecordSet, wanted: Sequence[str]) -> tuple[str, ...]:
    names = [field.name for field in record_set.fields if not field.is_label]
    for name in wanted:
        if name not in names:
            raise InputError("labelling.no_field", found=name, allowed=offer(name, names))
    return tuple(wanted or names[:100])


def _campaign(dataset: Subject, wanted: NewRound) -> LabellingCampaign:
    annotators = [
        {"name": name, "accounts": [one.account] if one.account else []}
        for name, one in zip(ANNOTATORS, wanted.annotators, strict=True)
    ]
    guideline = {
        "version": wanted.guideline_version,
        "file": GUIDELINE,
        "digest": digest_bytes(wanted.guideline.encode()),
    }
    return LabellingCampaign.from_json_value(
        {
            "document": "labelling/1",
            "name": wanted.name,
            "of": dataset,
            "guideline": guideline,
            "scale": wanted.scale,
            "classes": list(wanted.classes),
            "annotators": annotators,
            "adjudicator": JUDGE,
            "label_studio": {"item": "item"},
        }
    )


def _opened(base: Base, of: LabellingRound, described: Dataset, leave: AccessGrant, read: ReadTexts) -> pl.DataFrame:
    """Return the table, opened for people of one organisation."""
    kept = kept_table(base, described, described.record_set(of.record_set))
    return texts_of(kept, open_file(base.lab.vault, kept, leave, action=Action.DISPLAY), read)


def leave_of(view: View, of: LabellingRound, labeller: Labeller) -> AccessGrant:
    """Return the leave of a labeller, counted once a round; the terms are checked again each time."""
    request = _request(of, labeller)
    if request is None:
        return AccessGrant.of_owner(of.dataset_owner)
    taker = view.as_actor(Actor(labeller.organisation, frozenset(), labeller.person))
    return permit(taker, request, digest_json([of.identity, labeller.name]))


def _request(of: LabellingRound, labeller: Labeller) -> Request | None:
    """Return the use of a dataset that showing items to a labeller is; None: the cases of a trial are of none."""
    target = of.dataset if of.trial is None else of.cases_of
    if target is None:
        return None
    return Request(
        target=target,
        action=Action.DISPLAY,
        by=labeller.organisation,
        purpose=Purpose.LABELLING,
        recipient=labeller.organisation,
        channel=Channel.PREVIEW,
        rows=of.items,
    )


def _drawn(of: LabellingRound, table: pl.DataFrame) -> list[str]:
    """Return the names of the items of a round: all of the table, or the wanted number, drawn at random."""
    names = [name for name in _names(of, table) if is_name(name)]
    if len(names) != table.height or len(set(names)) != len(names):
        raise InputError("labelling.items", count=table.height, twice=table.height - len(set(names)))
    order = np.random.default_rng(_seed(of)).permutation(len(names))
    return [names[place] for place in order[: of.items]]


def _fields(of: LabellingRound, described: Dataset, table: pl.DataFrame) -> dict[str, dict[str, str]]:
    """Return item → its shown fields."""
    fields = {field.name: field for field in described.record_set(of.record_set).fields}
    columns = {name: column_name(fields[name], name) for name in of.shown}
    there = {name: column for name, column in columns.items() if column in table.columns}
    names = _names(of, table)
    values = {name: table[column].to_list() for name, column in there.items()}
    return {
        item: {name: (values[name][place] or "")[:_LONGEST_CELL] for name in there} for place, item in enumerate(names)
    }


def _names(of: LabellingRound, table: pl.DataFrame) -> list[str]:
    if of.key_column not in table.columns:
        raise InputError("private.no_column", name=of.key)
    return [name or "" for name in table[of.key_column].to_list()]


def _seed(of: LabellingRound) -> int:
    return int(of.identity[:12], 16)


def _context(of: LabellingRound, labeller: Labeller) -> list[str]:
    return ["labelling", of.identity, labeller.name]
