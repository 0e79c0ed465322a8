"""Our packages, as the tests that look at all of our code see them: the core, and the plug-ins of this repository."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = (ROOT / "src" / "pilotbase", ROOT / "estate" / "pilotbase_estate")


def files(pattern: str) -> Iterator[tuple[str, Path]]:
    """Yield each file that matches, under its place in its package, such as ``vault/readers.py``."""
    for package in PACKAGES:
        yield from ((path.relative_to(package).as_posix(), path) for path in sorted(package.rglob(pattern)))
