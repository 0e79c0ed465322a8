"""Everything that a template says in one language: texts, names, and charts with their words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from itertools import groupby

from pilotbase.charts.against_truth import (
    answer_grid,
    calibration_chart,
    coverage_chart,
    format_at,
    interval_chart,
    probability_chart,
    time_chart,
)
from pilotbase.charts.classes import class_chart, class_name, confusion_chart, confusion_names, format_share
from pilotbase.charts.columns import Bin, ChartColumn, column_chart, histogram_chart
from pilotbase.charts.one_file import PageWording, capital
from pilotbase.charts.scales import format_count, format_number
from pilotbase.documents import figures as f
from pilotbase.documents.base import Localized, localized
from pilotbase.documents.criteria import UNITS, Rule, parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.documents.figures import ShownCase
from pilotbase.documents.quantities import Beside
from pilotbase.documents.report import Attempt, BlindScore, CriterionResult, GroupScore, PathPoint, Report
from pilotbase.documents.standards import ConformityRow
from pilotbase.documents.texts import Language, Text, percent, text
from pilotbase.documents.transcript import end_in_words
from pilotbase.measures import spoken

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A picture with its title, caption, and numbers: column names and rows of cells."""

    title: str
    svg: str
    """An XML tree by `pilotbase.charts`, which escapes."""
    note: str
    head: tuple[str, ...]
    rows: Rows
    wide: bool = False
    """It is drawn over the whole width, and scrolled where that is too narrow."""


def pictures_of(
    figure: f.Figure, language: Language, unit: str = "", counts: tuple[int, int] | None = None
) -> list[Picture]:
    """Return the pictures of a figure; ``unit``: of answers that are numbers; ``counts``: cases scored and in all."""
    drawer = _Drawer(language, unit, counts)
    match figure:
        case f.Confusion():
            return [drawer.confusion(figure)]
        case f.Calibration():
            return [drawer.calibration(figure)]
        case f.Probabilities():
            return [drawer.probabilities(figure)]
        case f.AgainstTruth():
            return [drawer.against_truth(figure)]
        case f.Residuals():
            return [drawer.residuals(figure)]
        case f.TimeCourse():
            return [drawer.time(figure)]
        case f.Intervals():
            return drawer.intervals(figure)
        case f.ByClass():
            return [drawer.by_class(figure)]
        case f.Places():
            return [drawer.places(figure)]
        case f.TextDifferences():
            return [drawer.texts(figure)]


