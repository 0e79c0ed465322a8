"""Ledger, map, ranking and period report as tables of words: commands, CSV, XLSX and HTML; the words of the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pilotbase.charts.one_file import PageWording, page_environment, page_style
from pilotbase.documents.api.ledger import (
    AimTold,
    ClauseTold,
    CostTold,
    DrivenTold,
    LedgerTold,
    MapTold,
    NeedTold,
    NextTold,
    QuartilesTold,
    RankingTold,
    StepSpanTold,
    TaskSheetsTold,
)
from pilotbase.documents.base import localized
from pilotbase.documents.files import Cell, format_workbook
from pilotbase.documents.moments import format_day, format_second
from pilotbase.documents.period import CountedFigure, PeriodReport, format_edge
from pilotbase.documents.quantities import format_days
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import LANGUAGES, Language, Text, percent, text
from pilotbase.documents.workforce import StatedRange, WorkforceSum, WorkforceTold
from pilotbase.roadmap.ranking import CRITERIA

Row = tuple[str, ...]
Spell = Callable[[float | None], str]
NOTHING = "–"
_PACKAGE = "pilotbase.roadmap"


@dataclass(frozen=True)
class Table:
    """A table in one language; every row has a cell for each column of the header."""

    header: Row
    rows: tuple[Row, ...]


def ledger_table(told: LedgerTold, language: Language, *, exact: bool = True) -> Table:
    """Return the ledger, one number a row: part, what it is of, what it says, number.

    ``exact``: days with six digits, as a spreadsheet counts with them; else as people say them (`format_days`).
    """
    header = _words(("roadmap.part", "roadmap.of", "roadmap.says", "roadmap.number"), language)
    lines = [*_figures(told), *_spans(told, _number if exact else format_days), *_costs(told), *_aims(told)]
    rows = [(*(cell.render(language) if isinstance(cell, Text) else cell for cell in line),) for line in lines]
    return Table(header, tuple(rows))


def map_table(told: MapTold, language: Language) -> Table:
    """Return the map, one cell a row, empty ones too."""
    codes = ("roadmap.action", "roadmap.support", "figure.opened", "figure.certified", "figure.in_use")
    rows = [
        (
            *(_name(vocabulary, getattr(cell, vocabulary), language) for vocabulary in ("action", "support")),
            *(str(number) for number in (cell.opened, cell.certified, cell.in_use)),
        )
        for cell in told.cells
    ]
    return Table(_words(codes, language), tuple(rows))


def ranking_table(told: RankingTold, language: Language) -> Table:
    """Return the rungs of a ranking from the top."""
    codes = ("rank", "score", *CRITERIA, "scenarios", "passed_after", "crosses_after", "in_top")
    rows = [
        (
            *(str(one.rank), f"{one.score:.3f}"),
            *(str(value) for value in (one.potential, one.maturity, one.driving_effect, one.scenarios)),
            *(format_shift(share, language) for share in (one.passed_after, one.crosses_after, one.in_top)),
        )
        for one in told.rungs
    ]
    return Table(_words([f"roadmap.{code}" for code in codes], language), tuple(rows))


def task_table(told: TaskSheetsTold, language: Language) -> Table:
    """Return the task sheets, one task a row."""
    codes = ("phase", "task", "title", "owner", "from", "until", "state", "needs", "after", "next", "resources")
    separator = text("roadmap.semicolon").render(language)
    rows = [
        (
            *(Text(code=f"phase.{one.phase}").render(language), name_of(one.scenario), localized(one.title, language)),
            *(one.owner, one.start, one.end, Text(code=f"task.{one.state}").render(language)),
            separator.join(format_need(need, language) for need in one.needs),
            separator.join(map(name_of, one.after)),
            separator.join(format_next(step).render(language) for step in one.next),
            localized(one.resources or "", language),
        )
        for one in told.sheets
    ]
    return Table(_words([f"roadmap.{code}" for code in codes], language), tuple(rows))


def clause_table(told: Sequence[ClauseTold], language: Language) -> Table:
    """Return what policies ask of a base, one clause a row."""
    header = _words(("clause.status_title", "clause.source", "clause.evidence", "clause.asked"), language)
    rows = []
    for one in told:
        parts = (("figure" if part.is_figure else "clause", part) for part in one.evidence)
        shown = (f"{Text(code=f'{domain}.{part.name}').render(language)} {part.count}" for domain, part in parts)
        status = Text(code=f"clause.status.{one.status}").render(language)
        rows.append((status, f"{one.source} {one.place}", " · ".join(shown) or NOTHING, one.words.render(language)))
    return Table(header, tuple(rows))


def workforce_table(told: WorkforceTold, language: Language) -> Table:
    """Return the stated effects on employment, one scenario a row, and the sums below."""
    codes = ("scenario", "region", "people", "displaced", "augmented", "created", "hours", "posts", "departs")
    unknown = text("workforce.unknown").render(language)
    rows = [
        (
            *(localized(one.title, language), one.region or unknown, format_people(one.people, language)),
            *(format_bounds(value, language) for value in (one.displaced, one.augmented, one.created)),
            *(format_bounds(value, language) for value in (one.hours, one.posts)),
            text(f"workforce.departs.{'yes' if one.departs else 'no'}").render(language),
        )
        for one in told.effects
    ]
    sums = [
        (
            *(text("workforce.sum", count=one.scenarios).render(language), _region(one, language)),
            format_people(one.people, language),
            *(format_bounds(value, language) for value in (one.displaced, one.augmented, one.created)),
            *(NOTHING, format_bounds(one.posts, language), NOTHING),
        )
        for one in told.sums
    ]
    return Table(_words([f"workforce.of.{code}" for code in codes], language), (*rows, *sums))


def format_bounds(found: StatedRange | None, language: Language) -> str:
    """Return from where to where something lies; *unknown* where nobody has said it."""
    if found is None:
        return text("workforce.unknown").render(language)
    low, high = f"{found.low:,.4g}", f"{found.high:,.4g}"
    return low if low == high else f"{low} – {high}"


def format_people(found: int | None, language: Language) -> str:
    """Return a number of people; *unknown* where nobody has said it."""
    return text("workforce.unknown").render(language) if found is None else f"{found:,}"


def _region(one: WorkforceSum, language: Language) -> str:
    if one.whole:
        return text("workforce.all_regions").render(language)
    return one.region or text("workforce.unknown").render(language)


def format_need(need: NeedTold, language: Language) -> str:
    """Return what a task uses of a resource."""
    return f"{localized(need.title, language)} {need.amount:,g} {need.unit}".rstrip()


def format_next(step: NextTold) -> Text:
    """Return what is to be done, by whom and until when."""
    who = step.organisation or Text(code=f"role.{step.role}")
    named = {"act": Text(code=f"act.{step.act}"), "who": who}
    if step.due is None:
        return text("roadmap.next_step", **named)
    return text("roadmap.next_step_until", **named, due=format_day(step.due))


def format_shift(share: float | None, language: Language) -> str:
    """Return how much weight moves, in percent; *never* where no weights do it."""
    return (text("roadmap.never") if share is None else percent(share, ".1f")).render(language)


def format_driven(told: DrivenTold, language: Language) -> str:
    """Return what a scenario supplies to another one, and by what both need."""
    line = {"title": localized(told.title, language), "amount": f"{told.amount:.2f}"}
    if not told.shared:
        return text("roadmap.drives_through", **line).render(language)
    shared = text("roadmap.semicolon").render(language).join(one.render(language) for one in told.shared)
    return text("roadmap.drives", **line, shared=shared).render(language)


INDICATORS: Mapping[str, str] = {
    "service_contracts": "trials",
    "conversions": "served",
    "firms_served": "suppliers",
    "owners_served": "owners",
    "income": "",
    "cost": "",
    "staff": "",
    "equipment_use": "",
    "accidents": "",
}
"""What evaluations of bases ask for → the figure that answers it; empty: the operator states it."""


@dataclass(frozen=True)
class PeriodWording(PageWording):
    """A period report in one language."""

    report: PeriodReport

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Return what stands above the figures."""
        report = self.report
        told = {
            "period.begins": format_edge(report.start, report.offset),
            "period.ends": format_edge(report.end, report.offset),
            "period.log": self.t("period.log_at", size=report.log_size, root=report.log_root[:16] or NOTHING),
            "period.digest": report.digest(),
        }
        return [(self.t(code), value) for code, value in told.items()]

    @property
    def figures(self) -> list[tuple[CountedFigure, str, str]]:
        """Return each figure with its name and what it counts."""
        return [(one, self._word("figure", one), self._word("period.means", one)) for one in self.report.figures]

    def _word(self, domain: str, figure: CountedFigure) -> str:
        return self.say(Text(code=f"{domain}.{figure.figure}"))

    @property
    def indicators(self) -> list[tuple[str, str, str]]:
        """Return each indicator with its number and where that comes from."""
        counted = {one.figure: one.in_period for one in self.report.figures}
        found = []
        for name, figure in INDICATORS.items():
            stated = self.report.stated.get("equipment_hours" if name == "equipment_use" else name)  # type: ignore[call-overload]
            source = "period.from_records" if figure else "period.not_stated" if stated is None else "period.stated"
            number = counted.get(figure) if figure else stated
            found.append((self.t(f"period.indicator.{name}"), spell_number(number), self.t(source)))
        return found

    @property
    def fragmentation(self) -> list[str]:
        """Return the opinion on duplicated work, from the figures."""
        counted = {one.figure: int(one.in_period or 0) for one in self.report.figures}
        side, reused = counted.get("side_by_side", 0), counted.get("reused", 0)
        return [
            self.t("period.fragmentation_some", side=side) if side else self.t("period.fragmentation_none"),
            self.t("period.reused_some", count=reused) if reused else self.t("period.reused_none"),
        ]

    def number(self, value: float | None) -> str:
        """Return a number as the report shows it."""
        return spell_number(value)


