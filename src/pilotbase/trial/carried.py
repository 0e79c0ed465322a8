"""Evidence carried over to a later version: both versions answer the same fresh hidden cases, and are compared.

The certified version met *score ≥ c* except with probability α₁. If the mean of (earlier - later) over the population
is at most δ except with probability α₂, the later version meets *score ≥ c - δ* except with α₁ + α₂. Both levels are
shares of the hidden set's α, so all its certificates together still keep that. Only means of a score per case over a
population are carried; whatever else the scenario requires is met by the later version itself.

The earlier version could be built to get worse after its trial, so that any later one compares well. So on all cases of
the comparison its own score must still meet what its certificate states; otherwise nothing is shown. This is a check of
one score, not a test with an error of its own: it can only withhold an accept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from pilotbase.documents.criteria import Rule, parse_rule
from pilotbase.documents.hashes import abbreviated
from pilotbase.documents.plan import CarriedEvidence, TrialPlan
from pilotbase.documents.quantities import write_at_most
from pilotbase.documents.report import Finding
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand, Outcome
from pilotbase.evidence import Decision
from pilotbase.measures import Cases, is_resource, measures
from pilotbase.trial.scoring import Ints, ScoredCases


def compared(criterion: Criterion) -> Criterion:
    """Return the criterion that the later version is worse by its margin at most; one without a margin unchanged."""
    if criterion.margin is None:
        return criterion
    rule = replace(criterion.parsed(), wrapper="lift", comparison=">=", threshold=-Decimal(str(criterion.margin)))
    return criterion.model_copy(update={"rule": str(rule), "margin": None})


def still_shown(criteria: Sequence[Criterion], comparisons: int) -> tuple[str, ...]:
    """Return the rules of criteria with a margin, weaker by it for each of the ``comparisons``."""
    found = []
    for criterion in criteria:
        if criterion.margin is not None:
            rule, given = criterion.parsed(), comparisons * Decimal(str(criterion.margin))
            worse = rule.threshold - given if rule.comparison == ">=" else rule.threshold + given
            found.append(str(replace(rule, threshold=worse)))
    return tuple(found)


def margin_problems(criteria: Sequence[Criterion]) -> Iterator[tuple[int, Text]]:
    """Yield (index, sentence) of margins on what is no mean of a score per case over a population.

    A scenario with a margin has no criterion on its baseline either: the earlier version takes that place.
    """
    margins = any(criterion.margin is not None for criterion in criteria)
    for index, criterion in enumerate(criteria):
        rule = criterion.parsed()
        measure = None if is_resource(rule) else measures().get(rule.measure)
        mean = measure is not None and measure.paired and measure.by_case and not measure.needs_baseline
        carried = mean and rule.wrapper is None and criterion.estimand is Estimand.POPULATION
        if criterion.margin is not None and not carried:
            yield index, text("trial.margin_no_mean", rule=criterion.rule)
        elif margins and (rule.wrapper == "lift" or (measure is not None and measure.needs_baseline)):
            yield index, text("trial.margin_and_baseline", rule=criterion.rule)


def earlier_missed(plan: TrialPlan, cases: Cases, order: Ints) -> dict[str, str]:
    """Return what the earlier version's certificate states and its answers to ``cases`` miss, by the rule compared."""
    if plan.carries is None:
        return {}
    missed, all_of_them = {}, ScoredCases(cases, order, len(order))
    lifts = [one for one in plan.criteria if one.parsed().wrapper == "lift"]
    for criterion, shown in zip(lifts, plan.carries.criteria, strict=True):
        stated = _stated(parse_rule(shown), -criterion.parsed().threshold)
        score = all_of_them.score(criterion.model_copy(update={"rule": str(stated)}), "baseline")
        limit = float(stated.threshold)
        if score is None or (score < limit if stated.comparison == ">=" else score > limit):
            missed[criterion.rule] = str(stated)
    return missed


def _stated(both: Rule, margin: Decimal) -> Rule:
    """Return what the earlier certificate alone states, from what ``both`` show."""
    return replace(both, threshold=both.threshold + (margin if both.comparison == ">=" else -margin))


def without_comparisons(decision: Decision, rules: Sequence[str]) -> Decision:
    """Return the decision where ``rules``, comparisons with a version that does not hold, are not confirmed."""
    criteria = tuple(
        replace(one, verdict="inconclusive", decided_at=None) if one.rule in rules and one.verdict == "pass" else one
        for one in decision.criteria
    )
    verdict = "inconclusive" if decision.verdict == "accept" and criteria != decision.criteria else decision.verdict
    return replace(decision, verdict=verdict, criteria=criteria)


def carried_findings(carries: CarriedEvidence | None, missed: Sequence[str] = ()) -> Iterator[Finding]:
    """Yield with which version an application was compared, and that what both show also rests on its certificate.

    ``missed``: what that version's certificate states and its answers to these cases do not meet.
    """
    if carries is not None:
        version, serial = carries.application.version, abbreviated(carries.certificates[0])
        sentence = text("trial.finding.carried", version=version, serial=serial, alpha=write_at_most(carries.alpha))
        if missed:
            sentence = text("trial.finding.earlier_worse", version=version, serial=serial, rules=", ".join(missed))
        outcome = Outcome.INCONCLUSIVE if missed else Outcome.PASS
        yield Finding(check="carried", outcome=outcome, sentence=sentence)
