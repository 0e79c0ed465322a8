"""What if a pool had other rules: its record is replayed, requested on a hub and done by a worker.

A record names organisations, their requests and their waits. So what-ifs are for those who see all of a base: the
operator, who sets the rules, and the regulator. An organisation with a quota would learn things about the others that
no other page shows it.

Figures are kept for some time: they describe the rules and jobs of their day, and can be computed again while the
record exists. The request itself is kept.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from pilotbase.documents.base import Document, Moment, Name
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.hashes import Digest, digest_bytes, hex_of
from pilotbase.documents.moments import format_minute
from pilotbase.documents.permissions import ReadScope, permitted, roles_for
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.vault.ciphers import KEY_BYTES, open_bytes, seal_bytes
from pilotbase.worker.base import Base
from pilotbase.worker.retention_dates import KeptUntil, erase_over
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.jobs import Job, JobState, enqueue, jobs_under, stop
from pilotbase.workspace.store import View
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.pool_replay import Policy, PoolReplay
from pilotbase_estate.operations.pools import NewWhatIf
from pilotbase_estate.queue.pools import ended_between, pool_of, trace_of
from pilotbase_estate.replay.policies import PolicyContext, require_named
from pilotbase_estate.replay.reporting import replay

KIND = WorkKind("what_if")
MOST_JOBS = 20_000
"""The longest record that a hub replays; the command line has no such limit."""
MOST_MINUTES = 10
"""How long a worker replays for a hub."""
MOST_SHOWN = 30
KEPT = timedelta(days=90)
"""How long figures are kept: a quarter, in which rules are considered, decided on and reviewed."""
_KEY_FILE = "what-ifs.key"


class WhatIfOrder(Document):
    """A request for a what-if, visible to anyone who sees all of the base."""

    document: Literal["what-if-order/1"] = "what-if-order/1"
    pool: Name
    since: Moment
    until: Moment
    policies: tuple[Policy, ...]
    considered: Pool | None = None
    """None: by today's rules and on today's machines."""
    seed: int = 0
    asked_at: Moment
    organisation: Name
    """Who asked."""

    @property
    def identity(self) -> str:
        """Its identity: 64 hex digits."""
        return hex_of(self.digest())

    @property
    def head(self) -> str:
        return _head(self.identity)


class PlayedWhatIf(KeptUntil):
    """A record that the base keeps the figures of a what-if: an encrypted blob, until it expires."""

    document: Literal["played-what-if/1"] = "played-what-if/1"
    order: str
    replay: Digest
    """Of the figures."""


@dataclass(frozen=True)
class WhatIf:
    """A requested what-if, its job, and the figures while they are kept."""

    order: WhatIfOrder
    job: Job
    played: PlayedWhatIf | None

    @property
    def is_over(self) -> bool:
        """Return whether there were figures that are no longer kept."""
        return self.job.state is JobState.DONE and self.played is None


def play_record(
    view: View, asked: WhatIfOrder, on_progress: OnProgress = ignore_progress, load: float = 1.0
) -> PoolReplay:
    """Return each policy's result on what a pool has run; a proposed pool is shown beside the pool as it is.

    ``load``: the gaps between submissions are divided by it.

    Raises:
        NotFoundError: there is no such pool.
        RefusedError: the actor does not see all of the base.
        InputError: ``replay.nothing_recorded``; the pool can't play the record (`policies.require_quotas`).
    """
    as_it_is = pool_of(view, asked.pool)[1]
    rules = asked.considered or as_it_is
    before = as_it_is if rules.digest() != as_it_is.digest() else None
    trace = replace(trace_of(view, asked.pool, asked.since, asked.until), nodes=rules.capacities)
    return replay(trace, asked.policies, PolicyContext(rules, asked.seed, before), load, on_progress)


def order_what_if(view: View, asked: NewWhatIf) -> WhatIf:
    """Queue a what-if and return it; repeating a request returns the same one. One at a time for each pool.

    Raises:
        NotFoundError: there is no such pool.
        RefusedError: the actor is neither operator nor regulator.
        InputError: ``what_if.no_span``, ``what_if.too_many_jobs``, ``replay.nothing_recorded``, ``replay.no_quota``.
        ConflictError: ``what_if.at_work``: another one is being played.
    """
    if not permitted(ReadScope.WHAT_IF, view.actor):
        raise RefusedError("hub.role_missing", needed=", ".join(one.value for one in roles_for(ReadScope.WHAT_IF)))
    pool, made = asked.pool, view.outcome()
    if made is not None:
        return find_what_if(view, pool, made)
    now, as_it_is = view.store.clock(), pool_of(view, pool)[1]
    considered = asked.considered if asked.considered != as_it_is else None
    order = WhatIfOrder(
        pool=pool,
        since=asked.since,
        until=min(asked.until or now, now),
        policies=tuple(dict.fromkeys(asked.policies)),
        considered=considered,
        seed=asked.seed,
        asked_at=now,
        organisation=view.actor.organisation,
    )
    _require_playable(view, order, as_it_is)
    with view.transaction("what_if.ordered") as change:
        if any(not one.job.ended for one in what_ifs(view.within(change), pool)):
            raise ConflictError("what_if.at_work", pool=pool)
        digest = change.put(order, parties(), fields={"pool": pool})
        change.set_head(order.head, digest, expected=None)
        change.record("what_if.ordered", [f"pool:{pool}", order.head])
        enqueue(change, KIND, order.head, {"order": digest})
        change.settle(order.identity)
    return find_what_if(view, pool, order.identity)


def what_ifs(view: View, pool: str) -> list[WhatIf]:
    """Return a pool's newest what-ifs, the last one first; raises `NotFoundError` if the actor may not see them."""
    if not permitted(ReadScope.WHAT_IF, view.actor):
        raise NotFoundError("what_if.unknown", pool=pool)
    pool_of(view, pool)
    return list(_found(view, pool))


