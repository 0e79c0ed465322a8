"""Container images: extracted once in a box, kept beside environments, named by their content.

An environment of an image has its files in ``root`` and the start of its program in ``start.json``; the digest covers
both. No daemon and no registry is involved: an image is a file of the supplier's folder, and its root is mounted into
our own box (decision 0042).
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_file, digest_json, hex_of
from pilotbase.documents.limits import IsolationLevel
from pilotbase.documents.texts import text
from pilotbase.sandbox.box import image_unpacker
from pilotbase.sandbox.box.box import Box, program_of
from pilotbase.sandbox.box.command import Mount
from pilotbase.sandbox.box.environments import (
    BUILD_LIMITS,
    MAX_FILES,
    Contents,
    Environment,
    ask_build,
    keep_environment,
)
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.box.trees import readable_folder

ROOT = "root"
START = "start.json"
MOST_BYTES = 8 << 30
"""Maximum size of an extracted image."""

_FORMAT = 1
_ARCHIVE, _TARGET = PurePosixPath("/archive"), PurePosixPath("/target")
_REFUSED = frozenset({"several", "no_image", "machine", "zstandard", "many", "path", "large", "sparse", "damaged"})
_PRELOADED = Path("etc", "ld.so.preload")


def image_environment(archive: Path, cache: Path, settings: BoxSettings | None = None) -> Environment:
    """Return the image in ``archive`` as an environment, extracted in a box if ``cache`` lacks it.

    ``archive``: the output of ``docker save`` or ``podman save``, a file of the supplier's folder.

    Raises:
        InputError: ``environment.image_refused``, with the problem.
        PilotbaseError: disk full, or the build failed on our side.
    """
    digest = digest_file(archive)

    def fill(tree: Path) -> Contents:
        (tree / ROOT).mkdir()
        start = _lay_out(archive, tree / ROOT, settings or BoxSettings())
        _require_plain(tree / ROOT)
        (tree / START).write_text(json.dumps(start))
        return Contents((), {"image": digest, "format": _FORMAT}, links=True)

    return keep_environment(cache, hex_of(digest_json({"format": _FORMAT, "image": digest})), fill)


def _lay_out(archive: Path, root: Path, settings: BoxSettings) -> Any:
    """Extract the image in a box of its own and return how its program is started."""
    if os.getuid() == 0:
        os.chown(root, settings.uid, settings.uid)
    limits = BUILD_LIMITS.model_copy(update={"file_bytes": MOST_BYTES})
    build = replace(settings, limits=limits, level=IsolationLevel.L2, logs=LogPolicy.FULL, removed=frozenset())
    greeting = {
        "archive": str(_ARCHIVE / archive.name),
        "target": str(_TARGET),
        "bytes": MOST_BYTES,
        "files": MAX_FILES,
    }
    with readable_folder(archive.parent) as folder:
        mounts = (Mount(folder, _ARCHIVE), Mount(root, _TARGET, writable=True))
        with Box(program_of(image_unpacker, mounts), build) as box:
            built, report = ask_build(box, greeting)
    if not built:
        kind = report["kind"]
        raise _refused(kind if kind in _REFUSED else "damaged", report["found"])
    return report


def _require_plain(root: Path) -> None:
    """Check from outside that no loader would read a library of the image before privileges are given up."""
    if (root / "etc").is_symlink() or os.path.lexists(root / _PRELOADED):
        raise _refused("path", str(_PRELOADED))


def _refused(kind: str, found: str) -> InputError:
    return InputError("environment.image_refused", reason=text(f"environment.image.{kind}", found=found))
