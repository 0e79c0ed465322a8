"""What an owner reads first: what the application does in the owner's units, how far that reaches, and what it leaves.

Plain sentences come from the measures' own declarations, so that a new measure brings its own. Everything is taken from
the report or the certificate alone: older documents say less, and never anything else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pilotbase.charts.scales import format_count, format_number
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.criteria import UNITS, Rule, parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.documents.quantities import NEVER, NEVER_SECONDS, Beside, round_beside
from pilotbase.documents.report import CriterionResult, GroupScore, Report
from pilotbase.documents.scenario import Costs
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Estimand, Outcome, Verdict
from pilotbase.measures import is_per_hundred, measures, plainly
from pilotbase.trial.accept_floor import rests_shown

FEWEST_OF_GROUP = 10
"""A group of fewer cases is not called the weakest: its score says little."""
_MOST_LIMITS = 3
_OF_POINTS = frozenset({"gap", "drop", "lift"})
"""What differs is counted in percentage points."""
_WITH_ERROR = frozenset({"exact_fixed", "exact_anytime", "asymptotic"})


@dataclass(frozen=True)
class PlainResult:
    """One criterion: what was found, what is required, what today's practice achieves, and what else to say of it."""

    outcome: Outcome
    found: Text
    required: Text
    today: Text | None = None
    further: Text | None = None


@dataclass(frozen=True)
class FirstScreen:
    """The first screen, in the order in which it is read."""

    lead: Text
    why: tuple[Text, ...]
    """Reasons that no result shows: it broke off, or too few cases for an accept."""
    results: tuple[PlainResult, ...]
    beside: tuple[Text, ...]
    """What the errors cost, and where it is weakest."""
    reach: tuple[Text, ...]
    """What the verdict covers and rests on."""
    limits: tuple[Text, ...]


def first_screen(report: Report) -> FirstScreen:
    """Return the first screen of a report in any view, or of a rehearsal."""
    label = _label(report)
    results = tuple(_result(one, report, label) for one in report.criteria)
    return FirstScreen(
        lead=_lead(report),
        why=tuple(one for one in report.reasons if "rule" not in one.params and one.code != "trial.reason.all_met"),
        results=results,
        beside=(*_costs(report), *_weakest(report, label)),
        reach=tuple(_reach(report)),
        limits=tuple(_limits(report)),
    )


def required_by(certificate: Certificate) -> tuple[Text, ...]:
    """Return what the criteria of a certificate ask for, in plain sentences; what was measured only its report says."""
    return tuple(map(_asked, certificate.criteria))


def _asked(source: str) -> Text:
    rule = _read(source)
    if rule is None:
        return text("measure.added", name=source)
    unit = UNITS[rule.unit][0] if rule.unit else ""
    return plainly(rule, _bound(rule, _spelled(rule, float(rule.threshold), unit, Beside())))


def _read(source: str) -> Rule | None:
    """Return the rule; None where another version spelled it otherwise."""
    try:
        return parse_rule(source)
    except InputError:
        return None


def _lead(report: Report) -> Text:
    kind = "" if report.evidence else "rehearsal_"
    missed = sum(one.outcome is Outcome.FAIL for one in report.criteria)
    still_open = sum(one.outcome in (Outcome.INCONCLUSIVE, Outcome.NOT_MEASURED) for one in report.criteria)
    told = {"all": len(report.criteria), "missed": missed, "open": still_open}
    why = "" if report.verdict is not Verdict.REJECT or missed else "_otherwise"
    return text(f"report.first.{kind}{report.verdict.value}{why}", **told)


def _label(report: Report) -> str | None:
    """Return the class that rules without one are about, where the report tells."""
    return report.errors.label if report.errors is not None else None


