"""Plans that the planner proposes: the newest proposal, what-ifs, and what was adopted.

The planner proposes when it is asked and when records have moved; the operator adopts. No roadmap changes by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from pilotbase.catalogue.records import everything
from pilotbase.documents.api.ledger import PlanTold
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Localized
from pilotbase.documents.errors import InputError
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.planning import PlanningSheet, ProposedPlan, Title
from pilotbase.documents.roadmap import Roadmap, TaskState
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import LANGUAGES, Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.notices.rows import NoticeDraft
from pilotbase.operations.ledger import PlanWhatIf
from pilotbase.roadmap.driving import grade_of, left_to_gain
from pilotbase.roadmap.ledger import keep_books
from pilotbase.roadmap.planning import HEAD, SHEET, read_sheet, require_whole, task_states
from pilotbase.roadmap.proposing import ScenarioFacts, propose_plan
from pilotbase.roadmap.ranking import STATES, driving_graph
from pilotbase.roadmap.workforce import of_staffing
from pilotbase.workspace.actors import BASE
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.journeys import RatedScenario, Worth, rated_scenarios
from pilotbase.workspace.store import Change, View

_MIDDLE = Worth(3, 3, 3)
"""Of a task whose scenario nobody has rated."""
_PROPOSAL = "proposed-plan"
_BEFORE_TRIAL = (TaskState.PLANNED, TaskState.OPENED)
_MOST_NEWS = 20


def propose(view: View) -> ProposedPlan:
    """Compute a plan by today's records and let it stand as the newest proposal; an equal one stays.

    Raises:
        RefusedError: the actor is not the operator.
        InputError: as `propose_plan`.
    """
    found = _computed(view, read_sheet(view), view.store.clock())
    with view.transaction("planning.propose") as change:
        change.require_operator()
        stood = view.load_head(_PROPOSAL, ProposedPlan)
        if stood is not None and stood == found.model_copy(update={"at": stood.at}):
            return stood
        change.let_stand(_PROPOSAL, change.put(found, BASE))
    return found


def review(view: View) -> ProposedPlan | None:
    """Propose a plan if something has happened since the newest proposal that a plan depends on; else return None.

    Without a sheet or a roadmap there is nothing to compare with. Raises as `propose`.
    """
    base, now = everything(view), view.store.clock()
    roadmap, stood = base.load_head(HEAD, Roadmap), base.load_head(_PROPOSAL, ProposedPlan)
    if roadmap is None or base.head(SHEET) is None:
        return None
    keep_books(view)
    if stood is not None and not any(_news(stood, _facts(base, roadmap)[0], roadmap, now.date())):
        return None
    return propose(view)


def of_roadmap(view: View, changes: Sequence[Change]) -> Iterator[NoticeDraft]:
    """Yield the notices of this room: plans that records would make, and staffing that departs from what was stated."""
    yield from _of_plans(view, changes)
    yield from of_staffing(view, changes)


def _of_plans(view: View, changes: Iterable[Change]) -> Iterator[NoticeDraft]:
    for one in changes:
        found = view.load(one.digest, ProposedPlan) if (one.event, one.kind) == ("moved", _PROPOSAL) else None
        if found is not None and found.told is not None:
            title = Localized(**{language: text("planning.proposal").render(language) for language in LANGUAGES})
            body = NoticeBody(title=title, record="plan", said=found.told)
            yield NoticeDraft(NoticeKind.ASKED, "", Address(role=Role.OPERATOR), body, f"plan {one.digest}")


def read_proposal(view: View) -> ProposedPlan:
    """Return the newest proposal; raises `NotFoundError` where there is none, and as `require_whole`."""
    require_whole(view)
    found = view.load_head(_PROPOSAL, ProposedPlan)
    if found is None:
        raise NotFoundError("planning.no_proposal")
    return found


def waiting_proposal(view: View) -> ProposedPlan | None:
    """Return the newest proposal while the roadmap for which it was computed stands, else None."""
    found = view.load_head(_PROPOSAL, ProposedPlan)
    return found if found is not None and everything(view).head(HEAD) == found.roadmap else None


def what_if(view: View, asked: PlanWhatIf) -> ProposedPlan:
    """Return the plan under other weights and limits, beside the roadmap in force; nothing is stored."""
    sheet, changed = read_sheet(view), asked.model_dump(exclude_none=True, exclude={"limits"})
    names = {one.name for one in sheet.resources}
    if strange := next((name for name in asked.limits if name not in names), None):
        raise InputError("planning.no_resource", found=strange)
    resources = [
        one.model_copy(
            update={
                "limits": {phase: most * asked.limits.get(one.name, 100) / 100 for phase, most in one.limits.items()}
            }
        )
        for one in sheet.resources
    ]
    wanted = PlanningSheet.model_validate(sheet.to_json_value() | changed | {"resources": resources})
    return _computed(view, wanted, view.store.clock())


def adopt(view: View, title: Title, seen: str) -> Roadmap:
    """Let the newest proposal stand as the roadmap.

    ``seen``: the digest of the proposal that was looked at.

    Raises:
        RefusedError: the actor is not the operator.
        ConflictError: there is another proposal or another roadmap by now, or there is no plan to adopt.
    """
    found = read_proposal(view)
    if found.outcome == "infeasible":
        raise ConflictError("planning.nothing_to_adopt")
    roadmap = found.as_roadmap(title)
    with view.transaction("planning.adopt") as change:
        change.require_operator()
        if found.digest() != seen or everything(view).head(HEAD) not in (found.roadmap, roadmap.digest()):
            raise ConflictError("planning.stale")
        change.let_stand(HEAD, change.put(roadmap, BASE))
    return roadmap


def tell_plan(view: View, found: ProposedPlan) -> PlanTold:
    """Return a proposal with its digest and whether it can still be adopted."""
    current = found.outcome != "infeasible" and everything(view).head(HEAD) == found.roadmap
    return filled(PlanTold, found, digest=found.digest(), moved=found.moved, fresh=found.fresh, can_adopt=current)


def _computed(view: View, sheet: PlanningSheet, now: datetime) -> ProposedPlan:
    keep_books(view)
    base = everything(view)
    roadmap, stood = base.load_head(HEAD, Roadmap), base.load_head(_PROPOSAL, ProposedPlan)
    facts, unrated = _facts(base, roadmap)
    if sheet.driving == "shown":
        facts = _by_shared_needs(base, facts)
    found = propose_plan(sheet, facts, roadmap, now)
    news = tuple(_news(stood, facts, roadmap, now.date())) if stood is not None and roadmap is not None else ()
    waiting = stood.because if stood is not None and stood.told is not None and found.roadmap == stood.roadmap else ()
    states = {one.scenario: one.state for one in facts}
    because = (*waiting, *news)[-_MOST_NEWS:]
    return found.model_copy(update={"unrated": unrated, "states": states, "because": because})


def _facts(base: View, roadmap: Roadmap | None) -> tuple[list[ScenarioFacts], int]:
    """Return the facts of the scenarios that take part, and how many do not because nobody has rated them."""
    planned = [task.scenario for task in roadmap.tasks] if roadmap is not None else []
    rated = {one.subject: one for one in rated_scenarios(base, STATES, planned)}
    rated |= {one: RatedScenario(one, "", "", None) for one in planned if one not in rated}
    states = task_states(base, list(rated))
    taking_part = [one for one in rated.values() if one.worth is not None or one.subject in planned]
    facts = [
        ScenarioFacts(one.subject, one.sector, one.action, one.worth or _MIDDLE, states[one.subject])
        for one in taking_part
    ]
    return facts, len(rated) - len(facts)


def _by_shared_needs(base: View, facts: Sequence[ScenarioFacts]) -> list[ScenarioFacts]:
    """Return the facts with the driving effect that shared needs show in place of the stated one."""
    gains = {one.scenario: left_to_gain(one.worth.potential, one.maturity) for one in facts}
    effects = driving_graph(base, gains).effects
    grades = {one.scenario: grade_of(effects.get(one.scenario, 0.0)) for one in facts}
    return [replace(one, worth=replace(one.worth, driving_effect=grades[one.scenario])) for one in facts]


def _news(stood: ProposedPlan, facts: Sequence[ScenarioFacts], roadmap: Roadmap, today: date) -> Iterator[Text]:
    """Yield what has happened since ``stood``: scenarios that stand elsewhere, dates that have passed without use."""
    ends = {task.scenario: date.fromisoformat(task.end) for task in roadmap.tasks}
    for one in facts:
        was = stood.states.get(one.scenario)
        if was not in (None, one.state) and not {was, one.state} <= set(_BEFORE_TRIAL):
            states = {"before": Text(code=f"task.{was}"), "state": Text(code=f"task.{one.state}")}
            yield text("planning.news", scenario=name_of(one.scenario), **states)
        if one.state is not TaskState.IN_USE and stood.at.date() <= ends.get(one.scenario, today) < today:
            yield text("planning.news_late", scenario=name_of(one.scenario), end=ends[one.scenario].isoformat())
