"""The report: what was observed, sorted into five sections, under one verdict with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pilotbase.compute.endpoints.calls import summed
from pilotbase.documents.contract import Contract
from pilotbase.documents.endpoint import EndpointUse
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import ScenarioReference
from pilotbase.documents.quantities import NEVER, NEVER_SECONDS
from pilotbase.documents.report import Attempt, BlindFindings, CriterionResult, Order, Records, Report
from pilotbase.documents.scenario import TrialDesign
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.trial.lab import SOFTWARE
from pilotbase.trial.probes import told_fields
from pilotbase.trial.running import PreparedApplication
from pilotbase.trial.sections import TrialFindings, build_sections


@dataclass(frozen=True)
class ReportProof:
    """What makes a report evidence; a rehearsal has none of it."""

    plan: Digest
    reference: ScenarioReference
    attempt: Attempt
    records: Records
    order: Order
    design: TrialDesign
    decision: Digest
    blind: BlindFindings | None = None


def build_report(
    observed: TrialFindings,
    candidate: PreparedApplication,
    contract: Contract,
    span: tuple[datetime, datetime],
    proof: ReportProof | None = None,
) -> Report:
    """Return the full report; without ``proof`` it is a rehearsal's and not evidence."""
    scenario = observed.scenario
    finished = observed.run.end.reason is EndReason.FINISHED
    ended = text("trial.reason.ended", reason=observed.run.ending, answered=observed.answered)
    verdict, reasons = conclude(observed.criteria, None if finished else ended)
    counts = {"cases": observed.cases, "answered": observed.cases_answered, "abstained": observed.abstained}
    if proof is not None and proof.attempt.scored is not None:
        counts["scored"] = proof.attempt.scored
    return Report(
        evidence=proof is not None,
        plan=proof.plan if proof else None,
        scenario=proof.reference if proof else None,
        scenario_title=scenario.title,
        sector=scenario.sector.value,
        data_nature=scenario.data.nature,
        application=candidate.reference,
        application_title=observed.application.title,
        contract=contract,
        verdict=verdict,
        reasons=reasons,
        attempt=proof.attempt if proof else None,
        sections=build_sections(observed),
        criteria=observed.criteria,
        blind=proof.blind.best or None if proof and proof.blind else None,
        groups=observed.judged.groups,
        figures=observed.judged.figures or None,
        counts=counts,
        isolation=observed.run.isolation,
        endpoint=_endpoint_use(observed),
        performance=observed.performance if observed.performance.batches else None,
        **told_fields(observed.run.load),
        records=proof.records if proof else None,
        order=proof.order if proof else None,
        design=proof.design if proof else None,
        decision=proof.decision if proof else None,
        started_at=span[0],
        ended_at=span[1],
        software=SOFTWARE,
    )


def _endpoint_use(observed: TrialFindings) -> EndpointUse | None:
    """Return what the calls of all arms came to, where an endpoint answered."""
    arms = [run.use for run in (observed.run, *(arm.run for arm in observed.arms)) if run.use is not None]
    if not arms:
        return None
    records = arms[0].records if len(arms) == 1 else digest_json([arm.records for arm in arms])
    return summed(arms, records)


def conclude(criteria: Sequence[CriterionResult], ended: Text | None) -> tuple[Verdict, tuple[Text, ...]]:
    """Return the verdict and why; an application that broke off (``ended``) is rejected whatever it scored before."""
    failed = _with(criteria, Outcome.FAIL)
    if ended is not None or failed:
        return Verdict.REJECT, (*([] if ended is None else [ended]), *(_missed(result) for result in failed))
    undecided = [*_with(criteria, Outcome.INCONCLUSIVE), *_with(criteria, Outcome.NOT_MEASURED)]
    if undecided:
        return Verdict.INCONCLUSIVE, tuple(_undecided(result) for result in undecided)
    return Verdict.ACCEPT, (text("trial.reason.all_met", count=len(criteria)),)


def _with(results: Sequence[CriterionResult], outcome: Outcome) -> list[CriterionResult]:
    return [result for result in results if result.outcome is outcome]


def _missed(result: CriterionResult) -> Text:
    return text("trial.reason.missed", rule=result.rule, estimate=_figure(result))


def _undecided(result: CriterionResult) -> Text:
    if result.outcome is Outcome.NOT_MEASURED:
        return text("trial.reason.not_measured", rule=result.rule)
    if result.needed is None:
        return text("trial.reason.undecided", rule=result.rule, estimate=_figure(result))
    return text(
        "trial.reason.needs_cases",
        rule=result.rule,
        estimate=_figure(result),
        needed=f"{float(f'{result.needed:.2g}'):,.0f}",
    )


def _figure(result: CriterionResult) -> str:
    """Return the score in two digits: reasons stand in the supplier's view too."""
    if result.estimate is not None and result.unit_label == "s" and result.estimate >= NEVER_SECONDS:
        return NEVER
    return "–" if result.estimate is None else f"{result.estimate:.2g}"
