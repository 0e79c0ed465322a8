"""Compute job 算力作业: what somebody requests from a pool, and for how long at most; its estimate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import pydantic
from pydantic import Field, StringConstraints

from pilotbase.documents.base import Document, Moment, Name, Part
from pilotbase.documents.estimate import Amount, Ceiling, Span, exceeds, format_price, format_time
from pilotbase.documents.prices import Currency, Money, format_money
from pilotbase.documents.quantities import Duration, format_span
from pilotbase.documents.texts import Text, text
from pilotbase_estate.documents.pool import Labels
from pilotbase_estate.documents.resources import Demand, Vector, plus
from pilotbase_estate.documents.vocabularies import JobKind

MOST_MEMBERS = 10_000


class ComputeJob(Document, published=True):
    """One job. All its members start together, or none does."""

    document: Literal["compute_job/1"] = "compute_job/1"
    name: Name
    """Names the job in its pool."""
    pool: Name
    organisation: Name
    """Whose quota it uses."""
    person: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    kind: JobKind = JobKind.OTHER
    demand: Demand
    """What each member requests."""
    members: int = pydantic.Field(default=1, ge=1, le=MOST_MEMBERS)
    """Size of the gang."""
    labels: Labels = pydantic.Field(default={})
    """Labels that a machine must carry."""
    priority: int = pydantic.Field(default=0, ge=-100, le=100)
    """Higher goes first, among the jobs of its organisation only."""
    max_seconds: Duration = pydantic.Field(gt=0)
    """After this time it is ended."""
    preemptible: bool = True
    """Whether it may be evicted and start again; a job that may not is never run on borrowed resources."""
    submitted: Moment

    @property
    def total(self) -> Vector:
        """What all its members request together."""
        return plus({}, self.demand.vector, self.members)


class JobEstimate(Part):
    """What a job takes and costs, shown before it is handed in."""

    most_seconds: Amount
    """By the clock; the job is ended then."""
    most_money: Money | None = None
    """In whole hundredths of ``currency``; None: its pool has no prices."""
    runs: int = Field(ge=0)
    """How many earlier runs of its program are known."""
    wall: Span | None = None
    """The estimate for the next run, in seconds; None: there are no earlier runs."""
    money: Span | None = None
    currency: Currency = "CNY"
    rates: Mapping[str, Money] = {}
    """Dimension requested → price in hundredths, in the units of `PriceList`; a dimension that is not named is free."""

    def above(self, ceiling: Ceiling) -> bool:
        """Return whether it may exceed a limit: by earlier runs if there are any, otherwise at the most."""
        seconds = self.most_seconds if self.wall is None else self.wall.high
        return exceeds(ceiling, seconds, self.most_money if self.money is None else self.money.high, self.currency)

    def said(self) -> Text:
        """Return it in a sentence."""
        price = [] if self.most_money is None else [format_money(self.most_money, self.currency)]
        most = "; ".join([format_span(self.most_seconds), *price])
        if self.wall is None:
            return text("estimate.job_most", most=most)
        costs = [] if self.money is None else [format_price(self.money, self.currency)]
        earlier = "; ".join([format_time(self.wall), *costs])
        return text("estimate.job_earlier", most=most, runs=self.runs, earlier=earlier)
