"""Labelling rounds as pages and API tell them."""

from __future__ import annotations

from pilotbase.documents.api.labelling import ItemTold, RoundDetail, RoundTold, SheetTold
from pilotbase.documents.labelling_round import LabellingRound
from pilotbase.hub.acting import language
from pilotbase.hub.base import base
from pilotbase.hub.models import Membership
from pilotbase.worker.datasets.label_rounds import part_of
from pilotbase.worker.datasets.labelling import (
    Outcome,
    Sheet,
    progress_of_round,
    published_labels,
    show_item,
    stage_of,
)
from pilotbase.workspace.store import View


def round_told(view: View, of: LabellingRound) -> RoundTold:
    """Return a round as everybody with a part in it is told."""
    return RoundTold.model_validate(_round(view, of))


def round_detail(view: View, of: LabellingRound, outcome: Outcome | None) -> RoundDetail:
    """Return a round for the owner of its dataset."""
    published = published_labels(view, of)
    told = {
        "progress": progress_of_round(base(), of),
        "items": of.items,
        "quality": outcome.quality if outcome is not None else None,
        "statement": published.statement if published is not None else None,
    }
    return RoundDetail.model_validate({**_round(view, of), **told})


def sheet_told(view: View, of: LabellingRound, sheet: Sheet, item: str | None) -> SheetTold:
    """Return what somebody with a part in a round has before them, one item of it shown."""
    told = {
        "guideline": of.guideline,
        "done": len(sheet.given),
        "of": len(sheet.order),
        "item": item_told(view, of, sheet, item) if item is not None else None,
    }
    return SheetTold.model_validate({**_round(view, of), **told})


def item_told(view: View, of: LabellingRound, sheet: Sheet, item: str) -> ItemTold:
    """Return one item; that it was shown stands in the log."""
    fields, differing = show_item(base(), view, of.identity, item)
    return ItemTold(
        item=item,
        place=sheet.order.index(item) + 1,
        of=len(sheet.order),
        fields=dict(fields),
        given=sheet.given.get(item),
        differing=list(differing),
    )


def is_member(organisation: str, person: str) -> bool:
    """Tell whether a person acts for an organisation."""
    return Membership.objects.filter(organisation=organisation, person__identity=person).exists()


def _round(view: View, of: LabellingRound) -> dict[str, object]:
    stage, part = stage_of(base(), of), part_of(view, of)
    return {
        "identity": of.identity,
        "name": of.campaign.name,
        "dataset": of.dataset,
        "guideline_version": of.campaign.guideline.version,
        "classes": list(of.campaign.classes),
        "opened_at": of.opened_at,
        "stage": stage.name,
        "reason": stage.reason.render(language()) if stage.reason is not None else None,
        "part": part.name if part is not None else "",
    }
