"""A folder of images: one record an image, labelled by its folder or by a table; no image is decoded."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import polars as pl

from pilotbase.data.sources.kinds import delimited
from pilotbase.data.sources.source import FileFaults, OpenedSource, ReadOptions, SourceTable, refuse, spool
from pilotbase.documents.dataset import FileSet, Resource, Source
from pilotbase.documents.texts import Text, text

MOST_FILES = 1_000_000
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})
_SCHEMA: dict[str, pl.DataType] = {
    "path": pl.String(),
    "label": pl.String(),
    "size": pl.Int64(),
    "media_type": pl.String(),
    "width": pl.Int64(),
    "height": pl.Int64(),
    "sha256": pl.String(),
}
OF_FILES = ("size", "media_type", "width", "height", "sha256")
"""Columns about an image's file, which no application is asked with."""
_FOLDER = r"^(.*)/[^/]*$"
"""The part of a path before the name of a file."""
_MEDIA = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".tif": "image/tiff", ".tiff": "image/tiff"}
_MOST_SEGMENTS = 500
_FURTHEST = 16 << 20
"""Bytes of a JPEG before its frame header: metadata may be long, but not longer."""
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers of a JPEG without a length."""


def read(place: str, asked: ReadOptions, scratch: Path) -> OpenedSource:
    """Return the tables in ``place``; see `pilotbase.data.sources.source.Read`."""
    folder = Path(place)
    name = folder.resolve().name
    faults = FileFaults(name)
    found = list(_images(folder, faults))
    if not found and not faults:
        raise refuse(name, text("source.no_images", allowed=", ".join(sorted(_SUFFIXES))))
    faults.require_none()
    labels = _labels(folder, found, asked, scratch)
    schema = {column: kind for column, kind in _SCHEMA.items() if labels.of or column != "label"}
    kept = spool((image.row(labels.of) for image in found), schema, scratch)
    files = FileSet(
        id=f"{name}-images",
        includes=tuple(sorted({f"**/*{Path(image.path).suffix}" for image in found})),
        encoding_format=tuple(sorted({image.header.media_type for image in found})),
    )
    table = SourceTable(name, kept.frame, kept.rows, files.id, origins=_origins(files.id, labels))
    return OpenedSource((table,), (files, *labels.resources), (*labels.taken, *_said(found, name)))


@dataclass(frozen=True)
class _Image:
    """A file whose header was read."""

    path: str
    size: int
    header: _ImageHeader
    sha256: str

    def row(self, labels: dict[str, str]) -> list[object]:
        label = [labels.get(self.path)] if labels else []
        header = self.header
        return [self.path, *label, self.size, header.media_type, header.width, header.height, self.sha256]


def _images(folder: Path, faults: FileFaults) -> Iterator[_Image]:
    for number, path in enumerate(_files(folder)):
        shown = path.relative_to(folder).as_posix()
        if number >= MOST_FILES:
            faults.add(text("source.many_images", limit=MOST_FILES))
            return
        if path.is_symlink():
            faults.add(text("source.link"), path=shown)
            continue
        try:
            with path.open("rb") as stream:
                header = _read_header(stream)
                stream.seek(0)
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except ValueError as error:
            faults.add(text("source.broken_image", reason=str(error)), path=shown)
            continue
        except OSError as error:
            faults.add(text("source.broken_image", reason=error.strerror or str(error)), path=shown)
            continue
        if header is None:
            faults.add(text("source.no_image"), path=shown)
        else:
            yield _Image(shown, path.stat().st_size, header, digest)


def _files(folder: Path) -> Iterator[Path]:
    """Yield files with names of images, ordered by name; links to folders are not followed."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if Path(name).suffix.lower() in _SUFFIXES and not name.startswith("."):
                yield Path(place, name)


@dataclass(frozen=True)
class _Labels:
    """Path of an image → its label, and the labels' origin."""

    of: dict[str, str]
    resources: tuple[Resource, ...] = ()
    column: str = ""
    """The column of the labels in their table."""
    taken: tuple[Text, ...] = ()


def _labels(folder: Path, found: list[_Image], asked: ReadOptions, scratch: Path) -> _Labels:
    name = folder.resolve().name
    if asked.labels is not None:
        return _from_table(asked.labels, found, scratch)
    folders = {image.path: image.path.rpartition("/")[0] for image in found}
    if "" in folders.values() or len(set(folders.values())) < 2:
        return _Labels({})
    return _Labels(folders, taken=(text("source.taken.folder_labels", file=name, count=len(set(folders.values()))),))


