"""A report in a few lines, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pilotbase.documents.criteria import UNITS, parse_rule
from pilotbase.documents.limits import EndReason
from pilotbase.documents.quantities import MISSING, NEVER, NEVER_SECONDS, format_bytes, write_judged
from pilotbase.documents.report import Report
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Verdict
from pilotbase.sandbox.box.ends import END_TEXTS, LIMITS_OF_ENDS, advice, own_words
from pilotbase.trial.accept_floor import rests_shown

_SHOWN = 20


def verdict_text(report: Report) -> Text:
    """Return the verdict's name, or that it was a rehearsal."""
    verdict = report.verdict_in_words
    return verdict if report.evidence else text("worker.rehearsal_verdict", verdict=verdict)


def report_lines(report: Report, folder: Path) -> Iterator[Text]:
    """Yield verdict, reasons, criteria and where the report is, as sentences."""
    application = f"{report.application.name} {report.application.version}"
    yield text("worker.line_verdict", application=application, verdict=verdict_text(report))
    for reason in report.reasons:
        yield text("worker.line_reason", reason=reason)
    if report.attempt is not None and report.attempt.rests is not None:
        rests = rests_shown(report.attempt.rests, report.counts.get("scored", report.attempt.rests.cases))
        yield text("worker.line_reason", reason=rests)
    if report.isolation.end is not EndReason.FINISHED:
        yield from _about_end(report)
    if not report.evidence and (abstained := report.counts.get("abstained")):
        yield text("worker.line_abstained", abstained=abstained, cases=report.counts["cases"])
    for result in report.criteria:
        yield text(
            "worker.line_criterion",
            rule=result.rule,
            outcome=Text(code=f"outcome.{result.outcome}"),
            figure=figure_of(result.rule, result.estimate, (result.lower, result.upper), result.unit_label),
        )
    if not report.evidence and report.verdict is Verdict.ACCEPT:
        yield text("worker.line_public")
    for refresh in (report.attempt and report.attempt.refresh) or ():
        yield text("worker.line_refresh", advice=refresh)
    yield text("worker.line_report", path=folder / "report.html")
    if not report.evidence:
        yield text("worker.line_log", path=folder / "application.log")


def _about_end(report: Report) -> Iterator[Text]:
    """Yield what to do about the end of a box, its limit if it reached one, and what the application said."""
    isolation = report.isolation
    advised = None
    if not report.evidence and isolation.end in (EndReason.LOAD_FAILED, EndReason.APPLICATION_ERROR):
        advised = advice(isolation.detail, [one.name for one in report.contract.features])
    yield text("worker.line_reason", reason=advised or END_TEXTS[isolation.end].hint)
    if (limit := LIMITS_OF_ENDS.get(isolation.end)) is not None:
        value = getattr(isolation.limits, limit)
        shown = format_bytes(value) if limit.endswith("bytes") else f"{value:g}"
        yield text("worker.line_limit", limit=f"trial.limits.{limit}", value=shown)
    if report.endpoint is not None:
        yield text("worker.line_endpoint", url=report.endpoint.url, model=report.endpoint.model)
    if isolation.end is EndReason.UNKNOWN_CLASS:
        yield text("worker.line_classes", classes=", ".join(report.contract.prediction.classes[:_SHOWN]))
    if not report.evidence and isolation.detail.strip():
        yield text("worker.line_detail", detail=own_words(isolation.detail))


def figure_of(rule: str, estimate: float | None, bounds: tuple[float | None, float | None], unit: str = "") -> str:
    """Return a score and its bounds in the unit that its rule uses, such as ``4.632 ms``; a dash for no score.

    All are in the base unit; ``unit`` is its name, for a rule that names none.
    """
    if estimate is None:
        return MISSING
    asked = parse_rule(rule).unit
    if (UNITS[asked][0] if asked else unit) == "s" and estimate >= NEVER_SECONDS:
        return NEVER
    factor = float(UNITS[asked][1]) if asked else 1.0
    named = f" {asked or unit}" if asked or unit else ""
    score, lower, upper = write_judged(estimate, bounds, float(parse_rule(rule).threshold), factor)
    return f"{score}{named}" if None in bounds else f"{score}{named} [{lower}, {upper}]"
