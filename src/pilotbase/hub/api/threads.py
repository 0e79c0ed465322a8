"""Exchange over the API: threads about scenarios and applications."""

from __future__ import annotations

import io
from typing import Annotated

import pydantic
from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from ninja import Path, Query, Router

from pilotbase.catalogue import threads
from pilotbase.documents.api.exchange import ListedThread, ThreadPage
from pilotbase.documents.api.shapes import SHORT, InAddress
from pilotbase.documents.api.uploads import MAXIMUM_PIECE
from pilotbase.documents.subjects import Subject
from pilotbase.documents.thread import MAXIMUM_MESSAGES, Correction, FileName, Marking, Question, Removal, Reply, Thread
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, document, once, seen
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.media import BINARY_BODY, BYTES, require_type
from pilotbase.hub.api.records import Sha256
from pilotbase.hub.bodies import BodyTooLargeError
from pilotbase.hub.shown.attachments import attachment_response, blobs
from pilotbase.hub.shown.records import see
from pilotbase.workspace.listings import MAXIMUM_PAGE
from pilotbase.workspace.store import View
from pilotbase.workspace.threads import count_threads, list_threads

router = Router(tags=["exchange"], auth=MEMBERS)
ThreadPath = Path[Annotated[str, pydantic.StringConstraints(pattern=r"^[0-9a-f]{16}$")]]
Number = Path[Annotated[int, pydantic.Field(ge=1, le=MAXIMUM_MESSAGES), SHORT]]


class ThreadsAsked(InAddress):
    """What a list is asked for."""

    subject: Subject | None = None
    after: str | None = pydantic.Field(None, max_length=32)
    limit: int = pydantic.Field(50, ge=1, le=MAXIMUM_PAGE)


class FileAsked(InAddress):
    """What the file is called."""

    name: FileName


@router.get("/threads", response=answers(ThreadPage), summary="List threads")
def list_all(request: HubRequest, asked: Query[ThreadsAsked]) -> ThreadPage:
    """Return the threads that the caller sees, those about ``subject`` or all."""
    view = request.acting.view
    if asked.subject is not None:
        see(view, asked.subject)
    rows, after = list_threads(view, asked.subject, asked.after, asked.limit)
    items = [_listed(thread) for thread in threads.read_all(view, rows)]
    return ThreadPage(items=items, total=count_threads(view, asked.subject), next=after)


@router.post("/threads", response=answers(Thread, 201), by_alias=True, summary="Ask a question")
def ask(request: HubRequest, question: Question) -> HttpResponse:
    """Open a thread; its address is in the header Location."""

    def act(view: View) -> HttpResponse:
        made = threads.ask(view, question)
        response = _answer(request, made, 201)
        response["Location"] = f"/api/threads/{made.thread.identity}"
        return response

    return once(request, act)


@router.get("/threads/{thread}", response=answers(Thread), by_alias=True, summary="A thread")
def read(request: HubRequest, thread: ThreadPath) -> HttpResponse:
    """Return a thread with everything that was said."""
    return _answer(request, threads.read(request.acting.view, thread))


@router.post("/threads/{thread}/messages", response=answers(Thread, 201), by_alias=True, summary="Reply")
def reply(request: HubRequest, said: Reply, thread: ThreadPath) -> HttpResponse:
    """Add a message."""
    version = seen(request)
    return once(request, lambda view: _answer(request, threads.reply(view, thread, said, version), 201))


@router.put("/threads/{thread}/messages/{number}", response=answers(Thread), by_alias=True, summary="Correct a message")
def correct(request: HubRequest, said: Correction, thread: ThreadPath, number: Number) -> HttpResponse:
    """Put other words in the place of a message's."""
    version = seen(request)
    return once(request, lambda view: _answer(request, threads.correct(view, thread, number, said, version)))


@router.post(
    "/threads/{thread}/messages/{number}/removal", response=answers(Thread), by_alias=True, summary="Remove a message"
)
def remove(request: HubRequest, why: Removal, thread: ThreadPath, number: Number) -> HttpResponse:
    """Take a message away; that there was one stays."""
    version = seen(request)
    return once(request, lambda view: _answer(request, threads.remove(view, blobs(), thread, number, why, version)))


@router.put("/threads/{thread}/answer", response=answers(Thread), by_alias=True, summary="Mark the answer")
def mark(request: HubRequest, marking: Marking, thread: ThreadPath) -> HttpResponse:
    """Say which message is the answer, or that none is."""
    version = seen(request)
    return once(request, lambda view: _answer(request, threads.mark(view, thread, marking, version)))


@router.put(
    "/threads/{thread}/messages/{number}/files",
    response=answers(Thread),
    by_alias=True,
    summary="Attach a file",
    openapi_extra=BINARY_BODY,
)
def attach(request: HubRequest, thread: ThreadPath, number: Number, asked: Query[FileAsked]) -> HttpResponse:
    """Add a file of 4 MiB at most to one's own message; the same file again changes nothing."""
    require_type(request, BYTES)
    limit = min(settings.CONFIGURATION.attachment_bytes, MAXIMUM_PIECE)
    content = request.read(limit + 1)
    if len(content) > limit:
        raise BodyTooLargeError("api.body_too_large", allowed=limit)
    given = (asked.name, io.BytesIO(content))
    return _answer(request, threads.attach(request.acting.view, blobs(), thread, number, given, limit))


@router.get("/threads/{thread}/messages/{number}/files/{digest}", response=answers(bytes), summary="A file")
def read_file(request: HubRequest, thread: ThreadPath, number: Number, digest: Sha256) -> HttpResponse:
    """Return a file of a message, as a download."""
    found = threads.read(request.acting.view, thread)
    return attachment_response(threads.file_of(found, number, digest))


def _answer(request: HubRequest, found: threads.SeenThread, status: int = 200) -> HttpResponse:
    return document(request, found.thread, status, found.digest)


def _listed(thread: Thread) -> ListedThread:
    return ListedThread(
        identity=thread.identity,
        subject=thread.subject,
        title=thread.title,
        asker=thread.asker,
        private=thread.private,
        answered=thread.answer is not None,
        messages=len(thread.messages),
        last_at=thread.messages[-1].at,
        url=reverse("thread", kwargs={"identity": thread.identity}),
    )
