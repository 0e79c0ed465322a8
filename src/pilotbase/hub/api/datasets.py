"""Datasets over the API besides what all records have: the catalogue with its facets."""

from __future__ import annotations

from typing import Annotated

import pydantic
from django.http import HttpResponse, HttpResponseBase
from ninja import Path, Query, Router

from pilotbase.catalogue.datasets import Sought, seek
from pilotbase.documents.api.datasets import (
    Contributions,
    DatasetPage,
    KeptTold,
    KeptUpload,
    Measuring,
    OwnFile,
    Preview,
)
from pilotbase.documents.api.records import Erased
from pilotbase.documents.api.shapes import InAddress
from pilotbase.documents.api.versions import DatasetVersion
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.subjects import dataset_subject
from pilotbase.documents.terms import Purpose
from pilotbase.documents.terms import Word as PurposeName
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, document, once, told
from pilotbase.hub.api.authentication import EVERYBODY, MEMBERS
from pilotbase.hub.api.media import BINARY
from pilotbase.hub.api.records import Word
from pilotbase.hub.base import base
from pilotbase.hub.shown.addresses import address_of
from pilotbase.hub.shown.described import measuring_told
from pilotbase.hub.shown.taken import file_response, part_of
from pilotbase.worker.datasets.contributions import contributions
from pilotbase.worker.datasets.grading import publish_report, published_report
from pilotbase.worker.datasets.keeping import erase_kept, keep_upload, kept_of, own_files, preview_of, take_file
from pilotbase.worker.datasets.measuring import find_measuring, order_measuring
from pilotbase.worker.datasets.versions import dataset_versions
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import MAXIMUM_PAGE
from pilotbase.workspace.store import View

router = Router(tags=["records"])
_WORD = r"^[a-z0-9_-]*$"


class Wanted(InAddress):
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


class Of(InAddress):
    """Whose contributions are asked for."""

    owner: str = pydantic.Field("", max_length=120, pattern=_WORD)


@router.get(
    "/catalogue/contributions", auth=EVERYBODY, response=answers(Contributions), summary="What came of whose datasets"
)
def read_contributions(request: HubRequest, of: Query[Of]) -> Contributions:
    """Return what came of the datasets that the caller sees; numbers of few are for their owner and the base alone."""
    return contributions(request.acting.view, of.owner)


class For(InAddress):
    """For what it is asked."""

    purpose: PurposeName = Purpose.VERIFICATION.value


class Since(InAddress):
    """Since which version."""

    since: str = pydantic.Field("", max_length=40, pattern=r"^[0-9.]*$")


@router.get(
    "/datasets/{owner}/{name}/versions",
    auth=EVERYBODY,
    response=answers(list[DatasetVersion]),
    summary="Versions of a dataset",
)
def read_versions(request: HubRequest, owner: Word, name: Word, asked: Query[Since]) -> list[DatasetVersion]:
    """Return the versions that the caller sees, newest first, with what each changed; or what changed since one."""
    return dataset_versions(request.acting.view, dataset_subject(owner, name), asked.since)


FileName = Path[Annotated[str, pydantic.StringConstraints(pattern=r"^[^/\x00]{1,200}$")]]
FILE = {
    "responses": {
        200: {"description": "The file.", "content": BINARY},
        206: {"description": "The part that `Range` asks for.", "content": BINARY},
    }
}


@router.get(
    "/datasets/{owner}/{name}/files", auth=EVERYBODY, response=answers(list[KeptTold]), summary="Files of a dataset"
)
def read_files(request: HubRequest, owner: Word, name: Word) -> list[KeptTold]:
    """Return which files the base keeps of a dataset; of closed data to its owner, operator and regulator alone."""
    return kept_of(base(), request.acting.view, dataset_subject(owner, name))


@router.post(
    "/datasets/{owner}/{name}/files", auth=MEMBERS, response=answers(KeptTold, 201), summary="Keep a file of a dataset"
)
def keep(request: HubRequest, given: KeptUpload, owner: Word, name: Word) -> HttpResponse:
    """Keep an upload as the file of one's own dataset whose name it has; a worker makes its first rows in a box."""

    def act(view: View) -> HttpResponse:
        return told(keep_upload(base(), view, dataset_subject(owner, name), given.upload), 201)

    return once(request, act)


