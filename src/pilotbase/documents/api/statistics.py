"""Private statistics over the API: questions, their cost and their answers. ε is given in whole millionths."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import pydantic

from pilotbase.documents.api.shapes import RequestModel, ResponseModel
from pilotbase.documents.hashes import Digest
from pilotbase.documents.private import MOST_CONTRIBUTIONS, DateRange, Epsilon, LeftOut, PrivacyTest, PrivateProfile


class NewStatistics(RequestModel):
    """A question about a closed dataset."""

    epsilon: Epsilon
    record_set: Annotated[str, pydantic.StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] = ""
    """Empty: the first one whose table the base keeps."""
    rows: int = pydantic.Field(0, ge=0, le=1_000_000)
    """0: a profile; otherwise a synthetic sample of this many records."""
    cell_size: int | None = pydantic.Field(None, ge=1, le=10**9)
    """None: as the terms require."""
    at_most: int = pydantic.Field(1, ge=1, le=MOST_CONTRIBUTIONS)
    dates: list[DateRange] = pydantic.Field(default_factory=list, max_length=20)
    """Fields of times that are counted by month or year, with their ends."""
    name: Annotated[str, pydantic.StringConstraints(max_length=100, pattern=r"^[^\x00]*$")] = ""
    """Set to another value to draw again; each drawing is paid for."""


class BudgetTold(ResponseModel):
    """How much ε an organisation has spent on a dataset, and how much it may spend in all."""

    organisation: str
    spent: int
    limit: int | None
    """0: none of its terms currently allow spending. None: no limit, for the owner."""
    left: int | None


class PriceTold(ResponseModel):
    """What a question would cost, and how far from the truth its answers would be; an estimate spends nothing."""

    record_set: str
    epsilon: int
    cell_size: int
    budget: BudgetTold
    left_after: int | None
    """None: no limit. Negative: the question costs more than is left."""
    paid: bool
    """Whether this exact question was asked before; if so, it isn't paid for again."""
    permitted: bool
    reason: str | None
    """Why the terms do not permit it."""
    fields: list[str]
    left_out: list[LeftOut]
    rows_error: int
    """With 95 % probability the number of rows is within this distance of the true one; likewise for the others."""
    field_error: int
    pair_error: int | None


class StatisticsTold(ResponseModel):
    """A question and the progress of its answer."""

    identity: str
    dataset: str
    record_set: str
    organisation: str
    epsilon: int
    cell_size: int
    rows: int
    """Records in the synthetic sample; 0 for a profile."""
    asked_at: datetime
    state: str
    reason: str | None
    """Why it failed."""
    profile: Digest | None
    sample: str | None
    """Name of the archive with the synthetic sample, once it exists."""


class StatisticsAnswer(StatisticsTold):
    """A question with its answer."""

    document: PrivateProfile | None
    privacy_test: PrivacyTest | None
    """For the dataset's owner only: its figures are computed without noise."""


class StatisticsPage(ResponseModel):
    """The budgets and questions that the caller may see, newest first."""

    budgets: list[BudgetTold]
    items: list[StatisticsTold]
