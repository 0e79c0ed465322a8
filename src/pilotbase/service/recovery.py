"""What a killed desk has left: settled calls cost what they used, open ones what was reserved, the rest goes back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, select

from pilotbase.service import budgets, journal
from pilotbase.service.calls import NOTHING, BudgetPeriod, Cost
from pilotbase.workspace import service_tables as tables
from pilotbase.workspace.store import View

BEGINNING = (0, 0)


def recover(view: View, folder: Path) -> int:
    """Give back what desks that have ended held beyond their calls; return how many there were.

    Their journals stay until they are taken in (`draining`), and may be recovered again: nothing is given back twice.
    """
    found = 0
    for desk in journal.desks(folder):
        with journal.reading(folder, desk) as its:
            if its == "ended":
                settle_up(view, folder, desk)
                found += 1
    return found


def settle_up(view: View, folder: Path, desk: str) -> None:
    """Give back what an ended desk held beyond its calls; the caller is reading its journal."""
    if not journal.segments(folder, desk):
        return  # killed before it held anything
    lines = [line for number in journal.segments(folder, desk) for line in journal.read_lines(folder, desk, number)]
    still_open = journal.open_calls(folder, desk).values()
    with view.store.database.write() as connection:
        if not journal.is_of_this_boot(folder, desk):
            budgets.count_as_used(connection, desk)  # what it wrote last may be lost
            return
        place = taken_in(connection, desk)
        settled = [line.fields for line in lines if (line.segment, line.start) >= place and "settled" in line.fields]
        used = _by_account([*_costs(settled, "charged"), *_costs(still_open, "held")])
        now = view.store.clock()
        for account in budgets.accounts_of(connection, desk):
            held = budgets.held_by(connection, desk, account) or NOTHING
            budgets.give_back(connection, desk, account, held - used.get(account, NOTHING), now)


def taken_in(connection: Connection, desk: str) -> tuple[int, int]:
    """Return up to which segment and byte the journal of a desk has been taken in."""
    rows = tables.service_journals.c
    row = connection.execute(select(rows.segment, rows.place).where(rows.desk == desk)).one_or_none()
    return BEGINNING if row is None else (row.segment, row.place)


def _costs(records: Iterable[journal.Fields], name: str) -> Iterable[tuple[BudgetPeriod, Cost]]:
    for fields in records:
        account = journal.account_in(fields)
        if account is not None:
            yield account, journal.cost_in(fields, name)


def _by_account(costs: Iterable[tuple[BudgetPeriod, Cost]]) -> dict[BudgetPeriod, Cost]:
    found: defaultdict[BudgetPeriod, Cost] = defaultdict(lambda: NOTHING)
    for account, cost in costs:
        found[account] = found[account] + cost
    return dict(found)
