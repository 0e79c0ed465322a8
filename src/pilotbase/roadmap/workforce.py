"""The effect on employment on a base: tables that its operator loads, statements of owners, reports, notices, sums.

Owners state and report; operator and regulator see all, each owner its own. Without a table there is no exposure and no
activity by sector, and without a statement no figure: unknown, not zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from pilotbase.catalogue.records import both_languages, everything
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Localized
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.permissions import DeskAct, SubjectRelation, permitted
from pilotbase.documents.subjects import Subject, holder_of, kind_of, name_of
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.documents.workforce import (
    MOST_REPORTS,
    EffectTold,
    LabelledTask,
    OccupationEffect,
    OccupationsTold,
    OccupationTable,
    OccupationTold,
    SectorActivity,
    SectorDemand,
    SectorsTold,
    SectorTable,
    Staffing,
    StaffingReport,
    StaffingTold,
    StatedRange,
    TouchedOccupation,
    WorkforceEffect,
    WorkforceStatement,
    WorkforceSum,
    WorkforceTold,
)
from pilotbase.notices.rows import NoticeDraft
from pilotbase.operations.workforce import WorkforceAsked
from pilotbase.roadmap.employment import (
    TaskWords,
    activity,
    added,
    departs,
    expected_people,
    exposures,
    freed_work,
    hull,
    leontief,
    require_reproduced,
    tell_occupations,
)
from pilotbase.roadmap.ledger import owner_of
from pilotbase.roadmap.ranking import STATES
from pilotbase.workspace.actors import BASE, parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Query, count, find_listings, require_listing
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import Change, View

_OCCUPATIONS, _SECTORS = "occupation-table", "sector-table"
_SUMMED = ("displaced", "augmented", "created", "posts")


def set_occupations(view: View, table: OccupationTable) -> OccupationsTold:
    """Let a table of occupations stand in place of what was there, once its published values are computed again.

    Raises:
        InputError: as `require_reproduced`.
        RefusedError: the actor is not the operator.
    """
    require_reproduced(table)
    with view.transaction("occupations.set") as change:
        change.require_operator()
        change.let_stand(_OCCUPATIONS, change.put(table, BASE))
    return tell_occupations(table)


def set_sectors(view: View, table: SectorTable) -> SectorsTold:
    """Let an input-output table stand in place of what was there; raises as `leontief`, and `RefusedError`."""
    leontief(table)
    with view.transaction("sectors.set") as change:
        change.require_operator()
        change.let_stand(_SECTORS, change.put(table, BASE))
    return filled(SectorsTold, table, sectors=len(table.sectors))


def state_effect(view: View, scenario: Subject, stated: WorkforceStatement) -> EffectTold:
    """Let a statement stand in place of the scenario's earlier one.

    Raises:
        NotFoundError: the actor sees no such scenario.
        RefusedError: the actor neither owns the scenario nor operates the base.
        InputError: the base's tables do not know an occupation or a sector.
    """
    _require_states(view, scenario)
    _require_known(view, stated)
    effect = WorkforceEffect(scenario=scenario, stated=stated)
    with view.transaction("workforce.state") as change:
        change.let_stand(_effect_head(scenario), change.put(effect, parties(), owner=holder_of(scenario)))
    return next(_effects(view, [effect]))


def report_staffing(view: View, scenario: Subject, report: StaffingReport) -> EffectTold:
    """Add a report of how many people do the work; one of the same day takes the place of the earlier one.

    Raises:
        NotFoundError, RefusedError: as `state_effect`; or nothing is stated of the scenario.
        InputError: the day is later than today.
    """
    _require_states(view, scenario)
    today = view.store.clock().date().isoformat()
    if report.day > today:
        raise InputError("workforce.later", day=report.day, today=today)
    with view.transaction("workforce.report") as change:
        here = view.within(change)
        if here.head(_effect_head(scenario)) is None:
            raise NotFoundError("workforce.nothing_stated", scenario=name_of(scenario))
        before = here.load_head(_staffing_head(scenario), Staffing) or Staffing(scenario=scenario)
        reports = sorted((*(one for one in before.reports if one.day != report.day), report), key=lambda one: one.day)
        staffing = Staffing(scenario=scenario, reports=tuple(reports[-MOST_REPORTS:]))
        digest = change.put(staffing, parties(), owner=holder_of(scenario))
        change.let_stand(_staffing_head(scenario), digest)
    return next(_effects(view, _named(view, [scenario])))


def tell_workforce(view: View, asked: WorkforceAsked) -> WorkforceTold:
    """Return effects, sums and activity of the scenarios that ``view`` sees; raises as `owner_of`."""
    owner, words, sectors = owner_of(view.actor), _occupations(view), _sectors(view)
    every = _stated(view, owner)
    stated = [
        one for one in every if asked.scenario in ("", one.scenario) and asked.region in ("", one.stated.region or "")
    ]
    effects = list(_effects(view, stated))
    listed = find_listings(view, [one.scenario for one in every])
    return WorkforceTold(
        at=view.store.clock(),
        occupations=tell_occupations(words.table) if words else None,
        sectors=filled(SectorsTold, sectors, sectors=len(sectors.sectors)) if sectors else None,
        unstated=count(view, Query("scenario", states=STATES, owner=owner))
        - sum(one.state in STATES for one in listed.values()),
        effects=effects,
        sums=list(_sums(effects)),
        activity=_activity(sectors, [demand for one in stated for demand in one.stated.demand]),
    )


def tell_occupation(view: View, code: str) -> OccupationTold:
    """Return an occupation of the base's table; raises `NotFoundError` without a table, else as `TaskWords.find`."""
    owner_of(view.actor)
    words = _occupations(view)
    if words is None:
        raise NotFoundError("workforce.no_table")
    found, raters = words.find(code), words.table.raters
    return OccupationTold(
        code=found.code,
        title=found.title,
        raters=list(raters),
        exposure=hull(found, raters),
        by_rater=exposures(found, raters),
        tasks=[filled(LabelledTask, one, labels=[str(label) for label in one.labels]) for one in found.tasks],
        paths=words.paths(found),
    )


