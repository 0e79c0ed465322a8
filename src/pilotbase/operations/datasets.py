"""Datasets besides what all records have: catalogue, versions, kept files, quality, who used and read them."""

from __future__ import annotations

from typing import Annotated, Generic

import pydantic

from pilotbase.documents.api.datasets import (
    Contributions,
    DatasetPage,
    DatasetVersion,
    KeptTold,
    Measuring,
    OwnFile,
    Preview,
    Readers,
)
from pilotbase.documents.api.records import Erased
from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.api.uploads import UploadId
from pilotbase.documents.base import Name
from pilotbase.documents.files import File
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.subjects import dataset_subject
from pilotbase.documents.terms import Purpose, Use, Word
from pilotbase.documents.vocabularies import ReadingKind
from pilotbase.operations.matches import OfRecord
from pilotbase.operations.operation import PATH, Callers, Operation, Repeated, Sent, With

_WORD = r"^[a-z0-9_-]*$"
_WORDS = r"^[^\x00]*$"
OWNER = "owner of it, operator"


class OfDataset(RequestModel):
    """Which dataset."""

    owner: Annotated[Name, PATH]
    name: Annotated[Name, PATH]

    @property
    def subject(self) -> str:
        """Return its subject, such as ``dataset:plant/milling``."""
        return dataset_subject(self.owner, self.name)


class OfDatasetWith(OfDataset, With[Sent], Generic[Sent]):
    """A body about a dataset."""


class SoughtDatasets(pydantic.BaseModel):
    """What is looked for in the catalogue of datasets."""

    q: str = pydantic.Field("", max_length=200, pattern=_WORDS)
    sector: str = pydantic.Field("", max_length=40, pattern=_WORD)
    opening: str = pydantic.Field("", max_length=40, pattern=_WORD)
    licence: str = pydantic.Field("", max_length=1000, pattern=_WORDS)
    language: str = pydantic.Field("", max_length=3, pattern=r"^[a-z]*$")
    labels: str = pydantic.Field("", max_length=3, pattern=r"^(yes|no)?$")
    quality: str = pydantic.Field("", max_length=40, pattern=_WORD)
    state: str = pydantic.Field("", max_length=40, pattern=_WORD)
    after: str | None = pydantic.Field(None, max_length=200, pattern=r"^[a-z0-9_:/-]*$")
    limit: int = pydantic.Field(50, ge=1, le=200)


class OfOwner(pydantic.BaseModel):
    """The owner whose contributions to return."""

    owner: str = pydantic.Field("", max_length=120, pattern=_WORD)


class Since(OfDataset):
    """Since which version."""

    since: str = pydantic.Field("", max_length=40, pattern=r"^[0-9.]*$")


class OfFile(OfDataset):
    """Which file of a dataset."""

    file: Annotated[str, pydantic.StringConstraints(pattern=r"^[^/\x00]{1,200}$"), PATH]


class FileFor(OfFile):
    """Which file of a dataset, and for what."""

    purpose: Word = Purpose.VERIFICATION.value


class DatasetFor(OfDataset):
    """Which dataset, and for what."""

    purpose: Word = Purpose.VERIFICATION.value


class KeptUpload(OfDataset):
    """A finished upload that is kept as a file of a dataset, under its own name."""

    upload: UploadId


class OfAgreement(RequestModel):
    """Which agreement."""

    name: Annotated[Name, PATH]


class Narrowed(OfRecord):
    """Which lines of an access record are asked for; ``before``: below this number of the log."""

    kind: ReadingKind | None = None
    organisation: str = pydantic.Field("", max_length=120, pattern=r"^[a-z0-9-]*$")
    channel: str = pydantic.Field("", max_length=40, pattern=r"^[A-Za-z:]*$")
    before: int | None = pydantic.Field(None, ge=0, le=2**63 - 1)
    limit: int = pydantic.Field(50, ge=1, le=200)


_HIDDEN = frozenset({403})
_MEASURED = "/datasets/{owner}/{name}/quality/measurement"
SEARCH = Operation("datasets.search", "GET /catalogue/datasets", SoughtDatasets, DatasetPage, callers=Callers.EVERYBODY)
CONTRIBUTIONS = Operation(
    "datasets.contributions", "GET /catalogue/contributions", OfOwner, Contributions, callers=Callers.EVERYBODY
)
VERSIONS = Operation(
    "datasets.versions", "GET /datasets/{owner}/{name}/versions", Since, list[DatasetVersion], callers=Callers.EVERYBODY
)
FILES = Operation(
    "datasets.files",
    "GET /datasets/{owner}/{name}/files",
    OfDataset,
    list[KeptTold],
    callers=Callers.EVERYBODY,
    refuses=_HIDDEN,
)
KEEP = Operation(
    "datasets.keep",
    "POST /datasets/{owner}/{name}/files",
    KeptUpload,
    KeptTold,
    only=OWNER,
    location="/api/datasets/{asked.owner}/{asked.name}/files",
    example={"upload": "0c5d7e1a9b3f4826a1d0c7e95b82f364"},
)
TAKE = Operation(
    "datasets.take", "GET /datasets/{owner}/{name}/files/{file}", FileFor, File, refuses=frozenset({403, 409, 416})
)
ERASE_FILE = Operation(
    "datasets.erase_file",
    "DELETE /datasets/{owner}/{name}/files/{file}",
    OfFile,
    Erased,
    only=OWNER,
    repeated=Repeated.HARMLESS,
)
ERASE_FILES = Operation(
    "datasets.erase_files",
    "DELETE /datasets/{owner}/{name}/files",
    OfDataset,
    Erased,
    only=OWNER,
    repeated=Repeated.HARMLESS,
)
OWN_FILES = Operation(
    "datasets.own_files",
    "GET /datasets/{owner}/{name}/kept-files",
    OfDataset,
    list[OwnFile],
    only=OWNER,
    refuses=_HIDDEN,
)
PREVIEW = Operation("datasets.preview", "GET /datasets/{owner}/{name}/preview", DatasetFor, Preview, refuses=_HIDDEN)
QUALITY = Operation(
    "datasets.quality",
    "GET /datasets/{owner}/{name}/quality",
    OfDataset,
    QualityReport,
    callers=Callers.EVERYBODY,
    marked=True,
)
GRADE = Operation(
    "datasets.grade",
    "PUT /datasets/{owner}/{name}/quality",
    OfDatasetWith[QualityReport],
    QualityReport,
    only=OWNER,
    marked=True,
    example={
        "document": "quality/1",
        "dataset": "dataset:plant/milling",
        "version": "1.0.0",
        "data": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "engine": "pilotbase 0.1.0",
        "opening": "open",
        "profiles": [{"recordSet": "logs", "rows": 1000}],
        "checks_declared": 1,
        "checks_run": 1,
        "grade": {"purpose": "verification", "outcome": "pass", "measured": 4, "required": 4},
    },
)
MEASURE = Operation(
    "datasets.measure",
    f"POST {_MEASURED}",
    OfDataset,
    Measuring,
    only="owner of it",
    later=True,
    location="/api/datasets/{asked.owner}/{asked.name}/quality/measurement",
)
MEASUREMENT = Operation(
    "datasets.measurement", f"GET {_MEASURED}", OfDataset, Measuring, only="owner of it", refuses=_HIDDEN
)
USES = Operation("datasets.uses", "GET /datasets/{owner}/{name}/uses", OfDataset, list[Use])
AGREEMENT_USES = Operation("datasets.agreement_uses", "GET /agreements/{name}/uses", OfAgreement, list[Use])
READERS = Operation(
    "datasets.readers", "GET /datasets/{owner}/{name}/readers", Narrowed, Readers, who=ReadScope.READERS
)
SCENARIO_READERS = Operation(
    "datasets.scenario_readers", "GET /scenarios/{owner}/{name}/readers", Narrowed, Readers, who=ReadScope.READERS
)
