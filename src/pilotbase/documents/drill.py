"""Drill 演练: a red warning that is none, to measure how soon the base acts."""

from __future__ import annotations

from typing import Literal

from pilotbase.documents.base import Document, Moment, Name


class Drill(Document):
    """A drill of a service: what its runbook says of a red risk warning is decided, and timed."""

    document: Literal["drill/1"] = "drill/1"
    service: Name
    for_real: bool = False
    """Whether the service is moved, which a person undoes; otherwise it is only said what would be done."""
    at: Moment