def read_statement(view: View, scenario: Subject) -> WorkforceStatement | None:
    """Return what is stated of a scenario, if anything is; raises `NotFoundError` for a scenario that is not seen."""
    require_listing(view, scenario)
    found = view.load_head(_effect_head(scenario), WorkforceEffect)
    return None if found is None else found.stated


def may_state(view: View, scenario: Subject) -> bool:
    """Return whether the actor may state and report for a scenario."""
    return permitted(DeskAct.WORKFORCE, view.actor, SubjectRelation(demand_owner=holder_of(scenario)))


def of_staffing(view: View, changes: Iterable[Change]) -> Iterator[NoticeDraft]:
    """Yield the warnings to owner and operators where two reports in a row lie outside of what was stated."""
    for one in changes:
        if (one.event, one.kind) == ("moved", "staffing"):
            scenario = view.load(one.digest, Staffing).scenario
            found = next(_effects(view, _named(view, [scenario])), None)
            if found is not None and found.departs and found.expected is not None:
                now, expected = found.staffing[-1], found.expected
                bounds = {"low": f"{expected.low:g}", "high": f"{expected.high:g}"}
                said = text("workforce.told", day=now.day, people=now.people, **bounds)
                body = NoticeBody(title=both_languages(found.title), record="staffing", said=said)
                for address in (Address(organisation=found.owner), Address(role=Role.OPERATOR)):
                    happening = f"staffing {one.digest} {address.role}"
                    yield NoticeDraft(NoticeKind.ASKED, scenario, address, body, happening)


def _require_states(view: View, scenario: Subject) -> None:
    if kind_of(scenario) != "scenario":
        raise NotFoundError("workspace.not_found", name=scenario)
    require_listing(view, scenario)
    if not may_state(view, scenario):
        raise RefusedError("workforce.not_yours", organisation=holder_of(scenario))


def _require_known(view: View, stated: WorkforceStatement) -> None:
    words, sectors = _occupations(view), _sectors(view)
    if words is not None:
        for one in stated.occupations:
            if _scheme(one.code) in words.schemes:
                words.find(one.code)
    if sectors is not None:
        activity(sectors, {one.sector: one.amount for one in stated.demand})


def _stated(view: View, owner: str) -> list[WorkforceEffect]:
    scenarios = {one.scenario for one in view.every(WorkforceEffect)}
    return _named(view, sorted(one for one in scenarios if owner in ("", holder_of(one))))


def _named(view: View, scenarios: Sequence[Subject]) -> list[WorkforceEffect]:
    found = view.named([_effect_head(one) for one in scenarios])
    return [found[head].load(WorkforceEffect) for head in map(_effect_head, scenarios) if head in found]


def _effects(view: View, stated: Sequence[WorkforceEffect]) -> Iterator[EffectTold]:
    listed = find_listings(view, [one.scenario for one in stated])
    reported = view.named([_staffing_head(one.scenario) for one in stated])
    words = _occupations(view)
    for one in stated:
        kept = reported.get(_staffing_head(one.scenario))
        title = listed[one.scenario].title if one.scenario in listed else name_of(one.scenario)
        yield _effect(one, title, words, kept.load(Staffing).reports if kept else ())