def _from_table(path: Path, found: list[_Image], scratch: Path) -> _Labels:
    """Return the labels of a table whose first column names the image and whose second is the label."""
    opened = delimited.read(str(path), ReadOptions(), scratch)
    rows = opened.tables[0].frame.collect()
    faults, labels = FileFaults(path.name), {}
    if rows.width < 2:
        raise refuse(path.name, text("source.no_labels"))
    known = {image.path for image in found}
    line_of = opened.tables[0].line_of
    for number, (image, label) in enumerate(rows.select(rows.columns[:2]).iter_rows()):
        line = line_of(number) if line_of else None
        if image not in known:
            faults.add(text("source.unknown_image", found=str(image)[:80]), line)
        elif image in labels:
            faults.add(text("source.double_label", found=image[:80]), line)
        labels[image] = label
    for image in sorted(known - set(labels)):
        faults.add(text("source.unlabelled"), path=image)
    faults.require_none()
    return _Labels(labels, opened.resources, rows.columns[1], opened.taken)


def _origins(files: str, labels: _Labels) -> dict[str, Source]:
    """Return the origin of path and label: in the path of each file, or in the table of labels."""
    path = Source(resource=files, file_property="fullpath")
    if labels.resources:
        return {"path": path, "label": Source(resource=labels.resources[0].id, column=labels.column)}
    return {"path": path, "label": path.model_copy(update={"transforms": (("regex", _FOLDER),)})}


def _said(found: list[_Image], name: str) -> Iterator[Text]:
    other = [
        image
        for image in found
        if _MEDIA.get(Path(image.path).suffix.lower(), image.header.media_type) != image.header.media_type
    ]
    if other:
        first = other[0]
        yield text(
            "source.taken.other_media", file=name, count=len(other), path=first.path, media=first.header.media_type
        )
    if len({image.sha256 for image in found}) < len(found):
        yield text("source.taken.same_images", file=name, count=len(found) - len({image.sha256 for image in found}))


class _ImageHeader(NamedTuple):
    """Media type; width and height in pixels, None if they were not read."""

    media_type: str
    width: int | None = None
    height: int | None = None


def _read_header(stream: IO[bytes]) -> _ImageHeader | None:
    """Return the contents of the header; None for an unknown kind of image.

    Raises:
        ValueError: the header of a PNG or JPEG is damaged or cut off (PNG, 3rd edition, §11.2.2; ITU-T T.81, §B.2.2).
    """
    start = stream.read(32)
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(start)
    if start.startswith(b"\xff\xd8\xff"):
        return _jpeg(stream)
    if start[:6] in (b"GIF87a", b"GIF89a") and len(start) >= 10:
        return _ImageHeader("image/gif", *struct.unpack("<HH", start[6:10]))
    if start[:4] in (b"II*\0", b"MM\0*"):
        return _ImageHeader("image/tiff")
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return _ImageHeader("image/webp")
    if start[:2] == b"BM" and len(start) >= 26:
        width, height = struct.unpack("<ii", start[18:26])
        return _ImageHeader("image/bmp", width, abs(height))
    return None


def _png(start: bytes) -> _ImageHeader:
    if len(start) < 24 or start[12:16] != b"IHDR" or struct.unpack(">I", start[8:12]) != (13,):
        raise ValueError("PNG: no IHDR")
    width, height = struct.unpack(">II", start[16:24])
    return _sized("image/png", width, height)


def _jpeg(stream: IO[bytes]) -> _ImageHeader:
    position = 2
    for _ in range(_MOST_SEGMENTS):
        stream.seek(position)
        marker = stream.read(4)
        if len(marker) < 4 or marker[0] != 0xFF or position > _FURTHEST:
            break
        if marker[1] == 0xFF or marker[1] in _BARE:
            position += 1 if marker[1] == 0xFF else 2
            continue
        if marker[1] in _FRAMES:
            frame = stream.read(5)
            if len(frame) < 5:
                break
            height, width = struct.unpack(">HH", frame[1:])
            return _sized("image/jpeg", width, height)
        position += 2 + int.from_bytes(marker[2:], "big")
    raise ValueError("JPEG: no frame header")


def _sized(media_type: str, width: int, height: int) -> _ImageHeader:
    if not width or not height:
        raise ValueError(f"{media_type}: no width or height")
    return _ImageHeader(media_type, width, height)
