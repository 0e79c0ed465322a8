"""The blobs of a base held against its store: what a row or document names stays, and who collects is alone."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import insert

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.progress import Progress
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Role, actor, parties
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.blobs.objects import name_of
from pilotbase.workspace.blobs.store import KEPT
from pilotbase.workspace.checks.blobs import Damage, ObjectFault, SweepTerms, collect_blobs, verify_blobs
from pilotbase.workspace.failures import ConflictError, StaleLeaseError
from pilotbase.workspace.store import Store, View


class Note(Document):
    document: str = "note/1"
    said: str
    file: Digest | None = None


class Overlap(Document):
    document: str = "overlap/1"
    pairs: Digest


@pytest.fixture
def view(store: Store) -> View:
    return store.as_actor(actor("base", Role.OPERATOR))


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "blobs"))


def grow_old(blobs: BlobStore) -> None:
    for path in Path(blobs.objects.root).rglob("*"):
        if path.is_file():
            os.utime(path, (0, 0))


def test_what_the_store_names_anywhere_stays(view: View, blobs: BlobStore) -> None:
    large = random.Random(1).randbytes(5 << 20)
    in_document, in_words, in_row, in_piece, in_log = (blobs.put(b"%d" % number) for number in range(5))
    kept, listed = blobs.keep(large), blobs.keep(large[:-1])
    with view.transaction("noted") as change:
        change.put(Note(said="see", file=in_document), parties("acme"))
        change.put(Note(said=f"looked at {hex_of(in_words)}, then at {kept}."), parties("acme"))
        change.put(Note(said="cut", file=listed), parties("acme"))
        told = {"identity": "0" * 32, "owner": "acme", "person": "", "name": "table.csv", "size": 1, "received": 0}
        told |= {"digest": in_row, "finished": False, "created_at": change.now, "expires_at": change.now}
        change.connection.execute(insert(tables.uploads).values(told))
        row = {"upload": "0" * 32, "start": 0, "size": 1, "blob": in_piece}
        change.connection.execute(insert(tables.upload_chunks).values(row))
        change.record("noted", [in_log])
    lost = blobs.put(b"lost")
    grow_old(blobs)
    assert collect_blobs(view, blobs, SweepTerms(dry_run=True)).blobs == (lost,)
    assert view.log_entries()[-1].action == "noted"
    assert collect_blobs(view, blobs, SweepTerms()).blobs == (lost,)
    for digest in (in_document, in_words, in_row, in_piece, in_log, kept):
        assert blobs.exists(digest)
    assert blobs.get(kept) == large
    assert blobs.get(listed) == large[:-1]
    entry = view.log_entries()[-1]
    assert (entry.action, dict(entry.facts)) == ("blobs.collected", {"blobs": 1, "chunks": 0, "bytes": 4})
    assert verify_blobs(view.store, blobs).damages == ()


def test_a_document_that_is_written_while_garbage_is_collected_keeps_its_blob(view: View, blobs: BlobStore) -> None:
    """Its blob was put before, found there, and so dated anew; the document is read or not."""
    late = blobs.put(b"late")
    grow_old(blobs)

    def meanwhile(step: Progress) -> None:
        if step.stage.code == "blobs.progress.sweep":
            view.put(Note(said="late", file=blobs.put(b"late")), parties("acme"), "noted")

    assert collect_blobs(view, blobs, SweepTerms(), meanwhile).blobs == ()
    assert blobs.get(late) == b"late"


def test_blobs_of_another_base_are_nobodys_garbage(view: View, blobs: BlobStore) -> None:
    blobs.claim("another base")
    theirs = blobs.put(b"theirs")
    grow_old(blobs)
    with pytest.raises(RefusedError) as caught:
        collect_blobs(view, blobs, SweepTerms())
    assert caught.value.code == "blobs.other_base"
    assert blobs.exists(theirs)


def test_one_collects_at_a_time_and_who_was_replaced_ends(
    view: View, blobs: BlobStore, clock: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    garbage = [blobs.put(b"%d" % number) for number in range(5)]
    grow_old(blobs)
    refused: list[ConflictError] = []

    def second(_: Progress) -> None:
        with pytest.raises(ConflictError) as caught:
            collect_blobs(view, blobs, SweepTerms())
        refused.append(caught.value)

    collect_blobs(view, blobs, SweepTerms(dry_run=True), second)
    assert refused[0].code == "blobs.collecting"

    ticks: Iterator[float] = iter(range(0, 10_000, 100))
    monkeypatch.setattr("pilotbase.workspace.checks.blobs.time", SimpleNamespace(monotonic=lambda: next(ticks)))

    def replaced(step: Progress) -> None:
        if step.stage.code == "blobs.progress.sweep" and step.done == 2:
            clock.step(301)  # type: ignore[attr-defined]
            assert view.acquire("blobs.collect", "another", 300) is not None

    with pytest.raises(StaleLeaseError):
        collect_blobs(view, blobs, SweepTerms(), replaced)
    assert sum(blobs.exists(digest) for digest in garbage) == 3
    assert not view.log_entries()
    clock.step(301)  # type: ignore[attr-defined]
    with pytest.raises(InputError):
        collect_blobs(view, blobs, SweepTerms(timedelta(minutes=1)))
    assert len(collect_blobs(view, blobs, SweepTerms()).blobs) == 3


def test_what_documents_need_and_is_not_there_is_named_with_the_document(view: View, blobs: BlobStore) -> None:
    pairs = blobs.keep(b"pairs")
    digest = view.put(Overlap(pairs=pairs), parties("acme"), "noted")
    assert verify_blobs(view.store, blobs).damages == ()
    blobs.objects.remove(name_of(KEPT, pairs))
    assert verify_blobs(view.store, blobs, share=0.0).damages == (Damage(pairs, ObjectFault.MISSING, "", digest),)
