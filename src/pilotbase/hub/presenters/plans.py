"""The plan of a trial in words, for those who approve, freeze or pay for it: as proposed, then as frozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pilotbase.charts.scales import format_count
from pilotbase.documents.base import Localized
from pilotbase.documents.hashes import abbreviated
from pilotbase.documents.limits import Limits
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import TrialPlan, attempts_held
from pilotbase.documents.quantities import format_bytes, format_digits, format_seconds
from pilotbase.documents.record import ApplicationVersion, PlanProposal, Record, StepTaken
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.trial.scoring import error_level, unit_of
from pilotbase.workspace.listings import Listing
from pilotbase.workspace.store import View

DECIDED_ON = frozenset(
    {Act.PLAN_APPROVE, Act.PLAN_RETURN, Act.PLAN_FREEZE, Act.TRIAL_QUEUE, Act.CONSENT_GIVE, Act.CONSENT_REFUSE}
)
"""Acts beside whose forms the plan stands."""
_READ = ("proposal", "scenario", "application", "plan")
Value = Text | Localized | str
Row = tuple[Text, Value]


@dataclass(frozen=True)
class PlanRow:
    """One thing that a plan says, and what the scenario says now where that differs."""

    label: Text
    value: Value
    now: Value | None = None


@dataclass(frozen=True)
class ShownPlan:
    """A plan as a page lays it out, beside the scenario as it stands now."""

    criteria: tuple[tuple[Criterion, bool], ...]
    """Each with whether the scenario has it too."""
    dropped: tuple[Criterion, ...]
    """Criteria of the scenario that the plan does not have."""
    rows: tuple[PlanRow, ...]
    limits: tuple[PlanRow, ...]
    frozen: TrialPlan | None
    drafted: StepTaken | None
    """Who has drawn it up."""
    approved: StepTaken | None
    remarks: Localized | str | None
    compared: bool
    """Whether the reader sees the scenario as it stands now."""

    @property
    def differs(self) -> bool:
        rows = (*self.rows, *self.limits)
        return bool(self.dropped) or not all(same for _, same in self.criteria) or any(one.now for one in rows)


def plan_shown(view: View, record: Record, scenario_now: Listing | None) -> ShownPlan | None:
    """Return the plan of a trial as far as the actor sees it; None where none is drawn up, or not for them to see.

    ``scenario_now``: the scenario's listing, with which the plan is compared where the actor sees it.
    """
    if "proposal" not in record.documents:
        return None
    wanted = [record.documents[name] for name in _READ if name in record.documents]
    seen = view.get_all(wanted if scenario_now is None else [*wanted, scenario_now.digest])
    found = {name: seen[record.documents[name]] for name in _READ if record.documents.get(name) in seen}
    if not {"proposal", "scenario", "application"} <= found.keys():
        return None
    proposal, scenario = found["proposal"].load(PlanProposal), found["scenario"].load(Scenario)
    application = found["application"].load(ApplicationVersion)
    frozen = found["plan"].load(TrialPlan) if "plan" in found else None
    drafted = _newest(record, Act.PLAN_DRAFT)
    approved = _newest(record, Act.PLAN_APPROVE)
    stored = seen.get(scenario_now.digest) if scenario_now is not None else None
    now = stored.load(Scenario) if stored is not None else scenario
    planned = frozen.criteria if frozen is not None else scenario.criteria
    limits = frozen.limits if frozen is not None else scenario.trial.limits
    before, after = (list(_rows(one, application, None)) for one in (scenario, now))
    return ShownPlan(
        criteria=tuple((one, one in now.criteria) for one in planned),
        dropped=tuple(one for one in now.criteria if one not in planned),
        rows=tuple(_compared(_rows(scenario, application, frozen), before, after)),
        limits=tuple(_compared(_limits(limits), list(_limits(limits)), list(_limits(now.trial.limits)))),
        frozen=frozen,
        drafted=drafted,
        approved=approved if approved and drafted and approved.at >= drafted.at else None,
        remarks=proposal.remarks,
        compared=stored is not None,
    )


def _compared(rows: Iterable[Row], planned: Sequence[Row], now: Sequence[Row]) -> Iterator[PlanRow]:
    """Yield ``rows`` beside what the scenario says now, where it says something else than when the plan was made."""
    then, today = ({label.code: value for label, value in listed} for listed in (planned, now))
    for label, value in rows:
        other = today.get(label.code)
        yield PlanRow(label, value, other if other is not None and other != then.get(label.code) else None)
    for label, value in now:
        if label.code not in then:
            yield PlanRow(label, text("hub.plan.not_planned"), value)


def _newest(record: Record, act: Act) -> StepTaken | None:
    return next((step for step in reversed(record.history) if step.act is act), None)


def _rows(scenario: Scenario, version: ApplicationVersion, frozen: TrialPlan | None) -> Iterator[Row]:
    application, terms = version.application, scenario.trial
    yield text("hub.plan.application"), text("hub.plan.version", name=application.name, version=application.version)
    yield text("hub.digest"), version.folder
    yield text("hub.plan.scenario_version"), scenario.digest()
    yield text("hub.data"), text("hub.simulated" if scenario.data.nature == "simulated" else "hub.measured")
    yield text("hub.plan.asked"), _asked(scenario)
    yield text("hub.plan.cases"), _cases(scenario, frozen)
    stop = "full" if unit_of(scenario.criteria) is not None and terms.stop == "fixed" else terms.stop
    yield text("hub.plan.stop"), text(f"hub.plan.stop.{stop}", cases=format_count(terms.cases))
    if terms.accept_from is not None:
        yield text("hub.plan.accept_from"), terms.accept_from.in_words
    if terms.repeats is not None:
        yield text("hub.plan.repeats"), str(terms.repeats)
    yield text("hub.plan.alpha"), text("hub.plan.alpha_of", alpha=format_digits(error_level(scenario.criteria)))
    if terms.suppliers is not None:
        yield text("hub.plan.suppliers"), text("hub.plan.suppliers_of", suppliers=", ".join(terms.suppliers))
    yield text("hub.plan.attempts"), _attempts(terms.attempts, frozen)
    level = text(f"report.isolation.level.{terms.isolation}")
    yield text("hub.plan.isolation"), text("hub.plan.isolation_of", level=terms.isolation.value, meaning=level)
    if scenario.world is None:
        yield text("hub.plan.batch"), str(terms.batch_rows)
    yield text("hub.plan.delivery"), _delivery(scenario)
    if frozen is not None and frozen.carries is not None:
        earlier = frozen.carries.application
        told = {"name": earlier.name, "version": earlier.version, "criteria": ", ".join(frozen.carries.criteria)}
        serial = abbreviated(frozen.carries.certificates[0])
        yield text("hub.carries"), text("hub.plan.carries_of", **told, serial=serial)
    yield text("hub.plan.order"), text("hub.plan.order_open") if frozen is None else frozen.order_commitment
    for name in ("load_test", "matrix", "exchanges", "processor_hour", "contamination"):
        if getattr(terms, name) is not None:
            yield text(f"hub.plan.{name}"), text("hub.plan.as_stated")


def _asked(scenario: Scenario) -> Text:
    if scenario.world is not None:
        named = scenario.world.name
        return text("hub.plan.acts") if named is None else text("hub.plan.acts_in", world=named)
    answer = text(f"report.contract.kind.{scenario.answer}")
    return text("hub.plan.asked_of", columns=len(scenario.feature_fields), answer=answer)


def _cases(scenario: Scenario, frozen: TrialPlan | None) -> Text:
    if frozen is not None:
        cases, hidden = format_count(frozen.cases), format_count(frozen.scenario.hidden_cases)
        if (draw := frozen.draw) is not None:
            told = {"units": draw.units, "of": draw.hidden, "unit": draw.column, "average": draw.average}
            return text("hub.plan.units_frozen", cases=cases, **told)
        return text("hub.plan.cases_frozen", cases=cases, hidden=hidden)
    wanted = scenario.trial.cases_per_attempt
    return text("hub.plan.cases_all") if wanted is None else text("hub.plan.cases_some", cases=format_count(wanted))


def _attempts(allowed: int, frozen: TrialPlan | None) -> str | Text:
    if frozen is None:
        return str(allowed)
    return attempts_held(frozen.attempts, frozen.cases, frozen.scenario.hidden_cases, frozen.draw)


def _delivery(scenario: Scenario) -> Text:
    if scenario.delivered_by is None:
        return text("hub.plan.delivery_secret")
    return text("hub.plan.delivery_in_time", column=scenario.delivered_by)


def _limits(limits: Limits) -> Iterator[Row]:
    yield text("report.limit.memory"), format_bytes(limits.memory_bytes)
    yield text("report.limit.cpu"), format_seconds(limits.cpu_seconds)
    yield text("report.limit.wall"), format_seconds(limits.wall_seconds)
    yield text("report.limit.load"), format_seconds(limits.load_seconds)
    yield text("report.limit.batch"), format_seconds(limits.batch_seconds)
    yield text("report.limit.processes"), str(limits.processes)
    yield text("report.limit.threads"), str(limits.threads)
    yield text("report.limit.scratch"), format_bytes(limits.scratch_bytes)
    yield text("report.limit.file"), format_bytes(limits.file_bytes)
