"""What a request makes the base do, counted: whatever its time can depend on in our code."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import event, func, select

import pilotbase
from pilotbase.vault import ciphers
from pilotbase.workspace import tables
from pilotbase.workspace.blobs.objects import Objects
from pilotbase.workspace.records import Stored

OURS = str(Path(pilotbase.__file__).parent)
OF_VALUES = frozenset({"require_short", "_is_plain.<locals>.<genexpr>"})
"""Called for the values of a document that is read or written, whose bytes are counted."""


@dataclass
class Work:
    """Units of work: statements, blobs and their bytes, openings and their bytes, documents, calls of ours, jobs."""

    statements: int = 0
    accounts: int = 0
    blobs: int = 0
    blob_bytes: int = 0
    opened: int = 0
    opened_bytes: int = 0
    documents: int = 0
    document_bytes: int = 0
    calls: int = 0
    jobs: int = 0


@contextmanager
def counted_work(measured=lambda body: len(body)) -> Iterator[Work]:
    """Count what is done until the end of the block; ``measured``: how long a document's body counts."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from pilotbase.hub.base import base

    work, database = Work(), base().lab.store.database
    before = _jobs(database)
    with ExitStack() as stack:
        accounts = stack.enter_context(CaptureQueriesContext(connection))
        for counted in (_blobs(work), _openings(work), _documents(work, measured), _statements(work, database)):
            stack.enter_context(counted)
        stack.enter_context(_calls(work))
        yield work
    work.accounts = len(accounts)
    work.jobs = _jobs(database) - before


@contextmanager
def nothing_expires() -> Iterator[None]:
    """Let what the hub keeps for some seconds be kept until the end of the block, however slow the machine is."""
    from pilotbase.hub import acting
    from pilotbase.hub.presenters import inbox, records
    from pilotbase.worker.operations import ledger

    with (
        patch.object(inbox, "RECOUNTED_SECONDS", 10**9),
        patch.object(inbox, "KEPT_SECONDS", 10**9),
        patch.multiple(acting, _TIMES_THE_MAKING=10**15, _LONGEST_KEPT=10**9, _SEEN_EVERY=timedelta(days=999)),
        patch.object(records, "_SECONDS", 10**9),
        patch.object(ledger, "KEPT_SECONDS", 3600),
    ):
        yield


def _jobs(database) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(tables.work))


@contextmanager
def _statements(work, database):
    engine = database._current_engine()

    def note(_connection, _cursor, statement, *_more):
        work.statements += not statement.startswith("PRAGMA")

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def _blobs(work):
    read, pieces, size = Objects.read, Objects.pieces, Objects.size

    def noted(found):
        work.blob_bytes += len(found or b"")
        return found

    def counted_read(self, name, start=None, end=None):
        work.blobs += 1
        return noted(read(self, name, start, end))

    def counted_pieces(self, name, size):
        work.blobs += 1
        yield from map(noted, pieces(self, name, size))

    def counted_size(self, name):
        work.blobs += 1
        return size(self, name)

    with patch.multiple(Objects, read=counted_read, pieces=counted_pieces, size=counted_size):
        yield


@contextmanager
def _openings(work):
    real = ciphers.AESGCM

    class Counted:
        def __init__(self, key):
            self.cipher = real(key)

        def encrypt(self, *given):
            return self.cipher.encrypt(*given)

        def decrypt(self, nonce, data, associated):
            work.opened, work.opened_bytes = work.opened + 1, work.opened_bytes + len(data)
            return self.cipher.decrypt(nonce, data, associated)

    with patch.object(ciphers, "AESGCM", Counted):
        yield


@contextmanager
def _documents(work, measured):
    load = Stored.load

    def loaded(self, model):
        work.documents, work.document_bytes = work.documents + 1, work.document_bytes + measured(self.body)
        return load(self, model)

    with patch.object(Stored, "load", loaded):
        yield


@contextmanager
def _calls(work):
    """Count calls of functions of ours."""

    def note(frame, what, _argument):
        code = frame.f_code
        if what == "call" and code.co_filename.startswith(OURS) and code.co_qualname not in OF_VALUES:
            work.calls += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)
