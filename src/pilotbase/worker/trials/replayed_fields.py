"""What a report and a certificate say of what plan and records decide: as written there, and as derived again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pydantic

from pilotbase.certificate.issuing import claim_sentence, weakest_guarantee
from pilotbase.compute.box.ends import END_TEXTS
from pilotbase.documents.base import Part
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import CriterionResult, Finding, Report
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome, Verification
from pilotbase.trial.answering import count_abstentions
from pilotbase.trial.performance import summarise
from pilotbase.trial.perturbed_arms import perturbations_of
from pilotbase.trial.probes import probe_findings, told_fields
from pilotbase.trial.replaying import Replayed
from pilotbase.trial.reporting import conclude, criterion_findings, section_of, worst_outcome
from pilotbase.trial.stored_records import StoredRecords

DERIVED_WHOLE = (
    "criteria",
    "groups",
    "figures",
    "reasons",
    "performance",
    "load_test",
    "cells",
    "exchanges",
    "probes",
    "application",
    "scenario",
    "contract",
    "design",
    "order",
)
"""Parts of a report of which plan and records decide everything: what else stands there is wrong."""
CERTIFIED = ("verdict", "plan", "attempt", "application", "scenario", "criteria", "guarantee", "claim")
"""What a certificate says that plan and records decide; its claim where the whole report is there."""

_AS_ONE = frozenset(
    {"application", "claim", "contract", "limits", "paired", "path", "scenario", "sentence"}
    | {"groups[]", "figures[]", "latency_histogram", "reasons[]"}
)
_LARGEST = 80

Json = Mapping[str, Any]


def fields_of(value: Any, name: str = "", key: str = "") -> Iterator[tuple[str, str]]:
    """Yield (field, spelled value) of plain JSON; what is missing or null is left out, some parts stay in one piece."""
    if value is None:
        return
    if key in _AS_ONE or not isinstance(value, Mapping | list):
        yield name, _spelled(value)
    elif isinstance(value, Mapping):
        for inner, part in value.items():
            yield from fields_of(part, f"{name}.{inner}" if name else str(inner), str(inner))
    else:
        for index, part in enumerate(value):
            yield from fields_of(part, f"{name}[{index}]", f"{key}[]")


def shortened(value: str) -> str:
    """Return a spelled value as it is named in an error."""
    return value if len(value) <= _LARGEST else f"{value[:_LARGEST]}…"


def report_as_said(report: Json) -> dict[str, Any]:
    """Return a report, whatever was deleted from it, with the findings of its sections under their names."""
    return {**report, "sections": _keyed_sections(report)}


def derived_report(plan: TrialPlan, stored: StoredRecords, replayed: Replayed, said: Json) -> dict[str, Any]:
    """Return all of a report that plan and records decide, in its own form; ``said``: what `report_as_said` gave."""
    facts, decision, results = stored.facts, replayed.decision, replayed.judged.criteria
    load = facts.restored_load()
    broken = facts.end is not EndReason.FINISHED
    ended = text("trial.reason.ended", reason=END_TEXTS[facts.end], answered=facts.answered) if broken else None
    answers = stored.records.answers
    runs = plan.repeats or 1
    cases, answered_cases, scored = decision.total // runs, facts.answered // runs, math.ceil(decision.scored / runs)
    return {
        "verdict": replayed.verdict.value,
        "decision": replayed.digest,
        "plan": plan.digest(),
        "application": plan.application.to_json_value(),
        "scenario": plan.scenario.to_json_value(),
        "contract": plan.contract.to_json_value(),
        "design": plan.design.to_json_value(),
        "reasons": [reason.model_dump(mode="json") for reason in conclude(results, ended)[1]],
        "records": {"root": replayed.root, "leaves": replayed.leaves, "answers": facts.answers},
        "order": {"commitment": plan.order_commitment, "nonce": plan.nonce, "secret": facts.order_secret},
        "attempt": {
            "number": facts.attempt,
            "alpha": float(decision.levels.accept),
            "alpha_of_all": facts.alpha_of_all,
            "reserved": cases,
            "answered": answered_cases,
            "scored": scored,
        },
        "counts": {
            "cases": cases,
            "answered": answered_cases,
            "abstained": count_abstentions(answers, facts.answered, plan.contract.prediction),
            "scored": scored,
        },
        "isolation": {"end": facts.end.value, "limits": plan.limits.to_json_value()},
        "performance": summarise(load).to_json_value() if len(load.batch_seconds) else None,
        **{name: _plain(figures) for name, figures in told_fields(load).items()},
        "criteria": [result.to_json_value() for result in results],
        "figures": [figure.to_json_value() for figure in replayed.judged.figures],
        "groups": [score.to_json_value() for score in replayed.judged.groups],
        "sections": _derived_sections(plan, results, said, probe_findings(load, unasked=False)),
    }


def derived_certificate(plan: TrialPlan, stored: StoredRecords, replayed: Replayed, report: Json) -> dict[str, Any]:
    """Return what a certificate says that plan and records decide, under its own names (`CERTIFIED`)."""
    results = replayed.judged.criteria
    try:
        claim = claim_sentence(Report.model_validate(report), plan).model_dump(mode="json")
    except (pydantic.ValidationError, PilotbaseError):  # parts of the report were deleted
        claim = None
    values = (
        replayed.verdict.value,
        plan.digest(),
        stored.facts.attempt,
        plan.application.to_json_value(),
        plan.scenario.to_json_value(),
        [result.rule for result in results],
        weakest_guarantee(results),
        claim,
    )
    return dict(zip(CERTIFIED, values, strict=True))


def _keyed_sections(report: Json) -> dict[str, Any]:
    return {
        str(section.get("verification")): {
            "outcome": section.get("outcome"),
            "findings": {str(item.get("check")): item for item in _listed(section.get("findings"))},
        }
        for section in _listed(report.get("sections"))
    }


def _derived_sections(
    plan: TrialPlan,
    results: tuple[CriterionResult, ...],
    said: Json,
    further: Mapping[Verification, Sequence[Finding]],
) -> dict[str, Any]:
    """Return the findings on criteria, perturbations and what else was asked, and each section's outcome from them."""
    sections: dict[str, Any] = {verification.value: {"findings": {}} for verification in Verification}
    for result, finding in zip(results, criterion_findings(results), strict=True):
        sections[section_of(result.rule).value]["findings"][finding.check] = finding.to_json_value()
    for under in map(str, perturbations_of(plan.criteria)):
        judged = [result.outcome for result in results if str(parse_rule(result.rule).under) == under]
        found = {"outcome": worst_outcome(judged).value}
        sections[Verification.FUNCTION.value]["findings"][f"robustness: {under}"] = found
    for verification, findings in further.items():
        for finding in findings:
            sections[verification.value]["findings"][finding.check] = finding.to_json_value()
    for name, section in said["sections"].items():
        if name in sections:
            outcomes = {item.get("outcome") for item in section["findings"].values()}
            sections[name]["outcome"] = worst_outcome(each for each in Outcome if each.value in outcomes).value
    return sections


def _plain(figures: Any) -> Any:
    """Return figures as plain JSON, each part without what it does not say."""
    if isinstance(figures, Part):
        return figures.to_json_value()
    return list(map(_plain, figures)) if isinstance(figures, tuple) else figures


def _listed(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _spelled(value: object) -> str:
    """Return a value as text, numbers in six significant digits: the seventeenth differs between machines."""
    if isinstance(value, Mapping | list):
        return json.dumps(_rounded(value), ensure_ascii=False, sort_keys=True)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _rounded(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return value if isinstance(value, str) else _spelled(value)
