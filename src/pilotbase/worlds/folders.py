"""The worlds that come with the base, written out as folders. Each gets the kit, so that its digest covers that too."""

from __future__ import annotations

from pathlib import Path

from pilotbase.documents.errors import InputError
from pilotbase.documents.nearest import offer

_HERE = Path(__file__).parent
STARTER = "starter"
"""The smallest world: what a new one begins as."""
WORLDS = (STARTER, "office", "control_room")
"""Names of the worlds that come with the base."""
SEALED = "sealed"
"""The folder in a world's folder whose templates and phrases no practice copy has."""
_KIT = Path("pilotbase", "worlds", "kit.py")
"""Where the kit lies in a world's folder: imported by the same name as with the base installed."""


def write_world(name: str, folder: Path) -> tuple[Path, ...]:
    """Write the world ``name`` into ``folder``; return the files written.

    Raises:
        InputError: no such world comes with the base, or ``folder`` exists and is not empty.
    """
    if name not in WORLDS:
        raise InputError("worlds.not_known", found=name, allowed=offer(name, WORLDS))
    if folder.exists() and any(folder.iterdir()):
        raise InputError("catalogue.folder_not_empty", folder=folder)
    source = _HERE / name
    files = {path.relative_to(source): path for path in sorted(source.rglob("*")) if _belongs(path)}
    for target, file in {**files, _KIT: _HERE / _KIT.name}.items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        (folder / target).write_bytes(file.read_bytes())
    return tuple(folder / target for target in (*files, _KIT))


def _belongs(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts
