"""Uploads over the API: begun, brought in pieces, handed in as a version of a record."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.api.shapes import RequestModel, ResponseModel
from pilotbase.documents.base import Note
from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import Subject

MAXIMUM_PIECE = 4 << 20
"""Largest piece of an upload, in bytes."""


FileName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$")]
UploadId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class NewUpload(RequestModel):
    """What is going to be sent: the digest is of the whole content."""

    name: FileName
    size: int = pydantic.Field(ge=1, le=1 << 40)
    digest: Digest


class OpenUpload(ResponseModel):
    """An upload: ``received`` bytes are on the disk of the base, encrypted; it is erased at ``expires_at``."""

    identity: UploadId
    name: str
    size: int
    digest: Digest
    received: int
    finished: bool
    expires_at: datetime


class HandedIn(RequestModel):
    """A finished upload, a zip of a folder, that becomes a version; it is erased once it is taken in."""

    upload: UploadId
    note: Note = ""


class HandedInScenario(HandedIn):
    """A zip of a scenario's folder."""

    new: bool = False
    """It is meant as a new scenario: refused where its name is taken, not made a version of what is there."""
    why_holds: bool = False
    """The reasons beside criteria that were changed hold for the new ones too."""


class HandedInApplication(HandedIn):
    """A zip of an application's folder, and the scenario that it is made for."""

    scenario: Subject | None = None
    """None: that of the version before, if there is one."""


class KeptVersion(ResponseModel):
    """The files of one version of a scenario that the base keeps, encrypted, until ``kept_until``."""

    scenario: Digest
    size: int
    kept_until: datetime
