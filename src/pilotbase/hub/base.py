"""The base that this process serves, opened once."""

from __future__ import annotations

from functools import cache

from pilotbase.worker.base import Base, open_base
from pilotbase.workspace.actors import VISITOR
from pilotbase.workspace.store import View


@cache
def base() -> Base:
    """Return the base in ``PILOTBASE_HOME``; raises as `open_base`."""
    return open_base()


def operator_view() -> View:
    """Return the store as the base's own operator sees it: for what the hub itself reads, never for what it shows."""
    return base().lab.view


def visitor_view() -> View:
    """Return the store as a visitor sees it: for what is the same for everybody."""
    return base().lab.store.as_actor(VISITOR)
