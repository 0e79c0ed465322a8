"""The funnel of a base: how many pairs of a demand and a supplier come from a first look to a trial and into use.

Each stage is counted from its own records, and a pair that has passed over one is not counted there. What leaves no
record is not counted at all: a look by mail, at a fair, or of a visitor who has not signed in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args

from pilotbase.catalogue.records import records_of
from pilotbase.catalogue.threads import read_all
from pilotbase.documents.api.ledger import FunnelPart, FunnelStage, FunnelTold, StageReached
from pilotbase.documents.permissions import Act
from pilotbase.documents.states import DemandState
from pilotbase.documents.subjects import holder_of, kind_of
from pilotbase.worker.demands import count_sites
from pilotbase.worker.rooms import rooms_of
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.journeys import first_looks, tried_pairs
from pilotbase.workspace.listings import Listing, Query, every_listing
from pilotbase.workspace.store import View
from pilotbase.workspace.threads import every_thread

STAGES: tuple[FunnelStage, ...] = get_args(FunnelStage)
_AT_ONCE = 200


@dataclass
class _Pair:
    """A demand and a supplier: when each stage was recorded first."""

    demand: str
    sites: int
    sector: str
    at: dict[FunnelStage, datetime] = field(default_factory=dict)

    @property
    def furthest(self) -> int:
        return max(STAGES.index(stage) for stage in self.at)

    @property
    def cohort(self) -> str:
        first = min(self.at.values())
        return f"{first.year}-{(first.month - 1) // 3 + 1}"


def funnel_of(view: View) -> FunnelTold:
    """Return the funnel of the whole base; raises `NotFoundError`: for who does not see it all there is none."""
    if not view.actor.sees_all:
        raise NotFoundError("hub.not_found")
    pairs = _pairs(view)
    sectors, cohorts = (_parted(pairs, [getattr(one, name) for one in pairs]) for name in ("sector", "cohort"))
    return FunnelTold(
        at=view.store.clock(),
        stages=_counted(pairs),
        by_sector=sorted(sectors, key=lambda one: (-one.stages[0].reached, one.name)),
        by_cohort=sorted(cohorts, key=lambda one: one.name, reverse=True),
    )


def _parted(pairs: Sequence[_Pair], names: Sequence[str]) -> Iterator[FunnelPart]:
    parts = defaultdict[str, list[_Pair]](list)
    for name, one in zip(names, pairs, strict=True):
        parts[name].append(one)
    return (FunnelPart(name=name, stages=_counted(part)) for name, part in parts.items())


def _counted(pairs: Sequence[_Pair]) -> list[StageReached]:
    return [
        StageReached(
            stage=stage,
            recorded=sum(stage in one.at for one in pairs),
            reached=sum(one.furthest >= place for one in pairs),
            sites=sum({one.demand: one.sites for one in pairs if one.furthest >= place}.values()),
        )
        for place, stage in enumerate(STAGES)
    ]


def _pairs(view: View) -> list[_Pair]:
    """Return every pair of which there is any record."""
    demands = {one.subject: one for kind in ("scenario", "demand") for one in every_listing(view, Query(kind))}
    sites = count_sites(view)
    found: dict[tuple[str, str], _Pair] = {}
    for stage, subject, supplier, at in _recorded(view):
        listing = demands.get(subject)
        if listing is None or supplier == listing.owner:
            continue
        thread = _thread_of(listing, demands)
        new = _Pair(thread, sites.get(thread, 1), listing.sector)
        pair = found.setdefault((thread, supplier), new)
        pair.at[stage] = min(pair.at.get(stage, at), at)
    return list(found.values())


def _thread_of(demand: Listing, demands: Mapping[str, Listing]) -> str:
    """Return what a demand in words became or what it has joined, so that these are one; else the demand itself."""
    if demand.kind != "demand" or not demand.scenario or demand.state == DemandState.JOINING:
        return demand.subject
    onward = demands.get(demand.scenario)
    return onward.scenario if onward is not None and onward.state == DemandState.TAKEN_UP else demand.scenario


def _recorded(view: View) -> Iterator[tuple[FunnelStage, str, str, datetime]]:
    """Yield stage, demand, supplier and time of every record that counts."""
    for look in first_looks(view):
        yield look.look, look.subject, look.supplier, look.at
    yield from _talked(view)
    yield from _worked(view)


def _talked(view: View) -> Iterator[tuple[FunnelStage, str, str, datetime]]:
    for thread in read_all(view, every_thread(view)):
        if kind_of(thread.subject) != "application":
            yield "contacted", thread.subject, thread.asker, thread.messages[0].at
    for history in rooms_of(view):
        room = history.room
        yield "contacted", room.demand, room.supplier, room.opened_at
        agreed = next((one.at for one in history.entries if one.kind == "agreed"), None)
        if agreed is not None:
            yield "room", room.demand, room.supplier, agreed


def _worked(view: View) -> Iterator[tuple[FunnelStage, str, str, datetime]]:
    made = [one for one in every_listing(view, Query("application")) if one.scenario]
    for batch in (made[start : start + _AT_ONCE] for start in range(0, len(made), _AT_ONCE)):
        records = records_of(view, [one.subject for one in batch])
        for one in batch:
            steps = records[one.subject].history if one.subject in records else ()
            for step in (each for each in steps if each.act is Act.APPLICATION_REHEARSED):
                yield "rehearsal", one.scenario, holder_of(one.subject), step.at
    for tried in tried_pairs(view):
        if tried.proposed is not None:
            yield "trial", tried.scenario, tried.supplier, tried.proposed
        if tried.certified is not None:
            yield "certificate", tried.scenario, tried.supplier, tried.certified
        if tried.served is not None:
            yield "service", tried.scenario, tried.supplier, tried.served