@dataclass(frozen=True)
class _Drawer(PageWording):
    """Draws in ``language``; numbers are in ``unit``."""

    unit: str
    counts: tuple[int, int] | None = None

    def confusion(self, figure: f.Confusion) -> Picture:
        names = confusion_names(figure, self.language)
        rows = tuple(
            (name, *(f"{format_count(count)} ({format_share(count, sum(line), self.language)})" for count in line))
            for name, line in zip(names, figure.counts, strict=True)
        )
        head = (self.t("picture.confusion.axes"), *names)
        svg = confusion_chart(figure, self.language)
        return replace(self._picture("confusion", svg, head, rows), wide=len(names) > 4)

    def calibration(self, figure: f.Calibration) -> Picture:
        rows = tuple(
            (
                f"{one.low:.1f} – {one.high:.1f}",
                format_count(one.cases),
                format_number(one.answered),
                format_number(one.hits / one.cases if one.cases else None),
            )
            for one in figure.bins
        )
        svg = calibration_chart(figure, self.language)
        head, words = self._head("probability", "cases", "mean_answer", "came_true"), self._absent(figure.absent)
        told = {"label": figure.label, "error": f"{figure.error:.3f}"}
        return self._picture("calibration", svg, head, rows, words, **told)

    def probabilities(self, figure: f.Probabilities) -> Picture:
        size = len(figure.members)
        rows = tuple(
            (
                f"{place / size:.2f} – {(place + 1) / size:.2f}",
                format_count(members),
                format_count(others),
            )
            for place, (members, others) in enumerate(zip(figure.members, figure.others, strict=True))
        )
        head = (*self._head("probability"), figure.label, *self._head("other_classes"))
        svg, words = probability_chart(figure, self.language), self._absent(figure.absent)
        return self._picture("probabilities", svg, head, rows, words, label=figure.label)

    def against_truth(self, figure: f.AgainstTruth) -> Picture:
        rows = tuple(
            (self._stretch(figure, true), self._stretch(figure, answered), format_count(count))
            for true, answered, count in figure.cells
        )
        words = self._in_unit() + self._beyond(figure.beyond) + self._absent(figure.absent)
        svg, head = answer_grid(figure, self.language), self._head("truth", "answer", "cases")
        return self._picture("against_truth", svg, head, rows, words)

    def residuals(self, figure: f.Residuals) -> Picture:
        stretches = [(figure.low + figure.step * place, count) for place, count in enumerate(figure.counts)]
        bins = [Bin(low, low + figure.step, count) for low, count in stretches]
        rows = tuple((self._stretch(figure, place), format_count(count)) for place, count in enumerate(figure.counts))
        mean = "" if figure.mean is None else self.t("picture.residuals.mean", mean=f"{figure.mean:.4g}")
        words = mean + self._in_unit() + self._beyond(figure.beyond)
        svg = histogram_chart(bins, self.t("picture.residuals.title"), self.unit)
        return self._picture("residuals", svg, self._head("difference", "cases"), rows, words)

    def time(self, figure: f.TimeCourse) -> Picture:
        rows = tuple(
            (
                format_at(figure, point.at),
                format_count(point.cases),
                f"{point.truth:.4g}",
                _ends(point.lower, point.upper) if point.lower is not None else _number(point.answered),
            )
            for point in figure.points
        )
        svg, head = time_chart(figure, self.language), self._head("from", "cases", "truth", "answer")
        return replace(self._picture("time", svg, head, rows, self._in_unit(), least=f.SMALLEST_GROUP), wide=True)

    def intervals(self, figure: f.Intervals) -> list[Picture]:
        rows = tuple(
            (
                f"{one.truth:.4g}",
                _ends(one.lower, one.upper),
                format_count(one.cases),
                format_share(one.covered, one.cases, self.language),
            )
            for one in figure.groups
        )
        svg, words = interval_chart(figure, self.language), self._in_unit() + self._absent(figure.absent)
        head = self._head("truth", "interval", "cases", "covered")
        grouped = self._picture("intervals", svg, head, rows, words, least=f.SMALLEST_GROUP)
        steps = tuple(
            (format_count(one.cases), format_count(one.covered), f"{one.covered / one.cases:.3f}")
            for one in figure.coverage
        )
        stop = self._stop(figure)
        svg, head = coverage_chart(figure, self.language, stop=stop), self._head("cases", "covered", "share")
        after = "" if stop is None else self.t("picture.coverage.note_stop", stop=format_count(stop))
        coverage = self._picture("coverage", svg, head, steps, after)
        return [grouped, coverage] if grouped.svg else [coverage]

    def _stop(self, figure: f.Intervals) -> int | None:
        """Return after how many answers scoring stopped; None if all of them were scored, as in older figures."""
        if self.counts is None:
            return None
        (scored, cases), answers = self.counts, figure.coverage[-1].cases
        stop = scored * max(1, round(answers / max(cases, 1)))  # a case may have several answers
        return stop if stop < answers else None

    def by_class(self, figure: f.ByClass) -> Picture:
        rows = tuple(
            (
                class_name(row, self.language),
                format_count(row.wanted),
                format_count(row.answered),
                format_count(row.hits),
                format_number(row.hits / row.wanted if row.wanted else None),
                format_number(row.hits / row.answered if row.answered else None),
            )
            for row in figure.rows
        )
        overlap = "–" if figure.overlap is None else f"{figure.overlap:g}"
        head = self._head("class", "there", "answered", "both", "recall", "precision")
        svg, words = class_chart(figure, self.language), self._absent(figure.absent)
        return self._picture(f"by_class.{figure.counted}", svg, head, rows, words, overlap=overlap)

    def places(self, figure: f.Places) -> Picture:
        total = sum(figure.counts) + figure.later + figure.never
        reached = [sum(figure.counts[: place + 1]) for place in range(len(figure.counts))]
        shares = [_percent(so_far, total) for so_far in reached]
        columns = [
            *(
                ChartColumn(str(place), count, reached=share)
                for place, (count, share) in enumerate(zip(figure.counts, shares, strict=True), start=1)
            ),
            ChartColumn(self.t("picture.places.later"), figure.later, apart=True),
            ChartColumn(self.t("picture.places.never"), figure.never, apart=True),
        ]
        rows = tuple((one.name, format_count(one.count), one.reached or "–") for one in columns)
        svg = column_chart(columns, self.t("picture.places.title"), self.t("picture.places.reached"))
        return self._picture("places", svg, self._head("place", "cases", "hits"), rows)

    def texts(self, figure: f.TextDifferences) -> Picture:
        counted = [(self.t("picture.texts.same"), figure.same, False)]
        for place, count in enumerate(figure.differing):
            counted.append((self._differing(figure.ends, place), count, False))
        counted.append((self.t("picture.none"), figure.absent, True))
        if figure.refused is not None and figure.not_refused is not None:
            counted.append((self.t("picture.texts.refused"), figure.refused, True))
            counted.append((self.t("picture.texts.not_refused"), figure.not_refused, True))
        columns = [ChartColumn(name, count, apart) for name, count, apart in counted]
        rows = tuple((name, format_count(count)) for name, count, _ in counted)
        svg = column_chart(columns, self.t("picture.texts.title"))
        drawn = self._picture("texts", svg, self._head("answer", "cases"), rows)
        return drawn if figure.ends else replace(drawn, note=self.t("picture.texts.whole_note"))

    def _differing(self, ends: Sequence[float], place: int) -> str:
        if not ends:
            return self.t("picture.texts.differs")
        last = place == len(ends)
        return f"{'>' if last else '≤'}{percent(ends[-1 if last else place]).render(self.language)}"

    def _picture(
        self, name: str, svg: str, head: tuple[str, ...], rows: Rows, words: str = "", **told: object
    ) -> Picture:
        """Return the picture of that name; ``words`` follow its note."""
        title, note = (self.t(f"picture.{name}.{part}", **told) for part in ("title", "note"))
        return Picture(title, svg, note + words, head, rows)

    def _head(self, *names: str) -> tuple[str, ...]:
        return tuple(self.t(f"picture.column.{name}") for name in names)

    def _stretch(self, figure: f.AgainstTruth | f.Residuals, place: int) -> str:
        return _ends(figure.low + figure.step * place, figure.low + figure.step * (place + 1))

    def _in_unit(self) -> str:
        return self.t("picture.in_unit", unit=self.unit) if self.unit else ""

    def _beyond(self, count: int) -> str:
        return self.t("picture.beyond", cases=format_count(count)) if count else ""

    def _absent(self, count: int) -> str:
        return self.t("picture.absent", cases=format_count(count)) if count else ""


