"""A source opened by what it is: the path of a file, a folder of images, the address of a database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pilotbase.data.sources.faults import refuse
from pilotbase.data.sources.files import file_object, require_file
from pilotbase.data.sources.kinds import READERS
from pilotbase.data.sources.source import OpenedSource, ReadOptions
from pilotbase.data.sources.unpacking import ENDINGS, unpack
from pilotbase.documents.dataset import FileObject
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import text

ALLOWED = ".csv, .tsv, .txt, .parquet, .xlsx, .jsonl, .json, .sqlite, postgresql://…"
_NOTHING = ReadOptions()


def open_source(place: str, scratch: Path, asked: ReadOptions = _NOTHING) -> OpenedSource:
    """Return the tables in ``place``, checked whole; ``scratch`` must outlive them.

    A .gz or .zip with one file in it is read as that file.

    Raises:
        InputError: ``data.no_file``, or every problem of the source at once, each with its place and what to do.
    """
    ending = Path(place).suffix.lower()
    if ending in ENDINGS and "://" not in place:
        return _packed(Path(place), scratch, asked)
    for reader in READERS:
        if reader.reads(place):
            return reader.read(place, asked, scratch)
    if not Path(place).exists():
        raise InputError("data.no_file", file=place)
    raise refuse(Path(place).name, text("source.unknown_kind", allowed=ALLOWED))


def _packed(path: Path, scratch: Path, asked: ReadOptions) -> OpenedSource:
    require_file(path)
    archive = file_object(path, ENDINGS[path.suffix.lower()])
    opened = open_source(str(unpack(path, scratch)), scratch, asked)
    inside = [
        one.model_copy(update={"contained_in": (archive.id,)}) if isinstance(one, FileObject) else one
        for one in opened.resources
    ]
    return replace(opened, resources=(archive, *inside))