def spell_number(value: float | None) -> str:
    """Return a number of a report: whole, or with one digit behind the point."""
    return NOTHING if value is None else f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def period_table(report: PeriodReport, language: Language) -> Table:
    """Return the figures of a period report, one a row."""
    header = _words(("period.figure", "period.in_period", "period.so_far", "period.unit", "period.version"), language)
    rows = [
        (name, spell_number(one.in_period), spell_number(one.so_far), _unit(one, language), str(one.version))
        for one, name, _ in PeriodWording(language, report).figures
    ]
    return Table(header, tuple(rows))


def period_workbook(report: PeriodReport, language: Language) -> bytes:
    """Return a period report as XLSX: the digest first, then figures, indicators and every record."""
    words = PeriodWording(language, report)
    columns = (
        "subject",
        "kind",
        "state",
        "owner",
        "supplier",
        "application",
        "scenario",
        "sector",
        "action",
        "verdict",
    )
    reached = sorted({milestone for one in report.records for milestone in one.reached})
    records = [
        [*(str(getattr(one, name)) for name in columns), *(_moment(one.reached.get(name)) for name in reached)]
        for one in report.records
    ]
    figures = [
        [name, one.in_period, one.so_far, _unit(one, language), one.version, means]
        for one, name, means in words.figures
    ]
    heads = ("period.figure", "period.in_period", "period.so_far", "period.unit", "period.version", "period.means")
    sheets: dict[str, list[Sequence[Cell]]] = {
        words.t("period.title"): [(words.t("period.of", period=report.period), report.base), *words.facts],
        words.t("period.figures"): [_words(heads, language), *figures],
        words.t("period.indicators"): words.indicators,  # type: ignore[dict-item]
        words.t("period.record"): [[*columns, *reached], *records],
    }
    return format_workbook(sheets)


