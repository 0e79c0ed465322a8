"""Private statistics 隐私统计: what may be told of a dataset that nobody may take, under differential privacy.

Every count that is released has noise of a discrete Laplace distribution; what a unit (a record, or all records of one
group) can change of it is bounded, and so is what anybody learns of that unit: exp(ε) for all of it together. ε is
counted in millionths. What else stands here is computed from the noisy counts, and costs nothing further.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import pydantic
from pydantic import model_validator

from pilotbase.documents.base import Document, Name, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.quality import Cell
from pilotbase.documents.subjects import Subject
from pilotbase.documents.terms import MILLIONTHS
from pilotbase.documents.texts import Text

Epsilon = Annotated[int, pydantic.Field(ge=1, le=100 * MILLIONTHS)]
"""Millionths of ε."""
Calendar = Annotated[str, pydantic.StringConstraints(pattern=r"^\d{4}(-(0[1-9]|1[0-2]))?$")]
"""A month (``2026-05``) or a year."""
MOST_BUCKETS = 64
"""Months or years of one field that are counted."""
MOST_CONTRIBUTIONS = 1000
"""Records of one group that may be counted."""


class PrivacyUnit(Part):
    """What is protected: whether or not it is in the data, about the same comes out."""

    kind: Literal["record", "group"]
    column: str | None = None
    """The group's field; none: each record is a unit."""
    at_most: int = pydantic.Field(default=1, alias="atMost", ge=1, le=MOST_CONTRIBUTIONS)
    """Records of a unit that are counted; of larger groups some are left out."""


