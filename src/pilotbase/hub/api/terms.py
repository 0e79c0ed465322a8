"""The ledger of uses over the API; agreements are made and moved as every record is (`steps`)."""

from __future__ import annotations

from ninja import Router

from pilotbase.catalogue.records import load_record
from pilotbase.documents.subjects import agreement_subject, dataset_subject
from pilotbase.documents.terms import Use
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import Word
from pilotbase.hub.shown.records import see
from pilotbase.workspace.uses import uses_of

router = Router(tags=["records"], auth=MEMBERS)


@router.get("/datasets/{owner}/{name}/uses", response=answers(list[Use]), summary="Uses of a dataset")
def read_uses(request: HubRequest, owner: Word, name: Word) -> list[Use]:
    """Return the uses that the caller may see, newest first: all to owner, operator, regulator; else one's own."""
    view, subject = request.acting.view, dataset_subject(owner, name)
    see(view, subject)
    return uses_of(view, subject)


@router.get("/agreements/{name}/uses", response=answers(list[Use]), summary="Uses under an agreement")
def read_agreement_uses(request: HubRequest, name: Word) -> list[Use]:
    """Return what was used under an agreement, newest first."""
    view = request.acting.view
    record, _ = load_record(view, agreement_subject(name))
    return uses_of(view, record.subjects["dataset"], record.subject)
