"""The work of `work_program` that extracts a container image into a folder. It stands alone: standard library only.

It reads the output of ``docker save`` and ``podman save`` (a ``manifest.json``), and an OCI image layout
(``index.json``; OCI Image Format Specification 1.1: layers are tar archives, plain or gzipped, applied one over the
other; ``.wh.NAME`` removes NAME, ``.wh..wh..opq`` everything that earlier layers have in its folder). Bytes and files
are counted as they are extracted. Nothing is executed; devices and pipes are skipped, owners and special modes dropped.
Links are kept, and followed only inside the image.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import platform
import shutil
import tarfile
from pathlib import Path
from typing import IO, Any

CHUNK = 1 << 20
MOST_JSON = 4 << 20
MOST_LAYERS = 500
MOST_HOPS = 40
GZIP = b"\x1f\x8b"
ZSTANDARD = b"\x28\xb5\x2f\xfd"
REMOVED, EMPTIED = ".wh.", ".wh..wh..opq"
PRELOADED = "etc/ld.so.preload"
"""The file that the loader of every program would read first, ours as well: never extracted."""
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


class RefusedImageError(Exception):
    """An image that is not extracted; ``kind`` names the reason."""

    def __init__(self, kind: str, found: object) -> None:
        super().__init__(kind)
        self.kind, self.found = kind, found


def run(greeting: dict[str, Any]) -> dict[str, Any]:
    """Extract the image and return its command, variables and folder; raises `RefusedImageError`."""
    tree = ImageTree(Path(greeting["target"]), greeting["bytes"], greeting["files"])
    with tarfile.open(greeting["archive"], "r:") as archive:
        config, layers = described(archive)
        require_machine(config)
        for name in layers:
            with opened(archive, name) as stream, tarfile.open(fileobj=stream, mode="r|") as layer:
                tree.apply(layer)
    return start_of(config.get("config") or {})


def described(archive: tarfile.TarFile) -> tuple[dict[str, Any], list[str]]:
    """Return the image's configuration and the names of its layers, lowest first."""
    names = archive.getnames()
    if "manifest.json" in names:
        images = read_json(archive, "manifest.json")
        if len(images) != 1:
            raise RefusedImageError("several", len(images))
        config, layers = images[0]["Config"], images[0]["Layers"]
    elif "index.json" in names:
        manifests = read_json(archive, "index.json")["manifests"]
        if len(manifests) != 1:
            raise RefusedImageError("several", len(manifests))
        manifest = read_json(archive, blob(manifests[0]))
        config, layers = blob(manifest["config"]), [blob(one) for one in manifest["layers"]]
    else:
        raise RefusedImageError("no_image", ", ".join(names[:5]))
    if len(layers) > MOST_LAYERS:
        raise RefusedImageError("many", len(layers))
    return read_json(archive, config), layers


def blob(descriptor: dict[str, str]) -> str:
    """Return the place in an OCI layout of the blob that a descriptor names."""
    return "blobs/" + descriptor["digest"].replace(":", "/")


def read_json(archive: tarfile.TarFile, name: str) -> Any:
    """Return the contents of a JSON file of the archive."""
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    content = file.read(MOST_JSON + 1)
    if len(content) > MOST_JSON:
        raise ValueError(f"{name} is too long")
    return json.loads(content)


def require_machine(config: dict[str, Any]) -> None:
    """Refuse an image for other machines, which could not run here."""
    here = MACHINES.get(platform.machine(), platform.machine())
    found = f"{config.get('os', 'linux')}/{config.get('architecture', here)}"
    if found != f"linux/{here}":
        raise RefusedImageError("machine", f"{found}, linux/{here}")


@contextlib.contextmanager
def opened(archive: tarfile.TarFile, name: str) -> Any:
    """Yield a layer as a plain stream."""
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    head = file.read(len(ZSTANDARD))
    file.seek(0)
    if head == ZSTANDARD:
        raise RefusedImageError("zstandard", name)
    yield gzip.GzipFile(fileobj=file) if head.startswith(GZIP) else file


