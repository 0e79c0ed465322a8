"""What stands in the addresses of routes that are still written by hand; it goes with the last of them."""

from __future__ import annotations

from ninja import Path

from pilotbase.documents.base import Name

Word = Path[Name]
