"""The conformity matrix: each requirement with what a finished trial, its data and its documents show about it.

A requirement that nobody has measured or shown is never met. A criterion weaker than the requirement shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pilotbase.documents.criteria import Rule, parse_rule
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.report import CriterionResult, Finding
from pilotbase.documents.standards import ConformityRow, EvidenceDocument, Requirement
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Conformity, Outcome
from pilotbase.standards.composing import HeldRequirement

Voucher = Literal["trial", "owner", "supplier", "base"]
OUTCOMES = {
    Outcome.PASS: Conformity.MET,
    Outcome.FAIL: Conformity.NOT_MET,
    Outcome.INCONCLUSIVE: Conformity.UNDECIDED,
    Outcome.NOT_MEASURED: Conformity.NOT_MEASURED,
}
_WORST = (
    Conformity.NOT_MET,
    Conformity.UNDECIDED,
    Conformity.NOT_MEASURED,
    Conformity.EVIDENCE_LACKING,
    Conformity.MET,
)
_SHOWN = 4
"""Measures that are named if there are many."""


@dataclass(frozen=True)
class MatrixInputs:
    """What is known when the matrix is built."""

    criteria: Sequence[CriterionResult] = ()
    findings: Sequence[Finding] = ()
    quality: QualityReport | None = None
    evidence: Sequence[tuple[EvidenceDocument, Voucher]] = ()
    day: str = ""
    """The day on which documents must still be valid: ``2027-06-30``."""


@dataclass(frozen=True)
class RequirementStatement:
    """What one source of evidence shows about a requirement."""

    outcome: Conformity
    sentence: Text
    vouched_by: Voucher | None = None
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None


def conformity_rows(held: Sequence[HeldRequirement], shown: MatrixInputs) -> tuple[ConformityRow, ...]:
    """Return one row per requirement, in the order of the profiles."""
    return tuple(_row(one, _told(one.requirement, shown)) for one in held)


def _row(held: HeldRequirement, told: RequirementStatement) -> ConformityRow:
    requirement, profile = held.requirement, held.profile
    values: dict[str, Any] = {name: getattr(told, name) for name in RequirementStatement.__dataclass_fields__}
    return ConformityRow(
        profile=profile.name,
        version=profile.version,
        requirement=requirement.id,
        clause=requirement.clause,
        asks=requirement.asks,
        source=profile.source.identifier,
        status=held.status,
        mandatory=requirement.mandatory,
        **values,
    )


def _told(requirement: Requirement, shown: MatrixInputs) -> RequirementStatement:
    if requirement.way == "measure":
        return _of_measure(requirement, shown.criteria)
    if requirement.way == "check":
        return _of_checks(requirement, shown.findings)
    if requirement.way == "quality":
        return _of_quality(requirement, shown.quality)
    return _of_evidence(requirement, shown)


def _of_measure(requirement: Requirement, results: Sequence[CriterionResult]) -> RequirementStatement:
    rules = [(result, parse_rule(result.rule)) for result in results]
    measured = [(result, rule) for result, rule in rules if _measures_it(requirement, rule)]
    if not measured:
        return RequirementStatement(
            Conformity.NOT_MEASURED, text("standard.row.no_criterion", wanted=wanted(requirement))
        )
    enough = [result for result, rule in measured if _strict_enough(requirement, rule)]
    if not enough:
        rule = str(measured[0][1])
        return RequirementStatement(
            Conformity.NOT_MEASURED, text("standard.row.too_lax", rule=rule, wanted=wanted(requirement)), "trial"
        )
    return _worst([_of_result(requirement, result) for result in enough])


def _of_result(requirement: Requirement, result: CriterionResult) -> RequirementStatement:
    rule, estimate = result.rule, result.estimate
    if estimate is None:
        return RequirementStatement(Conformity.NOT_MEASURED, text("standard.row.no_score", rule=rule), "trial")
    if requirement.sample is not None and (result.scored or 0) < requirement.sample:
        said = text("standard.row.too_few", rule=rule, wanted=requirement.sample)
        return RequirementStatement(Conformity.NOT_MEASURED, said, "trial", estimate, result.lower, result.upper)
    if requirement.at_least is None and requirement.at_most is None:
        outcome, said = Conformity.MET, text("standard.row.measured", rule=rule)
    elif requirement.compared == "sample":
        inside = _is_within(requirement, parse_rule(rule), estimate)
        outcome = Conformity.MET if inside else Conformity.NOT_MET
        said = text("standard.row.of_sample", rule=rule, wanted=wanted(requirement))
    else:
        outcome, said = OUTCOMES[result.outcome], text("standard.row.judged", rule=rule)
    return RequirementStatement(outcome, said, "trial", estimate, result.lower, result.upper)


def _of_checks(requirement: Requirement, findings: Sequence[Finding]) -> RequirementStatement:
    worst = _worst([_of_check(check, findings) for check in requirement.check])
    if worst.outcome is not Conformity.MET:
        return worst
    return RequirementStatement(Conformity.MET, text("standard.row.checked", check=requirement.check), "trial")


def _of_check(check: str, findings: Sequence[Finding]) -> RequirementStatement:
    found = [one for one in findings if one.check == check or one.check.startswith(f"{check}: ")]
    if not found:
        return RequirementStatement(Conformity.NOT_MEASURED, text("standard.row.no_check", check=check))
    outcome = _worst([RequirementStatement(OUTCOMES[one.outcome], one.sentence) for one in found]).outcome
    return RequirementStatement(outcome, text("standard.row.checked", check=check), "trial")


def _of_quality(requirement: Requirement, report: QualityReport | None) -> RequirementStatement:
    name = requirement.quality
    if report is None:
        return RequirementStatement(Conformity.NOT_MEASURED, text("standard.row.no_quality", measure=name))
    found = [one.value for one in report.measurements if one.measure == name and one.value is not None]
    if not found:
        return RequirementStatement(Conformity.NOT_MEASURED, text("standard.row.no_figure", measure=name), "owner")
    return _worst([_compared(requirement, value, text("standard.row.quality", measure=name)) for value in found])


def _compared(requirement: Requirement, value: float, said: Text, by: Voucher = "owner") -> RequirementStatement:
    outcome = Conformity.MET if requirement.satisfied_by(value) else Conformity.NOT_MET
    return RequirementStatement(outcome, said, by, value)


def _of_evidence(requirement: Requirement, shown: MatrixInputs) -> RequirementStatement:
    """Return the best that a document shows: of two filings, one on time is enough."""
    named = [(one, by) for one, by in shown.evidence if one.kind == requirement.evidence]
    if not named:
        kind = requirement.evidence
        return RequirementStatement(Conformity.EVIDENCE_LACKING, text("standard.row.no_document", kind=kind))
    told = [_of_document(requirement, one, by, shown.day) for one, by in named]
    return max(told, key=lambda one: _WORST.index(one.outcome))


def _of_document(requirement: Requirement, document: EvidenceDocument, by: Voucher, day: str) -> RequirementStatement:
    reference, lacking = document.reference, Conformity.EVIDENCE_LACKING
    if document.until is not None and document.until < day:
        return RequirementStatement(
            lacking, text("standard.row.expired", reference=reference, until=document.until), by
        )
    if len(set(document.reviewers)) < (requirement.reviewers or 0):
        return RequirementStatement(
            lacking, text("standard.row.reviewers", reference=reference, wanted=requirement.reviewers), by
        )
    if requirement.sample is not None and (document.sample or 0) < requirement.sample:
        return RequirementStatement(
            lacking, text("standard.row.small_sample", reference=reference, wanted=requirement.sample), by
        )
    if requirement.at_least is None and requirement.at_most is None:
        return RequirementStatement(Conformity.MET, text("standard.row.document", reference=reference), by)
    if document.share is None:
        return RequirementStatement(lacking, text("standard.row.no_figures", reference=reference), by)
    return _compared(requirement, document.share, text("standard.row.share", reference=reference), by)


def _worst(told: Sequence[RequirementStatement]) -> RequirementStatement:
    return min(told, key=lambda one: _WORST.index(one.outcome))


def missing_measures(held: Sequence[HeldRequirement], rules: Sequence[Rule]) -> Iterator[Text]:
    """Yield a sentence for each mandatory measure that no criterion covers, or only less strictly."""
    for one in held:
        requirement = one.requirement
        if requirement.way != "measure" or not requirement.mandatory:
            continue
        measured = [rule for rule in rules if _measures_it(requirement, rule)]
        values = {"place": one.place, "wanted": wanted(requirement)}
        if not measured:
            yield text("standard.measure_missing", **values)
        elif not any(_strict_enough(requirement, rule) for rule in measured):
            yield text("standard.criterion_too_lax", **values, found=str(measured[0]))


def _measures_it(requirement: Requirement, rule: Rule) -> bool:
    """Return whether a criterion measures what the requirement is about, whatever its threshold."""
    return rule.measure in (*requirement.measure, *requirement.complement) and rule.wrapper == requirement.wrapper


def _strict_enough(requirement: Requirement, rule: Rule) -> bool:
    """Return whether meeting a criterion shows the requirement; for a sample's own figure, any does."""
    if requirement.compared == "sample":
        return True
    low, high = _bounds_on(requirement, rule)
    if low is not None and (rule.comparison != ">=" or rule.threshold < low):
        return False
    return high is None or (rule.comparison == "<=" and rule.threshold <= high)


