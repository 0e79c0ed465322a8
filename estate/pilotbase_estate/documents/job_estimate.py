"""Estimate 预估 of a job: what it takes and costs, shown before it is handed in."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from pilotbase.documents.base import Part
from pilotbase.documents.estimate import Amount, Ceiling, Span, exceeds, format_price, format_time
from pilotbase.documents.prices import Currency, Money, format_money
from pilotbase.documents.quantities import format_span
from pilotbase.documents.texts import Text, text


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
