"""Vouchers, what they pay and claims on it, as rows, and how they are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, exists, func, insert, or_, select, update

from pilotbase.workspace.actors import Actor
from pilotbase.workspace.tables import postings
from pilotbase_estate.workspace import tables

_Row = TypeVar("_Row")
VoucherState = Literal["valid", "expired", "revoked"]
UseState = Literal["held", "settled", "released", "lapsed", "refunded"]
ClaimState = Literal["waiting", "granted", "refused", "paid"]
GRANTED = ("granted", "paid")
STANDING = ("waiting", *GRANTED)
"""States that keep others from the same use, and take up a payment and the year's cap: a waiting claim does, too."""
_vouchers, _uses = tables.vouchers.c, tables.voucher_uses.c
_claims, _moves = tables.voucher_claims.c, tables.voucher_moves.c
_payers, _postings = tables.voucher_payers.c, postings.c


@dataclass(frozen=True)
class VoucherRow:
    """A voucher's row; see `tables.vouchers`."""

    identity: str
    programme: str
    organisation: str
    amount: int
    state: VoucherState
    rules: str
    digest: str
    issued_at: datetime
    expires_at: datetime

    def takes_holds(self, now: datetime) -> bool:
        """Return whether it pays anything new."""
        return self.state == "valid" and now < self.expires_at


@dataclass(frozen=True)
class UseRow:
    """What a voucher pays of one attempt of a job; see `tables.voucher_uses`."""

    job: str
    attempt: int
    voucher: str
    programme: str
    organisation: str
    supplier: str
    state: UseState
    year: int
    held: int
    subsidy: int
    hold: str
    settlement: str
    held_at: datetime
    lapses_at: datetime


@dataclass(frozen=True)
class ClaimRow:
    """A claim's row; see `tables.voucher_claims`."""

    identity: str
    job: str
    attempt: int
    programme: str
    claimant: str
    side: str
    state: ClaimState
    year: int
    amount: int
    fee: int
    payment: str
    decision: str
    claimed_at: datetime

    @property
    def use(self) -> tuple[str, int]:
        return self.job, self.attempt


@dataclass(frozen=True)
class MoveRow:
    """One movement of money; see `tables.voucher_moves`."""

    programme: str
    place: int
    transfer: str
    step: str
    voucher: str
    job: str
    attempt: int
    amount: int
    moved_at: datetime


@dataclass(frozen=True)
class Payer:
    """Which voucher pays the calls of a service; see `tables.voucher_payers`."""

    service: str
    voucher: str
    pool: str
    since: datetime


def insert_row(connection: Connection, row: VoucherRow | UseRow | ClaimRow | MoveRow) -> None:
    """Write a new row."""
    connection.execute(insert(_TABLES[type(row)]).values(asdict(row)))


def end_voucher(connection: Connection, identity: str, state: VoucherState) -> None:
    """Let a voucher take no more holds."""
    connection.execute(update(tables.vouchers).where(_vouchers.identity == identity).values(state=state))


def find_voucher(connection: Connection, identity: str) -> VoucherRow | None:
    """Return a voucher's row, regardless of who may see it, or None."""
    return _one(connection, VoucherRow, _vouchers.identity == identity)


def vouchers_of(connection: Connection, actor: Actor, organisation: str = "", programme: str = "") -> list[VoucherRow]:
    """Return the vouchers that ``actor`` may see, newest first: its own; everybody's for operator and regulator."""
    rows = select(tables.vouchers).order_by(_vouchers.issued_at.desc(), _vouchers.identity)
    if not actor.sees_all:
        rows = rows.where(_vouchers.organisation == actor.organisation)
    return _read(connection, VoucherRow, rows, (_vouchers.organisation, organisation), (_vouchers.programme, programme))


def expired_vouchers(connection: Connection, now: datetime) -> list[VoucherRow]:
    """Return the expired vouchers whose row does not say so yet."""
    rows = select(tables.vouchers).where(_vouchers.state == "valid", _vouchers.expires_at <= now)
    return _read(connection, VoucherRow, rows.order_by(_vouchers.expires_at))


def end_use(connection: Connection, use: UseRow, state: UseState, subsidy: int = 0, settlement: str = "") -> None:
    """Record the outcome of a hold."""
    values = {"state": state, "subsidy": subsidy, "settlement": settlement or use.settlement}
    here = and_(_uses.job == use.job, _uses.attempt == use.attempt)
    connection.execute(update(tables.voucher_uses).where(here).values(values))


def find_use(connection: Connection, job: str, attempt: int) -> UseRow | None:
    """Return what a voucher pays of an attempt, regardless of who may see it, or None."""
    here = and_(_uses.job == job, _uses.attempt == attempt)
    return _one(connection, UseRow, here)


def uses_of_job(connection: Connection, job: str) -> list[UseRow]:
    """Return what vouchers pay of all attempts of a job, by attempt."""
    rows = select(tables.voucher_uses).where(_uses.job == job).order_by(_uses.attempt)
    return _read(connection, UseRow, rows)


def seen_uses(connection: Connection, actor: Actor, voucher: str = "", programme: str = "") -> list[UseRow]:
    """Return the uses that ``actor`` may see, newest first: as consumer or supplier; all for operator and regulator."""
    rows = select(tables.voucher_uses).order_by(_uses.held_at.desc(), _uses.job, _uses.attempt)
    if not actor.sees_all:
        rows = rows.where(or_(_uses.organisation == actor.organisation, _uses.supplier == actor.organisation))
    return _read(connection, UseRow, rows, (_uses.voucher, voucher), (_uses.programme, programme))


