"""Exchange: threads about scenarios and applications."""

from __future__ import annotations

import io

from pilotbase.catalogue import threads
from pilotbase.documents.files import File
from pilotbase.documents.thread import Removal, Thread
from pilotbase.operations import exchange as declared
from pilotbase.worker.operations.binding import Caller, Versioned, does

does(declared.LIST)(lambda caller, asked: threads.page(caller.view, asked.subject, asked.after, asked.limit))
does(declared.ASK)(lambda caller, asked: _told(threads.ask(caller.view, asked.sent)))
does(declared.SHOW)(lambda caller, asked: _told(threads.read(caller.view, asked.thread)))
does(declared.REPLY)(lambda caller, asked: _told(threads.reply(caller.view, asked.thread, asked.sent, caller.seen)))
does(declared.CORRECT)(
    lambda caller, asked: _told(threads.correct(caller.view, asked.thread, asked.number, asked.sent, caller.seen))
)
does(declared.MARK)(lambda caller, asked: _told(threads.mark(caller.view, asked.thread, asked.sent, caller.seen)))


@does(declared.REMOVE)
def remove(caller: Caller, asked: declared.OfMessageWith[Removal]) -> Versioned[Thread]:
    """Remove a message."""
    blobs = caller.base.lab.vault.blobs
    return _told(threads.remove(caller.view, blobs, asked.thread, asked.number, asked.sent, caller.seen))


@does(declared.ATTACH)
def attach(caller: Caller, asked: declared.AttachedFile) -> Versioned[Thread]:
    """Attach a file to the caller's own message."""
    blobs, file = caller.base.lab.vault.blobs, (asked.name, io.BytesIO(asked.content))
    return _told(threads.attach(caller.view, blobs, asked.thread, asked.number, file, caller.limits.attached))


@does(declared.FILE)
def file(caller: Caller, asked: declared.OfFile) -> File:
    """Return a file of a message."""
    found = threads.file_of(threads.read(caller.view, asked.thread), asked.number, asked.digest)
    return File.of(found.name, threads.content_of(caller.base.lab.vault.blobs, found))


def _told(seen: threads.SeenThread) -> Versioned[Thread]:
    return Versioned(seen.thread, seen.digest)
