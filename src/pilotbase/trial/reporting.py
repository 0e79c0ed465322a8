"""The report: the observations, sorted into five sections, under one verdict with its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from pilotbase.data.leakage import Leakage
from pilotbase.documents.application import Application
from pilotbase.documents.base import Day, localized
from pilotbase.documents.contract import Contract
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.endpoint import Endpoint, EndpointUse
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.limits import EndReason
from pilotbase.documents.quality import LabelStatement
from pilotbase.documents.quantities import MISSING, NEVER, NEVER_SECONDS, Beside, write_digits
from pilotbase.documents.report import CriterionResult, Finding, Performance, Report, Section
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Outcome, Verdict, Verification
from pilotbase.evidence.plans import NEVER_REFUTED
from pilotbase.measures import is_resource, measures, resource_measures
from pilotbase.sandbox.endpoints.calls import summed
from pilotbase.trial.answering import count_abstentions
from pilotbase.trial.design_findings import (
    DesignInputs,
    PanelFound,
    declared,
    design_findings,
    judged,
    panel_findings,
    unmeasured,
)
from pilotbase.trial.lab import SOFTWARE
from pilotbase.trial.performance import summarise
from pilotbase.trial.perturbed_arms import AnsweredArm
from pilotbase.trial.probes import probe_findings, rejects, told_fields
from pilotbase.trial.running import BoxRun, PreparedApplication
from pilotbase.trial.scoring import ScoredDecision


def build_report(
    observed: TrialFindings, span: tuple[datetime, datetime], proof: Mapping[str, Any] | None = None
) -> Report:
    """Return the full report; ``proof``: the fields that make it evidence, None in a rehearsal."""
    scenario, calls = observed.scenario, _calls_of_all(observed)
    door = scenario.door if observed.candidate.endpoint is None else None
    finished = observed.run.end.reason is EndReason.FINISHED
    ended = text("trial.reason.ended", reason=observed.run.ending, answered=observed.answered)
    floor = observed.judged.floor_missed(scenario.trial.accept_from) if proof is not None else None
    verdict, reasons = conclude(observed.criteria, None if finished else ended, rejects(observed.run.load), floor)
    counts = {"cases": observed.cases, "answered": observed.cases_answered, "abstained": observed.abstained}
    return Report(
        evidence=proof is not None,
        scenario_title=scenario.title,
        sector=scenario.sector.value,
        data_nature=scenario.data.nature,
        application=observed.candidate.reference,
        application_title=observed.application.title,
        contract=observed.contract,
        verdict=verdict,
        reasons=reasons,
        sections=_build_sections(observed),
        criteria=observed.criteria,
        groups=observed.judged.groups,
        figures=observed.judged.figures or None,
        errors=observed.judged.errors,
        costs=scenario.costs,
        counts=counts | ({"scored": proof["attempt"].scored} if proof else {}),
        isolation=observed.run.isolation,
        endpoint=calls if door is None else None,
        door=None if door is None or calls is None else door.used(calls),
        performance=observed.performance if observed.performance.batches else None,
        **told_fields(observed.run.load),
        **(proof or {}),
        started_at=span[0],
        ended_at=span[1],
        software=SOFTWARE,
    )


def conclude(
    criteria: Sequence[CriterionResult], ended: Text | None, depending: bool = False, floor: Text | None = None
) -> tuple[Verdict, tuple[Text, ...]]:
    """Return the verdict and why.

    An application that broke off (``ended``), or whose answers depend on other cases (``depending``), is rejected
    whatever its score. ``floor``: that the cases are fewer than an accept needs.
    """
    against = [*([] if ended is None else [ended]), *([text("trial.reason.depends")] if depending else [])]
    failed = _with(criteria, Outcome.FAIL)
    if against or failed:
        return Verdict.REJECT, (*against, *(_reason("missed", result) for result in failed))
    undecided = [*_with(criteria, Outcome.INCONCLUSIVE), *_with(criteria, Outcome.NOT_MEASURED)]
    if undecided:
        waiting = [] if floor is None else [floor]
        open_ones = [result for result in undecided if floor is None or not _cleared(result)]
        return Verdict.INCONCLUSIVE, (*waiting, *(_undecided(result) for result in open_ones))
    return Verdict.ACCEPT, (text("trial.reason.all_met", count=len(criteria)),)


@dataclass(frozen=True)
class TrialFindings:
    """The results of a run, before they are sorted into sections."""

    scenario: Scenario
    contract: Contract
    candidate: PreparedApplication
    judged: ScoredDecision
    clean: AnsweredArm
    """With the results of all probes."""
    arms: tuple[AnsweredArm, ...]
    """The perturbed arms."""
    cases: int
    day: Day
    """On which papers must hold."""
    leakage: Leakage | None = None
    """None in a rehearsal: it has no hidden cases that could leak."""
    labels: LabelStatement | None = None
    """The plan's statement on the labels."""
    repeats: int = 1
    """How often each case was asked: `answered` and `abstained` are of all these answers."""
    differing: int = 0
    """To how many cases not all answers are the same."""
    carried: tuple[Finding, ...] = ()
    """With which earlier version it was compared."""
    panel: PanelFound | None = None
    """Who judged the answers, and how far they agreed."""

    @property
    def run(self) -> BoxRun:
        return self.clean.run

    @property
    def answered(self) -> int:
        return self.clean.count

    @property
    def abstained(self) -> int:
        return count_abstentions(self.clean.values, self.answered, self.contract.prediction)

    @property
    def criteria(self) -> tuple[CriterionResult, ...]:
        return self.judged.criteria

    @cached_property
    def performance(self) -> Performance:
        return summarise(self.run.load)

    @property
    def cases_answered(self) -> int:
        """Return how many cases were answered, in each of their runs."""
        return self.answered // self.repeats

    @property
    def reviewed(self) -> bool:
        """Return whether a criterion uses people's judgement of the answers."""
        rules = [parse_rule(result.rule) for result in self.criteria]
        return any(measures()[rule.measure].of_process for rule in rules if not is_resource(rule))

    @property
    def application(self) -> Application:
        return self.candidate.submission.application


