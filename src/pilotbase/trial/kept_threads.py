"""What a kept application has said about its box, read once: its folder is named by its content, and never changes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pilotbase.catalogue.applications import read_application


@lru_cache(maxsize=256)
def threads_of(folder: Path) -> int:
    """Return the numerical threads that the application kept in ``folder`` has in its box.

    Raises as `read_application`.
    """
    return read_application(folder).application.resources.threads
