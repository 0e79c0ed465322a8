"""One file out of an archive, bounded: nothing is unpacked to disk, so no name in it can lead anywhere."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from pathlib import Path

from pilotbase.documents.errors import InputError

MAXIMUM_MEMBER = 256 << 20
MAXIMUM_ARCHIVE = 1 << 30
"""How much is unpacked at most on the way to a member."""
_SUGGESTED = 5


def open_member(archive: Path, member: str) -> bytes:
    """Return the content of the regular file ``member`` of a wheel, zip or tar (gz, bz2, xz) archive.

    ``member`` is the path in the archive; the one top folder of a source archive (``name-version/``) may be left out.

    Raises:
        InputError: ``data.archive.*``: no archive, no such file in it (links and folders are none), or too large.
    """
    try:
        if zipfile.is_zipfile(archive):
            return _from_zip(archive, member)
        return _from_tar(archive, member)
    except FileNotFoundError:
        raise InputError("data.no_file", file=archive) from None
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, OSError) as error:
        raise InputError("data.archive.broken", archive=archive.name, reason=str(error)[:200]) from None


def _from_zip(path: Path, member: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
        info = archive.getinfo(_find(names, member, path))
        if info.file_size > MAXIMUM_MEMBER:
            raise InputError("data.archive.too_large", archive=path.name, member=member, limit=MAXIMUM_MEMBER)
        with archive.open(info) as stream:
            content = stream.read(MAXIMUM_MEMBER + 1)
    if len(content) > MAXIMUM_MEMBER:  # the stated size was a lie
        raise InputError("data.archive.too_large", archive=path.name, member=member, limit=MAXIMUM_MEMBER)
    return content


def _from_tar(path: Path, member: str) -> bytes:
    names: list[str] = []
    unpacked = 0
    with tarfile.open(path, "r|*") as archive:
        for info in archive:
            unpacked += info.size
            wanted = info.isreg() and _matches(info.name, member)
            if unpacked > MAXIMUM_ARCHIVE or (wanted and info.size > MAXIMUM_MEMBER):
                raise InputError("data.archive.too_large", archive=path.name, member=member, limit=MAXIMUM_MEMBER)
            stream = archive.extractfile(info) if wanted else None
            if stream is not None:
                return stream.read()
            names += [info.name] if info.isreg() else []
    raise _absent(names, member, path)


def _find(names: list[str], member: str, path: Path) -> str:
    for name in names:
        if _matches(name, member):
            return name
    raise _absent(names, member, path)


def _matches(name: str, member: str) -> bool:
    return name == member or name.partition("/")[2] == member


def _absent(names: list[str], member: str, path: Path) -> InputError:
    suffix = Path(member).suffix
    similar = [name for name in names if Path(name).suffix == suffix][:_SUGGESTED] or names[:_SUGGESTED]
    return InputError("data.archive.no_member", archive=path.name, member=member, allowed=", ".join(similar))
