"""The record of a sealed hidden set: everything about it that is not secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Moment, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.subjects import Subject


@dataclass(frozen=True)
class SealTerms:
    """The owner's settings for sealing hidden rows.

    ``alpha`` bounds the probability of any false certificate over all ``attempts`` on this hidden-set version.
    """

    scenario: Digest
    owner: str
    alpha: float
    attempts: int
    chunk_rows: int = 65_536
    dataset: str | None = None
    """Subject of the dataset that contains the rows."""
    attempts_before: int = 0
    suppliers: tuple[str, ...] | None = None
    """Among whom α is split equally, each with attempts of its own, in the order of their names; None: nobody."""


class Chunk(Part):
    """One encrypted piece, in order."""

    blob: Digest
    rows: int = pydantic.Field(ge=1)


class HiddenSet(Document):
    """A hidden-set version. Its rows are numbered from 0 in the order of sealing: a case is its row number."""

    document: Literal["hidden-set/1"] = "hidden-set/1"
    identity: str = pydantic.Field(pattern=r"^[0-9a-f]{32}$")
    scenario: Digest
    owner: str
    rows: int = pydantic.Field(ge=1)
    alpha: float = pydantic.Field(gt=0, lt=1)
    attempts: int = pydantic.Field(ge=1)
    attempts_before: int = pydantic.Field(default=0, ge=0)
    """Attempts on earlier sets that hold some of these cases: numbers, and with them α, go on from there."""
    chunks: tuple[Chunk, ...] = pydantic.Field(min_length=1)
    commitment: Digest
    """SHA-256(secret salt ‖ SHA-256 of each plaintext chunk): proves what was sealed, once it may be shown."""
    secret_commitment: Digest
    """SHA-256 of the master secret from which draws and orders are derived: the base cannot choose them afterwards."""
    sealed_at: Moment
    suppliers: tuple[str, ...] | None = None
    """The only suppliers admitted, if α is split among them."""
    dataset: Subject | None = None
    """The dataset that contains the rows: they open under its terms."""

    @property
    def named(self) -> list[str]:
        """Return the names under which the log mentions it: its own, and that of its dataset."""
        return [self.digest(), *([self.dataset] if self.dataset is not None else [])]