def period_page(report: PeriodReport, language: Language) -> str:
    """Return a period report as one HTML file in both languages, ``language`` shown first."""
    words = [(one, PeriodWording(one, report)) for one in LANGUAGES]
    template = page_environment(_PACKAGE).get_template("period.html.jinja")
    return template.render(report=report, languages=words, shown=language, **page_style(_PACKAGE, "period.css"))


def _unit(figure: CountedFigure, language: Language) -> str:
    return Text(code=f"period.unit.{figure.unit}").render(language)


def _moment(at: datetime | None) -> str:
    return "" if at is None else format_second(at)


def _figures(told: LedgerTold) -> Iterator[tuple[Text | str, ...]]:
    for figure, number in told.counts.items():
        name = Text(code=f"figure.{figure}")
        yield text("roadmap.ledger"), name, text("roadmap.so_far"), str(number)
        if figure in told.this_year:
            in_year = text("roadmap.in_year", year=str(told.year))
            yield text("roadmap.ledger"), name, in_year, str(told.this_year[figure])


def _spans(told: LedgerTold, spell: Spell) -> Iterator[tuple[Text | str, ...]]:
    for span in told.spans:
        of = (text("roadmap.spans"), Text(code=f"way.{span.step}"))
        for progress in ("taken", "open", "ended"):
            yield *of, Text(code=f"span.{progress}"), str(getattr(span, progress))
        yield from ((*of, *said) for said in _days(span, spell))