class DateRange(Part):
    """Between which months, or years, times of a field are counted: said by who asks, never learnt from the data."""

    field: str = pydantic.Field(min_length=1, max_length=200)
    first: Calendar
    last: Calendar
    """The last month or year that is counted; both are months, or both years."""

    @property
    def months(self) -> int:
        """Return how many months one count is of: 1 or 12."""
        return 1 if "-" in self.first else 12

    @property
    def buckets(self) -> range:
        """Return the numbers of its months or years, counted from the year 0."""
        return range(_number(self.first), _number(self.last) + 1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        alike = len(self.first) == len(self.last)
        if not alike or not 0 < len(self.buckets) <= MOST_BUCKETS:
            raise InputError("private.date_range", first=self.first, last=self.last, limit=MOST_BUCKETS)
        return self


def _number(spelled: str) -> int:
    year, _, month = spelled.partition("-")
    return int(year) * 12 + int(month) - 1 if month else int(year)


class PrivateQuestion(Part):
    """Everything that decides what comes out, the noise apart. Its digest names the use: asked again, it is found."""

    dataset: Subject
    version: Digest
    """Digest of the description whose contract gives ranges and categories."""
    record_set: str = pydantic.Field(alias="recordSet")
    by: Name
    """The organisation whose budget pays."""
    epsilon: Epsilon
    cell_size: int = pydantic.Field(alias="cellSize", ge=1, le=10**9)
    at_most: int = pydantic.Field(default=1, alias="atMost", ge=1, le=MOST_CONTRIBUTIONS)
    dates: tuple[DateRange, ...] | None = pydantic.Field(default=None, min_length=1, max_length=20)
    """Fields of times that are counted by month or year; None, and left out of the digest: none."""
    holdout: bool = False
    """That a fifth of the units is left out, for the privacy test of a synthetic sample."""
    name: str = pydantic.Field(default="", max_length=100)
    """Tells a further drawing, which is paid for again, from the same one asked for again."""


class Noise(Part):
    """What was spent on a part of the profile, and what that does to its figures."""

    epsilon: Epsilon
    sensitivity: int = pydantic.Field(ge=1)
    """By how much one unit changes all figures of this part together (L1)."""
    error: int = pydantic.Field(ge=0)
    """With 95 % probability a figure is no further than this from the true one."""


class PrivateCell(Part):
    """A category that the contract declares, or values from ``low`` up to ``high``, and how often they stand there."""

    value: str | None = None
    low: float | None = None
    high: float | None = None
    count: Cell = None
    """With noise; None: suppressed, since fewer than the smallest cell."""


class PrivateQuantile(Part):
    """The value below which a share of the values lies, read off the released counts."""

    share: float
    value: float


class PrivateMean(Part):
    """The mean of values that were clamped into the declared range."""

    value: float | None = None
    """None: too few rows to tell."""
    error: float | None = None
    """With 95 % probability it is no further from the true mean of the clamped values."""
    noise: Noise


class PrivateField(Part):
    """Counts of a field over what the contract declares."""

    field: str
    data_type: str = pydantic.Field(alias="dataType")
    label: bool = False
    cells: tuple[PrivateCell, ...]
    outside: Cell = None
    """Values that the contract does not declare."""
    missing: Cell = None
    """Rows without a value of the field's type."""
    merged: int = pydantic.Field(default=1, ge=1)
    """So many neighbouring cells are one where two fields are counted together."""
    noise: Noise
    mean: PrivateMean | None = None
    quantiles: tuple[PrivateQuantile, ...] = ()


class PrivatePair(Part):
    """How often values of two fields stand together: one row a (merged) cell of ``first``, one column of ``second``.

    The last column: ``second`` has no declared value there.
    """

    first: str
    second: str
    counts: tuple[tuple[Cell, ...], ...]
    noise: Noise


class LeftOut(Part):
    """A field of which nothing is told, and why."""

    field: str
    reason: Text


class PrivateProfile(Document):
    """What was released of one record set."""

    document: Literal["private-profile/1"] = "private-profile/1"
    question: PrivateQuestion
    request: Digest
    """Digest of the question: the name of the use in the ledger."""
    mechanism: str
    """Name and version of what draws the noise."""
    unit: PrivacyUnit
    neighbours: Literal["add_or_remove_one_unit"] = "add_or_remove_one_unit"
    rows: Cell = None
    rows_noise: Noise = pydantic.Field(alias="rowsNoise")
    fields: tuple[PrivateField, ...]
    pairs: tuple[PrivatePair, ...] = ()
    left_out: tuple[LeftOut, ...] = pydantic.Field(default=(), alias="leftOut")
    suppressed: int = pydantic.Field(ge=0)
    """Counts that are not told."""

    @property
    def noises(self) -> tuple[Noise, ...]:
        """What was spent on each part."""
        means = (one.mean.noise for one in self.fields if one.mean is not None)
        return (self.rows_noise, *(one.noise for one in self.fields), *means, *(one.noise for one in self.pairs))

    def field(self, name: str) -> PrivateField:
        """Return what is told of a field; raises `KeyError`."""
        return {one.field: one for one in self.fields}[name]

    @model_validator(mode="after")
    def _composed(self) -> Self:
        spent = sum(one.epsilon for one in self.noises)
        if spent > self.question.epsilon:
            raise InputError("private.overspent", spent=spent, epsilon=self.question.epsilon)
        return self


class NearShare(Part):
    """Which share of ``compared`` lies on the side of the training part, with its interval at 95 %."""

    compared: int = pydantic.Field(ge=0)
    share: float
    lower: float
    upper: float

    @property
    def passed(self) -> bool:
        """Tell whether nothing says that more than half do."""
        return self.lower <= 0.5


class PrivacyTest(Document):
    """Whether synthetic records are nearer to those that the profile was made of than to others of the same source.

    For the owner: its figures are computed from the records themselves, without noise.
    """

    document: Literal["privacy-test/1"] = "privacy-test/1"
    profile: Digest
    rows: int = pydantic.Field(ge=0)
    training: int = pydantic.Field(ge=0)
    """Records compared with on either side."""
    holdout: int = pydantic.Field(ge=0)
    nearest: NearShare
    """Synthetic records whose closest record is of the training part."""
    copies: NearShare
    """Of records that stand alone in their part and are equal to a synthetic one: those of the training part."""
    copies_in_all: int = pydantic.Field(ge=0)
    """Synthetic records equal to one that stands alone in the whole training part."""

    @property
    def passed(self) -> bool:
        return self.nearest.passed and self.copies.passed
