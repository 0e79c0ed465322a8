"""Which pool seats work of the base itself, on whose quota, and what such a seat is."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.worker.providers import OwnWork
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import MILLI, Resources
from pilotbase_estate.documents.vocabularies import JobKind
from pilotbase_estate.queue.pools import pools
from pilotbase_estate.queue.submitting import JobRequest


@dataclass(frozen=True)
class SeatRequest:
    """Where to request a seat: ``view`` is that of the organisation whose quota it counts against."""

    view: View
    asking: JobRequest


def place_for(view: View, work: OwnWork) -> SeatRequest | None:
    """Return where to request a seat, as the operator ``view``; None: no pool seats such work.

    Of the pools that do, the first by name in which the organisation has a quota; otherwise the first, on the base's
    own quota.
    """
    found = [(pool, needs) for pool in pools(view) if (needs := _needs(pool, work.kind)) is not None]
    if not found:
        return None
    own = view.actor.organisation
    ranked = [
        (pool, needs, organisation)
        for organisation in (work.organisation, own)
        for pool, needs in found
        if any(quota.organisation == organisation for quota in pool.quotas)
    ]
    pool, needs, organisation = ranked[0] if ranked else (*found[0], own)
    return SeatRequest(view.as_actor(Actor(organisation, frozenset())), _asking(pool, needs, work))


def _needs(pool: Pool, kind: str) -> Resources | None:
    """Return what the operator has set as the need of a box for such work; None: such work takes no seat here."""
    if pool.seats is None:
        return None
    return pool.seats.trials if kind == "trial" else pool.seats.services


def _asking(pool: Pool, needs: Resources, work: OwnWork) -> JobRequest:
    limits = {"cpu": work.threads() * MILLI, "memory": work.memory_bytes}
    known = {name: amount for name, amount in limits.items() if name in pool.capacity}
    longest = float(pool.longest_job)
    return JobRequest(
        pool.name,
        Resources.of({**known, **needs.vector}),
        longest if work.seconds is None else min(work.seconds, longest),
        kind=JobKind(work.kind),
        members=work.boxes,
        subject=work.subject,
    )
