"""The ledger of uses over the API; agreements are made and moved as every record is (`steps`)."""

from __future__ import annotations

from dataclasses import asdict

from ninja import Router

from pilotbase.catalogue.records import load_record
from pilotbase.documents.api.terms import SeenUse
from pilotbase.documents.subjects import agreement_subject, dataset_subject
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import Word
from pilotbase.hub.shown.records import see
from pilotbase.workspace.uses import Use, uses_of

router = Router(tags=["records"], auth=MEMBERS)


@router.get("/datasets/{owner}/{name}/uses", response=answers(list[SeenUse]), summary="Uses of a dataset")
def read_uses(request: HubRequest, owner: Word, name: Word) -> list[SeenUse]:
    """Return the uses that the caller may see, newest first: all to owner, operator, regulator; else one's own."""
    view, subject = request.acting.view, dataset_subject(owner, name)
    see(view, subject)
    return [_shown(use) for use in uses_of(view, subject)]


@router.get("/agreements/{name}/uses", response=answers(list[SeenUse]), summary="Uses under an agreement")
def read_agreement_uses(request: HubRequest, name: Word) -> list[SeenUse]:
    """Return what was used under an agreement, newest first."""
    view = request.acting.view
    record, _ = load_record(view, agreement_subject(name))
    return [_shown(use) for use in uses_of(view, record.subjects["dataset"], record.subject)]


def _shown(use: Use) -> SeenUse:
    told = asdict(use)
    return SeenUse(**{name: told[name] for name in SeenUse.model_fields})
