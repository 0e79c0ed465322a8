"""Paths and addresses described: observed once, then described with whatever the owner has answered so far."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pilotbase.data.describing.drafting import Description, describe, observe_all
from pilotbase.data.describing.references import ObservedTable
from pilotbase.data.describing.refreshing import refresh
from pilotbase.data.sources.opening import open_source
from pilotbase.data.sources.source import OpenedSource, ReadOptions
from pilotbase.documents.dataset import Dataset, FileObject, FileSet, Resource
from pilotbase.documents.described import Answers
from pilotbase.documents.loading import load_document


@dataclass(frozen=True)
class SourceInventory:
    """Sources that are open, what was seen in them, and how they were described before."""

    sources: tuple[OpenedSource, ...]
    observed: tuple[ObservedTable, ...]
    files: dict[str, Path]
    earlier: Dataset | None

    def describe(self, answers: Answers) -> Description:
        """Return the description; raises `InputError` as `describe` of `drafting`."""
        times = [path.stat().st_mtime for path in self.files.values()]
        found = describe(self.sources, self.observed, answers, max(times, default=None))
        return found if self.earlier is None else refresh(self.earlier, found, answers, self.files)


@contextmanager
def describing(places: Sequence[str], out: Path, asked: ReadOptions) -> Iterator[SourceInventory]:
    """Open and observe ``places``; a description in ``out`` is the earlier one. Files are named relative to ``out``.

    Raises:
        InputError: as `open_source` for the first place that cannot be read; ``out`` is there and is no dataset.
    """
    earlier = load_document(Dataset, out) if out.exists() else None
    with tempfile.TemporaryDirectory(prefix="pilotbase-describe-") as scratch:
        sources, files = [], {}
        for number, place in enumerate(places):
            folder = Path(scratch, str(number))
            folder.mkdir()
            opened = open_source(place, folder, asked)
            sources.append(_beside(opened, Path(place), out.parent))
            if Path(place).is_file():
                files[Path(place).name] = Path(place)
        yield SourceInventory(tuple(sources), observe_all(sources), files, earlier)


def _beside(opened: OpenedSource, place: Path, folder: Path) -> OpenedSource:
    """Return the source with the address of its file as ``folder`` sees it."""
    return replace(opened, resources=tuple(_seen_from(one, place, folder) for one in opened.resources))


def _seen_from(resource: Resource, place: Path, folder: Path) -> Resource:
    if isinstance(resource, FileSet):
        within = Path(os.path.relpath(place, folder)).as_posix()
        return resource.model_copy(update={"includes": tuple(f"{within}/{glob}" for glob in resource.includes)})
    if not isinstance(resource, FileObject) or resource.id != place.name or not place.is_file():
        return resource
    return resource.model_copy(update={"content_url": Path(os.path.relpath(place, folder)).as_posix()})
