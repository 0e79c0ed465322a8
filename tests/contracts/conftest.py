"""Folders of applications, in memory where there is room."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from pilotbase.sandbox.box.copies import remove_folder


@pytest.fixture(scope="module")
def place():
    """A folder in memory where there is room: a quarter of a gigabyte of libraries is copied into it, and goes."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30
    roomy = roomy and not os.statvfs(memory).f_flag & os.ST_NOEXEC
    path = Path(tempfile.mkdtemp(prefix="pilotbase-adapters-", dir=memory if roomy else None))
    path.chmod(0o755)
    yield path
    remove_folder(path)


@pytest.fixture
def folder(place):
    path = Path(tempfile.mkdtemp(dir=place))
    path.chmod(0o755)
    return path
