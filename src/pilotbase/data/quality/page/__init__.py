"""A quality report as one self-contained HTML file: both languages inside, no script, nothing loaded from elsewhere."""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

from jinja2 import Environment
from markupsafe import Markup

from pilotbase.charts.columns import RankedBar, format_time, profile_chart, ranked_chart
from pilotbase.charts.marks import status_mark
from pilotbase.charts.one_file import PageWording, capital, page_environment, page_style
from pilotbase.charts.scales import format_count
from pilotbase.documents.base import localized
from pilotbase.documents.quality import (
    Cell,
    FieldProfile,
    QualityMeasurement,
    QualityReport,
    RecordSetProfile,
    RuleResult,
    Suspect,
)
from pilotbase.documents.quantities import MISSING, format_digits
from pilotbase.documents.texts import LANGUAGES, Language, percent

SHOWN, FOLDED = 40, 400
"""Rows of a table that are open, and that are folded; only the document has more."""
_BARS = 25
_DRIFT_LINES, _MOST_DRIFT = (0.1, 0.25), 0.6
"""Where a shift is called moderate and large; bars of larger shifts all end at the same place."""
_TIMES = ("sc:Date", "sc:DateTime")
_PACKAGE = "pilotbase.data.quality.page"


class Pictured(NamedTuple):
    """A picture and its heading."""

    name: str
    picture: Markup


@dataclass(frozen=True)
class _QualityWording(PageWording):
    """The words and pictures of one report in one language; the template calls its methods."""

    report: QualityReport

    @property
    def title(self) -> str:
        return localized(self.report.title, self.language) or self.report.dataset

    @property
    def purpose(self) -> str:
        return self.t(f"quality.purpose.{self.report.grade.purpose}")

    @property
    def opening(self) -> str:
        return self.t(f"opening.{self.report.opening}")

    @property
    def grade(self) -> str:
        """Return the grade as a sentence; if nothing is required it is not decided."""
        found = self.report.grade
        outcome = "inconclusive" if found.outcome == "not_measured" else found.outcome.value
        values = {"purpose": self.purpose, "measured": found.measured, "required": found.required}
        return capital(self.t(f"quality.grade.{outcome}", **values))

    @property
    def released(self) -> str:
        if self.report.view == "full":
            return self.t("quality.page.full")
        if self.report.least_cell is None:
            return ""
        return self.t("quality.page.released", opening=self.opening, least=self.report.least_cell)

    def measure(self, name: str) -> str:
        """Return the name of a measure."""
        try:
            return capital(self.t(f"quality.measure.{name}"))
        except KeyError:
            return name

    def state(self, name: str) -> str:
        """Return the name of a state."""
        return self.t(f"quality.state.{name}")

    def kind(self, name: str) -> str:
        """Return the name of a kind of rule."""
        return self.t(f"quality.kind.{name}")

    def bound(self, low: float | None, high: float | None) -> str:
        """Return the requirement on a figure."""
        if low is not None:
            return self.t("quality.page.at_least", value=f"{low:g}")
        return self.t("quality.page.any") if high is None else self.t("quality.page.at_most", value=f"{high:g}")

    def of(self, found: QualityMeasurement) -> str:
        """Return numerator / denominator."""
        if found.numerator is None or found.denominator is None:
            return MISSING
        return f"{_whole(found.numerator)} / {_whole(found.denominator)}"

    def interval(self, found: QualityMeasurement) -> str:
        """Return the interval, if a sample represents the whole."""
        if found.lower is None or found.upper is None:
            return MISSING
        return f"{found.lower:.3f} … {found.upper:.3f}"

    def cell(self, count: Cell) -> str:
        """Return a count, or that it is too small to be shown."""
        return f"< {self.report.least_cell}" if count is None else format_count(count)

    def codes(self, found: QualityMeasurement) -> str:
        """Return the three codes."""
        named = (("ISO/IEC 5259-2", found.codes.iso), ("TC609", found.codes.tc609), ("GB/T 36344", found.codes.gbt))
        return " · ".join(f"{standard} {code}" for standard, code in named if code) or MISSING

    def range_of(self, one: FieldProfile) -> str:
        """Return the smallest and largest value."""
        if one.minimum is None or one.maximum is None:
            return MISSING
        if one.data_type in _TIMES:
            return f"{format_time(one.minimum)} … {format_time(one.maximum)}"
        return f"{format_digits(one.minimum)} … {format_digits(one.maximum)}"

    def mean_of(self, one: FieldProfile) -> str:
        """Return mean ± standard deviation."""
        if one.mean is None:
            return MISSING
        return f"{format_digits(one.mean)} ± {format_digits(one.deviation or 0)}"

    @cached_property
    def rules(self) -> list[RuleResult]:
        """Return the rules: first those that fail, then those that were not checked, then the rest."""
        return sorted(self.report.rules, key=lambda rule: (_fails(rule) is False, rule.state == "measured"))

    @property
    def failing(self) -> int:
        return sum(_fails(rule) for rule in self.report.rules)

    def open_rules(self) -> list[RuleResult]:
        """Return the open rules: those that fail or were not checked, as far as there is room."""
        return [rule for rule in self.rules if _fails(rule) or rule.state != "measured"][:SHOWN]

    def folded_rules(self) -> list[RuleResult]:
        """Return the rules that are folded."""
        return self.rules[len(self.open_rules()) :][:FOLDED]

    def chance(self, one: Suspect) -> str:
        """Return how probable it is that a suspect is a fault."""
        return percent(one.probability).render(self.language)

    def sampled(self) -> list[tuple[str, int]]:
        """Return the record sets of which only some rows were looked at for faults, and how many."""
        return sorted({(one.record_set, one.sample) for one in self.report.suspects if one.sample is not None})

    def missingness(self, profile: RecordSetProfile) -> Markup:
        """Return the fields with the most missing values, as bars; empty if nothing is missing."""
        lacking = sorted((one for one in profile.fields if one.missing != 0), key=_missing, reverse=True)
        bars = [
            RankedBar(one.field, _missing(one) / max(1, profile.rows), self._share(one.missing, profile.rows))
            for one in lacking[:_BARS]
        ]
        return _markup(ranked_chart(bars, self.t("quality.page.missingness")))

    def drift(self, profile: RecordSetProfile) -> Markup:
        """Return the fields that shifted most between the parts; empty without two parts."""
        moved = sorted((one for one in profile.fields if one.drift is not None), key=_drift, reverse=True)
        bars = [RankedBar(one.field, min(_drift(one), _MOST_DRIFT), f"{_drift(one):.3f}") for one in moved[:_BARS]]
        return _markup(ranked_chart(bars, self.t("quality.page.drift"), _DRIFT_LINES))

    def balance(self, profile: RecordSetProfile) -> list[Pictured]:
        """Return how many records each class has, for every label."""
        labels = [one for one in profile.fields if one.label and one.values]
        return [Pictured(one.field, self._picture(one)) for one in labels]

    def coverage(self, profile: RecordSetProfile) -> list[Pictured]:
        """Return how many records there are over time, for each field of times."""
        times = [one for one in profile.fields if one.data_type in _TIMES]
        return [Pictured(one.field, self._picture(one)) for one in times if one.histogram]

    def distributions(self, profile: RecordSetProfile) -> list[Pictured]:
        """Return the distribution of each counted field that holds no times."""
        counted = [one for one in profile.fields if one.data_type not in _TIMES and not (one.label and one.values)]
        return [Pictured(one.field, self._picture(one)) for one in counted if one.histogram or one.values]

    def _picture(self, one: FieldProfile) -> Markup:
        return _markup(profile_chart(one, self.t("quality.page.others"), self.cell))

    def parts(self, profile: RecordSetProfile) -> str:
        """Return what is drawn darker."""
        if profile.parts == "none" or self.report.least_cell is not None:
            return ""
        return self.t("quality.page.hidden_part" if profile.parts == "hidden" else "quality.page.later_part")

    def _share(self, count: Cell, whole: int) -> str:
        shown = self.cell(count)
        return shown if count is None else f"{percent(count / max(1, whole), '.3g').render(self.language)} ({shown})"


