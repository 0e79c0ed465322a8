"""Addresses of static files with a mark of their content: after an upgrade every page asks for the new ones at once."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage


class MarkedStorage(StaticFilesStorage):
    """Static files as packages bring them; nothing is collected, so the mark follows the address."""

    def url(self, name: str | None) -> str:
        """Return ``/static/hub/hub.css?v=…``."""
        address: str = super().url(name)
        mark = _mark(name) if name else ""
        return f"{address}?v={mark}" if mark else address


@cache
def _mark(name: str) -> str:
    """Return a few letters of the digest of a file; files change with the version of the software only."""
    found = finders.find(name)
    return hashlib.sha256(Path(str(found)).read_bytes()).hexdigest()[:12] if found else ""