def start_of(config: dict[str, Any]) -> dict[str, Any]:
    """Return the image's instructions for starting its program."""
    words = [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    pairs = (str(line).partition("=") for line in config.get("Env") or [])
    variables = {name: value for name, _, value in pairs}
    return {"command": list(map(str, words)), "variables": variables, "folder": str(config.get("WorkingDir") or "/")}


class ImageTree:
    """The folder that layers are extracted into, one over the other."""

    def __init__(self, root: Path, most_bytes: int, most_files: int) -> None:
        self.root, self.bytes_left, self.files_left = root, most_bytes, most_files
        self.of_layer: set[Path] = set()

    def apply(self, layer: tarfile.TarFile) -> None:
        """Apply one layer over the earlier ones."""
        self.of_layer = set()
        for member in layer:
            layer.members.clear()  # type: ignore[attr-defined]
            self.files_left -= 1
            if self.files_left < 0:
                raise RefusedImageError("many", member.name)
            parts = [part for part in member.name.split("/") if part not in ("", ".")]
            if ".." in parts:
                raise RefusedImageError("path", member.name)
            if parts:
                self.take(layer, member, parts)

    def take(self, layer: tarfile.TarFile, member: tarfile.TarInfo, parts: list[str]) -> None:
        """Extract one entry, or remove what it marks as removed."""
        *folders, name = parts
        folder = self.folder(folders, member.name)
        if name == EMPTIED:
            for inner in list(folder.iterdir()):
                if inner not in self.of_layer:
                    remove(inner)
        elif name.startswith(REMOVED):
            removed = name.removeprefix(REMOVED)
            if removed in ("", ".", ".."):
                raise RefusedImageError("path", member.name)
            remove(folder / removed)
        elif (folder / name).relative_to(self.root).as_posix() != PRELOADED:
            self.place(layer, member, folder / name)

    def place(self, layer: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
        """Create a file, folder or link at ``target``; entries of any other type are skipped."""
        if member.isdir():
            if target.is_symlink() or not target.is_dir():
                remove(target)
                target.mkdir()
        elif member.issym():
            remove(target)
            target.symlink_to(member.linkname)
        elif member.islnk():
            self.join(member, target)
        elif member.issparse():
            raise RefusedImageError("sparse", member.name)
        elif member.isreg():
            remove(target)
            self.write(layer, member, target)
        self.note(target)

    def join(self, member: tarfile.TarInfo, target: Path) -> None:
        """Make ``target`` another name of an earlier file."""
        *folders, name = [part for part in member.linkname.split("/") if part not in ("", ".")]
        source = self.folder(folders, member.name) / name
        if ".." in (*folders, name) or source.is_dir() or source == target:
            raise RefusedImageError("path", f"{member.name} -> {member.linkname}")
        remove(target)
        os.link(source, target, follow_symlinks=False)

    def write(self, layer: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
        """Write a file as long as the byte limit permits."""
        source: IO[bytes] | None = layer.extractfile(member)
        assert source is not None
        with target.open("xb") as copy:
            while chunk := source.read(CHUNK):
                self.bytes_left -= len(chunk)
                if self.bytes_left < 0:
                    raise RefusedImageError("large", member.name)
                copy.write(chunk)
        target.chmod(0o755 if member.mode & 0o111 else 0o644)

    def folder(self, parts: list[str], named: str) -> Path:
        """Return the folder at ``parts`` inside the image, created if missing."""
        place, waiting, hops = self.root, parts[::-1], 0
        while waiting:
            part = waiting.pop()
            inner = place / part
            if part == "..":
                place = place if place == self.root else place.parent
            elif inner.is_symlink():
                hops += 1
                leads = str(inner.readlink())
                waiting += [one for one in leads.split("/")[::-1] if one not in ("", ".")]
                place = self.root if leads.startswith("/") else place
                if hops > MOST_HOPS:
                    raise RefusedImageError("path", named)
            elif inner.exists() and not inner.is_dir():
                raise RefusedImageError("path", named)
            else:
                inner.mkdir(exist_ok=True)
                place = inner
        return place

    def note(self, target: Path) -> None:
        """Note what this layer has extracted, with its parent folders."""
        while target != self.root:
            self.of_layer.add(target)
            target = target.parent


def remove(place: Path) -> None:
    """Remove ``place``, if there is anything."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


REFUSED = RefusedImageError
