"""Garbage goes, and nothing else does: not what is named, not what is young, not what is being put meanwhile."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.workspace.blobs.objects import name_of
from pilotbase.workspace.blobs.store import CUT, KEPT, OWN
from pilotbase.workspace.checks.blobs import SweepTerms, Swept, check, sweep
from tests.workspace.blobs.conftest import Place, folder_place

MIB = 1 << 20
WEEKS = timedelta(days=30)


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def swept(place: Place, *named: str, terms: SweepTerms = SweepTerms()) -> Swept:  # noqa: B008 - it is frozen
    return sweep(place.blobs, lambda: named, terms)


def test_what_nothing_names_goes_and_what_is_named_stays_whole(place: Place) -> None:
    blobs, common = place.blobs, noise(3 * MIB)
    named, garbage = blobs.keep(common + noise(2 * MIB, 2)), blobs.keep(common + noise(2 * MIB, 3))
    own, lost = blobs.put(b"own"), blobs.put(b"lost")
    small, small_lost = blobs.keep(b"small"), blobs.keep(b"small and lost")
    place.age_all(WEEKS)
    before = place.names()
    told = swept(place, named, own, small, terms=SweepTerms(dry_run=True))
    assert place.names() == before
    chunks = {chunk for chunk, _ in blobs.manifest(named).chunks}
    only = {chunk for chunk, _ in blobs.manifest(garbage).chunks} - chunks
    done = swept(place, named, own, small)
    assert done == told
    assert set(done.blobs) == {garbage, lost}
    assert set(done.chunks) == only | {small_lost}
    assert before - place.names() == {name_of(CUT, garbage), name_of(OWN, lost)} | {
        name_of(KEPT, one) for one in only | {small_lost}
    }
    assert done.left == len(place.names())
    assert blobs.get(named) == common + noise(2 * MIB, 2)
    assert (blobs.get(own), blobs.get(small)) == (b"own", b"small")
    assert check(blobs, []).damages == ()
    assert swept(place, named, own, small).blobs == ()


def test_what_is_young_stays_with_all_that_it_needs(place: Place) -> None:
    data = noise(4 * MIB)
    digest, own = place.blobs.keep(data), place.blobs.put(b"own")
    for entry in list(place.blobs.objects.entries(KEPT)):
        place.age(entry.name, WEEKS)
    assert swept(place) == Swept((), (), 0, 0, len(place.names()))
    assert place.blobs.get(digest) == data
    place.age_all(timedelta(days=6, hours=23))
    assert swept(place).size == 0
    place.age_all(timedelta(hours=2))
    assert set(swept(place).blobs) == {digest, own}
    assert place.names() == set()


def test_what_is_put_or_kept_again_while_garbage_is_collected_stays_whole(place: Place) -> None:
    """After the blobs were listed, and found old: the sweep must look again before each removal."""
    data, own = noise(4 * MIB), b"own"
    place.blobs.put(own)
    digest = place.blobs.keep(data)
    place.blobs.keep(b"lost")
    place.age_all(WEEKS)

    def meanwhile() -> Iterator[str]:
        place.blobs.put(own)
        place.blobs.keep(data[: 3 * MIB] + b"another")
        place.blobs.keep(data)
        return iter(())

    done = sweep(place.blobs, lambda: set(meanwhile()), SweepTerms())
    assert done.blobs == ()
    assert done.chunks == (digest_bytes(b"lost"),)
    assert place.blobs.get(digest) == data
    assert place.blobs.get(digest_bytes(own)) == own
    assert check(place.blobs, []).damages == ()


def test_a_keep_that_finds_chunks_goes_on_safely_when_they_are_collected_under_its_hands(place: Place) -> None:
    """It has been broken off weeks ago; it goes on while its old chunks are collected between any two of its own."""
    data = noise(4 * MIB)
    digest = place.blobs.keep(data)
    place.blobs.objects.remove(name_of(CUT, digest))
    place.age_all(WEEKS)
    chunks = [digest_bytes(data[:MIB]), *place.blobs.digests(KEPT)]

    def slowly() -> Iterator[bytes]:
        for start in range(0, len(data), MIB):
            if chunks:
                before = place.blobs.objects.now() - timedelta(days=7).total_seconds()
                place.blobs.objects.remove_old(name_of(KEPT, chunks.pop()), before)
            yield data[start : start + MIB]

    assert place.blobs.keep_pieces(slowly()) == digest
    assert place.blobs.get(digest) == data


def test_too_short_a_grace_is_refused_and_an_unreadable_list_ends_it(place: Place) -> None:
    with pytest.raises(InputError) as caught:
        swept(place, terms=SweepTerms(timedelta(minutes=59)))
    assert caught.value.code == "blobs.short_grace"
    digest = place.blobs.keep(noise(4 * MIB))
    place.overwrite(name_of(CUT, digest), b"{}")
    place.age_all(WEEKS)
    before = place.names()
    with pytest.raises(InvalidProofError):
        swept(place, digest)
    assert place.names() == before


def test_drafts_of_the_killed_go_when_they_are_old_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    place.blobs.put(b"x")
    for name in ("drafts/old", "drafts/new", "kept/README", "sha256/ab/other.txt", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"ballast")
    for name in ("drafts/old", "kept/README", "sha256/ab/other.txt", "notes.txt"):
        place.age(name, WEEKS)
    done = swept(place)
    assert (done.drafts, done.size) == (1, 7)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {name_of(OWN, digest_bytes(b"x")), "drafts/new", "kept/README", "sha256/ab/other.txt", "notes.txt"}


KILLED = """
import itertools, os, signal, sys
from fsspec.implementations.local import LocalFileSystem
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.checks.blobs import check
from pilotbase.workspace.checks.blobs import SweepTerms, sweep

