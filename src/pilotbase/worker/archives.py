"""A pack, a kit or a folder as one file: a zip of plain members, in order, without times. Read within bounds.

The same members are the same bytes on every machine, so that an interrupted upload is found again by its digest. A
reader trusts nothing that the archive says of itself: the size of the directory is checked before it is parsed, a
member is read only up to its permitted length, and anything unexpected is refused. The digests in the signed paper
then verify the members.
"""

from __future__ import annotations

import shutil
import struct
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pilotbase.catalogue.applications import read_application
from pilotbase.catalogue.folders import MAXIMUM_DEPTH, MAXIMUM_FILES, MAXIMUM_NAME, read_tree
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import reading
from pilotbase.documents.scenario import ApplicationBaseline
from pilotbase.trial.scenario_folder import files_of, load_scenario

PAPER = "pack.json"
MOST_BYTES = 2 << 30
MOST_WHEELS = 2000
MOST_MEMBERS = 1 + MAXIMUM_FILES + MOST_WHEELS
_MOST_DIRECTORY = 4 << 20
_OLDEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can name."""
_END = struct.Struct("<4s4H2LH")
"""End of central directory (APPNOTE 6.3.10, 4.3.16): signature, four counts, size, offset, length of a comment."""
_LOCATOR_BYTES = 20
_LOCATOR = b"PK\x06\x07"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 20


@dataclass(frozen=True)
class ArchiveEntry:
    """A file to be packed, under its name in the archive."""

    name: str
    content: Path | bytes


def write_archive(file: Path, members: Iterable[ArchiveEntry]) -> None:
    """Write the archive of ``members`` to ``file``, whole or not at all.

    Raises:
        InputError: together they are larger than an archive may be.
    """
    draft = file.with_name(f".{file.name}.part")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
            for member in sorted(members, key=lambda one: one.name):
                line = zipfile.ZipInfo(member.name, _OLDEST)
                line.create_system, line.external_attr = 3, 0o644 << 16
                with archive.open(line, "w") as target:
                    _copy(member.content, target)
        if draft.stat().st_size > MOST_BYTES:
            raise zipfile.LargeZipFile
        draft.replace(file)
    except (zipfile.LargeZipFile, RuntimeError):
        raise InputError("site.archive_too_large", file=file, allowed=MOST_BYTES) from None
    finally:
        draft.unlink(missing_ok=True)


class PackArchive:
    """An archive from anyone, open for reading."""

    def __init__(self, file: Path, archive: zipfile.ZipFile) -> None:
        self._file = file
        self._archive = archive
        self._members = {line.filename: line for line in archive.infolist()}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the members, sorted."""
        return tuple(sorted(self._members))

    def read(self, name: str, limit: int) -> bytes:
        """Return a member, at most ``limit`` bytes of it; raises `InputError` for a missing, longer or broken one."""
        line = self._members.get(name)
        if line is None:
            raise InputError("site.member_missing", file=self._file, name=name)
        if line.file_size > limit:
            raise InputError("site.member_too_large", file=self._file, name=name, allowed=limit)
        with _damage_told(self._file), self._archive.open(line) as source:
            return source.read(limit)

    def extract(self, under: str, folder: Path) -> None:
        """Write the members whose names begin with ``under`` into a new or empty folder, without that prefix.

        Raises:
            InputError: a name leads out of the folder, or a member is broken.
        """
        folder.mkdir(mode=0o755, exist_ok=True)
        for name in self.names:
            if name.startswith(under):
                place = folder / _plain(self._file, name.removeprefix(under))
                with _damage_told(self._file):
                    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                    with self._archive.open(name) as source, place.open("xb") as target:
                        shutil.copyfileobj(source, target)
                place.chmod(0o644)


