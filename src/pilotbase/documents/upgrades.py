"""The upgrade path of documents: one function a version step, from plain JSON value to plain JSON value."""

from __future__ import annotations

from collections.abc import Callable

from pilotbase.documents.base import Document
from pilotbase.documents.yaml_reader import Plain

Upgrade = Callable[[dict[str, Plain]], dict[str, Plain]]

UPGRADES: dict[str, Upgrade] = {}
"""``scenario/1`` → the function that makes a ``scenario/2`` of it. All kinds are at version 1 today."""


def current_version(model: type[Document]) -> str:
    """Return kind and version that the software writes, such as ``scenario/1``."""
    return str(model.model_fields["document"].default)


def upgrade(value: dict[str, Plain], upgrades: dict[str, Upgrade] | None = None) -> dict[str, Plain]:
    """Return ``value`` brought to the newest version, one step at a time; unknown versions come back as they are."""
    steps = UPGRADES if upgrades is None else upgrades
    while (version := str(value.get("document"))) in steps:
        value = steps[version](dict(value))
    return value
