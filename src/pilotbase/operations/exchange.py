"""Exchange: threads about scenarios and applications."""

from __future__ import annotations

from typing import Annotated, Any

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
from pilotbase.operations.operation import BODY, PATH, In, Operation, Repeated


class ThreadsAsked(pydantic.BaseModel):
    """What a list is asked for."""

    subject: Subject | None = None
    after: str | None = pydantic.Field(None, max_length=32)
    limit: int = pydantic.Field(50, ge=1, le=200)


class OfThread(RequestModel):
    """Which thread."""

    thread: Annotated[ThreadId, PATH]


class OfMessage(OfThread):
    """Which message of a thread."""

    number: Annotated[int, pydantic.Field(ge=1, le=MAXIMUM_MESSAGES), SHORT, PATH]


class OfFile(OfMessage):
    """Which file of a message."""

    digest: Annotated[Digest, PATH]


class AttachedFile(OfMessage):
    """A file, and what it is called."""

    name: FileName
    content: Annotated[bytes, BODY]


class AskedQuestion(RequestModel):
    """What opens a thread."""

    question: Annotated[Question, BODY]


class AddedReply(OfThread):
    """What is said in a thread."""

    said: Annotated[Reply, BODY]


class CorrectedMessage(OfMessage):
    """Other words of a message."""

    said: Annotated[Correction, BODY]


class RemovedMessage(OfMessage):
    """Why a message is taken away."""

    why: Annotated[Removal, BODY]


class MarkedAnswer(OfThread):
    """Which message is the answer."""

    marking: Annotated[Marking, BODY]


def _moves(verb: str, http: str, takes: type[In], **more: Any) -> Operation[In, Thread]:
    """Return what makes the next version of a thread."""
    act = ExchangeAct[f"THREAD_{verb.upper()}"]
    return Operation(f"exchange.{verb}", http, takes, Thread, who=act, marked=True, **more)


_MADE = "/api/threads/{given.identity}"
_MESSAGE = "/threads/{thread}/messages/{number}"
LIST = Operation("exchange.list", "GET /threads", ThreadsAsked, ThreadPage)
ASK = _moves("ask", "POST /threads", AskedQuestion, location=_MADE)
SHOW = Operation("exchange.show", "GET /threads/{thread}", OfThread, Thread, marked=True)
REPLY = _moves("reply", "POST /threads/{thread}/messages", AddedReply, location=_MADE)
CORRECT = _moves("correct", f"PUT {_MESSAGE}", CorrectedMessage)
REMOVE = _moves("remove", f"POST {_MESSAGE}/removal", RemovedMessage)
MARK = _moves("mark", "PUT /threads/{thread}/answer", MarkedAnswer)
ATTACH = _moves("attach", f"PUT {_MESSAGE}/files", AttachedFile, repeated=Repeated.HARMLESS)
FILE = Operation("exchange.file", f"GET {_MESSAGE}/files/{{digest}}", OfFile, File)
