"""``pilotbase workforce``: tables of occupations and sectors, what owners state and report, exposure, sums."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.declared import Command, OptionSpelling, add, call
from pilotbase.cli.framework.driving import Noun, named
from pilotbase.cli.framework.terminal import AsJson, answer, language, say
from pilotbase.cli.hub_records import read_part
from pilotbase.documents.base import localized
from pilotbase.documents.files import format_csv
from pilotbase.documents.texts import percent, text
from pilotbase.operations import workforce as operations

if TYPE_CHECKING:
    from pilotbase.documents.workforce import (
        EffectTold,
        OccupationsTold,
        OccupationTold,
        SectorActivity,
        SectorsTold,
        WorkforceTold,
    )

app = Noun()


@app.anywhere("show")
def show(
    scenario: str = "",
    region: str = "",
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv")] = False,
) -> None:
    """Show the effect on employment that owners state, sums by region, and activity by sector."""
    from pilotbase.documents.subjects import subject_written
    from pilotbase.roadmap.tables import workforce_table

    told = call(operations.SHOW, scenario=subject_written("scenario", scenario) if scenario else "", region=region)
    if as_csv and not as_json:
        table = workforce_table(told, language())
        sys.stdout.buffer.write(format_csv(table.header, table.rows))
        sys.stdout.flush()
    else:
        answer(told, as_json, _print)


@app.anywhere("state")
def state(name: str, file: Path, as_json: AsJson = False) -> None:
    """State a scenario's effect on employment from a JSON file, or state it anew."""
    from pilotbase.documents.workforce import WorkforceStatement

    answer(call(operations.STATE, **named(name), sent=read_part(WorkforceStatement, file)), as_json, _print_effect)


@app.anywhere("report")
def report(name: str, day: str, people: int, note: str = "", as_json: AsJson = False) -> None:
    """Report how many people do the work of the stated occupations on a day."""
    sent = {"day": day, "people": people, "note": note}
    answer(call(operations.REPORT, **named(name), sent=sent), as_json, _print_effect)


@app.anywhere("set-occupations")
def set_occupations(
    file: Path,
    published: Path | None = None,
    source: str = "",
    licence: str = "",
    as_json: AsJson = False,
) -> None:
    """Load a table of occupations: a document, or tasks labelled E0, E1, E2 as tab-separated text."""
    from pilotbase.documents.loading import load_document
    from pilotbase.documents.workforce import OccupationTable
    from pilotbase.roadmap.employment import read_labels

    if file.suffix.lower() in (".tsv", ".tab"):
        table = read_labels(file, published, source or file.name, licence or "–")
    else:
        table = load_document(OccupationTable, file)
    answer(call(operations.SET_OCCUPATIONS, sent=table), as_json, _print_occupations)


@app.anywhere("set-sectors")
def set_sectors(file: Path, as_json: AsJson = False) -> None:
    """Load an input-output table from a document."""
    from pilotbase.documents.loading import load_document
    from pilotbase.documents.workforce import SectorTable

    answer(call(operations.SET_SECTORS, sent=load_document(SectorTable, file)), as_json, _print_sectors)


def _print(told: WorkforceTold) -> None:
    from pilotbase.roadmap.tables import format_bounds, format_people

    if told.occupations is None:
        say(text("workforce.no_table"))
    else:
        _print_occupations(told.occupations)
    for one in told.effects:
        _print_effect(one)
    if told.unstated:
        say(text("workforce.unstated", count=told.unstated))
    for sum_of in told.sums:
        region = text("workforce.all_regions") if sum_of.whole else sum_of.region or text("workforce.unknown")
        said = {
            name: format_bounds(getattr(sum_of, name), language()) for name in ("displaced", "augmented", "created")
        }
        people = format_people(sum_of.people, language())
        say(text("workforce.sum_line", region=region, count=sum_of.scenarios, people=people, **said))
    if told.activity:
        say(text("workforce.activity_lead"))
    for sector in told.activity:
        _print_activity(sector)


def _print_effect(one: EffectTold) -> None:
    from pilotbase.roadmap.tables import format_bounds, format_people

    names = ("displaced", "augmented", "created", "hours", "posts")
    said = {name: format_bounds(getattr(one, name), language()) for name in names}
    people = format_people(one.people, language())
    say(text("workforce.line", title=localized(one.title, language()), day=one.stated_on, people=people, **said))
    for unknown in one.unknown:
        say(text("workforce.line_unknown", what=unknown))
    for occupation in one.occupations:
        exposure = occupation.why or format_bounds(occupation.exposure, language())
        people = format_people(occupation.people, language())
        title = localized(occupation.title, language())
        say(text("workforce.line_occupation", code=occupation.code, title=title, people=people, exposure=exposure))
    if one.departs and one.expected is not None:
        say(text("workforce.departs_line", expected=format_bounds(one.expected, language())))


def _print_activity(one: SectorActivity) -> None:
    from pilotbase.roadmap.tables import format_bounds

    said = {"output": format_bounds(one.output, language()), "people": format_bounds(one.people, language())}
    say(text("workforce.line_sector", code=one.code, title=localized(one.title, language()), **said))


def _print_occupations(told: OccupationsTold) -> None:
    counts = {"occupations": told.occupations, "tasks": told.tasks, "reproduced": told.reproduced}
    say(text("workforce.table", source=told.source, **counts))
    for one in told.shares:
        shares = {name: f"{getattr(one, name):.3f}" for name in ("occupations", "tasks", "tenth", "half")}
        say(text("workforce.share_line", rater=one.rater, measure=text(f"workforce.measure.{one.measure}"), **shares))
    if told.agree is not None and told.kappa is not None:
        say(text("workforce.agree", share=percent(told.agree, ".1f"), kappa=f"{told.kappa:.3f}"))


def _print_sectors(told: SectorsTold) -> None:
    say(text("workforce.sectors", source=told.source, count=told.sectors, region=told.region, year=told.year))


def _print_occupation(found: OccupationTold) -> None:
    from pilotbase.roadmap.tables import format_bounds

    exposure, title = format_bounds(found.exposure, language()), localized(found.title, language())
    say(text("workforce.occupation_line", code=found.code, title=title, exposure=exposure, count=len(found.tasks)))
    if not found.paths:
        say(text("workforce.no_path"))
    for one in found.paths:
        there = {"code": one.code, "title": localized(one.title, language())}
        bounds = format_bounds(one.exposure, language())
        say(text("workforce.path_line", **there, overlap=percent(one.overlap), exposure=bounds))
        for task in one.shared:
            say(text("workforce.shared_line", here=task.here, there=task.there))


add(
    app,
    Command(
        "occupation", operations.OCCUPATION, show=_print_occupation, spelled={"code": OptionSpelling(positional=True)}
    ),
)