@contextmanager
def opened_archive(file: Path) -> Iterator[PackArchive]:
    """Open an archive from anyone, after checking both its stated and its real size.

    Raises:
        InputError: there is no such file, it is no archive of this kind, or larger than one may be.
    """
    _require_bounded(file)
    with _damage_told(file):
        archive = zipfile.ZipFile(file)
    with archive:
        lines = archive.infolist()
        if len({line.filename for line in lines}) != len(lines):
            raise InputError("site.no_pack", file=file)
        for line in lines:
            plain = line.compress_type == zipfile.ZIP_STORED and not line.flag_bits & 0x1
            if not plain or line.file_size != line.compress_size:
                raise InputError("site.no_pack", file=file)
        if sum(line.file_size for line in lines) > MOST_BYTES:
            raise InputError("site.archive_too_large", file=file, allowed=MOST_BYTES)
        yield PackArchive(file, archive)


def _require_bounded(file: Path) -> None:
    """Return if the directory at the end is small: a parser holds all of it in memory."""
    with reading(file), file.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _END.size - _LOCATOR_BYTES))
        tail = stream.read()
    if size > MOST_BYTES:
        raise InputError("site.archive_too_large", file=file, allowed=MOST_BYTES)
    end = _END.unpack(tail[-_END.size :]) if len(tail) >= _END.size else (b"",) * 8
    signature, _, _, here, count, directory, _, comment = end
    if signature != b"PK\x05\x06" or comment or here != count or tail.startswith(_LOCATOR):
        raise InputError("site.no_pack", file=file)
    if not 0 < count <= MOST_MEMBERS or directory > _MOST_DIRECTORY:
        raise InputError("site.no_pack", file=file)


def _plain(file: Path, name: str) -> str:
    """Return ``name`` if it stays within a folder; raises `InputError`."""
    parts = name.split("/")
    odd = "\\" in name or not name.isprintable() or any(part in ("", ".", "..") for part in parts)
    if odd or len(name.encode()) > MAXIMUM_NAME or len(parts) > MAXIMUM_DEPTH:
        raise InputError("site.member_leads_out", file=file, name=name)
    return name


@contextmanager
def _damage_told(file: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, struct.error, OSError):
        raise InputError("site.no_pack", file=file) from None


def _copy(content: Path | bytes, target: IO[bytes]) -> None:
    if isinstance(content, bytes):
        target.write(content)
        return
    with content.open("rb") as source:
        shutil.copyfileobj(source, target)


def zip_application(folder: Path, target: IO[bytes]) -> str:
    """Write the zip of an application's folder and return its name; raises `InputError` if it is none."""
    submission = read_application(folder)
    _write(folder, [file.path for file in submission.tree.files], target)
    return submission.application.name


def zip_scenario(path: Path, target: IO[bytes]) -> str:
    """Write the zip of a scenario: manifest, data, and the application that is its baseline; return its name.

    Raises:
        InputError: it is no scenario, or a file that it names is missing.
    """
    scenario, folder = load_scenario(path, Step.DRAFT)
    names = files_of(scenario)
    if scenario.world is not None and scenario.world.folder is not None:
        inner = scenario.world.folder
        names = [*names[:-1], *(f"{inner}/{file.path}" for file in read_tree(folder / inner).files)]
    if isinstance(scenario.baseline, ApplicationBaseline):
        inner = scenario.baseline.path
        names += [f"{inner}/{file.path}" for file in read_application(folder / inner).tree.files]
    _write(folder, names, target)
    return scenario.name


def zip_world(folder: Path, target: IO[bytes]) -> str:
    """Write the zip of a world's folder, and return its name."""
    _write(folder, [file.path for file in read_tree(folder).files], target)
    return folder.resolve().name


def _write(folder: Path, names: list[str], target: IO[bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(names):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with archive.open(entry, "w", force_zip64=True) as copy:
                for piece in _pieces(folder, name):
                    copy.write(piece)


def _pieces(folder: Path, name: str) -> Iterator[bytes]:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise InputError("trial.no_source", file=name, folder=folder)
    with path.open("rb") as source:
        while piece := source.read(_CHUNK):
            yield piece
