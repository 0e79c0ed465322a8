"""The plan of a trial in words, for those who approve, freeze or pay for it: as proposed, then as frozen."""

from __future__ import annotations

from collections.abc import Iterator
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
from pilotbase.workspace.store import View

DECIDED_ON = frozenset(
    {Act.PLAN_APPROVE, Act.PLAN_RETURN, Act.PLAN_FREEZE, Act.TRIAL_QUEUE, Act.CONSENT_GIVE, Act.CONSENT_REFUSE}
)
"""Acts beside whose forms the plan stands."""
_READ = ("proposal", "scenario", "application", "plan")
Row = tuple[Text, Text | Localized | str]


@dataclass(frozen=True)
class ShownPlan:
    """A plan as a page lays it out."""

    criteria: tuple[Criterion, ...]
    rows: tuple[Row, ...]
    limits: tuple[Row, ...]
    frozen: TrialPlan | None
    drafted: StepTaken | None
    """Who has drawn it up."""
    approved: StepTaken | None
    remarks: Localized | str | None


def plan_shown(view: View, record: Record) -> ShownPlan | None:
    """Return the plan of a trial as far as the actor sees it; None where none is drawn up, or not for them to see."""
    if "proposal" not in record.documents:
        return None
    seen = view.get_all([record.documents[name] for name in _READ if name in record.documents])
    found = {name: seen[record.documents[name]] for name in _READ if record.documents.get(name) in seen}
    if not {"proposal", "scenario", "application"} <= found.keys():
        return None
    proposal, scenario = found["proposal"].load(PlanProposal), found["scenario"].load(Scenario)
    application = found["application"].load(ApplicationVersion)
    frozen = found["plan"].load(TrialPlan) if "plan" in found else None
    drafted = _newest(record, Act.PLAN_DRAFT)
    approved = _newest(record, Act.PLAN_APPROVE)
    return ShownPlan(
        criteria=frozen.criteria if frozen is not None else scenario.criteria,
        rows=tuple(_rows(scenario, application, frozen)),
        limits=tuple(_limits(scenario.trial.limits)),
        frozen=frozen,
        drafted=drafted,
        approved=approved if approved and drafted and approved.at >= drafted.at else None,
        remarks=proposal.remarks,
    )


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
