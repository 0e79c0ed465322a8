"""Versions of a dataset: views for whoever sees them."""

from __future__ import annotations

from pilotbase.documents.base import Day, Part
from pilotbase.documents.dataset import Version
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Text


class DatasetVersion(Part):
    """One version of a dataset's description."""

    version: Version
    digest: Digest
    modified: Day | None = None
    rows: int
    """Of all its tables together; 0 where none says how many it has."""
    changed: tuple[Text, ...] = ()
    """What is other than in the version before, in sentences; none for the first."""
    new_form: bool = False
    """That its first number is another than that of the version before: agreements on earlier ones do not reach it."""
