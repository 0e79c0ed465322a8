"""Everything that a template says in one language: texts, names, and charts with their words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import groupby

from pilotbase import charts
from pilotbase.documents.base import Localized, localized
from pilotbase.documents.criteria import UNITS, Rule, parse_rule
from pilotbase.documents.figures import ShownCase
from pilotbase.documents.report import BlindScore, CriterionResult, GroupScore, PathPoint, Report
from pilotbase.documents.standards import ConformityRow
from pilotbase.documents.texts import Language, Text, text
from pilotbase.measures import spoken
from pilotbase.trial.page.pictures import Picture, pictures_of

SHOWN_POINTS = 12


@dataclass(frozen=True)
class ReportWording:
    """The report's words in ``language``; its methods are what templates call."""

    language: Language

    def t(self, code: str, /, **params: object) -> str:
        """Return our own sentence ``code``; raises `KeyError` when a catalogue lacks it."""
        return text(code, **params).render(self.language)

    def say(self, sentence: Text) -> str:
        """Return a sentence that a report carries, or its code and values where the catalogue lacks it."""
        try:
            return sentence.render(self.language)
        except (KeyError, IndexError, ValueError):
            values = ", ".join(f"{name}={value}" for name, value in sentence.params.items())
            return f"{sentence.code} ({values})" if values else sentence.code

    def named(self, kind: str, value: str) -> str:
        """Return the name of a value of some kind, such as ``outcome``; a value without one stays as it is."""
        try:
            return text(f"{kind}.{value}").render(self.language)
        except KeyError:
            return value

    def money(self, amount: Decimal, currency: str | None) -> str:
        """Return an amount of money, without trailing zeros except for two decimal places."""
        digits = max(2, -int(amount.normalize().as_tuple().exponent))
        return f"{amount:,.{digits}f} {currency or ''}".rstrip()

    def aligned(self, row: ConformityRow) -> str:
        """Return source and clause of a row, as *aligned with*."""
        if row.clause:
            return self.t("standard.aligned_at", source=row.source, clause=row.clause)
        return self.t("standard.aligned", source=row.source)

    def own(self, sentence: Localized | str) -> str:
        return localized(sentence, self.language)

    def claim(self, result: CriterionResult, evidence: bool) -> Text:
        """Return the claim of a criterion's figures; a rehearsal's scores are only about the public sample."""
        if evidence or result.guarantee == "measured_run":
            return result.claim
        used = 0 if result.scored is None else result.scored
        return text("report.rehearsal.claim", used=used, unit=result.claim.params.get("unit") or result.unit)

    @staticmethod
    def blind(report: Report) -> dict[str, BlindScore]:
        """Return the best score of a program that reads no feature, by rule."""
        return {one.rule: one for one in report.blind or ()}

    def finding(self, sentence: Text, evidence: bool) -> Text:
        """Return a finding's sentence; a rehearsal has looked at public cases only."""
        if evidence or sentence.code != "trial.finding.contract":
            return sentence
        return Text(code="report.rehearsal.contract", params=sentence.params)

    def spoken(self, result: CriterionResult, unit: str = "") -> str:
        """Return a criterion in words, such as *Recall of “failure” at least 0.800*; ``unit`` is the answers' unit."""
        return self._spoken(parse_rule(result.rule), result.unit_label, unit)

    def spoken_rule(self, source: str) -> str:
        """Return a rule in words before anything was measured; raises as `parse_rule`."""
        rule = parse_rule(source)
        return self._spoken(rule, UNITS[rule.unit][0] if rule.unit else "", "")

    def _spoken(self, rule: Rule, of_threshold: str, unit: str) -> str:
        code = "report.rule.at_least" if rule.comparison == ">=" else "report.rule.at_most"
        threshold = _spelled_threshold(rule.threshold, of_threshold)
        return capital(self.t(code, measure=spoken(rule, unit), threshold=threshold))

    def pictures(self, report: Report) -> list[Picture]:
        unit = report.contract.prediction.unit or ""
        return [picture for figure in report.figures or () for picture in pictures_of(figure, self.language, unit)]

    def case_scores(self, case: ShownCase) -> list[str]:
        return [f"{score.rule}: {score.value:.4g}" for score in case.scores]

    @staticmethod
    def by_measure(scores: Iterable[GroupScore]) -> list[list[GroupScore]]:
        """Return the scores, one list for each column and measure; groups that are all numbers in their order."""
        found = groupby(scores, key=lambda score: (score.column, score.measure))
        return [_in_order(list(of_measure)) for _, of_measure in found]

    @staticmethod
    def by_profile(rows: Iterable[ConformityRow]) -> list[list[ConformityRow]]:
        """Return the conformity matrix, one list for each profile."""
        return [list(of_profile) for _, of_profile in groupby(rows, key=lambda row: row.profile)]

    @staticmethod
    def any_score_off_its_bounds(results: Iterable[CriterionResult]) -> bool:
        """Return whether a score is at or outside bounds that were narrowed while cases were scored."""
        return any(_off_its_bounds(result) for result in results)

    @staticmethod
    def picked(path: Sequence[PathPoint]) -> list[PathPoint]:
        """Return at most so many points of a path, evenly spread, the last one included."""
        if len(path) <= SHOWN_POINTS:
            return list(path)
        last = len(path) - 1
        return [path[round(index * last / (SHOWN_POINTS - 1))] for index in range(SHOWN_POINTS)]


def capital(sentence: str) -> str:
    """Return ``sentence`` with its first letter as a capital; 中文 stays as it is."""
    return sentence[:1].upper() + sentence[1:]


def _spelled_threshold(threshold: Decimal, unit: str) -> str:
    """Return a threshold with all its digits: a whole number as one, else at least three decimals below ten."""
    if unit in ("s", "B"):
        return charts.format_number(float(threshold), unit)
    plain = threshold.normalize()
    decimals = max(0, -int(plain.as_tuple().exponent))
    if not unit and decimals and abs(threshold) < 10:
        decimals = max(3, decimals)
    return f"{plain:,.{decimals}f} {unit}".rstrip()


def _in_order(scores: list[GroupScore]) -> list[GroupScore]:
    try:
        numbers = {score.group: Decimal(score.group) for score in scores}
    except InvalidOperation:
        return scores
    if not all(number.is_finite() for number in numbers.values()):
        return scores
    return sorted(scores, key=lambda score: numbers[score.group])


def _off_its_bounds(result: CriterionResult) -> bool:
    lower, score, upper = result.lower, result.estimate, result.upper
    if score is None or result.guarantee == "measured_run" or lower == upper:
        return False
    return (lower is not None and score <= lower) or (upper is not None and score >= upper)
