"""Blobs: named by what they hold, whole or absent, checked when read, sent once."""

import io
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from pilotbase.documents.errors import InvalidProofError, PilotbaseError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.blobs.objects import name_of
from pilotbase.workspace.blobs.store import CUT, KEPT
from pilotbase.workspace.failures import DiskFullError, NotFoundError, UnreachableError
from tests.workspace.blobs.conftest import Place, folder_place, s3_place
from tests.workspace.blobs.s3_for_tests import S3Server


def files_under(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_was_put_is_what_is_got(blobs: BlobStore) -> None:
    data = os.urandom(3_000_000)
    digest = blobs.put(data)
    assert digest == digest_bytes(data)
    assert blobs.get(digest) == data
    assert [len(piece) for piece in blobs.chunks(digest, 1 << 20)] == [1 << 20, 1 << 20, 3_000_000 - (2 << 20)]
    assert blobs.put(io.BytesIO(data)) == digest
    assert blobs.get(blobs.put(b"")) == b""
    blobs.remove(digest)
    blobs.remove(digest)
    assert not blobs.exists(digest)


def test_a_blob_that_is_not_here_is_not_found(blobs: BlobStore) -> None:
    with pytest.raises(NotFoundError):
        blobs.get(digest_bytes(b"never"))


@pytest.mark.parametrize("name", ["../../etc/passwd", "sha256:../../etc/passwd", "sha256:" + "A" * 64, ""])
def test_a_name_cannot_lead_out_of_the_store(blobs: BlobStore, name: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        blobs.get(name)


def test_a_flipped_bit_is_found_on_reading_and_a_torn_blob_is_replaced_by_putting(tmp_path: Path) -> None:
    blobs = BlobStore(str(tmp_path))
    digest = blobs.put(b"hidden data")
    (place,) = files_under(tmp_path)
    place.write_bytes(b"hidden dat`")
    with pytest.raises(InvalidProofError) as caught:
        blobs.get(digest)
    assert digest in str(caught.value)
    for altered in (b"hidden", b"hidden dat`"):
        place.write_bytes(altered)
        blobs.put(b"hidden data")
        assert blobs.get(digest) == b"hidden data"


def test_blobs_are_private_and_a_failing_stream_leaves_nothing(tmp_path: Path) -> None:
    class Breaking(io.RawIOBase):
        pieces = 3

        def read(self, size: int = -1) -> bytes:
            self.pieces -= 1
            if not self.pieces:
                raise ConnectionResetError
            return b"x" * 100

    blobs = BlobStore(str(tmp_path))
    with pytest.raises(PilotbaseError):
        blobs.put(Breaking())
    assert files_under(tmp_path) == []
    blobs.put(b"x")
    assert [path.stat().st_mode & 0o777 for path in files_under(tmp_path)] == [0o600]


MIB = 1 << 20


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


class BreakingOff(io.BytesIO):
    """A stream that ends in an error after ``good`` bytes."""

    def __init__(self, data: bytes, good: int) -> None:
        super().__init__(data)
        self.good = good

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= self.good:
            raise ConnectionResetError
        return super().read(size)


@pytest.mark.parametrize("size", [0, 1, 100_000, 4 * MIB])
def test_what_was_kept_is_what_is_got_under_the_name_of_all_its_bytes(place: Place, size: int) -> None:
    blobs, data = place.blobs, noise(size)
    digest = blobs.keep(io.BytesIO(data))
    assert digest == digest_bytes(data)
    assert blobs.get(digest) == data
    assert blobs.exists(digest)
    names = place.names()
    assert blobs.keep(data) == digest
    assert place.names() == names
    assert not any(name.startswith("drafts/") for name in names)


def test_each_chunk_of_a_large_blob_is_held_against_its_name(place: Place) -> None:
    data = noise(6 * MIB)
    digest = place.blobs.keep(data)
    manifest = place.blobs.manifest(digest)
    assert len(manifest.chunks) > 3
    last, _ = manifest.chunks[-1]
    place.overwrite(name_of(KEPT, last), b"else")
    given = []
    with pytest.raises(InvalidProofError) as caught:
        given.extend(place.blobs.chunks(digest))
    assert last in str(caught.value)
    assert data.startswith(b"".join(given))
    place.blobs.objects.remove(name_of(KEPT, last))
    with pytest.raises(NotFoundError) as gone:
        place.blobs.get(digest)
    assert last in str(gone.value)


def test_keeping_again_mends_what_was_altered_in_a_folder(tmp_path: Path) -> None:
    place, data = folder_place(tmp_path), noise(3 * MIB)
    digest = place.blobs.keep(data)
    chunk, size = place.blobs.manifest(digest).chunks[0]
    for altered in (b"short", bytes(size)):
        place.overwrite(name_of(KEPT, chunk), altered)
        place.blobs.keep(data)
        assert place.blobs.get(digest) == data


def test_a_list_of_other_chunks_is_found_out(place: Place) -> None:
    digest, other = place.blobs.keep(noise(3 * MIB)), place.blobs.keep(noise(3 * MIB, 2))
    place.overwrite(name_of(CUT, digest), place.blobs.manifest(other).canonical())
    with pytest.raises(InvalidProofError):
        place.blobs.get(digest)
    place.overwrite(name_of(CUT, digest), b"[]")
    with pytest.raises(InvalidProofError):
        place.blobs.get(digest)


def test_blobs_that_are_alike_share_what_is_alike(blobs: BlobStore) -> None:
    data = noise(8 * MIB)
    blobs.keep(data)
    before = set(blobs.digests(KEPT))
    edited = blobs.keep(data[: 5 * MIB] + b"one line more" + data[5 * MIB :])
    assert len(set(blobs.digests(KEPT)) - before) <= 2
    assert blobs.get(edited)[5 * MIB : 5 * MIB + 13] == b"one line more"


def test_who_may_erase_a_file_erases_nothing_that_is_kept_with_the_same_bytes(place: Place) -> None:
    data = noise(3 * MIB)
    kept = place.blobs.keep(data)
    (chunk, size), *_ = place.blobs.manifest(kept).chunks
    for attached in (data, data[:size]):
        place.blobs.remove(place.blobs.put(attached))
    place.blobs.remove(chunk)
    assert place.blobs.get(kept) == data
    own = place.blobs.put(b"a file of a message")
    place.blobs.remove(own)
    assert not place.blobs.exists(own)
    assert name_of("sha256", own) not in place.names()


@pytest.mark.prove
def test_keeping_goes_on_where_it_broke_off_and_until_then_the_name_stands_for_nothing(s3: S3Server) -> None:
    blobs, data = s3_place(s3).blobs, noise(8 * MIB)
    with pytest.raises(ConnectionResetError):
        blobs.keep(BreakingOff(data, 7 * MIB))
    digest = digest_bytes(data)
    assert not blobs.exists(digest)
    with pytest.raises(NotFoundError):
        blobs.get(digest)
    there = set(blobs.digests(KEPT))
    assert len(there) > 1
    del s3.sent[:]
    assert blobs.keep(data) == digest
    sent = set(s3.sent)
    for chunk in there:
        assert f"{blobs.objects.root}/{name_of(KEPT, chunk)}" not in sent
    assert len(sent) == len(blobs.manifest(digest).chunks) - len(there) + 1
    assert blobs.get(digest) == data


KEEPING = """
import sys
from pilotbase.workspace.blobs import BlobStore
BlobStore(sys.argv[1]).keep(open(sys.argv[2], "rb"))
"""


@pytest.mark.prove
@pytest.mark.parametrize("after", [2, 9])
def test_killed_in_the_middle_of_an_upload_nothing_half_is_to_be_seen(s3: S3Server, tmp_path: Path, after: int) -> None:
    blobs, data = s3_place(s3).blobs, noise(5 * MIB, after)
    (tmp_path / "large").write_bytes(data)
    chunks = len(BlobStore(str(tmp_path / "other")).manifest(BlobStore(str(tmp_path / "other")).keep(data)).chunks)
    child = subprocess.Popen([sys.executable, "-c", KEEPING, f"s3://{blobs.objects.root}", tmp_path / "large"])
    s3.kills = (child.pid, min(after, chunks))
    child.wait()
    assert child.returncode == -9
    assert not blobs.exists(digest_bytes(data))
    for digest in blobs.digests(KEPT):
        assert digest_bytes(blobs.get(digest)) == digest
    assert blobs.get(blobs.keep(data)) == data


PUTTING = """
import sys
from pilotbase.workspace.blobs import BlobStore
BlobStore(sys.argv[1]).put(bytes(101 << 20))
"""


@pytest.mark.prove
@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_killed_between_the_parts_of_an_upload_in_parts_nothing_is_to_be_seen(s3: S3Server, after: int) -> None:
    """Begun, two or three parts, completed: it is killed in each."""
    blobs = s3_place(s3).blobs
    child = subprocess.Popen([sys.executable, "-c", PUTTING, f"s3://{blobs.objects.root}"])
    s3.kills = (child.pid, after)
    child.wait()
    assert child.returncode == -9
    assert list(blobs.objects.entries("sha256")) == []
    assert blobs.get(blobs.put(bytes(101 << 20))) == bytes(101 << 20)


def test_a_server_that_is_busy_or_breaks_off_is_asked_again(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs, data = s3_place(s3).blobs, noise(3 * MIB)
    s3.busy, s3.broken = 2, 1
    assert blobs.get(blobs.keep(data)) == data
    assert (s3.busy, s3.broken) == (0, 0)
    s3.busy = 2
    assert blobs.get(blobs.put(b"a file")) == b"a file"
    assert s3.busy == 0
    monkeypatch.setattr(blobs.objects._files, "retries", 1)
    s3.busy = 10
    with pytest.raises(UnreachableError, match="request rate"):
        blobs.put(b"another")
    s3.busy = 0


def test_more_objects_than_a_server_lists_at_once_are_all_listed(s3: S3Server) -> None:
    blobs = s3_place(s3).blobs
    digests = {digest_bytes(b"%d" % number) for number in range(1100)}
    bucket, folder = blobs.objects.root.split("/", 1)
    backend = s3.backend
    for digest in digests:
        backend.put_object(bucket, f"{folder}/{name_of(KEPT, digest)}", b"")
    assert set(blobs.digests(KEPT)) == digests


def test_a_bucket_that_is_not_there_is_told(s3: S3Server) -> None:
    missing = BlobStore("s3://no-such-bucket/x")
    for store in (missing.put, missing.keep):
        with pytest.raises(PilotbaseError, match="no-such-bucket"):
            store(b"x")


AWAY = """
import os
from s3fs import S3FileSystem
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.failures import UnreachableError
for credentials in ({}, {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}):
    os.environ.update(credentials)
    S3FileSystem.clear_instance_cache()
    try:
        BlobStore("s3://base/x").keep(b"x")
    except UnreachableError as error:
        print(error)
"""


@pytest.mark.prove
def test_a_server_that_is_not_there_and_missing_credentials_are_told() -> None:
    given = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    ran = subprocess.run([sys.executable, "-c", AWAY], env=given | {"HOME": "/nowhere"}, capture_output=True, text=True)
    without, away = ran.stdout.splitlines()
    assert "credentials" in without
    assert "127.0.0.1:9" in away


def test_on_a_full_disk_nothing_is_left_of_what_was_not_whole_and_it_goes_on_with_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, data, written = folder_place(tmp_path / "blobs"), noise(9 * MIB), 0
    real = os.fsync

    def full(descriptor: int) -> None:
        nonlocal written
        ours = Path(f"/proc/self/fd/{descriptor}").readlink().is_relative_to(tmp_path)
        written += os.fstat(descriptor).st_size if ours else 0
        if written > 4 * MIB:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError):
        place.blobs.keep(data)
    monkeypatch.setattr(os, "fsync", real)
    assert not place.blobs.exists(digest_bytes(data))
    assert not list((tmp_path / "blobs" / "drafts").iterdir())
    before = place.names()
    assert before
    assert place.blobs.get(place.blobs.keep(data)) == data
    assert before < place.names()


KILLED = """
import itertools, os, signal, sys
from pathlib import Path
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.blobs import objects

data = open(sys.argv[2], "rb").read()
digest, blobs = sys.argv[3], BlobStore(sys.argv[1])
for step in itertools.count():
    child = os.fork()
    if child == 0:
        steps = itertools.count()
        def dying(function):
            def run(*arguments, **options):
                if next(steps) == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments, **options)
            return run
        os.fsync, os.open, Path.replace = dying(os.fsync), dying(os.open), dying(Path.replace)
        objects.sync_folder = dying(objects.sync_folder)
        blobs.keep(data)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    for kept in blobs.digests("kept"):
        blobs.get(kept)
    if status == 0:
        break
    if blobs.exists(digest):
        assert blobs.get(digest) == data
assert blobs.get(digest) == data
print(step)
"""


@pytest.mark.prove
def test_killed_before_each_step_a_name_stands_for_all_or_nothing_and_what_is_there_stays(tmp_path: Path) -> None:
    data = noise(3 * MIB)
    (tmp_path / "large").write_bytes(data)
    arguments = [str(tmp_path / "blobs"), str(tmp_path / "large"), digest_bytes(data)]
    ran = subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 5, "each try begins where the one before it was killed"


@pytest.mark.prove
def test_a_disk_that_is_full_for_real_takes_no_half_blob_and_goes_on(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small file system")
    try:
        blobs, data = BlobStore(str(disk / "blobs")), noise(14 * MIB)
        blobs.keep(noise(4 * MIB, 2))
        before = blobs.keep(b"before")
        for store in (blobs.keep, blobs.put):
            with pytest.raises(DiskFullError):
                store(data)
            assert not blobs.exists(digest_bytes(data))
            assert not list((disk / "blobs" / "drafts").iterdir())
        assert blobs.get(before) == b"before"
        there = set(blobs.digests(KEPT))
        assert all(digest_bytes(blobs.get(digest)) == digest for digest in there)
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert blobs.get(blobs.keep(data)) == data
        assert there < set(blobs.digests(KEPT))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
