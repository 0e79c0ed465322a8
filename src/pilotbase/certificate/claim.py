"""The one true sentence of a certificate: what was shown, with which error probability, under which assumptions.

Source: ``statistics.md``, corrections, "The certificate's sentence". What carries no error probability (a full census,
a measured run, a descriptive score) is said to carry none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.guarantees import weakest
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Attempt, CriterionResult, Report
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand, Outcome, Verdict

WITH_ERROR_PROBABILITY = frozenset({"exact_fixed", "exact_anytime", "asymptotic"})
_SHOWN_DIGITS = 12


def claim_sentence(report: Report, plan: TrialPlan) -> Text:
    """Return what the full ``report`` of a trial under ``plan`` shows, in one sentence.

    Raises:
        RefusedError: the report is no evidence (a rehearsal) or a supplier's view, which lacks the number of cases.
    """
    attempt = report.attempt
    if not report.evidence or attempt is None:
        raise RefusedError("certificate.no_evidence", application=report.application.name)
    if attempt.scored is None:
        raise RefusedError("certificate.partial_view")
    return text(
        _CODES[report.verdict],
        application=f"{report.application.name} {report.application.version}",
        digest=_abbreviated(report.application.digest),
        plan=_abbreviated(plan.digest()),
        scored=_count(attempt.scored),
        cases=_count(attempt.reserved),
        shown=_shown(report, attempt),
        assumptions=_assumptions(report.criteria),
    )


def weakest_guarantee(criteria: Iterable[CriterionResult]) -> str:
    """Return the weakest kind of guarantee among ``criteria``."""
    return weakest([result.guarantee for result in criteria] or ["descriptive"])


_CODES = {
    Verdict.ACCEPT: "certificate.claim.accept",
    Verdict.REJECT: "certificate.claim.reject",
    Verdict.INCONCLUSIVE: "certificate.claim.inconclusive",
}


def _shown(report: Report, attempt: Attempt) -> Text:
    if report.verdict is Verdict.INCONCLUSIVE:
        return _left_open(report, attempt)
    if report.verdict is Verdict.REJECT:
        return _refuted(report, attempt)
    bounded = [result for result in report.criteria if result.guarantee in WITH_ERROR_PROBABILITY]
    exact = [result for result in report.criteria if result.guarantee == "exact_census"]
    observed = [result for result in report.criteria if result not in bounded and result not in exact]
    parts = [_error_probability("certificate.shown.accept", bounded, attempt)] if bounded else []
    parts += [text("certificate.shown.census", criteria=_rules(exact))] if exact else []
    parts += [text("certificate.shown.observed", criteria=_rules(observed))] if observed else []
    return _joined(parts) if parts else text("certificate.shown.reason", reason=report.reasons[0])


def _refuted(report: Report, attempt: Attempt) -> Text:
    failed = [result for result in report.criteria if result.outcome is Outcome.FAIL]
    bounded = [result for result in failed if result.guarantee in WITH_ERROR_PROBABILITY]
    exact = [result for result in failed if result.guarantee == "exact_census"]
    observed = [result for result in failed if result not in bounded and result not in exact]
    parts = [_error_probability("certificate.shown.reject", bounded, attempt)] if bounded else []
    parts += [text("certificate.shown.census_missed", criteria=_rules(exact))] if exact else []
    parts += [text("certificate.shown.observed_missed", criteria=_rules(observed))] if observed else []
    return _joined(parts) if parts else text("certificate.shown.reason", reason=report.reasons[0])


def _left_open(report: Report, attempt: Attempt) -> Text:
    undecided = [result for result in report.criteria if result.outcome in (Outcome.INCONCLUSIVE, Outcome.NOT_MEASURED)]
    spent = text("certificate.shown.spent", alpha=_number(attempt.alpha), total=_number(attempt.alpha_of_all))
    if not undecided:
        return _joined([text("certificate.shown.reason", reason=report.reasons[0]), spent])
    return _joined([text("certificate.shown.open", criteria=_rules(undecided)), spent])


def _error_probability(code: str, criteria: Sequence[CriterionResult], attempt: Attempt) -> Text:
    return text(
        code,
        criteria=_rules(criteria),
        estimand=_estimand(criteria, attempt),
        alpha=_number(attempt.alpha),
        total=_number(attempt.alpha_of_all),
        exactness=_exactness(criteria),
    )


def _exactness(criteria: Sequence[CriterionResult]) -> Text:
    asymptotic = any(result.guarantee == "asymptotic" for result in criteria)
    return text("certificate.exactness.asymptotic") if asymptotic else text("certificate.exactness.exact")


def _estimand(criteria: Sequence[CriterionResult], attempt: Attempt) -> Text:
    found = {result.estimand for result in criteria}
    if found == {Estimand.POPULATION}:
        return text("certificate.of.population")
    if found == {Estimand.HIDDEN_SET}:
        return text("certificate.of.hidden_set", cases=_count(attempt.reserved))
    return text("certificate.of.both", cases=_count(attempt.reserved))


def _assumptions(criteria: Sequence[CriterionResult]) -> Text:
    bounded = [result for result in criteria if result.guarantee in WITH_ERROR_PROBABILITY]
    if not bounded:
        return text("certificate.assuming.records")
    units = list(dict.fromkeys(result.unit for result in bounded))
    unit = text("certificate.unit.case") if units == ["case"] else text("certificate.unit.named", names=units)
    population = [result for result in bounded if result.estimand is Estimand.POPULATION]
    if not population:
        return text("certificate.assuming.hidden_set", unit=unit)
    assumed = text("certificate.assuming.population", unit=unit)
    if any(result.unit != "case" for result in population):
        assumed = text("certificate.assuming.and", first=assumed, next=text("certificate.assuming.largest_unit"))
    if any(parse_rule(result.rule).by is not None for result in population):
        assumed = text("certificate.assuming.and", first=assumed, next=text("certificate.assuming.seen_groups"))
    return assumed


def _joined(parts: Sequence[Text]) -> Text:
    whole = parts[0]
    for part in parts[1:]:
        whole = text("certificate.shown.both", first=whole, second=part)
    return whole


def _rules(criteria: Iterable[CriterionResult]) -> str:
    return ", ".join(result.rule for result in criteria)


def _number(value: float) -> str:
    return f"{value:.4g}"


def _count(value: int) -> str:
    return f"{value:,}"


def _abbreviated(digest: str) -> str:
    algorithm, _, value = digest.partition(":")
    return f"{algorithm}:{value[:_SHOWN_DIGITS]}…"
