"""Exchange: threads about scenarios and applications."""

from __future__ import annotations

from typing import Annotated

import pydantic

from pilotbase.documents.api.exchange import ThreadPage
from pilotbase.documents.api.shapes import SHORT, Asked
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
from pilotbase.operations.operation import BODY, PATH, File, Operation, Repeated


class ThreadsAsked(pydantic.BaseModel):
    """What a list is asked for."""

    subject: Subject | None = None
    after: str | None = pydantic.Field(None, max_length=32)
    limit: int = pydantic.Field(50, ge=1, le=200)


class OfThread(Asked):
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


class AskedQuestion(Asked):
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


LIST = Operation("exchange.list", "GET /threads", ThreadsAsked, ThreadPage, known_as="threads.list_all")
ASK = Operation(
    "exchange.ask",
    "POST /threads",
    AskedQuestion,
    Thread,
    who=ExchangeAct.THREAD_ASK,
    marked=True,
    status=201,
    location="/api/threads/{given.identity}",
    known_as="threads.ask",
)
SHOW = Operation("exchange.show", "GET /threads/{thread}", OfThread, Thread, marked=True, known_as="threads.read")
REPLY = Operation(
    "exchange.reply",
    "POST /threads/{thread}/messages",
    AddedReply,
    Thread,
    who=ExchangeAct.THREAD_REPLY,
    marked=True,
    status=201,
    location="/api/threads/{given.identity}",
    known_as="threads.reply",
)
CORRECT = Operation(
    "exchange.correct",
    "PUT /threads/{thread}/messages/{number}",
    CorrectedMessage,
    Thread,
    who=ExchangeAct.THREAD_CORRECT,
    marked=True,
    known_as="threads.correct",
)
REMOVE = Operation(
    "exchange.remove",
    "POST /threads/{thread}/messages/{number}/removal",
    RemovedMessage,
    Thread,
    who=ExchangeAct.THREAD_REMOVE,
    marked=True,
    known_as="threads.remove",
)
MARK = Operation(
    "exchange.mark",
    "PUT /threads/{thread}/answer",
    MarkedAnswer,
    Thread,
    who=ExchangeAct.THREAD_MARK,
    marked=True,
    known_as="threads.mark",
)
ATTACH = Operation(
    "exchange.attach",
    "PUT /threads/{thread}/messages/{number}/files",
    AttachedFile,
    Thread,
    who=ExchangeAct.THREAD_ATTACH,
    repeated=Repeated.HARMLESS,
    marked=True,
    known_as="threads.attach",
)
FILE = Operation(
    "exchange.file",
    "GET /threads/{thread}/messages/{number}/files/{digest}",
    OfFile,
    File,
    known_as="threads.read_file",
)
