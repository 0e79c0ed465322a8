"""The ledger: what a base has done for its demands and for clauses of policies, with targets of years and phases.

The figures are `pilotbase.catalogue.figures`; here they are put beside targets and costs, and cut to whose ledger it
is: operator and regulator see the whole base, a demand owner its own part, nobody else any.

A row is a copy for counting; the truth are the documents. The books are kept by whoever reads the ledger and by the
worker: each change is entered once, and entered again it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from pilotbase.catalogue.figures import (
    LEDGER,
    STEPS,
    WHOLE,
    YEARLY,
    Chosen,
    Figures,
    Reached,
    TrialCosts,
    count_of,
    figures,
    reached,
    read_targets,
)
from pilotbase.catalogue.records import both_languages, everything
from pilotbase.documents.api.ledger import (
    AimTold,
    CellTold,
    ClauseEvidence,
    ClauseStatus,
    ClauseTold,
    CostTold,
    LedgerTold,
    MapTold,
)
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.permissions import ReadScope, permitted
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.record import Record
from pilotbase.documents.roadmap import Clause, Figure, Phase, Target, Targets
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import CertifiedRoute, Service, ServiceStatus
from pilotbase.documents.states import AgreementState, DatasetState
from pilotbase.documents.subjects import record_head, service_subject, standing_head
from pilotbase.documents.vocabularies import Action, Colour, ServingState, Support
from pilotbase.documents.watch import RiskWarning
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.checks.journeys import BOOKS
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.journeys import Journey, note_first, put_journey
from pilotbase.workspace.listings import Listing, Query, count, put_listing
from pilotbase.workspace.records import Stored, copy_of
from pilotbase.workspace.store import Change, View, move, position
from pilotbase.workspace.transaction import Transaction

_FEED = BOOKS
_KINDS = ("service", "service-standing", "risk-warning")
_AT_ONCE = 500
_ANSWERS = (ServingState.SERVING, ServingState.FALLEN_BACK)


@dataclass(frozen=True)
class CountedFigures:
    """Figures, and when they were counted."""

    figures: Figures
    at: datetime


def owner_of(actor: Actor) -> str:
    """Return whose part of the ledger ``actor`` reads: empty for the whole.

    Raises:
        NotFoundError: the actor reads none.
    """
    if not permitted(ReadScope.LEDGER, actor):
        raise NotFoundError("roadmap.no_ledger")
    return "" if actor.sees_all else actor.organisation


def count_anew(view: View, now: datetime) -> Figures:
    """Keep the books and return the figures of the part of the ledger that ``view`` reads; raises as `owner_of`."""
    owner = owner_of(view.actor)
    keep_books(view)
    return figures(view, now, owner)


def count_now(view: View, owner: str = "") -> CountedFigures:
    """Keep the books and return the figures of what ``view`` sees (of ``owner`` only)."""
    now = view.store.clock()
    keep_books(view)
    return CountedFigures(figures(view, now, owner), now)


def tell_ledger(view: View, found: Figures, at: datetime) -> LedgerTold:
    """Return the ledger with the figures ``found``, which were counted ``at``; raises as `owner_of`."""
    owner, targets = owner_of(view.actor), read_targets(view)
    return LedgerTold(
        at=at,
        year=found.year,
        owner=owner,
        counts={figure.value: found.counts[figure] for figure in LEDGER},
        this_year={figure.value: found.this_year[figure] for figure in LEDGER if figure in YEARLY},
        spans=[found.spans[name] for name in (*STEPS, *WHOLE) if name in found.spans],
        costs=list(_costs(found)),
        targets=[_aim(one, year=found.year) for one in reached(found, targets)],
        phases=list(_phases(view, targets, owner)),
    )


def tell_map(view: View, found: Figures, at: datetime) -> MapTold:
    """Return six actions × eight supports and what names none; every cell is there, empty ones too."""
    cells = [_cell(found, action, support) for action in (*Action, "") for support in (*Support, "")]
    return MapTold(at=at, owner=owner_of(view.actor), cells=cells)


def _costs(found: Figures) -> Iterator[CostTold]:
    """Yield for each step what is known of its cost: the price where it is agreed, CPU time where the trial runs."""
    costs = found.costs
    for step in STEPS:
        taken = found.spans[step].taken if step in found.spans else 0
        known = list(_known(step, costs))
        yield from known or [CostTold(step=step, kind="unknown", unit="", known=0, unknown=taken, amount=None)]


def _known(step: str, costs: TrialCosts) -> Iterator[CostTold]:
    if step == "proposed_agreed":
        for currency, price in costs.prices.items():
            yield CostTold(step=step, kind="price", unit=currency, known=price.count, unknown=0, amount=price)
    elif step == "frozen_reported" and costs.cpu_seconds is not None:
        amount, unknown = costs.cpu_seconds, costs.reported - costs.cpu_seconds.count
        yield CostTold(step=step, kind="cpu", unit="s", known=amount.count, unknown=unknown, amount=amount)


def _phases(view: View, targets: Targets, owner: str) -> Iterator[AimTold]:
    """Yield the targets of each phase, the sum of those of its years, with what was reached in those years."""
    for phase in Phase:
        sums: dict[tuple[str, str, str], Target] = {}
        for target in (one for one in targets.targets if one.year in phase.years):
            about = target.about[1:]
            number = target.number + (sums[about].number if about in sums else 0)
            sums[about] = target.model_copy(update={"number": number})
        for target in sums.values():
            chosen = Chosen(target.sector or "", target.action or "", phase=phase, owner=owner)
            yield _aim(Reached(target, count_of(view, Figure(target.figure), chosen)), phase=phase)


def _aim(found: Reached, year: int | None = None, phase: Phase | None = None) -> AimTold:
    about = found.target.model_dump(include={"figure", "sector", "action", "number"})
    return AimTold(year=year, phase=phase, reached=found.number, share=found.share, **about)


def _cell(found: Figures, action: str, support: str) -> CellTold:
    here = [
        group.counts
        for group in found.groups
        if group.action == action and (support in group.supports if support else not group.supports)
    ]
    opened, certified, in_use = (
        sum(counts[figure] for counts in here) for figure in (Figure.OPENED, Figure.CERTIFIED, Figure.IN_USE)
    )
    return CellTold(action=action, support=support, opened=opened, certified=certified, in_use=in_use)


def keep_books(view: View) -> int:
    """Enter what is new of services, whoever asks, and return how many changes were new."""
    base, entered = everything(view), 0
    while True:
        with base.reading() as connection:
            since = position(connection, _FEED)
        found = base.changes(since or 0, _AT_ONCE, _KINDS)
        if not found:
            return entered
        with base.transaction("ledger.kept") as change:
            if move(change.connection, _FEED, expected=since, to=found[-1].sequence):
                for one in found:
                    _enter(change, base.within(change), one)
                entered += len(found)


def _enter(change: Transaction, base: View, told: Change) -> None:
    stored = copy_of(change.connection, told.digest, told.owner) if told.event == "moved" else None
    if stored is None:
        return
    if stored.kind == "service":
        _enter_terms(change, base, stored)
    elif stored.kind == "service-standing":
        _enter_standing(change, base, stored.load(ServiceStatus))
    else:
        warning = stored.load(RiskWarning)
        if warning.colour is not Colour.GREEN:
            note_first(change, service_subject(warning.service), "warned", warning.at)


def _enter_terms(change: Transaction, base: View, stored: Stored) -> None:
    """Enter a version of a service: each trial behind it, the earlier ones too, is in use since it first came there."""
    service = stored.load(Service)
    _list(change, base, service.name)
    behind = {route.commission for route in service.routes if isinstance(route, CertifiedRoute)}
    for commission in behind | {service.commission}:
        if commission is not None:
            note_first(change, commission, "served", stored.stored_at)


def _enter_standing(change: Transaction, base: View, standing: ServiceStatus) -> None:
    service = _list(change, base, standing.service)
    if service is None:
        return
    if standing.state in _ANSWERS and _is_certified(service, standing):
        note_first(change, service_subject(service.name), "served", standing.at)
    elif standing.state is ServingState.STOPPED:
        note_first(change, service_subject(service.name), "stopped", standing.at)


def _list(change: Transaction, base: View, name: str) -> Service | None:
    """Let the listing of a service say where it stands now; None while it has no terms or no standing."""
    found = base.named([service_subject(name), standing_head(name)])
    if len(found) < 2:
        return None
    stored = found[service_subject(name)]
    service, standing = stored.load(Service), found[standing_head(name)].load(ServiceStatus)
    scenario = _scenario_of(base, service)
    listing = _listing(stored, service, standing, scenario)
    put_listing(change, listing, [])
    supports = frozenset(scenario.supports) if scenario is not None else frozenset()
    put_journey(change, Journey(service_subject(name), listing.kind, supplier=_supplier(service), supports=supports))
    return service


def _is_certified(service: Service, standing: ServiceStatus) -> bool:
    """Return whether what answers, or would, holds a certificate: an endpoint on the operator's word is no use."""
    return isinstance(service.routes[min(standing.route, len(service.routes) - 1)], CertifiedRoute)


