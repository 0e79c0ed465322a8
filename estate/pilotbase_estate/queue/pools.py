"""The pools of a base: documents that the operator sets; each version stays where it was used."""

from __future__ import annotations

from collections.abc import Iterator

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.workspace.actors import PUBLIC
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase_estate.documents.pool import Pool


def set_pool(view: View, pool: Pool) -> Digest:
    """Set a pool to ``pool`` from now on; running jobs continue.

    Raises:
        RefusedError: the actor is not the operator.
        InputError: it seats work of the base, which has no quota in it.
    """
    own = view.actor.organisation
    if pool.seats is not None and all(quota.organisation != own for quota in pool.quotas):
        raise InputError("pool.no_seat_quota", pool=pool.name, organisation=own)
    with view.transaction("pool.set") as change:
        change.require_operator()
        digest = change.put(pool, PUBLIC)
        change.let_stand(_head(pool.name), digest)
    return digest


def pool_of(view: View, name: str) -> tuple[Digest, Pool]:
    """Return a pool as it is today; raises `NotFoundError`."""
    digest = view.head(_head(name))
    if digest is None:
        raise NotFoundError("pool.unknown", pool=name)
    return digest, view.load(digest, Pool)


def pools(view: View) -> Iterator[Pool]:
    """Yield the pools of the base, by name."""
    found = {stored.load(Pool).name for stored in view.find("pool", limit=1000)}
    for name in sorted(found):
        yield pool_of(view, name)[1]


def _head(name: str) -> str:
    return f"pool:{name}"
