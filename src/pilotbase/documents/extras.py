"""What an extra of Pilotbase installs, as a list of packages: our own name on an index may belong to anyone."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires

DISTRIBUTION = "pilotbase"


def packages_of(extra: str, distribution: str = DISTRIBUTION) -> str:
    """Return what ``extra`` installs, quoted for a shell: ``'scikit-learn>=1.6' 'skops>=0.11'``.

    It reads the installed metadata, so that only pyproject.toml names versions.

    In a box, which has no such metadata, it returns the extra's name.

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
