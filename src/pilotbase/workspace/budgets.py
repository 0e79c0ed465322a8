"""Guarded counters and double-entry postings: integers in plain rows that can never be overspent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select

from pilotbase.documents.errors import RefusedError
from pilotbase.workspace import tables
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.failures import ConflictError


def counter(connection: Connection, name: str) -> int:
    """Return the value of counter ``name``; an unused one is 0."""
    return connection.scalar(select(tables.counters.c.value).where(tables.counters.c.name == name)) or 0


def add(connection: Connection, name: str, amount: int, at_most: int | None) -> int:
    """Add ``amount`` to counter ``name`` and return the new value; raises `RefusedError` beyond ``at_most``."""
    before = counter(connection, name)
    after = before + amount
    if at_most is not None and amount > 0 and after > at_most:
        raise RefusedError("workspace.counter_full", name=name, limit=at_most, left=max(at_most - before, 0))
    set_row(connection, tables.counters, {"name": name}, {"value": after})
    return after


def balance(connection: Connection, account: str) -> int:
    """Return the balance of ``account``; an unused one is 0."""
    return connection.scalar(select(tables.accounts.c.balance).where(tables.accounts.c.name == account)) or 0


def post(
    connection: Connection, transfer: str, amounts: Mapping[str, int], floors: Mapping[str, int], now: datetime
) -> bool:
    """Post one transfer over accounts (amounts sum to zero); the same transfer posted again changes nothing.

    Returns whether it was new.

    Raises:
        ValueError: the amounts do not sum to zero.
        ConflictError: the transfer was posted before with other amounts.
        RefusedError: an account would fall below its floor in ``floors``; nothing is posted.
    """
    if sum(amounts.values()) != 0 or not amounts:
        raise ValueError(f"the amounts of transfer {transfer!r} do not sum to zero")
    row = tables.postings.c
    before = select(row.account, row.amount).where(row.transfer == transfer)
    posted = dict(connection.execute(before).all())
    if posted:
        if posted != dict(amounts):
            raise ConflictError("workspace.transfer_differs", name=transfer)
        return False
    for account, amount in sorted(amounts.items()):
        _move(connection, account, amount, floors.get(account))
        connection.execute(
            insert(tables.postings).values(transfer=transfer, account=account, amount=amount, posted_at=now)
        )
    return True


def _move(connection: Connection, account: str, amount: int, floor: int | None) -> None:
    before = balance(connection, account)
    if floor is not None and amount < 0 and before + amount < floor:
        raise RefusedError("workspace.balance_low", account=account, balance=before, wanted=-amount, floor=floor)
    set_row(connection, tables.accounts, {"name": account}, {"balance": before + amount})