def lapsed_uses(connection: Connection, now: datetime) -> list[UseRow]:
    """Return the holds that nobody has settled in time."""
    rows = select(tables.voucher_uses).where(_uses.state == "held", _uses.lapses_at <= now)
    return _read(connection, UseRow, rows.order_by(_uses.lapses_at))


def decide_claim(connection: Connection, row: ClaimRow) -> None:
    """Record the outcome of a claim that waited."""
    values = {"state": row.state, "amount": row.amount, "fee": row.fee, "decision": row.decision}
    here = _claims.identity == row.identity
    connection.execute(update(tables.voucher_claims).where(here).values(values))


def pay_claim(connection: Connection, identity: str) -> None:
    """Record that a granted claim was paid out."""
    connection.execute(update(tables.voucher_claims).where(_claims.identity == identity).values(state="paid"))


def find_claim(connection: Connection, identity: str) -> ClaimRow | None:
    """Return a claim's row, regardless of who may see it, or None."""
    return _one(connection, ClaimRow, _claims.identity == identity)


def standing_claim(connection: Connection, job: str, attempt: int) -> ClaimRow | None:
    """Return the claim on a use that was granted, or waits for a person; None: the use is free to be claimed."""
    here = and_(_claims.job == job, _claims.attempt == attempt, _claims.state.in_(STANDING))
    return _one(connection, ClaimRow, here)


def seen_claims(connection: Connection, actor: Actor, programme: str = "", state: str = "") -> list[ClaimRow]:
    """Return the claims that ``actor`` may see, newest first: all for operator and regulator.

    Others see their own claims, and those of the other party to their uses.
    """
    rows = select(tables.voucher_claims).order_by(_claims.claimed_at.desc(), _claims.identity)
    if not actor.sees_all:
        own = actor.organisation
        of_the_other = exists().where(
            and_(_uses.job == _claims.job, _uses.attempt == _claims.attempt),
            or_(_uses.organisation == own, _uses.supplier == own),
            _claims.claimant.in_([_uses.organisation, _uses.supplier]),
        )
        rows = rows.where(or_(_claims.claimant == own, of_the_other))
    return _read(connection, ClaimRow, rows, (_claims.state, state), (_claims.programme, programme))


def claimed_in_year(connection: Connection, claimant: str, programme: str, year: int) -> int:
    """Return what an organisation was granted in a year of a programme, including waiting claims."""
    standing = (_claims.claimant == claimant, _claims.programme == programme, _claims.year == year)
    rows = select(func.sum(_claims.amount)).where(*standing, _claims.state.in_(STANDING))
    return int(connection.scalar(rows) or 0)


def fees_under(connection: Connection, payment: str) -> int:
    """Return the fees of standing claims that name a payment by the digest of its evidence."""
    rows = select(func.sum(_claims.fee)).where(_claims.payment == payment, _claims.state.in_(STANDING))
    return int(connection.scalar(rows) or 0)


def last_place(connection: Connection, programme: str) -> int:
    """Return how many movements a programme has."""
    return int(connection.scalar(select(func.max(_moves.place)).where(_moves.programme == programme)) or 0)


def moves_of(connection: Connection, voucher: str = "", programme: str = "") -> list[MoveRow]:
    """Return the movements of a voucher or of a programme, oldest first."""
    rows = select(tables.voucher_moves).order_by(_moves.programme, _moves.place)
    return _read(connection, MoveRow, rows, (_moves.voucher, voucher), (_moves.programme, programme))


def postings_of(connection: Connection, programme: str) -> Iterator[tuple[str, str, int]]:
    """Iterate over transfer, account and amount of a programme's postings, in the order of its movements."""
    joined = select(_postings.transfer, _postings.account, _postings.amount).where(
        exists().where(_moves.transfer == _postings.transfer, _moves.programme == programme)
    )
    for found in connection.execute(joined.order_by(_postings.transfer, _postings.account)):
        yield str(found.transfer), str(found.account), int(found.amount)


def posted_by(connection: Connection, transfer: str) -> dict[str, int]:
    """Return account → amount of one transfer; empty if it was not posted."""
    rows = select(_postings.account, _postings.amount).where(_postings.transfer == transfer)
    return {str(found.account): int(found.amount) for found in connection.execute(rows)}


def set_payer(connection: Connection, payer: Payer) -> None:
    """Let a voucher pay the calls of a service."""
    table, values = tables.voucher_payers, asdict(payer)
    if connection.execute(update(table).where(_payers.service == payer.service).values(values)).rowcount == 0:
        connection.execute(insert(table).values(values))


def payers(connection: Connection) -> Sequence[Payer]:
    """Return which vouchers pay the calls of services, by service."""
    rows = select(tables.voucher_payers).order_by(_payers.service)
    return _read(connection, Payer, rows)


_TABLES: Mapping[type, Table] = {
    VoucherRow: tables.vouchers,
    UseRow: tables.voucher_uses,
    ClaimRow: tables.voucher_claims,
    MoveRow: tables.voucher_moves,
}


def _one(connection: Connection, kind: type[_Row], wanted: ColumnElement[bool]) -> _Row | None:
    return next(iter(_read(connection, kind, select(_TABLES[kind]).where(wanted))), None)


def _read(
    connection: Connection, kind: type[_Row], rows: Select[Any], *only: tuple[ColumnElement[str], str]
) -> list[_Row]:
    """Return rows as a class with a field for each column; ``only``: column → its value, "": any."""
    for column, value in only:
        rows = rows.where(column == value) if value else rows
    return [kind(**row._mapping) for row in connection.execute(rows)]
