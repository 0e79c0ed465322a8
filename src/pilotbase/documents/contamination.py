"""Contamination 污染: what a scenario asks of a language model, to find out whether it has met the cases."""

from __future__ import annotations

import pydantic

from pilotbase.documents.base import Part


class Contamination(Part):
    """An endpoint that is asked in words gets the first half of cases of the public sample, once it has answered all.

    What comes back word for word it knew. A column of the same cases in other words, which it cannot have met, tells
    standing phrases from memory; its first halves are sent, too.
    """

    column: str = pydantic.Field(min_length=1, max_length=200)
    """Of texts that applications are given."""
    control: str | None = pydantic.Field(default=None, min_length=1, max_length=200)
    """Of the same cases in other words."""
    most: int = pydantic.Field(default=100, ge=1, le=10_000)
    """So many cases at most are asked."""
