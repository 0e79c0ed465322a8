"""The access record over the API: who has read a dataset, or the hidden cases of a scenario."""

from __future__ import annotations

import pydantic
from ninja import Query, Router

from pilotbase.documents.api.readers import ReaderFacet, Readers
from pilotbase.documents.api.shapes import InAddress
from pilotbase.documents.subjects import Subject, dataset_subject, scenario_subject
from pilotbase.documents.vocabularies import ReadingKind
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import Word
from pilotbase.vault.readers import readers_of
from pilotbase.workspace.listings import MAXIMUM_PAGE

router = Router(tags=["records"], auth=MEMBERS)


class Narrowed(InAddress):
    """Which lines of an access record are asked for; ``before``: below this number of the log."""

    kind: ReadingKind | None = None
    organisation: str = pydantic.Field("", max_length=120, pattern=r"^[a-z0-9-]*$")
    channel: str = pydantic.Field("", max_length=40, pattern=r"^[A-Za-z:]*$")
    before: int | None = pydantic.Field(None, ge=0, le=2**63 - 1)
    limit: int = pydantic.Field(50, ge=1, le=MAXIMUM_PAGE)


@router.get("/datasets/{owner}/{name}/readers", response=answers(Readers), summary="Who has read a dataset")
def read_dataset(request: HubRequest, owner: Word, name: Word, asked: Query[Narrowed]) -> Readers:
    """Return who has read a dataset, when, for what and by which way: each line is an entry of the log."""
    return _readers(request, dataset_subject(owner, name), asked)


@router.get("/scenarios/{owner}/{name}/readers", response=answers(Readers), summary="Who has read hidden cases")
def read_scenario(request: HubRequest, owner: Word, name: Word, asked: Query[Narrowed]) -> Readers:
    """Return who has read the hidden cases of a scenario, as of a dataset."""
    return _readers(request, scenario_subject(owner, name), asked)


def _readers(request: HubRequest, subject: Subject, asked: Narrowed) -> Readers:
    wanted = {facet: str(getattr(asked, facet) or "") for facet in ReaderFacet}
    return readers_of(request.acting.view, subject, wanted, asked.before, asked.limit)
