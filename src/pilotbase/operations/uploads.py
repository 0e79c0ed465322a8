"""Files that are handed in: announced, sent in pieces that survive any interruption, finished."""

from __future__ import annotations

from typing import Annotated

import pydantic

from pilotbase.documents.api.shapes import SHORT, RequestModel
from pilotbase.documents.api.uploads import NewUpload, OpenUpload, UploadId, WorldTold
from pilotbase.documents.permissions import Act, DeskAct
from pilotbase.operations.operation import BODY, NOTHING, PATH, NoInput, Operation, Repeated


class OfUpload(RequestModel):
    """Which upload."""

    identity: Annotated[UploadId, PATH]


class Piece(OfUpload):
    """The bytes of an upload from ``start`` on."""

    start: Annotated[int, pydantic.Field(ge=0, le=1 << 40), SHORT, PATH]
    piece: Annotated[bytes, BODY]


_AT = {"Upload-Offset": "{given.received}"}
LIST = Operation("uploads.list", "GET /uploads", NoInput, list[OpenUpload])
START = Operation(
    "uploads.start",
    "POST /uploads",
    NewUpload,
    OpenUpload,
    who=DeskAct.UPLOAD,
    location="/api/uploads/{given.identity}",
    headers=_AT,
    example={
        "name": "milling.zip",
        "size": 73_412,
        "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
)
SHOW = Operation("uploads.show", "GET /uploads/{identity}", OfUpload, OpenUpload, headers=_AT)
SEND = Operation(
    "uploads.send",
    "PUT /uploads/{identity}/pieces/{start}",
    Piece,
    OpenUpload,
    who=DeskAct.UPLOAD,
    repeated=Repeated.HARMLESS,
    headers=_AT,
)
FINISH = Operation(
    "uploads.finish",
    "POST /uploads/{identity}/finish",
    OfUpload,
    OpenUpload,
    who=DeskAct.UPLOAD,
    repeated=Repeated.HARMLESS,
    headers=_AT,
)
ERASE = Operation(
    "uploads.erase", "DELETE /uploads/{identity}", OfUpload, NOTHING, who=DeskAct.UPLOAD, repeated=Repeated.HARMLESS
)
_WORLD = "/uploads/{identity}/world"
CHECK_WORLD = Operation(
    "uploads.check_world",
    f"POST {_WORLD}",
    OfUpload,
    WorldTold,
    who=Act.SCENARIO_REGISTER,
    repeated=Repeated.HARMLESS,
    later=True,
    location="/api/uploads/{given.identity}/world",
)
WORLD = Operation("uploads.world", f"GET {_WORLD}", OfUpload, WorldTold, only="members, of their own organisation")
