"""Environments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Environment:
    """An installed, read-only folder of packages; ``digest`` names its content and the lock it was made from."""

    digest: str
    path: Path
    packages: tuple[str, ...] = ()

    def verify(self) -> None:
        """Refuse a folder that is not what it was when it was built."""