def _bounds_on(requirement: Requirement, rule: Rule) -> tuple[Decimal | None, Decimal | None]:
    """Return the lower and upper bounds required of what the rule measures; for a complement, one minus them."""
    low, high = (
        None if bound is None else Decimal(str(bound)) for bound in (requirement.at_least, requirement.at_most)
    )
    if rule.measure in requirement.measure:
        return low, high
    return None if high is None else 1 - high, None if low is None else 1 - low


def _is_within(requirement: Requirement, rule: Rule, figure: float) -> bool:
    """Return whether the sample's own figure meets the requirement."""
    low, high = _bounds_on(requirement, rule)
    return (low is None or figure >= float(low)) and (high is None or figure <= float(high))


def wanted(requirement: Requirement) -> str:
    """Return the requirement in rule syntax: ``refusal_rate >= 0.95``; several measures with ``|``."""
    shown = requirement.measure[:_SHOWN]
    names = "|".join(shown) + ("|…" if len(requirement.measure) > len(shown) else "")
    measured = {
        "drop": f"drop({names} under …)",
        "lift": f"lift({names})",
        "gap": f"gap({names} by …)",
        "worst": f"worst({names} by …)",
    }.get(requirement.wrapper or "", names)
    low, high = requirement.at_least, requirement.at_most
    least = "" if low is None else f" >= {low:g}"
    return measured + least + ("" if high is None else f" <= {high:g}")
