"""Datasets over the API besides what all records have: the catalogue with its facets."""

from __future__ import annotations

import pydantic
from ninja import Query, Router

from pilotbase.catalogue.datasets import Sought, seek
from pilotbase.documents.api.datasets import Contributions, DatasetPage
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import EVERYBODY
from pilotbase.hub.shown.addresses import address_of
from pilotbase.worker.datasets.contributions import contributions
from pilotbase.workspace.listings import MAXIMUM_PAGE

router = Router(tags=["records"])
_WORD = r"^[a-z0-9_-]*$"


class Wanted(pydantic.BaseModel):
    """What is looked for in the catalogue of datasets."""

    q: str = pydantic.Field("", max_length=200, pattern=r"^[^\x00]*$")
    sector: str = pydantic.Field("", max_length=40, pattern=_WORD)
    opening: str = pydantic.Field("", max_length=40, pattern=_WORD)
    licence: str = pydantic.Field("", max_length=1000, pattern=r"^[^\x00]*$")
    language: str = pydantic.Field("", max_length=3, pattern=r"^[a-z]*$")
    labels: str = pydantic.Field("", max_length=3, pattern=r"^(yes|no)?$")
    quality: str = pydantic.Field("", max_length=40, pattern=_WORD)
    state: str = pydantic.Field("", max_length=40, pattern=_WORD)
    after: str | None = pydantic.Field(None, max_length=200, pattern=r"^[a-z0-9_:/-]*$")
    limit: int = pydantic.Field(50, ge=1, le=MAXIMUM_PAGE)


@router.get(
    "/catalogue/datasets", auth=EVERYBODY, response=answers(DatasetPage), summary="Search datasets, with facets"
)
def search(request: HubRequest, wanted: Query[Wanted]) -> DatasetPage:
    """Return the datasets that the caller sees and asks for, and how many there are of each value of a facet."""
    given = {name: str(value) for name, value in wanted.model_dump(exclude={"after", "limit"}).items()}
    return seek(request.acting.view, Sought.of(given), address_of, wanted.after or None, wanted.limit)


class Of(pydantic.BaseModel):
    """Whose contributions are asked for."""

    owner: str = pydantic.Field("", max_length=120, pattern=_WORD)


@router.get(
    "/catalogue/contributions", auth=EVERYBODY, response=answers(Contributions), summary="What came of whose datasets"
)
def read_contributions(request: HubRequest, of: Query[Of]) -> Contributions:
    """Return what came of the datasets that the caller sees; numbers of few are for their owner and the base alone."""
    return contributions(request.acting.view, of.owner)
