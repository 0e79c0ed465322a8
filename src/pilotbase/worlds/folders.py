"""The worlds that come with the base, written out as folders. Each gets the kit, so that its digest covers that too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.world import WORLD_MANIFEST

_HERE = Path(__file__).parent
STARTER = "starter"
"""The smallest world: what a new one begins as."""
WORLDS = (STARTER, "office", "control_room", "driving")
"""Names of the worlds that come with the base."""
BRIDGES: Mapping[str, tuple[str, str]] = {
    f"agentdojo_{suite}": ("agentdojo", suite) for suite in ("banking", "slack", "travel", "workspace")
}
"""Worlds of packages: name → folder of the program that plays them, and what it calls the world.

Their tools and tasks are the package's, so only the program knows their manifest.
"""
SEALED = "sealed"
"""The folder in a world's folder whose templates and phrases no practice copy has."""
_KIT = Path("pilotbase", "worlds", "kit.py")
"""Where the kit lies in a world's folder: imported by the same name as with the base installed."""


def write_world(name: str, folder: Path, manifest: str | None = None) -> tuple[Path, ...]:
    """Write the world ``name`` into ``folder``; return the files written.

    ``manifest``: of a world of a package, which is written without one else.

    Raises:
        InputError: no such world comes with the base, or ``folder`` exists and is not empty.
    """
    if name not in WORLDS and name not in BRIDGES:
        raise InputError("worlds.not_known", found=name, allowed=offer(name, (*WORLDS, *BRIDGES)))
    if folder.exists() and any(folder.iterdir()):
        raise InputError("catalogue.folder_not_empty", folder=folder)
    source = _HERE / (BRIDGES[name][0] if name in BRIDGES else name)
    files = {path.relative_to(source): path for path in sorted(source.rglob("*")) if _belongs(path)}
    contents = {target: file.read_bytes() for target, file in {**files, _KIT: _HERE / _KIT.name}.items()}
    if manifest is not None:
        contents[Path(WORLD_MANIFEST)] = manifest.encode()
    for target, content in contents.items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        (folder / target).write_bytes(content)
    return tuple(folder / target for target in contents)


def _belongs(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts
