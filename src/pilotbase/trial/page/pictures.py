"""A report's figures as pictures: each drawn, said in a sentence, and as a table of the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pilotbase import charts
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
        names = charts.confusion_names(figure, self.language)
        rows = tuple(
            (name, *(f"{charts.format_count(count)} ({charts.format_share(count, sum(line))})" for count in line))
            for name, line in zip(names, figure.counts, strict=True)
        )
        head = (self._t("picture.confusion.axes"), *names)
        svg = charts.confusion_chart(figure, self.language)
        return replace(self._picture("confusion", svg, head, rows), wide=len(names) > 4)

    def calibration(self, figure: f.Calibration) -> Picture:
        rows = tuple(
            (
                f"{one.low:.1f} – {one.high:.1f}",
                charts.format_count(one.cases),
                charts.format_number(one.answered),
                charts.format_number(one.hits / one.cases if one.cases else None),
            )
            for one in figure.bins
        )
        svg = charts.calibration_chart(figure, self.language)
        head, words = self._head("probability", "cases", "mean_answer", "came_true"), self._absent(figure.absent)
        told = {"label": figure.label, "error": f"{figure.error:.3f}"}
        return self._picture("calibration", svg, head, rows, words, **told)

    def probabilities(self, figure: f.Probabilities) -> Picture:
        size = len(figure.members)
        rows = tuple(
            (
                f"{place / size:.2f} – {(place + 1) / size:.2f}",
                charts.format_count(members),
                charts.format_count(others),
            )
            for place, (members, others) in enumerate(zip(figure.members, figure.others, strict=True))
        )
        head = (*self._head("probability"), figure.label, *self._head("other_classes"))
        svg, words = charts.probability_chart(figure, self.language), self._absent(figure.absent)
        return self._picture("probabilities", svg, head, rows, words, label=figure.label)

    def against_truth(self, figure: f.AgainstTruth) -> Picture:
        rows = tuple(
            (self._stretch(figure, true), self._stretch(figure, answered), charts.format_count(count))
            for true, answered, count in figure.cells
        )
        words = self._in_unit() + self._beyond(figure.beyond) + self._absent(figure.absent)
        svg, head = charts.answer_grid(figure, self.language), self._head("truth", "answer", "cases")
        return self._picture("against_truth", svg, head, rows, words)

    def residuals(self, figure: f.Residuals) -> Picture:
        stretches = [(figure.low + figure.step * place, count) for place, count in enumerate(figure.counts)]
        bins = [charts.Bin(low, low + figure.step, count) for low, count in stretches]
        rows = tuple(
            (self._stretch(figure, place), charts.format_count(count)) for place, count in enumerate(figure.counts)
        )
        mean = "" if figure.mean is None else self._t("picture.residuals.mean", mean=f"{figure.mean:.4g}")
        words = mean + self._in_unit() + self._beyond(figure.beyond)
        svg = charts.histogram_chart(bins, self._t("picture.residuals.title"), self.unit)
        return self._picture("residuals", svg, self._head("difference", "cases"), rows, words)

    def time(self, figure: f.TimeCourse) -> Picture:
        rows = tuple(
            (
                charts.format_at(figure, point.at),
                charts.format_count(point.cases),
                f"{point.truth:.4g}",
                _ends(point.lower, point.upper) if point.lower is not None else _number(point.answered),
            )
            for point in figure.points
        )
        svg, head = charts.time_chart(figure, self.language), self._head("from", "cases", "truth", "answer")
        return replace(self._picture("time", svg, head, rows, self._in_unit(), least=f.SMALLEST_GROUP), wide=True)

    def intervals(self, figure: f.Intervals) -> list[Picture]:
        rows = tuple(
            (
                f"{one.truth:.4g}",
                _ends(one.lower, one.upper),
                charts.format_count(one.cases),
                charts.format_share(one.covered, one.cases),
            )
            for one in figure.groups
        )
        svg, words = charts.interval_chart(figure, self.language), self._in_unit() + self._absent(figure.absent)
        head = self._head("truth", "interval", "cases", "covered")
        grouped = self._picture("intervals", svg, head, rows, words, least=f.SMALLEST_GROUP)
        steps = tuple(
            (charts.format_count(one.cases), charts.format_count(one.covered), f"{one.covered / one.cases:.3f}")
            for one in figure.coverage
        )
        svg, head = charts.coverage_chart(figure, self.language), self._head("cases", "covered", "share")
        coverage = self._picture("coverage", svg, head, steps)
        return [grouped, coverage] if grouped.svg else [coverage]

    def by_class(self, figure: f.ByClass) -> Picture:
        rows = tuple(
            (
                charts.class_name(row, self.language),
                charts.format_count(row.wanted),
                charts.format_count(row.answered),
                charts.format_count(row.hits),
                charts.format_number(row.hits / row.wanted if row.wanted else None),
                charts.format_number(row.hits / row.answered if row.answered else None),
            )
            for row in figure.rows
        )
        overlap = "–" if figure.overlap is None else f"{figure.overlap:g}"
        head = self._head("class", "there", "answered", "both", "recall", "precision")
        svg, words = charts.class_chart(figure, self.language), self._absent(figure.absent)
        return self._picture(f"by_class.{figure.counted}", svg, head, rows, words, overlap=overlap)

    def places(self, figure: f.Places) -> Picture:
        total = sum(figure.counts) + figure.later + figure.never
        reached = [sum(figure.counts[: place + 1]) for place in range(len(figure.counts))]
        shares = [_percent(so_far, total) for so_far in reached]
        columns = [
            *(
                charts.ChartColumn(str(place), count, reached=share)
                for place, (count, share) in enumerate(zip(figure.counts, shares, strict=True), start=1)
            ),
            charts.ChartColumn(self._t("picture.places.later"), figure.later, apart=True),
            charts.ChartColumn(self._t("picture.places.never"), figure.never, apart=True),
        ]
        rows = tuple((one.name, charts.format_count(one.count), one.reached or "–") for one in columns)
        svg = charts.column_chart(columns, self._t("picture.places.title"), self._t("picture.places.reached"))
        return self._picture("places", svg, self._head("place", "cases", "hits"), rows)

    def texts(self, figure: f.TextDifferences) -> Picture:
        counted = [(self._t("picture.texts.same"), figure.same, False)]
        for place, count in enumerate(figure.differing):
            counted.append((self._differing(figure.ends, place), count, False))
        counted.append((self._t("picture.none"), figure.absent, True))
        if figure.refused is not None and figure.not_refused is not None:
            counted.append((self._t("picture.texts.refused"), figure.refused, True))
            counted.append((self._t("picture.texts.not_refused"), figure.not_refused, True))
        columns = [charts.ChartColumn(name, count, apart) for name, count, apart in counted]
        rows = tuple((name, charts.format_count(count)) for name, count, _ in counted)
        svg = charts.column_chart(columns, self._t("picture.texts.title"))
        drawn = self._picture("texts", svg, self._head("answer", "cases"), rows)
        return drawn if figure.ends else replace(drawn, note=self._t("picture.texts.whole_note"))

    def _differing(self, ends: Sequence[float], place: int) -> str:
        if not ends:
            return self._t("picture.texts.differs")
        return f"≤{ends[place]:.0%}" if place < len(ends) else f">{ends[-1]:.0%}"

    def _picture(
        self, name: str, svg: str, head: tuple[str, ...], rows: Rows, words: str = "", **told: object
    ) -> Picture:
        """Return the picture of that name; ``words`` follow its note."""
        title, note = (self._t(f"picture.{name}.{part}", **told) for part in ("title", "note"))
        return Picture(title, svg, note + words, head, rows)

    def _t(self, code: str, **params: object) -> str:
        return text(code, **params).render(self.language)

    def _head(self, *names: str) -> tuple[str, ...]:
        return tuple(self._t(f"picture.column.{name}") for name in names)

    def _stretch(self, figure: f.AgainstTruth | f.Residuals, place: int) -> str:
        return _ends(figure.low + figure.step * place, figure.low + figure.step * (place + 1))

    def _in_unit(self) -> str:
        return self._t("picture.in_unit", unit=self.unit) if self.unit else ""

    def _beyond(self, count: int) -> str:
        return self._t("picture.beyond", cases=charts.format_count(count)) if count else ""

    def _absent(self, count: int) -> str:
        return self._t("picture.absent", cases=charts.format_count(count)) if count else ""


def _ends(low: float | None, high: float | None) -> str:
    return f"{_number(low)} … {_number(high)}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}" if whole else "–"
