"""What the gate has refused: counted a day, a line in the log each time the count doubles, so that none can fill it."""

from __future__ import annotations

from datetime import UTC
from typing import NamedTuple

from sqlalchemy import insert, select, update

from pilotbase.workspace import terms_tables
from pilotbase.workspace.log.readings import REFUSED
from pilotbase.workspace.transaction import Transaction

_rows = terms_tables.refusals.c


class RefusedAct(NamedTuple):
    """Whom what was refused: everything by which refusals are counted together, but for the day."""

    target: str
    """The dataset's subject."""
    organisation: str
    action: str
    channel: str
    reason: str
    """Code of the first reason."""


def keep_refusal(change: Transaction, refusal: RefusedAct) -> int:
    """Count a refusal, and return how often that was refused on this day, this time included.

    The 1st, 2nd, 4th, 8th … of a day is a line of the log (``terms.refused``).
    """
    key = {**refusal._asdict(), "day": change.now.astimezone(UTC).date().isoformat()}
    here = [_rows[name] == value for name, value in key.items()]
    before = change.connection.scalar(select(_rows.times).where(*here))
    if before is None:
        change.connection.execute(insert(terms_tables.refusals).values(**key, times=1))
    else:
        change.connection.execute(update(terms_tables.refusals).where(*here).values(times=before + 1))
    times = (before or 0) + 1
    if times & (times - 1) == 0:
        said = {"for": refusal.organisation, "action": refusal.action, "channel": refusal.channel}
        change.record(REFUSED, [refusal.target], {**said, "reason": refusal.reason, "times": times})
    return times