def _effect(
    effect: WorkforceEffect, title: Localized | str, words: TaskWords | None, reports: Sequence[StaffingReport]
) -> EffectTold:
    stated = effect.stated
    freed, posts = freed_work(stated.assumptions), stated.occupations
    counted = [one.people for one in posts]
    people = sum(one for one in counted if one is not None) if posts and None not in counted else None
    displaced, augmented, created = (_whole([getattr(one, name) for one in posts]) for name in _SUMMED[:3])
    expected = expected_people(people, displaced, created)
    unknown = [
        text("workforce.not_stated", of=text(f"workforce.of.{name}"))
        for name, value in (
            ("people", people),
            ("displaced", displaced),
            ("augmented", augmented),
            ("created", created),
        )
        if value is None
    ]
    staffing = [
        filled(StaffingTold, one, outside=None if expected is None else not expected.low <= one.people <= expected.high)
        for one in reports
    ]
    return filled(
        EffectTold,
        freed,
        stated,
        scenario=effect.scenario,
        title=title,
        owner=holder_of(effect.scenario),
        people=people,
        displaced=displaced,
        augmented=augmented,
        created=created,
        unknown=[*unknown, *freed.unknown],
        occupations=[_occupation(one, stated.language_model, words) for one in posts],
        expected=expected,
        staffing=staffing,
        departs=departs([one.outside for one in staffing]),
    )


def _occupation(one: TouchedOccupation, language_model: bool | None, words: TaskWords | None) -> OccupationEffect:
    found = words.by_code.get(one.code) if words is not None else None
    titles = {task.number: task.title for task in found.tasks} if found is not None else {}
    why = _why_no_exposure(one.code, language_model, words)
    return OccupationEffect(
        code=one.code,
        title=found.title if found is not None else one.code,
        people=one.people,
        tasks=[titles.get(task, task) for task in one.tasks],
        displaced=one.displaced,
        augmented=one.augmented,
        created=one.created,
        exposure=hull(found, words.table.raters) if words is not None and found is not None and why is None else None,
        why=why,
    )


def _why_no_exposure(code: str, language_model: bool | None, words: TaskWords | None) -> Text | None:
    if words is None or code not in words.by_code:
        return text("workforce.no_exposure.table")
    if words.table.language_models and not language_model:
        return text("workforce.no_exposure.kind")
    return None


def _whole(found: Sequence[StatedRange | None]) -> StatedRange | None:
    """Return the sum if every part is known; None: it is unknown."""
    return added(found) if found and None not in found else None


def _sums(effects: Sequence[EffectTold]) -> Iterator[WorkforceSum]:
    if not effects:
        return
    yield _sum("", True, effects)
    for region in sorted({one.region or "" for one in effects}):
        yield _sum(region, False, [one for one in effects if (one.region or "") == region])


def _sum(region: str, whole: bool, effects: Sequence[EffectTold]) -> WorkforceSum:
    people = [one.people for one in effects if one.people is not None]
    unknown = {name: sum(getattr(one, name) is None for one in effects) for name in ("people", *_SUMMED)}
    return WorkforceSum(
        region=region,
        whole=whole,
        scenarios=len(effects),
        people=sum(people) if people else None,
        **{name: added(getattr(one, name) for one in effects) for name in _SUMMED},
        unknown=unknown,
    )


def _activity(table: SectorTable | None, demands: Sequence[SectorDemand]) -> list[SectorActivity]:
    """Return the activity by sector of all spending; a sector that the table in force does not have is left out."""
    known = {one.code for one in table.sectors} if table is not None else set()
    spent: dict[str, StatedRange] = {}
    for one in demands:
        if one.sector in known:
            spent[one.sector] = added([spent.get(one.sector), one.amount]) or one.amount
    return activity(table, spent) if table is not None and spent else []


def _occupations(view: View) -> TaskWords | None:
    found = everything(view).named([_OCCUPATIONS]).get(_OCCUPATIONS)
    return None if found is None else _words_of(found)


@lru_cache(2)
def _words_of(found: Stored) -> TaskWords:
    return TaskWords(found.load(OccupationTable))


def _sectors(view: View) -> SectorTable | None:
    return everything(view).load_head(_SECTORS, SectorTable)


def _scheme(code: str) -> str:
    return code.partition(":")[0]


def _effect_head(scenario: Subject) -> str:
    return f"workforce:{scenario}"


def _staffing_head(scenario: Subject) -> str:
    return f"staffing:{scenario}"