def _build_sections(observed: TrialFindings) -> tuple[Section, ...]:
    """Return the five sections, in order."""
    of_probes = probe_findings(observed.run.load)
    further = {
        Verification.DESIGN: design_findings(_design(observed)),
        Verification.FUNCTION: [
            *observed.carried,
            *panel_findings(observed.panel),
            *_noise(observed),
            *_untested_function(observed),
        ],
        Verification.PROCESS: _process(observed),
        Verification.ADAPTATION: _adaptation(observed),
        Verification.PRODUCTION: _production(observed),
    }
    criteria = {name: [one for one in observed.criteria if section_of(one.rule) is name] for name in further}
    return tuple(
        _section(name, [*criterion_findings(criteria[name]), *further[name], *of_probes[name]]) for name in further
    )


def section_of(rule: str) -> Verification:
    """Return the verification that a criterion belongs to."""
    parsed = parse_rule(rule)
    if is_resource(parsed):
        resource = resource_measures()[parsed.measure]
        if resource.of_process:
            return Verification.PROCESS
        return Verification.ADAPTATION if resource.of_matrix or resource.of_exchanges else Verification.PRODUCTION
    return Verification.PROCESS if measures()[parsed.measure].of_process else Verification.FUNCTION


def worst_outcome(outcomes: Iterable[Outcome]) -> Outcome:
    """Return fail, else inconclusive, else pass where anything passed, else not measured."""
    found = set(outcomes)
    order = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)
    return next((outcome for outcome in order if outcome in found), Outcome.NOT_MEASURED)


def criterion_findings(results: Sequence[CriterionResult]) -> list[Finding]:
    """Return a finding for each criterion, named by its rule."""
    return [
        Finding(
            check=result.rule,
            outcome=result.outcome,
            sentence=text(f"trial.finding.criterion_{result.outcome.value}", rule=result.rule),
        )
        for result in results
    ]


def _calls_of_all(observed: TrialFindings) -> EndpointUse | None:
    """Return the totals of the calls of all arms, if there were any to an endpoint or a model."""
    asked = (observed.clean, *observed.clean.again, *observed.arms)
    arms = [arm.run.use for arm in asked if arm.run.use is not None]
    if not arms:
        return None
    records = arms[0].records if len(arms) == 1 else digest_json([arm.records for arm in arms])
    return summed(arms, records)


def _with(results: Sequence[CriterionResult], outcome: Outcome) -> list[CriterionResult]:
    return [result for result in results if result.outcome is outcome]


def _cleared(result: CriterionResult) -> bool:
    """Return whether the evidence for the criterion suffices, whatever else an accept waits for."""
    if parse_rule(result.rule).comparison == ">=":
        return result.lower is not None and result.lower >= result.threshold
    return result.upper is not None and result.upper <= result.threshold


def _undecided(result: CriterionResult) -> Text:
    if result.outcome is Outcome.NOT_MEASURED:
        if parse_rule(result.rule).measure == "judged":
            return text("trial.reason.not_judged", rule=result.rule)
        return text("trial.reason.not_measured", rule=result.rule)
    if result.needed is None:
        return _reason("never_refuted" if result.claim.code == NEVER_REFUTED else "undecided", result)
    return _reason("needs_cases", result, needed=f"{float(f'{result.needed:.2g}'):,.0f}")


def _reason(why: str, result: CriterionResult, **told: str) -> Text:
    return text(f"trial.reason.{why}", rule=result.rule, estimate=_figure(result), **told)


def _figure(result: CriterionResult) -> str:
    """Return the score in two digits, in more where it would read as the threshold or as beyond it."""
    if result.estimate is not None and result.unit_label == "s" and result.estimate >= NEVER_SECONDS:
        return NEVER
    return MISSING if result.estimate is None else write_digits(result.estimate, 2, Beside(result.threshold))


