"""What a changed pool means for what runs: told, and nothing is stopped for it."""

from __future__ import annotations

from pilotbase.compute.sharing.books import Books
from pilotbase.compute.sharing.jobs import State
from pilotbase.documents.errors import Issue
from pilotbase.documents.pool import Pool
from pilotbase.documents.resources import beyond, spell_amount
from pilotbase.documents.texts import text


def findings(pool: Pool, state: State, now: float) -> tuple[Issue, ...]:
    """Return where what runs is beyond what a pool allows from now on: limits, and promises that must wait."""
    books = Books(pool, state, now)
    places = {quota.organisation: index for index, quota in enumerate(pool.quotas)}
    found = []
    for name, account in books.accounts.items():
        for dimension, more in beyond(account.used, account.limit).items():
            values = {
                "organisation": name,
                "dimension": dimension,
                "found": spell_amount(dimension, account.used[dimension]),
                "most": spell_amount(dimension, account.used[dimension] - more),
            }
            path = f"quotas[{places[name]}].limit.{dimension}"
            problem, hint = text("pool.limit_below_use", **values), text("pool.limit_below_use.hint")
            found.append(Issue(file="", path=path, problem=problem, hint=hint))
    for dimension, left in books.promises.left.items():
        if left < 0:
            problem = text("pool.promises_below_use", dimension=dimension, found=spell_amount(dimension, -left))
            found.append(Issue(file="", path="quotas", problem=problem, hint=text("pool.promises_below_use.hint")))
    return tuple(found)
