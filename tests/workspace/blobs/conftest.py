"""Where blobs may lie: a folder, memory, and S3. What is said of blobs holds in each."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import fsspec
import pytest

from pilotbase.workspace.blobs import BlobStore
from tests.workspace.blobs.s3_for_tests import BUCKET, S3Server, s3_server


@dataclass
class Place:
    """An empty blob store, and how to let its objects grow old and break."""

    kind: str
    blobs: BlobStore
    age: Callable[[str, timedelta], None]
    """Let an object have been written earlier."""

    def age_all(self, by: timedelta) -> None:
        for room in ("sha256", "kept", "cut"):
            for entry in self.blobs.objects.entries(room):
                self.age(entry.name, by)

    def names(self) -> set[str]:
        """Return the names of all objects."""
        rooms = ("sha256", "kept", "cut", "drafts")
        return {entry.name for room in rooms for entry in self.blobs.objects.entries(room)}

    def overwrite(self, name: str, data: bytes) -> None:
        """Alter an object behind the store's back."""
        files, root = fsspec.url_to_fs(f"{'s3://' if self.kind == 's3' else ''}{self.blobs.objects.root}")
        if self.kind == "memory":
            files = fsspec.filesystem("memory")
        files.pipe_file(f"{root}/{name}", data)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    with s3_server() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server


def folder_place(folder: Path) -> Place:
    def age(name: str, by: timedelta) -> None:
        path = folder / name
        written = path.stat().st_mtime - by.total_seconds()
        os.utime(path, (written, written))

    return Place("folder", BlobStore(str(folder)), age)


def memory_place() -> Place:
    blobs = BlobStore(f"memory://{uuid.uuid4().hex}")

    def age(name: str, by: timedelta) -> None:
        held = fsspec.filesystem("memory").store[f"{blobs.objects.root}/{name}"]
        held.created -= by
        held.modified -= by

    return Place("memory", blobs, age)


def s3_place(server: S3Server) -> Place:
    blobs = BlobStore(f"s3://{BUCKET}/{uuid.uuid4().hex}")
    return Place("s3", blobs, lambda name, by: server.age(f"{blobs.objects.root}/{name}", by))


@pytest.fixture(params=["folder", "memory", pytest.param("s3", marks=pytest.mark.prove)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return folder_place(tmp_path / "blobs")
    return memory_place() if request.param == "memory" else s3_place(request.getfixturevalue("s3"))


@pytest.fixture
def blobs(place: Place) -> BlobStore:
    return place.blobs
