"""Exchange: threads about scenarios and applications."""

from __future__ import annotations

from typing import Annotated, Any, Generic

import pydantic

from pilotbase.documents.api.exchange import ThreadPage
from pilotbase.documents.api.shapes import SHORT, RequestModel
from pilotbase.documents.files import File
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ExchangeAct
from pilotbase.documents.subjects import Subject
from pilotbase.documents.thread import (
    MAXIMUM_MESSAGES,
    Correction,
    FileName,
    Marking,
    Question,
    Removal,
    Reply,
    Thread,
    ThreadId,
)
from pilotbase.operations.operation import BODY, PATH, In, Operation, Repeated, Sent, With


class ThreadsAsked(pydantic.BaseModel):
    """What a list is asked for."""

    subject: Subject | None = None
    after: str | None = pydantic.Field(None, max_length=32)
    limit: int = pydantic.Field(50, ge=1, le=200)


class OfThread(RequestModel):
    """Which thread."""

    thread: Annotated[ThreadId, PATH]


class OfThreadWith(OfThread, With[Sent], Generic[Sent]):
    """A body about a thread."""


class OfMessage(OfThread):
    """Which message of a thread."""

    number: Annotated[int, pydantic.Field(ge=1, le=MAXIMUM_MESSAGES), SHORT, PATH]


class OfMessageWith(OfMessage, With[Sent], Generic[Sent]):
    """A body about a message."""


class OfFile(OfMessage):
    """Which file of a message."""

    digest: Annotated[Digest, PATH]


class AttachedFile(OfMessage):
    """A file, and what it is called."""

    name: FileName
    content: Annotated[bytes, BODY]


def _moves(verb: str, http: str, takes: type[In], **more: Any) -> Operation[In, Thread]:
    """Return what makes the next version of a thread."""
    act = ExchangeAct[f"THREAD_{verb.upper()}"]
    return Operation(f"exchange.{verb}", http, takes, Thread, who=act, marked=True, **more)


_MADE = "/api/threads/{given.identity}"
_MESSAGE = "/threads/{thread}/messages/{number}"
LIST = Operation("exchange.list", "GET /threads", ThreadsAsked, ThreadPage)
ASK = _moves("ask", "POST /threads", With[Question], location=_MADE)
SHOW = Operation("exchange.show", "GET /threads/{thread}", OfThread, Thread, marked=True)
REPLY = _moves("reply", "POST /threads/{thread}/messages", OfThreadWith[Reply], location=_MADE)
CORRECT = _moves("correct", f"PUT {_MESSAGE}", OfMessageWith[Correction])
REMOVE = _moves("remove", f"POST {_MESSAGE}/removal", OfMessageWith[Removal])
MARK = _moves("mark", "PUT /threads/{thread}/answer", OfThreadWith[Marking])
ATTACH = _moves("attach", f"PUT {_MESSAGE}/files", AttachedFile, repeated=Repeated.HARMLESS)
FILE = Operation("exchange.file", f"GET {_MESSAGE}/files/{{digest}}", OfFile, File)
