"""Agreement 数据合约: an offer that an organisation has taken up, on a dataset at a version (``odrl:Agreement``).

The offer is a copy: what was agreed does not change with what the owner offers others later. It covers later versions
of the dataset with the same first number, which keep its form and meaning; a new first number requires a new agreement.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

import pydantic
from pydantic import model_validator

from pilotbase.documents.base import Day, Document, Name, Note
from pilotbase.documents.dataset import Version
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.moments import format_day, has_passed
from pilotbase.documents.subjects import Subject
from pilotbase.documents.terms import Offer, Word


class Agreement(Document, published=True):
    """Who may do what with which dataset at which version, for what, from when to when."""

    document: Literal["agreement/1"] = "agreement/1"
    dataset: Subject
    dataset_version: Digest
    """Digest of the description that was agreed on."""
    version: Version
    """The version that the description describes."""
    assigner: Name
    """The dataset's owner."""
    assignee: Name
    """The organisation that takes up the offer."""
    offer: Offer
    purposes: tuple[Word, ...] = pydantic.Field(min_length=1, max_length=20)
    """What the assignee uses the dataset for; nothing else is permitted."""
    begins: Day | None = None
    """The first day on which it is valid; None: the day on which it is agreed."""
    ends: Day | None = None
    """The last day on which it is valid; None: valid until revoked."""
    note: Note = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.offer.target, self.offer.assigner) != (self.dataset, self.assigner):
            raise InputError("terms.foreign_offer", dataset=self.dataset, found=self.offer.target)
        if self.assigner == self.assignee:
            raise InputError("terms.with_oneself", organisation=self.assigner)
        if self.begins is not None and self.ends is not None and self.begins > self.ends:
            raise InputError("terms.ends_before", begins=self.begins, ends=self.ends)
        return self

    def covers(self, version: str) -> bool:
        """Return whether a dataset version is the agreed one, or a later one that keeps its form."""
        agreed, asked = _numbers(self.version), _numbers(version)
        return agreed[0] == asked[0] and agreed <= asked

    def has_begun(self, now: datetime) -> bool:
        """Return whether its first day has come."""
        return self.begins is None or format_day(now) >= self.begins

    def is_over(self, now: datetime) -> bool:
        """Return whether its last day is over."""
        return self.ends is not None and has_passed(self.ends, now)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