@router.get("/datasets/{owner}/{name}/files/{file}", auth=MEMBERS, summary="Take a file", openapi_extra=FILE)
def take(request: HubRequest, owner: Word, name: Word, file: FileName, asked: Query[For]) -> HttpResponseBase:
    """Give a file, or one part of it, to who may take it, as one use of this version however many parts it comes in.

    A revocation stops it between two pieces, and every part after it.
    """
    subject, view = dataset_subject(owner, name), request.acting.view
    return file_response(take_file(base(), view, subject, file, asked.purpose, part_of(request)))


@router.delete(
    "/datasets/{owner}/{name}/files/{file}", auth=MEMBERS, response=answers(Erased), summary="Erase a kept file"
)
def erase_file(request: HubRequest, owner: Word, name: Word, file: FileName) -> Erased:
    """Erase a file of every version of one's own dataset at once; versions and uses stand, and that it was kept."""
    return Erased(erased=erase_kept(base(), request.acting.view, dataset_subject(owner, name), file))


@router.delete("/datasets/{owner}/{name}/files", auth=MEMBERS, response=answers(Erased), summary="Erase all kept files")
def erase_files(request: HubRequest, owner: Word, name: Word) -> Erased:
    """Erase the files of every version of one's own dataset at once."""
    return Erased(erased=erase_kept(base(), request.acting.view, dataset_subject(owner, name)))


@router.get(
    "/datasets/{owner}/{name}/kept-files",
    auth=MEMBERS,
    response=answers(list[OwnFile]),
    summary="Files that are kept of every version",
)
def read_own_files(request: HubRequest, owner: Word, name: Word) -> list[OwnFile]:
    """Return which files the base keeps of every version of a dataset, to its owner and the operator."""
    return own_files(base(), request.acting.view, dataset_subject(owner, name))


@router.get("/datasets/{owner}/{name}/preview", auth=MEMBERS, response=answers(Preview), summary="First rows")
def read_preview(request: HubRequest, owner: Word, name: Word, asked: Query[For]) -> Preview:
    """Return the first rows of a dataset to who may see them: a part of it, and no sample."""
    return preview_of(base(), request.acting.view, dataset_subject(owner, name), asked.purpose)


@router.get(
    "/datasets/{owner}/{name}/quality",
    auth=EVERYBODY,
    response=answers(QualityReport),
    by_alias=True,
    summary="Quality of a dataset",
)
def read_quality(request: HubRequest, owner: Word, name: Word) -> HttpResponse:
    """Return the quality report that the owner has published, cut to what the level of opening lets out."""
    found = published_report(request.acting.view, dataset_subject(owner, name))
    if found is None:
        raise NotFoundError("hub.not_found")
    return document(request, found)


@router.put(
    "/datasets/{owner}/{name}/quality",
    auth=MEMBERS,
    response=answers(QualityReport),
    by_alias=True,
    summary="Publish the quality of a dataset",
)
def save_quality(request: HubRequest, content: QualityReport, owner: Word, name: Word) -> HttpResponse:
    """Publish a quality report on the newest version of one's own dataset; what may not come out is cut off it."""

    def act(view: View) -> HttpResponse:
        return document(request, publish_report(view, dataset_subject(owner, name), content))

    return once(request, act)


@router.post(
    "/datasets/{owner}/{name}/quality/measurement",
    auth=MEMBERS,
    response=answers(Measuring, 202),
    by_alias=True,
    summary="Measure the kept files of a dataset",
)
def measure_quality(request: HubRequest, owner: Word, name: Word) -> HttpResponse:
    """Let a worker measure the files that are kept of the newest version of one's own dataset, in a box."""

    def act(view: View) -> HttpResponse:
        found = order_measuring(base(), view, dataset_subject(owner, name))
        response = told(measuring_told(found), 202, f"/api/datasets/{owner}/{name}/quality/measurement")
        response["Retry-After"] = "2"
        return response

    return once(request, act)


@router.get(
    "/datasets/{owner}/{name}/quality/measurement",
    auth=MEMBERS,
    response=answers(Measuring),
    by_alias=True,
    summary="What was measured of the kept files",
)
def read_measurement(request: HubRequest, owner: Word, name: Word) -> HttpResponse:
    """Return how far the newest measurement is and its report, which its owner publishes by PUT to ``…/quality``."""
    found = find_measuring(base(), request.acting.view, dataset_subject(owner, name))
    if found is None:
        raise NotFoundError("hub.not_found")
    return told(measuring_told(found))
