"""What a supplier's folder may hold, looked at without opening a file of it."""

from __future__ import annotations

from pathlib import Path


def check_folder(folder: Path) -> None:
    """Refuse links and special files."""