def find_what_if(view: View, pool: str, identity: str) -> WhatIf:
    """Return a what-if of a pool; raises `NotFoundError` if there is none of that name for this actor."""
    digest = view.head(_head(identity)) if permitted(ReadScope.WHAT_IF, view.actor) else None
    order = view.load(digest, WhatIfOrder) if digest is not None else None
    if order is None or order.pool != pool:
        raise NotFoundError("what_if.unknown", pool=pool)
    return _what_if(view, order)


def replay_of(base: Base, found: WhatIf) -> PoolReplay:
    """Return the figures of a what-if.

    Raises:
        NotFoundError: there are none, not yet or no longer.
        InvalidProofError: the kept bytes were altered.
    """
    if found.played is None:
        raise NotFoundError("what_if.no_figures", pool=found.order.pool)
    return PoolReplay.from_json_value(json.loads(_open(base, found)))


def take_back(view: View, pool: str, identity: str) -> WhatIf:
    """Cancel a what-if of the actor's organisation; the operator can cancel any. One that is being replayed stops soon.

    Raises:
        NotFoundError: as `find_what_if`.
        RefusedError: it is another organisation's.
        ConflictError: ``what_if.over``: it has ended already.
    """
    found = find_what_if(view, pool, identity)
    own = view.actor.organisation
    if not (view.actor.is_operator or found.order.organisation == own):
        raise RefusedError("workspace.not_yours", organisation=own, owner=found.order.organisation)
    if found.job.stopping or view.outcome() is not None:
        return found
    if found.job.ended:
        raise ConflictError("what_if.over", pool=pool)
    with view.transaction("what_if.taken_back") as change:
        stop(change, found.order.head, text("what_if.taken_back", organisation=own))
        change.record("what_if.taken_back", [f"pool:{pool}", found.order.head])
        change.settle(identity)
    return find_what_if(view, pool, identity)


def play_ordered(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Replay what ``job`` requests and keep the figures for some time; figures already kept stay.

    Raises:
        InputError: as `play_record`; ``what_if.too_long``.
    """
    view = base.lab.view
    order = view.load(job.payload["order"], WhatIfOrder)
    before = _played(view, order)
    if before is not None and base.lab.vault.blobs.exists(before.blob):
        return
    found = play_record(view, order, _within_time(on_progress))
    sealed = seal_bytes(_key(base), found.canonical(), _context(order))
    until = view.store.clock() + KEPT
    played = PlayedWhatIf(order=order.identity, replay=found.digest(), blob=digest_bytes(sealed), until=until)
    # The record is written before the bytes: after a kill in between, no bytes are left that nothing would erase.
    with view.transaction("what_if.played") as change:
        change.let_stand(_played_head(order.identity), change.put(played, parties()))
    base.lab.vault.blobs.put(sealed)


def erase_old_figures(base: Base) -> int:
    """Erase the figures of what-ifs that have expired, and return how many."""
    return erase_over(base, PlayedWhatIf, "what_if.erased", lambda played: _head(played.order))


def _require_playable(view: View, order: WhatIfOrder, as_it_is: Pool) -> None:
    if order.since >= order.until:
        raise InputError("what_if.no_span", since=format_minute(order.since, zone=False))
    ended = ended_between(view, order.pool, order.since, order.until)
    if not ended:
        raise InputError("replay.nothing_recorded", pool=order.pool)
    if sum(ended.values()) > MOST_JOBS:
        raise InputError("what_if.too_many_jobs", found=f"{sum(ended.values()):,}", most=f"{MOST_JOBS:,}")
    pools = [order.considered or as_it_is]
    if order.considered is not None and Policy.SHARED in order.policies:
        pools.append(as_it_is)
    for pool in pools:
        require_named(ended, pool)


def _found(view: View, pool: str) -> Iterator[WhatIf]:
    for stored in view.find("what-if-order", {"pool": pool}, limit=MOST_SHOWN):
        with suppress(NotFoundError):
            yield _what_if(view, stored.load(WhatIfOrder))


def _what_if(view: View, order: WhatIfOrder) -> WhatIf:
    job = jobs_under(view, order.head)[0]
    return WhatIf(order, job, _played(view, order) if job.state is JobState.DONE else None)


def _played(view: View, order: WhatIfOrder) -> PlayedWhatIf | None:
    """Return what is kept of a what-if, unless it has expired."""
    digest = view.head(_played_head(order.identity))
    played = view.load(digest, PlayedWhatIf) if digest is not None else None
    return played if played is not None and played.until > view.store.clock() else None


def _open(base: Base, found: WhatIf) -> bytes:
    assert found.played is not None
    digest = found.played.blob
    plain = open_bytes(_key(base), base.lab.vault.blobs.get(digest), _context(found.order))
    if plain is None:
        raise InvalidProofError("vault.envelope_closed", digest=digest, owner=found.order.organisation)
    return plain


def _key(base: Base) -> bytes:
    return base.lab.vault.keys.create(_KEY_FILE, lambda: secrets.token_bytes(KEY_BYTES))


def _context(order: WhatIfOrder) -> list[str]:
    return [KIND, order.identity]


def _within_time(on_progress: OnProgress) -> OnProgress:
    began = time.monotonic()

    def tell(progress: Progress) -> None:
        if time.monotonic() - began > MOST_MINUTES * 60:
            raise InputError("what_if.too_long", minutes=MOST_MINUTES)
        on_progress(progress)

    return tell


def _head(identity: str) -> str:
    return f"{KIND}:{identity}"


def _played_head(identity: str) -> str:
    return f"{KIND}-played:{identity}"
