"""A guess about a dataset: about what, on which ground, how sure. The owner confirms or corrects it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pilotbase.documents.texts import Text


class Sure(StrEnum):
    """How sure a guess is."""

    CERTAIN = "certain"
    """All values say so, or a database declares it."""
    LIKELY = "likely"
    """The name says so and no value contradicts it."""
    UNSURE = "unsure"
    """A value is needed."""

    @property
    def said(self) -> Text:
        return Text(code=f"describe.sure.{self}")


@dataclass(frozen=True)
class Guess:
    """``part`` of a field or a record set, such as ``unit``; the document contains the guessed value."""

    part: str
    ground: Text
    sure: Sure
