"""Openness 开放度 of open scenarios: points for facts that records show, and which fact would add most.

Seven facts give 100 points. What is not known gives none, and is named. Working days are Monday to Friday, in UTC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

import numpy as np

from pilotbase.catalogue.records import declared_ties, everything, records_of
from pilotbase.documents.api.ledger import OpennessFact, OpennessFactName, OpennessTable, OpennessTold, OwnerOpenness
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import ScenarioState
from pilotbase.documents.subjects import Organisation, holder_of, name_of, organisation_subject
from pilotbase.documents.texts import Text, percent, text
from pilotbase.evidence.distributions import wilson
from pilotbase.worker.base import Base
from pilotbase.worker.intake.public_kits import require_public
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.journeys import TriedPair, tried_pairs
from pilotbase.workspace.listings import Listing, Query, every_listing, require_listing
from pilotbase.workspace.store import View

POINTS: Mapping[OpennessFactName, int] = {
    "data": 25,
    "terms": 10,
    "answer": 15,
    "outside": 20,
    "verdicts": 10,
    "second": 10,
    "open_days": 10,
}
_INSIDE, _ON_AGREEMENT = 10, 18
"""Points where applications only run at the data, and where a sample is given on agreement."""
FEWEST_PROPOSALS = 3
"""From so many proposals on, a scenario has a score."""
PROMPT, SLOW = 3, 30
"""Working days to the first answer that give all points, and none."""
_SHORT = timedelta(days=30)
"""What was open for less counts as shut."""


@dataclass(frozen=True)
class _Opened:
    """What records say of one open scenario."""

    scenario: Scenario
    record: Record
    trials: Sequence[TriedPair]
    tied: frozenset[str]
    """Suppliers with a tie to the owner."""
    now: datetime

    @property
    def agreed(self) -> list[TriedPair]:
        return [one for one in self.trials if one.agreed is not None]

    @property
    def outside(self) -> list[TriedPair]:
        return [one for one in self.agreed if one.supplier not in self.tied]

    @property
    def unanswered(self) -> int:
        return sum(one.proposed is not None and one.answered is None for one in self.trials)


def openness(base: Base, view: View) -> OpennessTable:
    """Return the openness of every open scenario that the actor sees, and of their owners, the most open first."""
    listings = list(every_listing(view, Query("scenario", states=(ScenarioState.OPEN,))))
    opened = _read(base, listings)
    scenarios = [_told(base, listing, opened[listing.subject]) for listing in listings if listing.subject in opened]
    scenarios.sort(key=lambda one: (one.score is None, -(one.score or 0), one.unanswered, one.scenario))
    return OpennessTable(scenarios=tuple(scenarios), owners=tuple(_owners(base, scenarios, opened)))


def openness_of(base: Base, view: View, scenario: str) -> OpennessTold:
    """Return the openness of a scenario; raises `NotFoundError` for one that the actor does not see, or is not open."""
    listing = require_listing(view, scenario)
    found = _read(base, [listing]) if listing.state == ScenarioState.OPEN else {}
    if scenario not in found:
        raise NotFoundError("openness.not_open", scenario=name_of(scenario))
    return _told(base, listing, found[scenario])


def _read(base: Base, listings: Sequence[Listing]) -> dict[str, _Opened]:
    """Return scenario → what records say of it; all trials are read at once, whoever sees them."""
    own = everything(base.lab.view)
    records = records_of(own, [one.subject for one in listings])
    stored = own.get_all(sorted({one.documents["scenario"] for one in records.values() if "scenario" in one.documents}))
    trials, ties, now = defaultdict[str, list[TriedPair]](list), declared_ties(own), own.store.clock()
    for one in tried_pairs(own):
        trials[one.scenario].append(one)
    found = {}
    for subject, record in records.items():
        if record.documents.get("scenario") not in stored:
            continue
        owner, scenario = holder_of(subject), stored[record.documents["scenario"]].load(Scenario)
        tied = {owner, *ties.get(owner, ()), *(one for one, others in ties.items() if owner in others)}
        found[subject] = _Opened(scenario, record, trials[subject], frozenset(tied), now)
    return found


def _told(base: Base, listing: Listing, opened: _Opened) -> OpennessTold:
    facts = (
        _data(base, opened.scenario),
        _terms(opened.scenario),
        _answer(opened),
        _outside(opened),
        _verdicts(opened),
        _second(opened),
        _open_days(opened),
    )
    proposals = len(opened.trials)
    lacking = [one for one in facts if one.points < one.most]
    return OpennessTold(
        scenario=listing.subject,
        title=listing.title,
        owner=listing.owner,
        score=round(sum(one.points for one in facts)) if proposals >= FEWEST_PROPOSALS else None,
        facts=facts,
        next=max(lacking, key=lambda one: one.most - one.points).name if lacking else None,
        proposals=proposals,
        unanswered=opened.unanswered,
    )


def _data(base: Base, scenario: Scenario) -> OpennessFact:
    """Return how much of the data others get: for everybody, on agreement, or none, as applications run at them."""
    try:
        require_public(base, scenario)
    except RefusedError:
        if scenario.data.dataset is not None:
            return _fact("data", _ON_AGREEMENT, text("openness.data_agreement"))
        return _fact("data", _INSIDE, text("openness.data_inside"))
    return _fact("data", POINTS["data"], text("openness.data_public"))


def _terms(scenario: Scenario) -> OpennessFact:
    stated, closed = scenario.data.licence is not None, scenario.trial.suppliers is not None
    what = f"openness.terms_{'stated' if stated else 'not_stated'}_{'closed' if closed else 'open'}"
    return _fact("terms", (5 if stated else 0) + (0 if closed else 5), Text(code=what))


def _answer(opened: _Opened) -> OpennessFact:
    """Return how soon proposals are answered; one that waits counts with its days so far."""
    waits = [_working_days(one.proposed, one.answered or opened.now) for one in opened.trials if one.proposed]
    if not waits:
        return _unknown("answer")
    days = float(median(waits))
    points = POINTS["answer"] * min(max((SLOW - days) / (SLOW - PROMPT), 0), 1)
    return _fact("answer", points, text("openness.answer", days=f"{days:g}", unanswered=opened.unanswered))


def _working_days(since: datetime, until: datetime) -> int:
    return max(int(np.busday_count(since.date(), until.date())), 0)


def _outside(opened: _Opened) -> OpennessFact:
    if not opened.agreed:
        return _unknown("outside")
    outside, agreed = len(opened.outside), len(opened.agreed)
    lower = wilson(outside, agreed).lower
    return _fact("outside", POINTS["outside"] * lower, text("openness.outside", outside=outside, trials=agreed))


def _verdicts(opened: _Opened) -> OpennessFact:
    reported = [one for one in opened.trials if one.reported is not None]
    if not reported:
        return _unknown("verdicts")
    shown = sum(one.certified is not None for one in reported)
    points = POINTS["verdicts"] * shown / len(reported)
    return _fact("verdicts", points, text("openness.verdicts", shown=shown, reported=len(reported)))


def _second(opened: _Opened) -> OpennessFact:
    if not opened.agreed:
        return _unknown("second")
    suppliers = len({one.supplier for one in opened.outside})
    return _fact("second", POINTS["second"] if suppliers > 1 else 0, text("openness.second", suppliers=suppliers))


def _open_days(opened: _Opened) -> OpennessFact:
    """Return for which part of the time since it was first opened a scenario was open."""
    spells, since = list[tuple[datetime, datetime]](), None
    for step in opened.record.history:
        if since is None and step.state == ScenarioState.OPEN:
            since = step.at
        elif since is not None and step.state != ScenarioState.OPEN:
            spells.append((since, step.at))
            since = None
    first = spells[0][0] if spells else since
    if first is None or opened.now - first < _SHORT:
        return _unknown("open_days")
    long = [end - begin for begin, end in spells if end - begin >= _SHORT]
    share = (sum(long, timedelta()) + (opened.now - since if since is not None else timedelta())) / (opened.now - first)
    return _fact("open_days", POINTS["open_days"] * share, text("openness.open_days", share=percent(share)))


def _fact(name: OpennessFactName, points: float, fact: Text) -> OpennessFact:
    return OpennessFact(name=name, points=round(points, 1), most=POINTS[name], fact=fact)


def _unknown(name: OpennessFactName) -> OpennessFact:
    return OpennessFact(name=name, points=0, most=POINTS[name], fact=text("openness.unknown"), known=False)


def _owners(base: Base, scenarios: Sequence[OpennessTold], opened: Mapping[str, _Opened]) -> list[OwnerOpenness]:
    """Return the owners; by the lower bound of the share of their trials with outside suppliers, then by waiting."""
    of_owner = defaultdict[str, list[OpennessTold]](list)
    for one in scenarios:
        of_owner[one.owner].append(one)
    own, found = everything(base.lab.view), []
    records = records_of(own, [organisation_subject(name) for name in of_owner])
    for owner, told in of_owner.items():
        record = records.get(organisation_subject(owner))
        known = own.load(record.documents["organisation"], Organisation) if record is not None else None
        agreed = [trial for one in told for trial in opened[one.scenario].agreed]
        outside = [trial for one in told for trial in opened[one.scenario].outside]
        scores = [one.score for one in told if one.score is not None]
        found.append(
            OwnerOpenness(
                owner=owner,
                ownership=known.ownership if known is not None else None,
                scenarios=len(told),
                score=median(scores) if scores else None,
                trials=len(agreed),
                outside=len(outside),
                outside_lower=wilson(len(outside), len(agreed)).lower if agreed else 0,
                unanswered=sum(one.unanswered for one in told),
            )
        )
    return sorted(found, key=lambda one: (-one.outside_lower, one.unanswered, one.owner))