def _ends(low: float | None, high: float | None) -> str:
    return f"{_number(low)} … {_number(high)}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}" if whole else "–"


SHOWN_POINTS = 12


@dataclass(frozen=True)
class ReportWording(PageWording):
    """The words of a report."""

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

    def spoken_measure(self, key: str) -> str:
        """Return the measure of a group's score in words."""
        try:
            return capital(self.say(spoken(parse_rule(f"{key} >= 0"))))
        except InputError:  # another version spelled it otherwise
            return key

    def _spoken(self, rule: Rule, of_threshold: str, unit: str) -> str:
        code = "report.rule.at_least" if rule.comparison == ">=" else "report.rule.at_most"
        threshold = _spelled_threshold(rule.threshold, of_threshold)
        return capital(self.t(code, measure=spoken(rule, unit), threshold=threshold))

    def pictures(self, report: Report) -> list[Picture]:
        unit, attempt = report.contract.prediction.unit or "", report.attempt
        counts = None if attempt is None or attempt.scored is None else (attempt.scored, attempt.reserved)
        figures = report.figures or ()
        return [picture for figure in figures for picture in pictures_of(figure, self.language, unit, counts)]

    @staticmethod
    def by_number(attempt: Attempt) -> bool:
        """Return whether the attempt's error probability is α/(j(j+1)) by its number j over all suppliers."""
        return math.isclose(attempt.alpha * attempt.number * (attempt.number + 1), attempt.alpha_of_all, rel_tol=1e-6)

    @staticmethod
    def groups_beyond_stop(report: Report) -> bool:
        """Return whether scores of groups cover cases after the stop, which no criterion counts."""
        attempt = report.attempt
        if attempt is None or attempt.scored is None or attempt.scored >= attempt.reserved:
            return False
        rules = [(parse_rule(one.rule), one.scored) for one in report.criteria]
        used: dict[tuple[str | None, str], int | None] = {
            (rule.by, rule.plain.key): scored for rule, scored in rules if rule.by
        }
        cases = Counter[tuple[str | None, str]]()
        for score in report.groups:
            cases[score.column, score.measure] += score.cases
        return any(count > (used.get(key) or count) for key, count in cases.items())

    def case_scores(self, case: ShownCase) -> list[str]:
        return [f"{score.rule}: {score.value:.4g}" for score in case.scores]

    episode_end = staticmethod(end_in_words)

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


def _spelled_threshold(threshold: Decimal, unit: str) -> str:
    """Return a threshold with all its digits: a whole number as one, else at least three decimals below ten."""
    if unit in ("s", "B"):
        return format_number(float(threshold), unit, Beside(float(threshold)))
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
