"""What a job would take and cost, over the API, before its program is handed in."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.api.trials import SpanTold


class JobEstimateTold(ResponseModel):
    """What a job takes and costs: the most that it can, and what earlier runs of one's own say."""

    most_seconds: float
    """By the clock; it is ended then."""
    most_money: int | None
    """In hundredths of ``currency``; null: the pool has no prices."""
    rates: Mapping[str, int]
    """Dimension that is asked for → price in hundredths: per core-hour, GiB-hour, GPU-hour or licence-hour. What is not
    named costs nothing."""
    currency: str
    runs: int
    """So many earlier runs of one's own in this pool are known: of a program of the same name, the newest thirty."""
    seconds: SpanTold | None
    """What they say of the next one; null: there are none."""
    money: SpanTold | None
    limit: str
    """Above what consent is asked, as ``4 h, 50.00 CNY``."""
    needs_consent: bool
    """Whether it may go above that; once it is handed in, runs of the very same files count before others."""
    said: str
    """The same in a sentence."""