def _days(span: StepSpanTold, spell: Spell) -> Iterator[tuple[Text, str]]:
    yield from _quartiles(span.days, spell)
    yield text("roadmap.half_after"), spell(span.half_after)
    yield text("roadmap.longest_open"), spell(span.longest_open)


def _costs(told: LedgerTold) -> Iterator[tuple[Text | str, ...]]:
    for cost in told.costs:
        of = (text("roadmap.costs"), Text(code=f"way.{cost.step}"))
        for what, number in _cost(cost):
            yield *of, what, number


def _cost(cost: CostTold) -> Iterator[tuple[Text | str, str]]:
    if cost.amount is not None:
        yield text("roadmap.cost_in", what=Text(code=f"roadmap.cost.{cost.kind}"), unit=cost.unit), str(cost.known)
        yield from _quartiles(cost.amount, _number)
    yield text("roadmap.not_known"), str(cost.unknown)


def _aims(told: LedgerTold) -> Iterator[tuple[Text | str, ...]]:
    for aim in (*told.targets, *told.phases):
        part = Text(code=f"phase.{aim.phase}") if aim.phase else text("roadmap.targets", year=aim.year)
        of = _narrowed(aim)
        yield part, of, text("roadmap.target"), str(aim.number)
        yield part, of, text("roadmap.reached"), str(aim.reached)
        yield part, of, text("roadmap.share"), percent(aim.share)


def _narrowed(aim: AimTold) -> Text:
    name = Text(code=f"figure.{aim.figure}")
    if aim.sector and aim.action:
        both = (Text(code=f"sector.{aim.sector}"), Text(code=f"action.{aim.action}"))
        return text("roadmap.of_both", figure=name, sector=both[0], action=both[1])
    if aim.sector or aim.action:
        part = Text(code=f"sector.{aim.sector}") if aim.sector else Text(code=f"action.{aim.action}")
        return text("roadmap.of_one", figure=name, part=part)
    return name


def _quartiles(found: QuartilesTold | None, spell: Spell) -> Iterator[tuple[Text, str]]:
    yield text("roadmap.quarter"), spell(found.low if found else None)
    yield text("roadmap.median"), spell(found.middle if found else None)
    yield text("roadmap.three_quarters"), spell(found.high if found else None)


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.6g}"


def _name(vocabulary: str, value: str, language: Language) -> str:
    return Text(code=f"{vocabulary}.{value}" if value else f"roadmap.no_{vocabulary}").render(language)


def _words(codes: list[str] | Row, language: Language) -> Row:
    return tuple(Text(code=code).render(language) for code in codes)
