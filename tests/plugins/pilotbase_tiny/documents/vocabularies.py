"""A kind of notice, and no vocabulary of its own."""

from __future__ import annotations

from enum import StrEnum

ADDED = {"NoticeKind": ("greeted",)}
VOCABULARIES: dict[str, type[StrEnum]] = {}