def _listing(stored: Stored, service: Service, standing: ServiceStatus, scenario: Scenario | None) -> Listing:
    title = both_languages(service.title)
    return Listing(
        subject=service_subject(service.name),
        kind="service" if _is_certified(service, standing) else "endpoint",
        state=standing.state.value,
        digest=stored.digest,
        owner=stored.owner,
        title=title,
        sector=scenario.sector.value if scenario is not None else "",
        action=scenario.action.value if scenario is not None and scenario.action is not None else "",
        words="\n".join([service.name, title.render("en"), title.render("zh"), service.organisation]),
        scenario=service.scenario or "",
    )


def _scenario_of(base: View, service: Service) -> Scenario | None:
    """Return the scenario that a service serves: of its record, else of the plan under which it was certified."""
    digest, route = None, service.routes[0]
    head = record_head(service.scenario or "")
    record = base.named([head]).get(head)
    if record is not None:
        digest = record.load(Record).documents.get("scenario")
    elif isinstance(route, CertifiedRoute) and (plan := base.get(route.plan)) is not None:
        digest = plan.load(TrialPlan).scenario.digest
    found = base.get(digest) if digest is not None else None
    return found.load(Scenario) if found is not None else None


def _supplier(service: Service) -> str:
    route = service.routes[0]
    return route.application.supplier.organisation if isinstance(route, CertifiedRoute) else ""


