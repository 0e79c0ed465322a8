"""Labelling rounds."""

from __future__ import annotations

from typing import TypeVar

from pilotbase.documents.api.labelling import ItemTold, RoundDetail, RoundTold, SheetTold
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.labelling import LabelledItems, LabellingRound
from pilotbase.operations import labelling as declared
from pilotbase.operations.labelling import OfRound
from pilotbase.trial.phases.panel import DIALOGUE
from pilotbase.trial.shown_episodes import read_dialogue
from pilotbase.worker.datasets import labelling
from pilotbase.worker.datasets.answer_rounds import open_panel
from pilotbase.worker.datasets.label_rounds import find_round, open_round, part_of, rounds_of
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.workspace.failures import ConflictError

_Round = TypeVar("_Round", bound=RoundTold)

does(declared.LIST)(lambda caller, asked: [round_told(caller, one) for one in rounds_of(caller.view)])
does(declared.START)(
    lambda caller, asked: round_told(
        caller, open_round(caller.base, caller.view, asked.subject, asked.sent, caller.is_member)
    )
)
does(declared.JUDGE)(
    lambda caller, asked: round_told(
        caller, open_panel(caller.base, caller.view, asked.name, asked.sent, caller.is_member)
    )
)
does(declared.IMPORT)(
    lambda caller, asked: round_told(
        caller, labelling.order_import(caller.base, caller.view, asked.asked, asked.upload)
    )
)
does(declared.CLOSE)(
    lambda caller, asked: round_told(caller, labelling.close_round(caller.base, caller.view, asked.asked))
)
does(declared.PUBLISH)(lambda caller, asked: labelling.publish_labels(caller.base, caller.view, asked.asked))


@does(declared.SHOW)
def show(caller: Caller, asked: OfRound) -> RoundDetail:
    """Return a round for the owner of its dataset."""
    of, outcome = find_round(caller.view, asked.asked), labelling.outcome_of(caller.base, caller.view, asked.asked)
    published = labelling.published_labels(caller.view, of)
    return _round(
        RoundDetail,
        caller,
        of,
        progress=labelling.progress_of_round(caller.base, of),
        quality=outcome.quality if outcome is not None else None,
        statement=published.statement if published is not None else None,
    )


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


@does(declared.ITEMS)
def items(caller: Caller, asked: OfRound) -> LabelledItems:
    """Return who labelled each item, and the reason for each decision."""
    outcome = labelling.outcome_of(caller.base, caller.view, asked.asked)
    if outcome is None:
        raise ConflictError("labelling.not_now")
    return labelling.items_document(find_round(caller.view, asked.asked), outcome)


def round_told(caller: Caller, of: LabellingRound) -> RoundTold:
    """Return the view of a round for all who take part in it."""
    return _round(RoundTold, caller, of)


def sheet_told(caller: Caller, of: LabellingRound, found: labelling.LabelSheet, item: str | None) -> SheetTold:
    """Return the sheet of somebody who takes part in a round, with one item shown."""
    shown = _item(caller, of, found, item) if item is not None else None
    return _round(SheetTold, caller, of, done=len(found.given), of=len(found.order), item=shown)


def _item(caller: Caller, of: LabellingRound, found: labelling.LabelSheet, item: str) -> ItemTold:
    """Return one item; the log records that it was shown."""
    shown, differing = labelling.show_item(caller.base, caller.view, of.identity, item)
    fields, played = dict(shown), of.trial is not None and of.shown == (DIALOGUE,)
    return ItemTold(
        item=item,
        place=found.order.index(item) + 1,
        of=len(found.order),
        dialogue=read_dialogue(fields.pop(DIALOGUE)) if played else [],
        fields=fields,
        given=found.given.get(item),
        differing=list(differing),
    )


def _round(model: type[_Round], caller: Caller, one: LabellingRound, **more: object) -> _Round:
    stage, part = labelling.stage_of(caller.base, one), part_of(caller.view, one)
    return filled(
        model,
        one,
        one.campaign,
        guideline_version=one.campaign.guideline.version,
        stage=stage.name,
        reason=stage.reason.render(caller.language) if stage.reason is not None else None,
        part=part.name if part is not None else "",
        **more,
    )
