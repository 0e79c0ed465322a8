"""The ledger, its map, the ranking, the records behind a figure, and the roadmap."""

from __future__ import annotations

from pilotbase.catalogue.figures import STEPS, WHOLE, Chosen, count_of, count_on, records_of, records_on
from pilotbase.catalogue.wording import listed
from pilotbase.documents.api.ledger import LedgerTold, MapTold, PeriodClosed, RoadmapTold
from pilotbase.documents.api.records import RecordPage
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.planning import PlanningSheet
from pilotbase.documents.roadmap import Roadmap
from pilotbase.documents.subjects import scenario_subject
from pilotbase.operations import ledger as declared
from pilotbase.operations.operation import NoInput, With
from pilotbase.roadmap.ledger import CountedFigures, count_now, owner_of, tell_clauses, tell_ledger, tell_map
from pilotbase.roadmap.periods import close_period, closed_periods, compare, read_period, sign_period
from pilotbase.roadmap.planning import read_sheet, set_roadmap, set_sheet, tell_roadmap, tell_task_sheets
from pilotbase.roadmap.proposals import adopt, propose, read_proposal, tell_plan, what_if
from pilotbase.roadmap.ranking import rank_as_asked
from pilotbase.worker.openness import openness, openness_of
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.potential import score_potential, tell_potential
from pilotbase.workspace.actors import VISITOR
from pilotbase.workspace.listings import Page

KEPT_SECONDS = 10
"""Least seconds between two counts of the figures."""

does(declared.RANKING)(lambda caller, asked: rank_as_asked(caller.view, asked, caller.address_of))
does(declared.POTENTIAL)(
    lambda caller, asked: tell_potential(caller.base, caller.view, scenario_subject(asked.owner, asked.name))
)
does(declared.SCORE_POTENTIAL)(
    lambda caller, asked: score_potential(
        caller.base,
        caller.view,
        scenario_subject(asked.owner, asked.name),
        (asked.potential, asked.words),
        caller.is_member,
    )
)
does(declared.OPENNESS)(
    lambda caller, asked: caller.remember("openness", KEPT_SECONDS, lambda: openness(caller.base, caller.view))
)
does(declared.OPENNESS_OF)(
    lambda caller, asked: openness_of(caller.base, caller.view, scenario_subject(asked.owner, asked.name))
)
does(declared.ROADMAP)(lambda caller, asked: tell_roadmap(caller.view))

does(declared.TASKS)(lambda caller, asked: tell_task_sheets(caller.view, asked))
does(declared.SHEET)(lambda caller, asked: read_sheet(caller.view))
does(declared.WHAT_IF)(lambda caller, asked: tell_plan(caller.view, what_if(caller.view, asked)))
does(declared.PROPOSAL)(lambda caller, asked: tell_plan(caller.view, read_proposal(caller.view)))
does(declared.CLAUSES)(lambda caller, asked: tell_clauses(caller.view))
does(declared.PERIOD)(lambda caller, asked: read_period(caller.view, asked.period))
does(declared.CLOSE_PERIOD)(lambda caller, asked: close_period(caller.view, asked))
does(declared.SIGN_PERIOD)(lambda caller, asked: sign_period(caller.view, asked.period))
does(declared.COMPARE_PERIOD)(lambda caller, asked: compare(caller.view, asked.sent))
does(declared.PROPOSE)(lambda caller, asked: tell_plan(caller.view, propose(caller.view)))


def counted(caller: Caller, owner: str = "") -> CountedFigures:
    """Return the figures of what the caller can see (of ``owner`` only), counted now or recently."""
    return caller.remember(f"figures:{owner}", KEPT_SECONDS, lambda: count_now(caller.view, owner))


@does(declared.PERIODS)
def periods(caller: Caller, asked: NoInput) -> list[PeriodClosed]:
    """Return the closed periods, as everybody may know them."""
    return closed_periods(caller.base.lab.store.as_actor(VISITOR))


@does(declared.SHOW)
def show(caller: Caller, asked: NoInput) -> LedgerTold:
    """Return the whole ledger, or a demand owner's part of it."""
    found = counted(caller, owner_of(caller.view.actor))
    return tell_ledger(caller.view, found.figures, found.at)


@does(declared.MAP)
def show_map(caller: Caller, asked: NoInput) -> MapTold:
    """Return all cells of the map, empty ones too."""
    found = counted(caller, owner_of(caller.view.actor))
    return tell_map(caller.view, found.figures, found.at)


@does(declared.RECORDS)
def records(caller: Caller, asked: declared.OfFigure) -> RecordPage:
    """Return the records behind a figure."""
    owner = owner_of(caller.view.actor)
    chosen = Chosen(asked.sector, asked.action, asked.year, asked.phase, asked.support, owner)
    page = records_of(caller.view, asked.figure, chosen, asked.after or None, asked.limit)
    return _page(caller, page, count_of(caller.view, asked.figure, chosen))


@does(declared.STEP)
def step(caller: Caller, asked: declared.OnStep) -> RecordPage:
    """Return the records that passed a step, are still at it, or ended before it."""
    owner, steps = owner_of(caller.view.actor), STEPS | WHOLE
    if asked.step not in steps:
        raise InputError("roadmap.no_step", found=asked.step, allowed=offer(asked.step, steps))
    on = steps[asked.step]
    page = records_on(caller.view, on, asked.progress, owner, asked.after or None, asked.limit)
    return _page(caller, page, count_on(caller.view, on, asked.progress, owner))


@does(declared.SET_ROADMAP)
def set_new(caller: Caller, asked: With[Roadmap]) -> RoadmapTold:
    """Replace the roadmap."""
    set_roadmap(caller.view, asked.sent)
    return tell_roadmap(caller.view)


@does(declared.SET_SHEET)
def set_rules(caller: Caller, asked: With[PlanningSheet]) -> PlanningSheet:
    """Replace the sheet of limits and rules."""
    return set_sheet(caller.view, asked.sent)


@does(declared.ADOPT)
def adopt_plan(caller: Caller, asked: declared.Adoption) -> RoadmapTold:
    """Let the proposal stand as the roadmap."""
    adopt(caller.view, asked.title, asked.seen)
    return tell_roadmap(caller.view)


def _page(caller: Caller, page: Page, total: int) -> RecordPage:
    return RecordPage(items=[listed(one, caller.address_of) for one in page.items], total=total, next=page.after)
