"""Labelling rounds."""

from __future__ import annotations

from pilotbase.documents.api.labelling import ItemTold, RoundDetail, RoundTold, SheetTold
from pilotbase.documents.labelling import LabelledItems, LabellingRound, PublishedLabels
from pilotbase.operations import labelling as declared
from pilotbase.operations.labelling import OfRound
from pilotbase.operations.operation import NoInput
from pilotbase.worker.bound.binding import Caller, does
from pilotbase.worker.datasets import labelling
from pilotbase.worker.datasets.label_rounds import find_round, open_round, part_of, rounds_of
from pilotbase.worker.datasets.labelling import order_import
from pilotbase.workspace.failures import ConflictError


@does(declared.LIST)
def list_all(caller: Caller, asked: NoInput) -> list[RoundTold]:
    """List the caller's rounds."""
    return [round_told(caller, one) for one in rounds_of(caller.view)]


@does(declared.START)
def start(caller: Caller, asked: declared.OpenedRound) -> RoundTold:
    """Open a round on items of the caller's own dataset."""
    return round_told(caller, open_round(caller.base, caller.view, asked.subject, asked.wanted, caller.is_member))


@does(declared.SHOW)
def show(caller: Caller, asked: OfRound) -> RoundDetail:
    """Return a round for the owner of its dataset."""
    of, outcome = find_round(caller.view, asked.asked), labelling.outcome_of(caller.base, caller.view, asked.asked)
    published = labelling.published_labels(caller.view, of)
    told = {
        "progress": labelling.progress_of_round(caller.base, of),
        "items": of.items,
        "quality": outcome.quality if outcome is not None else None,
        "statement": published.statement if published is not None else None,
    }
    return RoundDetail.model_validate({**_round(caller, of), **told})


@does(declared.SHEET)
def sheet(caller: Caller, asked: declared.OfItem) -> SheetTold:
    """Return the caller's own sheet and one item of it."""
    found = labelling.sheet_of(caller.base, caller.view, asked.asked)
    return sheet_told(caller, find_round(caller.view, asked.asked), found, asked.item or found.next_item)


@does(declared.LABEL)
def label(caller: Caller, asked: declared.NewLabel) -> SheetTold:
    """Save the caller's label or decision."""
    labelling.give_label(caller.base, caller.view, asked.asked, asked.item, (asked.label, asked.reason))
    found = labelling.sheet_of(caller.base, caller.view, asked.asked)
    return sheet_told(caller, find_round(caller.view, asked.asked), found, None)


@does(declared.IMPORT)
def import_export(caller: Caller, asked: declared.NewExport) -> RoundTold:
    """Import labels from a Label Studio export."""
    order_import(caller.base, caller.view, asked.asked, asked.upload)
    return round_told(caller, find_round(caller.view, asked.asked))


@does(declared.CLOSE)
def close(caller: Caller, asked: OfRound) -> RoundTold:
    """Close a round to further labels."""
    labelling.close_round(caller.base, caller.view, asked.asked)
    return round_told(caller, find_round(caller.view, asked.asked))


@does(declared.ITEMS)
def items(caller: Caller, asked: OfRound) -> LabelledItems:
    """Return who labelled each item, and the reason for each decision."""
    outcome = labelling.outcome_of(caller.base, caller.view, asked.asked)
    if outcome is None:
        raise ConflictError("labelling.not_now")
    return labelling.items_document(find_round(caller.view, asked.asked), outcome)


@does(declared.PUBLISH)
def publish(caller: Caller, asked: OfRound) -> PublishedLabels:
    """Publish how far annotators agreed."""
    return labelling.publish_labels(caller.base, caller.view, asked.asked)


def round_told(caller: Caller, of: LabellingRound) -> RoundTold:
    """Return the view of a round for all who take part in it."""
    return RoundTold.model_validate(_round(caller, of))


def sheet_told(caller: Caller, of: LabellingRound, found: labelling.LabelSheet, item: str | None) -> SheetTold:
    """Return the sheet of somebody who takes part in a round, with one item shown."""
    told = {
        "guideline": of.guideline,
        "done": len(found.given),
        "of": len(found.order),
        "item": _item(caller, of, found, item) if item is not None else None,
    }
    return SheetTold.model_validate({**_round(caller, of), **told})


def _item(caller: Caller, of: LabellingRound, found: labelling.LabelSheet, item: str) -> ItemTold:
    """Return one item; the log records that it was shown."""
    fields, differing = labelling.show_item(caller.base, caller.view, of.identity, item)
    return ItemTold(
        item=item,
        place=found.order.index(item) + 1,
        of=len(found.order),
        fields=dict(fields),
        given=found.given.get(item),
        differing=list(differing),
    )


def _round(caller: Caller, of: LabellingRound) -> dict[str, object]:
    stage, part = labelling.stage_of(caller.base, of), part_of(caller.view, of)
    return {
        "identity": of.identity,
        "name": of.campaign.name,
        "dataset": of.dataset,
        "guideline_version": of.campaign.guideline.version,
        "classes": list(of.campaign.classes),
        "opened_at": of.opened_at,
        "stage": stage.name,
        "reason": stage.reason.render(caller.language) if stage.reason is not None else None,
        "part": part.name if part is not None else "",
    }
