"""What-ifs over the API: a pool's record, replayed by other rules; the figures are a `PoolReplay`."""

from __future__ import annotations

from datetime import datetime

from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.hashes import Digest
from pilotbase_estate.documents.pool_replay import Policy

MOST_SEED = 2**31 - 1


class WhatIfTold(ResponseModel):
    """A requested what-if and its progress."""

    identity: str
    pool: str
    organisation: str
    """Who asked."""
    since: datetime
    until: datetime
    policies: list[Policy]
    considered: Digest | None
    """The proposed pool; null: the pool as it is."""
    asked_at: datetime
    state: str
    stage: str | None
    share: int | None
    """Progress of the stage, in percent; null: not known."""
    reason: str | None
    """Why it waits, failed or was cancelled."""
    replay: Digest | None
    """The document with the figures, while it is kept."""
    kept_until: datetime | None
    """Null: there are no figures, not yet or no longer."""
