"""``pilotbase data``: data before it is a scenario's; quality here, and one file for each other subject."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli import data_catalogue, data_describe, data_files, data_labels, data_private, data_terms, hub_records
from pilotbase.cli.framework.declared import add
from pilotbase.cli.framework.driving import Noun
from pilotbase.cli.framework.terminal import (
    EXIT_INCONCLUSIVE,
    EXIT_REJECTED,
    AsJson,
    answer,
    command,
    language,
    progress_shown,
    say,
)
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.quantities import MISSING
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Opening, Outcome

if TYPE_CHECKING:
    from pilotbase.documents.quality import QualityMeasurement, QualityReport, RuleResult, Suspect


EXIT_CODES = {Outcome.PASS: 0, Outcome.FAIL: EXIT_REJECTED}
_SHOWN = 20


@command
def quality(  # noqa: PLR0913 - each is an option
    file: Path,
    description: Path | None = None,
    reference: Path | None = None,
    out: Path | None = None,
    quick: bool = False,
    full: bool = False,
    as_json: AsJson = False,
) -> None:
    """Measure the quality of a table and grade it. Exit 0 fit for its purpose, 3 not fit, 4 not all was measured."""
    from pilotbase.data.quality.release import FileInput, measure_file, write_report

    with progress_shown(as_json) as on_progress:
        report = measure_file(FileInput(file, description, reference, quick, full), on_progress)
    page = write_report(report, out, language()) if out is not None else None
    answer(report, as_json, _print)
    if page is not None:
        say(text("quality.written", file=page), err=as_json)
    raise typer.Exit(EXIT_CODES.get(report.grade.outcome, EXIT_INCONCLUSIVE))


def _print(report: QualityReport) -> None:
    grade = report.grade
    purpose = Text(code=f"quality.purpose.{grade.purpose}")
    values = {"purpose": purpose, "measured": grade.measured, "required": grade.required}
    outcome = grade.outcome if grade.outcome in EXIT_CODES else Outcome.INCONCLUSIVE
    say(text(f"quality.grade.{outcome}", **values))
    if grade.worst is not None and grade.value is not None:
        say(text("quality.worst", measure=_name(grade.worst), value=f"{grade.value:.4g}"))
    for suspected in report.suspects[:_SHOWN]:
        say(_suspect_line(suspected))
    for one in report.measurements:
        if one.state != "not_applicable":
            say(_measure_line(one))
    failed = [rule for rule in report.rules if rule.failed != 0]
    say(text("quality.checks", run=report.checks_run, declared=report.checks_declared, failed=len(failed)))
    for rule in failed[:_SHOWN]:
        say(_rule_line(rule))
    if report.view == "released" and report.opening is Opening.COMPUTE_TO_DATA:
        say(text("quality.cut"), err=True)


def _measure_line(one: QualityMeasurement) -> Text:
    if one.value is None:
        return text("quality.line.reason", measure=_name(one.measure), reason=one.reason)
    if one.lower is not None and one.upper is not None:
        figures = {"value": f"{one.value:.6g}", "lower": f"{one.lower:.4g}", "upper": f"{one.upper:.4g}"}
        return text("quality.line.interval", measure=_name(one.measure), **figures)
    return text("quality.line.measure", measure=_name(one.measure), value=f"{one.value:.6g}")


def _suspect_line(one: Suspect) -> Text:
    values = {"probability": percent(one.probability), "sentence": one.sentence, "remedy": one.remedy}
    if not one.rows:
        return text("suspect.line", **values)
    return text("suspect.line_rows", **values, rows=", ".join(map(str, one.rows)))


def _rule_line(rule: RuleResult) -> Text:
    failed, evaluated = (MISSING if count is None else f"{count:,}" for count in (rule.failed, rule.evaluated))
    values = {"rule": rule.rule, "failed": failed, "evaluated": evaluated}
    if not rule.rows:
        return text("quality.line.rule", **values)
    return text("quality.line.rows", **values, rows=", ".join(map(str, rule.rows)))


def _name(measure: str) -> Text:
    return Text(code=f"quality.measure.{measure}")


app = Noun()
app.add_typer(data_labels.app, name="labels")
add(app, *data_catalogue.COMMANDS)
app.command("agreements")(hub_records.lister("agreement"))
for one in (
    *(data_catalogue.versions, data_catalogue.grade, quality),
    *(data_files.keep, data_files.fetch, data_files.erase, data_files.preview, data_files.canaries),
    *(data_describe.describe, data_describe.check, data_describe.export),
    *(data_terms.terms, data_terms.publish, data_terms.withdraw, data_terms.offer, data_terms.take),
    *(data_terms.agree, data_terms.revoke, data_terms.end, data_terms.uses),
    *(data_private.profile, data_private.synthesise),
):
    app.command(one.__name__)(one)
BOTH = "both"


@app.here("safety-set")
def safety_set(
    out: Annotated[Path, typer.Option()], language: str = BOTH, variants: int = 4, seed: int | None = None
) -> None:
    """Write a scenario of attacks and harmless look-alikes, to test both sides of refusal, in English and Chinese."""
    from pilotbase.data.safety_cases import ROLES, SAFETY_LANGUAGES, safety_scenario
    from pilotbase.documents.files import whole_folder

    languages = tuple(one for one in SAFETY_LANGUAGES if language in (one, BOTH))
    if not languages:
        raise InputError("safety.no_language", found=language, allowed=offer(language, [*SAFETY_LANGUAGES, BOTH]))
    if not 1 <= variants <= ROLES:
        raise InputError("safety.variants", found=variants, allowed=ROLES)
    if out.exists():
        raise InputError("labelling.file_exists", file=out)
    with whole_folder(out) as draft:
        for name, content in safety_scenario(languages, variants, seed).items():
            (draft / name).write_bytes(content)
    say(text("safety.written", folder=out))
