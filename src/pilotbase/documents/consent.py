"""Consent 同意: one act of an agent in service, put before its principal, and what a person decided about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Document, Localized, Moment, Name
from pilotbase.documents.hashes import Digest
from pilotbase.documents.vocabulary import Vocabulary
from pilotbase.documents.world import ToolName, Word

Drawn = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""Drawn by chance, hex."""


class ConsentState(Vocabulary, domain="consent"):
    """What became of a consent; names: text ``consent.<value>``."""

    UNDECIDED = "undecided"
    GRANTED = "granted"
    DECLINED = "declined"


class ActConsent(Document, published=True):
    """A consent to exactly one act, once; decided by a person on a page of the base, never through the application."""

    document: Literal["act-consent/1"] = "act-consent/1"
    consent: Drawn
    service: Name
    dialogue: Drawn
    """The dialogue in which the act was tried; a consent is of use in no other."""
    version: Digest
    """Of the application that tried it."""
    act: Digest
    """Of tool and arguments, as the fence names them."""
    act_class: Word
    of: Name | None = None
    """Who consents, in the world's words; None: the user."""
    tool: ToolName
    description: Localized | str = ""
    """Of the tool, as it was certified."""
    arguments: dict[str, Any] = pydantic.Field(default_factory=dict)
    reversible: bool = True
    asked_at: Moment
    expires_at: Moment
    """Until then it can be decided, and the act carried out."""
    decided: ConsentState = ConsentState.UNDECIDED
    decided_by: str | None = None
    """The person, by the identifier that the base's log uses."""
    decided_at: Moment | None = None

    def allows(self, now: datetime) -> bool:
        """Return whether the act may be carried out at ``now``."""
        return self.decided is ConsentState.GRANTED and now < self.expires_at

    def waits(self, now: datetime) -> bool:
        """Return whether it can still be decided at ``now``."""
        return self.decided is ConsentState.UNDECIDED and now < self.expires_at
