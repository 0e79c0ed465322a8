"""Files of a request in a folder that nobody else reads, gone when the request is done."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from pilotbase.hub.base import base
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.worker.intake.versions import own_names

_LONGEST_NAME = 200


def make_name(name: str) -> str:
    """Return the last part of an uploaded file's name, which is never a path, with its end where it is too long."""
    last = Path(name.replace("\\", "/")).name[-_LONGEST_NAME:]
    return last if last not in ("", ".", "..", MANIFEST) else "cases.csv"


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield a private folder in the home's scratch; what is wrong inside is told without the base's own path to it."""
    with tempfile.TemporaryDirectory(dir=base().home.scratch) as name, own_names(Path(name)):
        yield Path(name)


def save(upload: UploadedFile[Any], path: Path) -> Path:
    """Write an uploaded file to ``path``, which must be new, and return it."""
    with path.open("xb") as copy:
        for chunk in upload.chunks():
            copy.write(chunk)
    return path