def _design(observed: TrialFindings) -> DesignInputs:
    return DesignInputs(
        observed.scenario,
        observed.application,
        reviewed=observed.reviewed,
        leakage=observed.leakage,
        baseline=observed.judged.baseline if not observed.carried else (),
        people=observed.judged.people,
        labels=observed.labels,
        day=observed.day,
    )


def _section(verification: Verification, findings: Sequence[Finding]) -> Section:
    outcome = worst_outcome(finding.outcome for finding in findings)
    return Section(verification=verification, outcome=outcome, findings=tuple(findings))


def _noise(observed: TrialFindings) -> list[Finding]:
    """Say how far the application answers the same question alike, where it was asked several times."""
    if observed.repeats == 1:
        return []
    values = {"repeats": observed.repeats, "differing": observed.differing, "cases": observed.cases}
    return [Finding(check="runs", outcome=Outcome.PASS, sentence=text("trial.finding.runs", **values))]


def _untested_function(observed: TrialFindings) -> list[Finding]:
    """Say what no criterion asked for: an empty place in a report is never taken for a pass."""
    rules = [parse_rule(result.rule) for result in observed.criteria]
    findings = _robustness(observed) or [unmeasured("robustness", text("trial.finding.no_robustness"))]
    if not any(rule.wrapper in ("gap", "worst") for rule in rules):
        findings.append(unmeasured("fairness", text("trial.finding.no_fairness")))
    if not any(measures()[rule.measure].of_calibration for rule in rules if not is_resource(rule)):
        findings.append(unmeasured("calibration", text("trial.finding.no_calibration")))
    return findings


def _robustness(observed: TrialFindings) -> list[Finding]:
    """Report how each perturbed arm ended; unanswered cases count as wrong, and its criteria decide."""
    findings = []
    for arm in observed.arms:
        under, finished = str(arm.under), arm.run.end.reason is EndReason.FINISHED
        values = {"under": under, "answered": arm.count // observed.repeats, "cases": observed.cases}
        ended = (
            text("trial.finding.arm_answered", **values)
            if finished
            else text("trial.finding.arm_ended", **values, reason=arm.run.ending)
        )
        judged = [result.outcome for result in observed.criteria if str(parse_rule(result.rule).under) == under]
        findings.append(Finding(check=f"robustness: {under}", outcome=worst_outcome(judged), sentence=ended))
    return findings


def _process(observed: TrialFindings) -> list[Finding]:
    finished = observed.run.end.reason is EndReason.FINISHED
    values = {"answered": observed.cases_answered, "cases": observed.cases}
    ended = text("trial.finding.all_answered", **values)
    if not finished:
        ended = text("trial.finding.ended_early", **values, reason=observed.run.ending)
    abstained = text("trial.finding.abstained", abstained=observed.abstained, answered=observed.answered)
    oversight = localized(observed.application.model_card.human_oversight)
    return [
        judged("answers", finished, ended),
        Finding(check="abstention", outcome=Outcome.PASS, sentence=abstained),
        declared("human_oversight", oversight, text("trial.finding.oversight_declared")),
        *([] if observed.reviewed else [unmeasured("hand_over", text("trial.finding.no_hand_over"))]),
    ]


def _adaptation(observed: TrialFindings) -> list[Finding]:
    ran = observed.answered > 0
    sentence = text("trial.finding.ran_on" if ran else "trial.finding.did_not_run", runtime=observed.candidate.runtime)
    return [judged("runtime", ran, sentence), *_no_digest(observed.candidate.endpoint)]


def _no_digest(endpoint: Endpoint | None) -> list[Finding]:
    """Say of an endpoint what cannot be said of it."""
    if endpoint is None:
        return []
    model = " ".join(filter(None, (endpoint.model, endpoint.version)))
    days = {"since": endpoint.period.since, "until": endpoint.period.until}
    return [unmeasured("model_digest", text("trial.finding.no_model_digest", url=endpoint.url, model=model, **days))]


def _calls(observed: TrialFindings) -> list[Finding]:
    use = observed.run.use
    if use is None or not use.calls:
        return []
    counts = {"calls": use.calls, "attempts": use.attempts, "unanswered": use.unanswered}
    told = text("trial.finding.model_calls" if observed.candidate.endpoint is None else "trial.finding.calls", **counts)
    return [judged("calls", not use.unanswered, told, Outcome.INCONCLUSIVE)]


def _production(observed: TrialFindings) -> list[Finding]:
    performance = observed.performance
    findings = []
    if performance.batches:
        sentence = text(
            "trial.finding.throughput",
            cases=f"{performance.cases_per_second:,.0f}",
            p95=f"{performance.latency_quantiles['p95'] * 1000:.3g}",
            rows=performance.batch_rows,
        )
        findings.append(Finding(check="load", outcome=Outcome.PASS, sentence=sentence))
    else:
        findings.append(unmeasured("load", text("trial.finding.no_load")))
    return [*findings, *_calls(observed)]