def _result(one: CriterionResult, report: Report, label: str | None) -> PlainResult:
    rule, unit = parse_rule(one.rule), _unit(one, report)
    target = report.contract.prediction.unit or ""
    if one.estimate is None:
        found = text("report.plain.not_measured", measure=plainly(rule, text("report.plain.unknown"), label, target))
        return PlainResult(one.outcome, found, _required(rule, one, unit))
    beside = Beside(one.threshold)
    found = plainly(rule, _spelled(rule, one.estimate, unit, beside), label, target)
    before = None if one.baseline is None else _spelled(rule, one.baseline, unit, beside)
    practice = "today" if report.contract.world is None else "baseline"
    today = None if before is None else text(f"report.plain.{practice}", baseline=before)
    return PlainResult(one.outcome, found, _required(rule, one, unit), today, _further(rule, one, report, unit))


def _unit(one: CriterionResult, report: Report) -> str:
    costs = report.costs if parse_rule(one.rule).measure == "cost" else None
    return one.unit_label or ("" if costs is None else costs.currency)


def _required(rule: Rule, one: CriterionResult, unit: str) -> Text:
    return text("report.plain.required", bound=_bound(rule, _spelled(rule, one.threshold, unit, Beside())))


def _bound(rule: Rule, threshold: Text) -> Text:
    return text("report.plain.at_least" if rule.comparison == ">=" else "report.plain.at_most", bound=threshold)


def _spelled(rule: Rule, value: float, unit: str, beside: Beside) -> Text:
    """Return a score as its plain sentence reads it: how many of a hundred, or the value in its unit."""
    if not is_per_hundred(rule):
        endless = unit == "s" and value >= NEVER_SECONDS
        return text("report.plain.value", number=NEVER if endless else format_number(value, unit, beside))
    hundred = Beside(None if beside.threshold is None else 100 * beside.threshold)
    rounded = round_beside(round(100 * value, 9), 0, hundred)
    if rounded in (0, 100) and not math.isclose(float(rounded), 100 * value, abs_tol=1e-9):
        rounded = round_beside(round(100 * value, 9), 0, Beside(float(rounded)))
    return text("report.plain.points" if rule.wrapper in _OF_POINTS else "report.plain.hundred", number=f"{rounded:,f}")


def _further(rule: Rule, one: CriterionResult, report: Report, unit: str) -> Text | None:
    """Return by how much a criterion is missed, what would decide it, or that later answers speak otherwise."""
    assert one.estimate is not None
    meets = one.estimate >= one.threshold if rule.comparison == ">=" else one.estimate <= one.threshold
    if one.outcome is Outcome.FAIL and not meets:
        return text(
            "report.plain.missed_by", distance=_spelled(rule, abs(one.estimate - one.threshold), unit, Beside())
        )
    if one.outcome in (Outcome.PASS, Outcome.FAIL) and meets != (one.outcome is Outcome.PASS):
        return text("report.plain.later_otherwise")
    if one.outcome is not Outcome.INCONCLUSIVE:
        return None
    if one.needed is None:
        return text("report.plain.open")
    had = report.counts.get("cases", 0)
    needed = float(f"{one.needed:.2g}")
    if needed <= had:
        return text("report.plain.open")
    return text("report.plain.would_decide", cases=f"{needed:,.0f}", had=format_count(had))


def _costs(report: Report) -> Iterator[Text]:
    """Yield how many errors there were, and what they cost per 1,000 cases, beside the baseline's."""
    errors, costs = report.errors, report.costs
    if errors is None or not errors.cases:
        return
    counts = {"cases": format_count(errors.cases), "label": errors.label}
    ours = {"misses": format_count(errors.misses), "alarms": format_count(errors.false_alarms)}
    theirs = errors.baseline_misses, errors.baseline_false_alarms
    if theirs[0] is None or theirs[1] is None:
        yield text("report.first.errors", **counts, **ours)
    else:
        before = {"baseline_misses": format_count(theirs[0]), "baseline_alarms": format_count(theirs[1])}
        yield text("report.first.errors_beside", **counts, **ours, **before)
    if costs is None or not (costs.miss or costs.false_alarm or costs.mistakes):
        return
    own, today = errors.priced(costs, report.contract.prediction.classes)
    told = {"currency": costs.currency, "prices": _prices(costs)}
    if today is None:
        yield text("report.first.cost", amount=_amount(_per_thousand(own, errors.cases)), **told)
    else:
        saved = _per_thousand(today - own, errors.cases)
        code = "saves" if saved > 0 else "costs_more" if saved < 0 else "costs_alike"
        yield text(f"report.first.{code}", amount=_amount(abs(saved)), **told)
    dearest = errors.dearest(costs, report.contract.prediction.classes)
    if dearest is not None:
        made, share = dearest
        spelled = {"count": format_count(made.count), "share": percent(share)}
        code = "report.first.dearest" if made.answered else "report.first.dearest_unanswered"
        yield text(code, true=made.true, answered=made.answered, **spelled)


