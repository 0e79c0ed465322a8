"""Organisation: who acts on a base."""

from __future__ import annotations

from typing import Literal

from pilotbase.documents.base import Document, Localized, Name
from pilotbase.documents.subjects import organisation_subject
from pilotbase.documents.vocabularies import Role


class Organisation(Document, published=True):
    """An organisation and the roles it may act in."""

    document: Literal["organisation/1"] = "organisation/1"
    name: Name
    title: Localized | str
    roles: tuple[Role, ...]
    contact: str = ""
    related: tuple[Name, ...] = ()
    """Organisations with ownership ties, declared and printed on certificates."""

    @property
    def subject(self) -> str:
        """The organisation's name across all its versions."""
        return organisation_subject(self.name)
