"""What an extra of Pilotbase brings, told by its packages: our own name may be anybody's on an index."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires

DISTRIBUTION = "pilotbase"


def packages_of(extra: str, distribution: str = DISTRIBUTION) -> str:
    """Return what ``extra`` installs, quoted for a shell: ``'scikit-learn>=1.6' 'skops>=0.11'``.

    Read from the installed metadata, so that pyproject.toml stays the one place that names versions.

    In a box, where that metadata is not, it is the extra's name.

    Raises:
        KeyError: there is no such extra.
    """
    try:
        requirements = requires(distribution) or ()
    except PackageNotFoundError:
        return extra
    found = [name for name, marker in map(_parted, requirements) if marker == f"extra == '{extra}'"]
    if not found:
        raise KeyError(extra)
    return " ".join(f"'{name}'" for name in found)


def _parted(requirement: str) -> tuple[str, str]:
    name, _, marker = requirement.partition(";")
    return name.strip(), marker.strip().replace('"', "'")