def _prices(costs: Costs) -> Text:
    if costs.mistakes is not None:
        return text("report.first.prices_of_mistakes")
    return text("report.first.prices", miss=f"{costs.miss:,g}", alarm=f"{costs.false_alarm:,g}")


def _per_thousand(amount: float, cases: int) -> float:
    return 1000 * amount / cases


def _amount(amount: float) -> str:
    return f"{float(f'{amount:.3g}'):,g}" if amount < 1000 else f"{float(f'{amount:.3g}'):,.0f}"


def _weakest(report: Report, label: str | None) -> Iterator[Text]:
    """Yield the group with the worst score for each measure and column, if groups differ."""
    found: dict[tuple[str, str], list[GroupScore]] = {}
    for group in report.groups:
        if group.score is not None and group.cases >= FEWEST_OF_GROUP:
            found.setdefault((group.column, group.measure), []).append(group)
    for (column, measure), groups in found.items():
        rule = _read(f"{measure} >= 0")
        declared = measures().get(rule.measure) if rule is not None else None
        if rule is None or declared is None or len({one.score for one in groups}) == 1:
            continue
        worst = (max if declared.better == "lower" else min)(groups, key=lambda one: one.score or 0.0)
        target = report.contract.prediction.unit or ""
        unit = target if declared.in_target_units else ""
        said = plainly(rule, _spelled(rule, worst.score or 0.0, unit, Beside()), label, target)
        told = {"column": column, "group": worst.group, "cases": format_count(worst.cases)}
        yield text("report.first.weakest", sentence=said, **told)


def _reach(report: Report) -> Iterator[Text]:
    if not report.evidence:
        yield text("report.first.public_only", cases=format_count(report.counts.get("cases")))
        return
    on_answers = [one for one in report.criteria if one.guarantee not in ("measured_run", "descriptive")]
    population = [one for one in on_answers if one.estimand is Estimand.POPULATION and one.unit != "request_block"]
    cases = format_count(report.counts.get("cases"))
    exactly = any(one.estimand is Estimand.HIDDEN_SET for one in on_answers)
    if population and exactly:
        yield text("report.first.mixed", cases=cases)
    elif population:
        yield text("report.first.population")
    elif exactly:
        yield text("report.first.hidden_set", cases=cases)
    if len(on_answers) < len(report.criteria):
        yield text("report.first.run")
    attempt = report.attempt
    if attempt is not None and attempt.rests is not None:
        yield rests_shown(attempt.rests, report.counts.get("scored", attempt.rests.cases))
    if attempt is not None and any(one.guarantee in _WITH_ERROR for one in report.criteria):
        code = {Verdict.ACCEPT: "report.first.chance_accept", Verdict.REJECT: "report.first.chance_reject"}
        if report.verdict in code:
            yield text(code[report.verdict], many=format_count(math.floor(1 / attempt.alpha + 1e-9)))


def _limits(report: Report) -> Iterator[Text]:
    if report.data_nature == "simulated":
        yield text("report.first.simulated")
    yield text("report.first.version", version=report.application.version)
    open_ones = [
        finding.sentence
        for section in report.sections
        for finding in section.findings
        if finding.outcome is Outcome.NOT_MEASURED and not finding.confidential and "." not in finding.check
    ]
    yield from _first_of(open_ones)


def _first_of(sentences: Sequence[Text]) -> Iterator[Text]:
    yield from sentences[:_MOST_LIMITS]
    if len(sentences) > _MOST_LIMITS:
        yield text("report.first.more_limits", count=len(sentences) - _MOST_LIMITS)