blobs, named = BlobStore(sys.argv[1]), sys.argv[2]
for step in itertools.count():
    child = os.fork()
    if child == 0:
        steps, real = itertools.count(), LocalFileSystem.rm_file
        def dying(self, path):
            if next(steps) == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            real(self, path)
        LocalFileSystem.rm_file = dying
        sweep(blobs, lambda: {named}, SweepTerms())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert not check(blobs, []).damages, step
    blobs.get(named)
    if status == 0:
        break
print(step)
"""


@pytest.mark.prove
def test_killed_before_any_removal_no_blob_is_left_without_its_chunks(tmp_path: Path) -> None:
    place, common = folder_place(tmp_path), noise(2 * MIB)
    named = place.blobs.keep(common)
    for seed in range(2, 4):
        place.blobs.keep(common + noise(2 * MIB, seed))
    place.age_all(WEEKS)
    ran = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), named], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) >= 4
    assert set(place.blobs.digests(CUT)) == {named}


RACING = """
import random, sys, time
from pilotbase.workspace.blobs import BlobStore
blobs, chance = BlobStore(sys.argv[1]), random.Random(int(sys.argv[2]))
data = random.Random(1).randbytes(5 << 20)
for _ in range(40):
    start, began = chance.randrange(3 << 20), time.monotonic()
    digest = blobs.keep(data[start:])
    try:
        whole = blobs.get(digest) == data[start:]
    except Exception:
        whole = False
    assert whole or time.monotonic() - began > 2, "a blob that was just kept is not whole"
"""


@pytest.mark.prove
def test_keeping_and_collecting_at_once_in_several_processes_loses_nothing(tmp_path: Path) -> None:
    """With a grace of two seconds: all but what others keep at this very moment is garbage."""
    place = folder_place(tmp_path)
    place.blobs.keep(noise(5 * MIB))
    arguments = [[sys.executable, "-c", RACING, str(tmp_path), str(seed)] for seed in range(3)]
    keeping, removed = [subprocess.Popen(one) for one in arguments], 0
    while any(one.poll() is None for one in keeping):
        before = place.blobs.objects.now() - 2
        for room in (CUT, KEPT):
            for entry in list(place.blobs.objects.entries(room)):
                removed += place.blobs.objects.remove_old(entry.name, before)
    assert [one.returncode for one in keeping] == [0, 0, 0]
    assert removed > 10
