"""A report in a few lines, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pilotbase.documents.report import CriterionResult, Report
from pilotbase.documents.texts import Text, text


def report_lines(report: Report, folder: Path) -> list[Text]:
    """Return verdict, reasons, criteria and where the report is, as sentences."""
    return list(_lines(report, folder))


def verdict_text(report: Report) -> Text:
    """Return the verdict's name, or that it was a rehearsal."""
    verdict = Text(code=f"verdict.{report.verdict}")
    return verdict if report.evidence else text("worker.rehearsal_verdict", verdict=verdict)


def _lines(report: Report, folder: Path) -> Iterator[Text]:
    application = f"{report.application.name} {report.application.version}"
    yield text("worker.line_verdict", application=application, verdict=verdict_text(report))
    for reason in report.reasons:
        yield text("worker.line_reason", reason=reason)
    for result in report.criteria:
        yield text(
            "worker.line_criterion",
            rule=result.rule,
            outcome=Text(code=f"outcome.{result.outcome}"),
            figure=_figure(result),
        )
    for advice in (report.attempt and report.attempt.refresh) or ():
        yield text("worker.line_refresh", advice=advice)
    yield text("worker.line_report", path=folder / "report.html")


def _figure(result: CriterionResult) -> str:
    if result.estimate is None:
        return "–"
    unit = f" {result.unit_label}" if result.unit_label else ""
    bounds = "" if result.lower is None or result.upper is None else f" [{result.lower:.4g}, {result.upper:.4g}]"
    return f"{result.estimate:.4g}{unit}{bounds}"
