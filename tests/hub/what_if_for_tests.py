"""A hub whose pool has run something: acme's long jobs, and plant's short ones behind them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import Actor
from pilotbase_estate.backends.backend import MemberAttempt
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.queue.dispatching import Dispatcher
from pilotbase_estate.queue.pools import set_pool
from pilotbase_estate.queue.submitting import JobRequest, submit
from pilotbase_estate.queue.turns import Members
from tests.estate.queue.queue_for_tests import Scripted, works

POOL = {
    "document": "pool/1",
    "name": "what-if",
    "title": {"en": "Hall five", "zh": "五号机房"},
    "machines": [{"name": "node", "count": 2, "capacity": {"cpu": 2}, "labels": {"zone": "a"}}],
    "quotas": [{"organisation": "acme", "guarantee": {"cpu": 4}}, {"organisation": "plant"}],
}
"""All is guaranteed to acme."""
FAIR = """document: pool/1
name: what-if
title: Hall five
machines: [{name: node, count: 2, capacity: {cpu: 2}, labels: {zone: a}}]
quotas: [{organisation: acme, guarantee: {cpu: 2}}, {organisation: plant, guarantee: {cpu: 2}}]
minimum_run: 1 min
"""
"""Half is plant's."""
HALF_AN_HOUR = 1800


class _Clock:
    """A clock that is set."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


def record(pool=POOL):
    """Let a pool run six jobs of acme, two that plant has handed in a minute later, and one of acme two hours later.

    Half an hour each, on two machines.
    """
    from pilotbase.hub.base import base

    lab = base().lab
    clock = _Clock(lab.store.clock() - timedelta(hours=6))
    store = replace(lab.store, clock=clock)
    view, backend = store.as_actor(lab.view.actor), Scripted()
    set_pool(view, Pool.model_validate(pool))
    dispatcher = Dispatcher(view, pool["name"], Members(backend, works), "recording")
    _hand_in(store, pool["name"], "acme", 6)
    clock.now += timedelta(minutes=1)
    _hand_in(store, pool["name"], "plant", 2)
    for turn in range(5):
        if turn == 4:
            _hand_in(store, pool["name"], "acme", 1)
        started = dispatcher.turn().started
        clock.now += timedelta(seconds=HALF_AN_HOUR)
        for job in started:
            backend.end(MemberAttempt(job, 1))
    dispatcher.turn()
    dispatcher.leave()


def _hand_in(store, pool, organisation, count):
    view = store.as_actor(Actor(organisation, frozenset({Role.SUPPLIER}), "li"))
    for _ in range(count):
        submit(view, JobRequest(pool, Resources.model_validate({"cpu": 2}), HALF_AN_HOUR, work="/work"))
