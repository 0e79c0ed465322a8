"""Reference profile 参考画像: how the inputs were distributed when an application was proven, column by column."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import pydantic
from pydantic import model_validator

from pilotbase.documents.base import Document, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest

Count = Annotated[int, pydantic.Field(ge=0)]


class NumericColumn(Part):
    """Counts of numbers between fixed edges: cell j holds edges[j-1] < x ≤ edges[j], the outer two take the rest."""

    kind: Literal["numeric"] = "numeric"
    edges: tuple[float, ...] = pydantic.Field(max_length=100)
    counts: tuple[Count, ...]
    missing: Count = 0
    unreadable: Count = 0
    """Entries that aren't numbers."""

    @model_validator(mode="after")
    def _edges_rise(self) -> Self:
        rising = all(low < high for low, high in zip(self.edges, self.edges[1:], strict=False))
        if not rising or len(self.counts) != len(self.edges) + 1:
            raise InputError("detector.profile_edges", edges=len(self.edges), counts=len(self.counts))
        return self

    @property
    def rows(self) -> int:
        return sum(self.counts) + self.missing + self.unreadable


class CategoryColumn(Part):
    """Counts of words; if there are many different ones, only the most frequent are named."""

    kind: Literal["category"] = "category"
    counts: dict[str, Count] = pydantic.Field(max_length=10_000)
    other: Count = 0
    """Rows of categories that are not named; if there are any, a new category can't be distinguished from them."""
    missing: Count = 0

    @property
    def rows(self) -> int:
        return sum(self.counts.values()) + self.other + self.missing


ProfiledColumn = Annotated[NumericColumn | CategoryColumn, pydantic.Field(discriminator="kind")]


class ReferenceProfile(Document, published=True):
    """What drift is measured against; made from a public sample, so it may be shown under that sample's terms."""

    document: Literal["reference-profile/1"] = "reference-profile/1"
    rows: int = pydantic.Field(ge=1)
    columns: dict[str, ProfiledColumn] = pydantic.Field(min_length=1, max_length=10_000)
    source: Digest | None = None
    """The dataset it was made from."""

    @model_validator(mode="after")
    def _every_row_in_every_column(self) -> Self:
        for name, column in self.columns.items():
            if column.rows != self.rows:
                raise InputError("detector.profile_rows", column=name, found=column.rows, rows=self.rows)
        return self
