"""The ledger of uses: who used what, for what, how often, written before anything is read; and refusals."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, or_, select

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.terms import AccessGrant, LegalBasis, Use, Used
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Opening
from pilotbase.workspace import terms_rows
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.log.entries import REFUSED, Fact
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import AgreementRow, agreement_row, dataset_row
from pilotbase.workspace.transaction import Transaction

USED = "terms.used"
"""The log's action for a use."""
_uses, _agreements = terms_rows.uses.c, terms_rows.agreements.c
_rows = terms_rows.refusals.c


def find_use(connection: Connection, ground: str, request: Digest) -> Use | None:
    """Return the use of that name, or None."""
    found = connection.execute(select(terms_rows.uses).where(_uses.ground == ground, _uses.request == request))
    row = found.one_or_none()
    return None if row is None else Use(**row._mapping)


def used_under(connection: Connection, ground: str) -> Used:
    """Return the uses under a ground so far."""
    newest = select(terms_rows.uses).where(_uses.ground == ground).order_by(_uses.place.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return Used() if row is None else Used(int(row.place), int(row.epsilon_so_far), int(row.rows_so_far))


def epsilon_spent(connection: Connection, target: str, organisation: str) -> int:
    """Return the millionths of ε that an organisation has spent on a dataset, under any agreement.

    What was learnt does not end with an agreement: ending one and accepting the next gives no new budget.
    """
    rows = select(func.sum(_uses.epsilon)).where(_uses.target == target, _uses.organisation == organisation)
    return int(connection.scalar(rows) or 0)


def epsilon_by_organisation(connection: Connection, target: str) -> dict[str, int]:
    """Return the millionths of ε that each organisation has spent on a dataset; those that spent none are left out."""
    rows = select(_uses.organisation, func.sum(_uses.epsilon)).where(_uses.target == target)
    found = connection.execute(rows.group_by(_uses.organisation))
    return {organisation: int(spent) for organisation, spent in found if spent}


def keep_use(change: Transaction, use: Use) -> None:
    """Write a use, with its line of the log (``terms.used``): once this is written, the use is spent."""
    change.connection.execute(insert(terms_rows.uses).values(use.model_dump()))
    said: dict[str, Fact] = {
        "place": use.place,
        "action": use.action,
        "for": use.organisation,
        "purpose": use.purpose,
        "recipient": use.recipient,
        "channel": use.channel,
        "epsilon": use.epsilon,
        "rows": use.rows,
        "cell_size": use.cell_size or 0,
    }
    facts = {name: value for name, value in said.items() if value}
    change.record(USED, [use.ground, use.target, use.request], facts)


def uses_of(view: View, target: str, ground: str = "", limit: int = 1000) -> list[Use]:
    """Return the uses of a dataset, newest first, as far as the actor is a party: its owner or its user.

    Operator and regulator see all. ``ground``: only of one agreement.
    """
    rows = select(terms_rows.uses).where(_uses.target == target)
    if ground:
        rows = rows.where(_uses.ground == ground)
    with view.reading() as connection:
        dataset, own = dataset_row(connection, target), view.actor.organisation
        if not view.actor.sees_all and (dataset is None or dataset.owner != own):
            rows = rows.where(or_(_uses.organisation == own, _uses.recipient == own))
        found = connection.execute(rows.order_by(_uses.used_at.desc(), _uses.place.desc()).limit(limit))
        return [Use(**row._mapping) for row in found]


def require_leave(connection: Connection, leave: AccessGrant, now: datetime) -> None:
    """Return if a leave is still in force: its use was counted, and its terms hold ``now``. Call it before each read.

    Raises:
        RefusedError: its agreement was revoked, has ended, or never was; its dataset was withdrawn; it was not counted.
    """
    if leave.ground is LegalBasis.OWNER and leave.use is None:
        return
    use = find_use(connection, leave.by, leave.use) if leave.use is not None else None
    if use is None or use.target != leave.target:
        raise RefusedError("terms.foreign_leave")
    if leave.ground is LegalBasis.OWNER:
        _require_own(connection, use)
    require_standing(connection, leave, now)


def require_standing(connection: Connection, leave: AccessGrant, now: datetime) -> None:
    """Return if the terms of a leave hold ``now``, whose use `require_leave` has found: what is counted stays counted.

    Raises:
        RefusedError: its agreement was revoked or has ended; its dataset was withdrawn.
    """
    state = _state(connection, leave, now) if leave.ground in (LegalBasis.AGREEMENT, LegalBasis.OFFER) else None
    if state is not None:
        raise RefusedError("terms.not_standing", ground=leave.by, state=state)


@dataclass(frozen=True)
class UseCount:
    """The uses of one dataset by one organisation through one way out."""

    dataset: str
    organisation: str
    channel: str
    uses: int
    rows: int


def count_uses(connection: Connection, datasets: Collection[str]) -> list[UseCount]:
    """Return the counted uses of ``datasets`` so far."""
    parts = (_uses.target, _uses.organisation, _uses.channel)
    rows = select(*parts, func.count(), func.sum(_uses.rows)).where(_uses.target.in_(datasets)).group_by(*parts)
    found = connection.execute(rows.order_by(*parts))
    return [UseCount(target, by, channel, number, int(read)) for target, by, channel, number, read in found]


def holding_agreements(connection: Connection, datasets: Collection[str], now: datetime) -> list[AgreementRow]:
    """Return the agreements on ``datasets`` that are in force ``now``."""
    rows = select(terms_rows.agreements).where(_agreements.dataset.in_(datasets)).order_by(_agreements.subject)
    found = (AgreementRow(**row._mapping) for row in connection.execute(rows))
    return [row for row in found if row.holds_at(now)]


class RefusedAct(NamedTuple):
    """What was refused to whom: the key by which refusals are counted together, except for the day."""

    target: str
    """The dataset's subject."""
    organisation: str
    action: str
    channel: str
    reason: str
    """Code of the first reason."""


def keep_refusal(change: Transaction, refusal: RefusedAct) -> int:
    """Count a refusal, and return how often it was refused on this day, this time included.

    The 1st, 2nd, 4th, 8th … of a day is a line of the log (``terms.refused``).
    """
    key = {**refusal._asdict(), "day": change.now.astimezone(UTC).date().isoformat()}
    here = [_rows[name] == value for name, value in key.items()]
    times = (change.connection.scalar(select(_rows.times).where(*here)) or 0) + 1
    set_row(change.connection, terms_rows.refusals, key, {"times": times})
    if times & (times - 1) == 0:
        said = {"for": refusal.organisation, "action": refusal.action, "channel": refusal.channel}
        change.record(REFUSED, [refusal.target], {**said, "reason": refusal.reason, "times": times})
    return times


def _require_own(connection: Connection, use: Use) -> None:
    """Return if a dataset's own owner has used it; raises `RefusedError`."""
    dataset = dataset_row(connection, use.target)
    if dataset is None or dataset.owner != use.organisation:
        raise RefusedError("terms.foreign_leave")


def _state(connection: Connection, leave: AccessGrant, now: datetime) -> Text | None:
    """Return the state in which the terms of a leave do not hold; None: they hold."""
    dataset = dataset_row(connection, leave.target)
    if dataset is None:
        return text("terms.none")
    if not dataset.is_published:
        return Text(code=f"state.dataset.{dataset.state}")
    if leave.ground is LegalBasis.OFFER:
        return None if dataset.opening == Opening.OPEN else Text(code=f"opening.{dataset.opening}")
    agreement = agreement_row(connection, leave.by)
    if agreement is None or agreement.dataset != leave.target:
        return text("terms.none")
    return None if agreement.holds_at(now) else Text(code=f"state.agreement.{agreement.state_at(now)}")
