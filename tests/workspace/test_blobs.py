"""Blobs: named by what they hold, whole or absent, checked when read."""

import io
import os
import uuid
from pathlib import Path

import pytest

from pilotbase.documents.errors import InvalidProofError, PilotbaseError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.failures import NotFoundError


@pytest.fixture(params=["folder", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "blobs") if request.param == "folder" else f"memory://{uuid.uuid4().hex}")


def files_under(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_was_put_is_what_is_got(blobs: BlobStore, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    digest = blobs.put(data)
    assert digest == digest_bytes(data)
    assert blobs.get(digest) == data
    assert [len(piece) for piece in blobs.chunks(digest, 1 << 20)] == [1 << 20, 1 << 20, 3_000_000 - (2 << 20)]
    assert blobs.put(io.BytesIO(data)) == digest
    (tmp_path / "file").write_bytes(data)
    assert blobs.put_file(tmp_path / "file") == digest
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
    place.write_bytes(b"hidden")
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
