"""What a job would take and cost, over the API, before its program is handed in."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.api.trials import SpanTold


class JobEstimateTold(ResponseModel):
    """What a job takes and costs: the most that it can, and what earlier runs of the caller's own programs suggest."""

    most_seconds: float
    """By the clock; the job is ended then."""
    most_money: int | None
    """In hundredths of ``currency``; null: the pool has no prices."""
    rates: Mapping[str, int]
    """Dimension requested → price in hundredths: per core-hour, GiB-hour, GPU-hour or licence-hour. A dimension that is
    not named is free."""
    currency: str
    runs: int
    """How many earlier runs of the caller's own in this pool are known: of a program of the same name, at most the
    newest thirty."""
    seconds: SpanTold | None
    """The estimate for the next run; null: there are no earlier runs."""
    money: SpanTold | None
    limit: str
    """The limit above which consent is needed, as ``4 h, 50.00 CNY``."""
    needs_consent: bool
    """Whether it may exceed that; once it is handed in, runs of the very same files take precedence."""
    said: str
    """The same in a sentence."""
