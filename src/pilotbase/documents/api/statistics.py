"""Private statistics over the API: what is asked, what it costs, what was answered. ε is told in whole millionths."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import pydantic

from pilotbase.documents.api.shapes import RequestModel, ResponseModel
from pilotbase.documents.hashes import Digest
from pilotbase.documents.private import MOST_CONTRIBUTIONS, DateRange, Epsilon, LeftOut, PrivacyTest, PrivateProfile


class NewStatistics(RequestModel):
    """What somebody wants to be told of a closed dataset."""

    epsilon: Epsilon
    record_set: Annotated[str, pydantic.StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] = ""
    """Empty: the first one of which the base keeps the table."""
    rows: int = pydantic.Field(0, ge=0, le=1_000_000)
    """0: a profile; else a synthetic sample of so many records."""
    cell_size: int | None = pydantic.Field(None, ge=1, le=10**9)
    """None: as the terms ask."""
    at_most: int = pydantic.Field(1, ge=1, le=MOST_CONTRIBUTIONS)
    dates: list[DateRange] = pydantic.Field(default_factory=list, max_length=20)
    """Fields of times that are counted by month or year, with their ends."""
    name: Annotated[str, pydantic.StringConstraints(max_length=100, pattern=r"^[^\x00]*$")] = ""
    """Tells a further drawing, which is paid for again."""


class BudgetTold(ResponseModel):
    """How much of ε an organisation has spent on a dataset, and may spend in all."""

    organisation: str
    spent: int
    limit: int | None
    """0: no terms of it let it spend anything now. None: no limit, for the owner."""
    left: int | None


class PriceTold(ResponseModel):
    """What a question would cost, and how far from the truth its answers would be; nothing is spent by asking."""

    record_set: str
    epsilon: int
    cell_size: int
    budget: BudgetTold
    left_after: int | None
    """None: there is no limit. Less than 0: more is asked than is left."""
    paid: bool
    """Whether this very question was asked before: it is not paid for again."""
    permitted: bool
    reason: str | None
    """Why the terms do not permit it."""
    fields: list[str]
    left_out: list[LeftOut]
    rows_error: int
    """With 95 % probability the number of rows is no further from the true one; so for the others."""
    field_error: int
    pair_error: int | None


class StatisticsTold(ResponseModel):
    """A question that was asked, and how far its answer is."""

    identity: str
    dataset: str
    record_set: str
    organisation: str
    epsilon: int
    cell_size: int
    rows: int
    """Of the synthetic sample; 0: a profile was asked for."""
    asked_at: datetime
    state: str
    reason: str | None
    """Why it failed."""
    profile: Digest | None
    sample: str | None
    """Name of the archive with the synthetic sample, once it stands."""
    tested: bool
    """That the sample has passed its privacy test; one that has not is not kept."""


class StatisticsAnswer(StatisticsTold):
    """A question with its answer."""

    document: PrivateProfile | None
    privacy_test: PrivacyTest | None
    """For the owner of the dataset alone: its figures are computed without noise."""


class StatisticsPage(ResponseModel):
    """The budgets that the caller may know, and the questions that the caller sees, newest first."""

    budgets: list[BudgetTold]
    items: list[StatisticsTold]
