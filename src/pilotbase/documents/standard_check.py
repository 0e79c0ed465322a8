"""Record of a check 检查记录 that the software made of files or answers: what was looked at, how, what came of it."""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Moment, Name, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.standard_use import EvidenceDocument
from pilotbase.documents.texts import Text

Medium = Literal["text", "image", "audio", "video", "unknown"]
LabelState = Literal["present", "malformed", "absent", "not_measured", "unreadable"]


class CheckedFile(Part):
    """One file, and whether it says that it was generated: to people (explicit) and to machines (implicit)."""

    name: str = pydantic.Field(max_length=1000)
    digest: Digest
    medium: Medium
    explicit: LabelState
    implicit: LabelState
    lacking: tuple[str, ...] = ()
    """Fields that the implicit label has not; their names are only remembered."""
    why: tuple[Text, ...] = ()
    """What is wrong or could not be told."""


class StandardCheck(Document):
    """A check's record; its digest stands in the evidence that names it."""

    document: Literal["standard-check/1"] = "standard-check/1"
    kind: Name
    """The kind of evidence that it is: ``label-check``, ``keyword-check``, ``spot-check``."""
    sample: int = pydantic.Field(ge=0)
    passed: int = pydantic.Field(ge=0)
    method: str = pydantic.Field(max_length=200)
    """Name and version of the way in which it was looked."""
    subject: Digest | None = None
    """Digest of what was checked where that is one file, such as a table of answers."""
    against: Digest | None = None
    """Digest of what it was held against, such as a list of keywords."""
    words: int | None = pydantic.Field(default=None, ge=0)
    """Keywords in the list."""
    reviewers: tuple[str, ...] = ()
    agreement: float | None = None
    """Cohen's kappa of the two reviewers, before anything was settled."""
    files: tuple[CheckedFile, ...] = pydantic.Field(default=(), max_length=100_000)
    made_at: Moment
    software: str

    def as_evidence(self) -> tuple[EvidenceDocument, ...]:
        """Return the evidence that this record is: of a search for keywords also how long the list was."""
        reference, digest = f"standard-check {self.made_at.date().isoformat()}", self.digest()
        found = EvidenceDocument(
            kind=self.kind,
            reference=reference,
            sample=self.sample or None,
            passed=self.passed,
            reviewers=self.reviewers,
            record=digest,
        )
        if not self.words:
            return (found,)
        return found, EvidenceDocument(kind="keyword-list", reference=reference, sample=self.words, record=digest)
