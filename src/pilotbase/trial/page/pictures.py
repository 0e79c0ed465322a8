"""A report's figures as pictures: each drawn, said in a sentence, and as a table of the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.charts.against_truth import answer_grid, coverage_chart, format_at, interval_chart, time_chart
from pilotbase.charts.classes import class_chart, class_name, confusion_chart, confusion_names, format_share
from pilotbase.charts.columns import Bin, ChartColumn, column_chart, histogram_chart
from pilotbase.charts.probabilities import calibration_chart, probability_chart
from pilotbase.charts.scales import format_count, format_number
from pilotbase.documents import figures as f
from pilotbase.documents.texts import Language, text

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


def pictures_of(figure: f.Figure, language: Language, unit: str = "") -> list[Picture]:
    """Return the pictures of a figure; ``unit``: of answers that are numbers."""
    drawer = _Drawer(language, unit)
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
class _Drawer:
    """Draws in ``language``; numbers are in ``unit``."""

    language: Language
    unit: str

    def confusion(self, figure: f.Confusion) -> Picture:
        names = confusion_names(figure, self.language)
        rows = tuple(
            (name, *(f"{format_count(count)} ({format_share(count, sum(line))})" for count in line))
            for name, line in zip(names, figure.counts, strict=True)
        )
        head = (self._t("picture.confusion.axes"), *names)
        svg = confusion_chart(figure, self.language)
        return Picture(
            self._t("picture.confusion.title"), svg, self._t("picture.confusion.note"), head, rows, wide=len(names) > 4
        )

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
        note = self._t("picture.calibration.note", error=f"{figure.error:.3f}") + self._absent(figure.absent)
        svg = calibration_chart(figure, self.language)
        head = self._head("probability", "cases", "mean_answer", "came_true")
        return Picture(self._t("picture.calibration.title", label=figure.label), svg, note, head, rows)

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
        note = self._t("picture.probabilities.note", label=figure.label) + self._absent(figure.absent)
        head = (*self._head("probability"), figure.label, *self._head("other_classes"))
        svg = probability_chart(figure, self.language)
        return Picture(self._t("picture.probabilities.title", label=figure.label), svg, note, head, rows)

    def against_truth(self, figure: f.AgainstTruth) -> Picture:
        rows = tuple(
            (self._stretch(figure, true), self._stretch(figure, answered), format_count(count))
            for true, answered, count in figure.cells
        )
        note = self._t("picture.against_truth.note") + self._in_unit()
        note += self._beyond(figure.beyond) + self._absent(figure.absent)
        svg = answer_grid(figure, self.language)
        return Picture(self._t("picture.against_truth.title"), svg, note, self._head("truth", "answer", "cases"), rows)

    def residuals(self, figure: f.Residuals) -> Picture:
        stretches = [(figure.low + figure.step * place, count) for place, count in enumerate(figure.counts)]
        bins = [Bin(low, low + figure.step, count) for low, count in stretches]
        rows = tuple((self._stretch(figure, place), format_count(count)) for place, count in enumerate(figure.counts))
        mean = "" if figure.mean is None else self._t("picture.residuals.mean", mean=f"{figure.mean:.4g}")
        note = self._t("picture.residuals.note") + mean + self._in_unit() + self._beyond(figure.beyond)
        svg = histogram_chart(bins, self._t("picture.residuals.title"), self.unit)
        return Picture(self._t("picture.residuals.title"), svg, note, self._head("difference", "cases"), rows)

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
        note = self._t("picture.time.note", least=f.SMALLEST_GROUP) + self._in_unit()
        svg = time_chart(figure, self.language)
        return Picture(
            self._t("picture.time.title"), svg, note, self._head("from", "cases", "truth", "answer"), rows, wide=True
        )

    def intervals(self, figure: f.Intervals) -> list[Picture]:
        rows = tuple(
            (
                f"{one.truth:.4g}",
                _ends(one.lower, one.upper),
                format_count(one.cases),
                format_share(one.covered, one.cases),
            )
            for one in figure.groups
        )
        note = self._t("picture.intervals.note", least=f.SMALLEST_GROUP) + self._in_unit()
        note += self._absent(figure.absent)
        head = self._head("truth", "interval", "cases", "covered")
        grouped = Picture(self._t("picture.intervals.title"), interval_chart(figure, self.language), note, head, rows)
        steps = tuple(
            (format_count(one.cases), format_count(one.covered), f"{one.covered / one.cases:.3f}")
            for one in figure.coverage
        )
        head = self._head("cases", "covered", "share")
        svg, note = coverage_chart(figure, self.language), self._t("picture.coverage.note")
        coverage = Picture(self._t("picture.coverage.title"), svg, note, head, steps)
        return [grouped, coverage] if grouped.svg else [coverage]

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
        note = self._t(f"picture.by_class.{figure.counted}.note", overlap=overlap) + self._absent(figure.absent)
        head = self._head("class", "there", "answered", "both", "recall", "precision")
        svg = class_chart(figure, self.language)
        return Picture(self._t(f"picture.by_class.{figure.counted}.title"), svg, note, head, rows)

    def places(self, figure: f.Places) -> Picture:
        total = sum(figure.counts) + figure.later + figure.never
        reached = [sum(figure.counts[: place + 1]) for place in range(len(figure.counts))]
        shares = [_percent(so_far, total) for so_far in reached]
        columns = [
            *(
                ChartColumn(str(place), count, reached=share)
                for place, (count, share) in enumerate(zip(figure.counts, shares, strict=True), start=1)
            ),
            ChartColumn(self._t("picture.places.later"), figure.later, apart=True),
            ChartColumn(self._t("picture.places.never"), figure.never, apart=True),
        ]
        rows = tuple((one.name, format_count(one.count), one.reached or "–") for one in columns)
        title, line = self._t("picture.places.title"), self._t("picture.places.reached")
        svg = column_chart(columns, title, line)
        return Picture(
            self._t("picture.places.title"),
            svg,
            self._t("picture.places.note"),
            self._head("place", "cases", "hits"),
            rows,
        )

    def texts(self, figure: f.TextDifferences) -> Picture:
        counted = [(self._t("picture.texts.same"), figure.same, False)]
        for place, count in enumerate(figure.differing):
            counted.append((self._differing(figure.ends, place), count, False))
        counted.append((self._t("picture.none"), figure.absent, True))
        if figure.refused is not None and figure.not_refused is not None:
            counted.append((self._t("picture.texts.refused"), figure.refused, True))
            counted.append((self._t("picture.texts.not_refused"), figure.not_refused, True))
        columns = [ChartColumn(name, count, apart) for name, count, apart in counted]
        rows = tuple((name, format_count(count)) for name, count, _ in counted)
        svg = column_chart(columns, self._t("picture.texts.title"))
        note = self._t("picture.texts.note") if figure.ends else self._t("picture.texts.whole_note")
        return Picture(self._t("picture.texts.title"), svg, note, self._head("answer", "cases"), rows)

    def _differing(self, ends: Sequence[float], place: int) -> str:
        if not ends:
            return self._t("picture.texts.differs")
        return f"≤{ends[place]:.0%}" if place < len(ends) else f">{ends[-1]:.0%}"

    def _t(self, code: str, **params: object) -> str:
        return text(code, **params).render(self.language)

    def _head(self, *names: str) -> tuple[str, ...]:
        return tuple(self._t(f"picture.column.{name}") for name in names)

    def _stretch(self, figure: f.AgainstTruth | f.Residuals, place: int) -> str:
        return _ends(figure.low + figure.step * place, figure.low + figure.step * (place + 1))

    def _in_unit(self) -> str:
        return self._t("picture.in_unit", unit=self.unit) if self.unit else ""

    def _beyond(self, count: int) -> str:
        return self._t("picture.beyond", cases=format_count(count)) if count else ""

    def _absent(self, count: int) -> str:
        return self._t("picture.absent", cases=format_count(count)) if count else ""


def _ends(low: float | None, high: float | None) -> str:
    return f"{_number(low)} … {_number(high)}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}" if whole else "–"
