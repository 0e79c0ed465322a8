"""``pilotbase report``: close a period, read its report, save it, and recount it from its file alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pilotbase.cli.framework.declared import Command, OptionSpelling, add, call
from pilotbase.cli.framework.driving import Noun
from pilotbase.cli.framework.terminal import AsJson, answer, language, say
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.files import write_whole
from pilotbase.documents.moments import format_minute
from pilotbase.documents.texts import format_for_terminal, text
from pilotbase.operations import ledger as operations

if TYPE_CHECKING:
    from pilotbase.documents.api.ledger import PeriodClosed, PeriodCompared
    from pilotbase.documents.period import PeriodReport

app = Noun()
FORMS = (".json", ".xlsx", ".html")


@app.anywhere("save")
def save(period: str, file: Path) -> None:
    """Write the report of a closed period to a file: JSON to recount it, XLSX or HTML to read."""
    from pilotbase.roadmap.tables import period_page, period_workbook

    if file.suffix not in FORMS:
        raise InputError("period.bad_suffix", found=file.suffix, allowed=offer(file.suffix, FORMS))
    report = call(operations.PERIOD, period=period)
    if file.suffix == ".json":
        write_whole(file, report.canonical())
    elif file.suffix == ".xlsx":
        write_whole(file, period_workbook(report, language()))
    else:
        write_whole(file, period_page(report, language()))
    say(text("period.saved", file=file))


@app.here("verify")
def verify(file: Path, as_json: AsJson = False) -> None:
    """Recount a report from its own records, with no base. Exit 0: every figure agrees; 3: one does not."""
    from pilotbase.documents.api.ledger import PeriodCompared
    from pilotbase.roadmap.periods import require_sound

    report = _read(file)
    require_sound(report)
    told = PeriodCompared(
        period=report.period,
        digest=report.digest(),
        figures=len(report.figures),
        records=len(report.records),
        is_closed_report=None,
    )
    answer(told, as_json, _print_compared)


@app.anywhere("compare")
def compare(file: Path, as_json: AsJson = False) -> None:
    """Recount a report, and compare its records with those of this base. Exit 3: the first difference is named."""
    answer(call(operations.COMPARE_PERIOD, sent=_read(file)), as_json, _print_compared)


def _read(file: Path) -> PeriodReport:
    from pilotbase.documents.loading import load_document
    from pilotbase.documents.period import PeriodReport

    return load_document(PeriodReport, file)


def _print_compared(told: PeriodCompared) -> None:
    say(text("period.sound", period=told.period, figures=told.figures, records=told.records))
    typer.echo(told.digest)
    if told.is_closed_report is not None:
        say(text("period.same"))
        say(text("period.is_ours" if told.is_closed_report else "period.not_ours", period=told.period))


def _print_report(report: PeriodReport) -> None:
    from pilotbase.cli.roadmap import print_aligned
    from pilotbase.roadmap.tables import PeriodWording, period_table

    words = PeriodWording(language(), report)
    for name, value in words.facts:
        typer.echo(format_for_terminal(f"{name}: {value}"))
    print_aligned(period_table(report, language()))
    for sentence in words.fragmentation:
        typer.echo(format_for_terminal(sentence))


def _print_closed(closed: list[PeriodClosed]) -> None:
    for one in closed:
        signed = text("period.signed_at", at=format_minute(one.signed_at)) if one.signed_at else text("period.unsigned")
        line = {"period": one.period, "at": format_minute(one.closed_at), "digest": one.digest}
        say(text("period.line", **line, signed=signed))
    if not closed:
        say(text("period.none"))


add(
    app,
    Command("list", operations.PERIODS, show=_print_closed),
    Command("show", operations.PERIOD, show=_print_report),
    Command("sign", operations.SIGN_PERIOD, show=lambda one: _print_closed([one])),
    Command(
        "close",
        operations.CLOSE_PERIOD,
        show=_print_report,
        spelled={"period": OptionSpelling(positional=True)},
    ),
)
