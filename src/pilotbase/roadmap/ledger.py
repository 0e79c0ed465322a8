"""The ledger: what a base has done for its demands, from the books, with targets of the year and of each phase.

The figures are `pilotbase.catalogue.figures`; here they are put beside targets and costs, and cut to whose ledger it
is: operator and regulator see the whole base, a demand owner its own part, nobody else any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pilotbase.catalogue.figures import (
    LEDGER,
    YEARLY,
    Chosen,
    Figures,
    Reached,
    count_of,
    figures,
    reached,
    read_targets,
)
from pilotbase.catalogue.spans import STEPS, WHOLE, Quartiles, StepSpan, TrialCosts
from pilotbase.documents.api.ledger import AimTold, CellTold, CostTold, LedgerTold, MapTold, QuartilesTold, StepSpanTold
from pilotbase.documents.permissions import ReadScope, may_read
from pilotbase.documents.targets import Figure, Phase, Target, Targets
from pilotbase.documents.vocabularies import Action, Support
from pilotbase.roadmap.bookkeeping import keep_books
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View


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
    if not may_read(ReadScope.LEDGER, actor):
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
        spans=[_span(name, found.spans[name]) for name in (*STEPS, *WHOLE) if name in found.spans],
        costs=list(_costs(found)),
        targets=[_aim(one, year=found.year) for one in reached(found, targets)],
        phases=list(_phases(view, targets, owner)),
    )


def tell_map(view: View, found: Figures, at: datetime) -> MapTold:
    """Return six actions × eight supports and what names none; every cell is there, empty ones too."""
    cells = [_cell(found, action, support) for action in (*Action, "") for support in (*Support, "")]
    return MapTold(at=at, owner=owner_of(view.actor), cells=cells)


def _span(name: str, span: StepSpan) -> StepSpanTold:
    return StepSpanTold(
        step=name,
        taken=span.taken,
        open=span.open,
        ended=span.ended,
        days=_quartiles(span.days),
        half_after=span.half_after,
        longest_open=span.longest_open,
    )


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
            amount = _quartiles(price)
            yield CostTold(step=step, kind="price", unit=currency, known=price.count, unknown=0, amount=amount)
    elif step == "frozen_reported" and costs.cpu_seconds is not None:
        known, amount = costs.cpu_seconds.count, _quartiles(costs.cpu_seconds)
        yield CostTold(step=step, kind="cpu", unit="s", known=known, unknown=costs.reported - known, amount=amount)


def _quartiles(found: Quartiles | None) -> QuartilesTold | None:
    return None if found is None else QuartilesTold.model_validate(found)


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
    target = found.target
    return AimTold(
        year=year,
        phase=phase,
        figure=target.figure,
        sector=target.sector,
        action=target.action,
        number=target.number,
        reached=found.number,
        share=found.share,
    )


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