def format_share(value: float | None) -> str:
    """Return a share with four digits that never says 1 or 0 unless it is: 0.9999…, 0.0001."""
    if value is None:
        return MISSING
    spelled = f"{value:.4f}"
    if (spelled == "1.0000" and value < 1) or (spelled == "0.0000" and value > 0):
        return f"1 - {1 - value:.1e}" if value > 0.5 else f"{value:.1e}"
    return spelled if value < 100 else f"{value:,.0f}"


def _whole(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,.4g}"


def _missing(one: FieldProfile) -> int:
    return one.missing or 0


def _drift(one: FieldProfile) -> float:
    return one.drift or 0.0


def _fails(rule: RuleResult) -> bool:
    return rule.state == "measured" and rule.failed != 0


def _markup(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - built as an XML tree by pilotbase.charts, which escapes


def render_quality(report: QualityReport, language: Language = "en") -> str:
    """Return ``report`` as an HTML document in both languages, ``language`` shown first.

    If there are very many measures, rules or fields, the page folds some and leaves others to the document itself, so
    that it opens at once however wide the table is.
    """
    words = [(name, _QualityWording(name, report)) for name in LANGUAGES]
    template = _environment().get_template("quality.html.jinja")
    return template.render(report=report, languages=words, shown=language, **page_style(_PACKAGE, "quality.css"))


@cache
def _environment() -> Environment:
    environment = page_environment(_PACKAGE)
    environment.filters |= {"count": format_count, "share": format_share}
    environment.globals["mark"] = lambda outcome: _markup(status_mark(outcome))
    return environment
