"""What a changed pool means for running jobs: it is reported, and nothing is stopped for it."""

from __future__ import annotations

from pilotbase.documents.errors import Issue
from pilotbase.documents.texts import text
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import ANY_GPU, Vector, beyond, format_amount, is_kind
from pilotbase_estate.sharing.books import Accounts
from pilotbase_estate.sharing.jobs import PoolState


def findings(pool: Pool, state: PoolState, now: float) -> tuple[Issue, ...]:
    """Return where running jobs exceed what a pool allows from now on: limits, and promises that must wait."""
    books = Accounts(pool, state, now)
    places = {quota.organisation: index for index, quota in enumerate(pool.quotas)}
    found = []
    for name, account in books.accounts.items():
        for dimension, more in beyond(account.used, account.limit).items():
            values = {
                "organisation": name,
                "dimension": dimension,
                "found": format_amount(dimension, account.used[dimension]),
                "most": format_amount(dimension, account.used[dimension] - more),
            }
            path = f"quotas[{places[name]}].limit.{dimension}"
            problem, hint = text("pool.limit_below_use", **values), text("pool.limit_below_use.hint")
            found.append(Issue(file="", path=path, problem=problem, hint=hint))
    for dimension, left in books.promises.left.items():
        if left < 0 and not (dimension == ANY_GPU and _of_a_kind(books.promises.left)):
            problem = text("pool.promises_below_use", dimension=dimension, found=format_amount(dimension, -left))
            found.append(Issue(file="", path="quotas", problem=problem, hint=text("pool.promises_below_use.hint")))
    return tuple(found)


def _of_a_kind(left: Vector) -> bool:
    """Return whether it is a kind of GPU already of which too little is left."""
    return any(is_kind(name) and amount < 0 for name, amount in left.items())