_FILE = "clauses.yaml"
COUNTS: Mapping[str, Query] = {
    "datasets": Query("dataset", states=(DatasetState.PUBLISHED,)),
    "agreements": Query("agreement", states=(AgreementState.IN_FORCE, AgreementState.EXPIRED)),
    "applications": Query("application"),
}
"""What shows a clause besides the figures of the ledger; names: text ``clause.<name>``."""


@cache
def packaged_clauses() -> tuple[Clause, ...]:
    """Return the clauses that this version knows, in order of their sources."""
    written: Any = parse_yaml(resources.files("pilotbase.roadmap").joinpath(_FILE).read_bytes(), _FILE).value
    return tuple(Clause.model_validate({"document": "clause/1", **one}) for one in written["clauses"])


def tell_clauses(view: View) -> list[ClauseTold]:
    """Return each clause with its status and the counts behind it; raises `NotFoundError` unless all is seen."""
    if not view.actor.sees_all:
        raise NotFoundError("roadmap.no_ledger")
    counts: dict[str, int] = {figure.value: number for figure, number in count_now(view).figures.counts.items()}
    counts |= {name: count(view, query) for name, query in COUNTS.items()}
    return [_told(one, counts) for one in packaged_clauses()]


def _told(clause: Clause, counts: Mapping[str, int]) -> ClauseTold:
    evidence = [
        ClauseEvidence(name=name, count=counts[name], is_figure=name in set(Figure)) for name in clause.shown_by
    ]
    return filled(ClauseTold, clause, status=status_of(clause, counts), evidence=evidence)


def status_of(clause: Clause, counts: Mapping[str, int]) -> ClauseStatus:
    """Return how far ``counts`` show a clause."""
    if not clause.shown_by:
        return "no_record"
    if clause.once is not None and not counts[clause.once]:
        return "not_applicable"
    shown = sum(counts[name] > 0 for name in clause.shown_by)
    return "shown" if shown == len(clause.shown_by) else "partly" if shown else "not"
