"""Private statistics 隐私统计: what may be released about a closed dataset, under differential privacy.

Every count that is released has noise of a discrete Laplace distribution; what a unit (a record, or all records of one
group) can change of it is bounded, and so is what anyone learns about that unit: exp(ε) for all of it together. ε is
counted in millionths. Everything else is computed from the noisy counts and costs nothing more.
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
"""Maximum months or years counted for one field."""
MOST_CONTRIBUTIONS = 1000
"""Maximum records counted for one group."""


class PrivacyUnit(Part):
    """What is protected: results are about the same whether or not it is in the data."""

    kind: Literal["record", "group"]
    column: str | None = None
    """The group's field; None: each record is a unit."""
    at_most: int = pydantic.Field(default=1, alias="atMost", ge=1, le=MOST_CONTRIBUTIONS)
    """Maximum records counted per unit; larger groups are cut."""


class DateRange(Part):
    """The months or years between which times of a field are counted: given by the caller, never read from the data."""

    field: str = pydantic.Field(min_length=1, max_length=200)
    first: Calendar
    last: Calendar
    """The last month or year counted; both ends are months, or both years."""

    @property
    def months(self) -> int:
        """Return how many months one count covers: 1 or 12."""
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
    """Everything that determines the result, except the noise. Its digest identifies the use of a repeated question."""

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
    """Whether a fifth of the units is left out, for the privacy test of a synthetic sample."""
    name: str = pydantic.Field(default="", max_length=100)
    """Distinguishes a further drawing, which is paid for again, from a repeated request for the same one."""


class Noise(Part):
    """What was spent on a part of the profile, and the resulting error of its figures."""

    epsilon: Epsilon
    sensitivity: int = pydantic.Field(ge=1)
    """How much one unit can change all figures of this part together (L1)."""
    error: int = pydantic.Field(ge=0)
    """With 95 % probability a figure is within this distance of the true one."""


class PrivateCell(Part):
    """A category declared in the contract, or values from ``low`` up to ``high``, with its count."""

    value: str | None = None
    low: float | None = None
    high: float | None = None
    count: Cell = None
    """With noise; None: suppressed, because it is below the smallest cell."""


class PrivateQuantile(Part):
    """The value below which this share of values falls, derived from the released counts."""

    share: float
    value: float


class PrivateMean(Part):
    """The mean of values clamped to the declared range."""

    value: float | None = None
    """None: too few rows."""
    error: float | None = None
    """With 95 % probability it is within this distance of the true mean of the clamped values."""
    noise: Noise


class PrivateField(Part):
    """Counts of a field over its declared values."""

    field: str
    data_type: str = pydantic.Field(alias="dataType")
    label: bool = False
    cells: tuple[PrivateCell, ...]
    outside: Cell = None
    """Values not declared in the contract."""
    missing: Cell = None
    """Rows without a value of the field's type."""
    merged: int = pydantic.Field(default=1, ge=1)
    """Number of neighbouring cells merged into one when two fields are counted together."""
    noise: Noise
    mean: PrivateMean | None = None
    quantiles: tuple[PrivateQuantile, ...] = ()


class PrivatePair(Part):
    """How often values of two fields occur together: one row per (merged) cell of ``first``, one column per cell of
    ``second``.

    In the last column, ``second`` has no declared value.
    """

    first: str
    second: str
    counts: tuple[tuple[Cell, ...], ...]
    noise: Noise


class LeftOut(Part):
    """A field that is left out, and why."""

    field: str
    reason: Text


class PrivateProfile(Document, published=True):
    """What was released about one record set."""

    document: Literal["private-profile/1"] = "private-profile/1"
    question: PrivateQuestion
    request: Digest
    """Digest of the question, which identifies the use in the ledger."""
    mechanism: str
    """Name and version of the noise generator."""
    unit: PrivacyUnit
    neighbours: Literal["add_or_remove_one_unit"] = "add_or_remove_one_unit"
    rows: Cell = None
    rows_noise: Noise = pydantic.Field(alias="rowsNoise")
    fields: tuple[PrivateField, ...]
    pairs: tuple[PrivatePair, ...] = ()
    left_out: tuple[LeftOut, ...] = pydantic.Field(default=(), alias="leftOut")
    suppressed: int = pydantic.Field(ge=0)
    """Number of suppressed counts."""

    @property
    def noises(self) -> tuple[Noise, ...]:
        """The budget spent on each part."""
        means = (one.mean.noise for one in self.fields if one.mean is not None)
        return (self.rows_noise, *(one.noise for one in self.fields), *means, *(one.noise for one in self.pairs))

    def field(self, name: str) -> PrivateField:
        """Return what is released about a field; raises `KeyError`."""
        return {one.field: one for one in self.fields}[name]

    @model_validator(mode="after")
    def _composed(self) -> Self:
        spent = sum(one.epsilon for one in self.noises)
        if spent > self.question.epsilon:
            raise InputError("private.overspent", spent=spent, epsilon=self.question.epsilon)
        return self


class NearShare(Part):
    """The share of ``compared`` on the side of the training part, with its interval at 95 %."""

    compared: int = pydantic.Field(ge=0)
    share: float
    lower: float
    upper: float

    @property
    def passed(self) -> bool:
        """Return whether there is no evidence that more than half are."""
        return self.lower <= 0.5


class PrivacyTest(Document, published=True):
    """Whether synthetic records are nearer to the profiled records than to others of the same source.

    For the owner only: its figures are computed from the records themselves, without noise, and decide nothing.
    """

    document: Literal["privacy-test/1"] = "privacy-test/1"
    profile: Digest
    rows: int = pydantic.Field(ge=0)
    training: int = pydantic.Field(ge=0)
    """Records that synthetic ones are compared with, on either side."""
    holdout: int = pydantic.Field(ge=0)
    nearest: NearShare
    """Synthetic records whose closest record is in the training part."""
    copies: NearShare
    """Among records that are unique in their part and equal to a synthetic one: those of the training part."""
    copies_in_all: int = pydantic.Field(ge=0)
    """Synthetic records equal to one that is unique in the whole training part."""

    @property
    def passed(self) -> bool:
        return self.nearest.passed and self.copies.passed
