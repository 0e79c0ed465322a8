"""``pilotbase scenario``: a draft from a file, and everything that a scenario still lacks."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pilotbase.cli import data_catalogue, hub_records
from pilotbase.cli.edge.terminal import AsJson, command, print_json, say, shown
from pilotbase.documents.errors import InputError
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.subjects import subject_written
from pilotbase.documents.texts import Text

if TYPE_CHECKING:
    from pilotbase.data.drafting import DraftAnswers
    from pilotbase.worker.intake.drafting import WrittenScenario

app = typer.Typer(help="Describe a real problem: data contract, baseline, acceptance criteria.", no_args_is_help=True)
app.command("list")(hub_records.lister("scenarios"))
app.command("show")(hub_records.shower("scenario"))
app.command("readers")(data_catalogue.reader("scenario"))
app.command("save")(hub_records.save_scenario)
app.command("files")(hub_records.kept_files)
app.command("erase-files")(hub_records.erase_files)


def _answer(question: str) -> Any:
    return typer.Option(help=f"{question}; asked for where it is not given.")


_QUESTIONS = {
    "problem": "The problem, in a sentence",
    "target": "The column to be answered",
    "group_or_time": "The column that groups cases or tells time (empty: none)",
    "miss": "Cost of a miss (regression: of one unit of error)",
    "false_alarm": "Cost of a false alarm (regression: 0)",
    "contact": "Your organisation and contact",
}


@app.command("new")
@command
def new(  # noqa: PLR0913 - each answer is an option
    source: Annotated[
        Path,
        typer.Option(
            "--from",
            help="Your cases: .csv, .tsv, .txt, .parquet, .xlsx, .jsonl, .json or .sqlite, also in .gz and .zip.",
        ),
    ],
    folder: Annotated[Path, typer.Option("--out", help="Folder to write (must not exist).")] = Path("scenario"),
    problem: Annotated[str | None, _answer(_QUESTIONS["problem"])] = None,
    target: Annotated[str | None, _answer(_QUESTIONS["target"])] = None,
    group_or_time: Annotated[str | None, _answer(_QUESTIONS["group_or_time"])] = None,
    time: Annotated[
        str | None,
        typer.Option(help="The column that tells time: its latest cases are hidden, or there is no draft."),
    ] = None,
    miss: Annotated[float | None, _answer(_QUESTIONS["miss"])] = None,
    false_alarm: Annotated[float | None, _answer(_QUESTIONS["false_alarm"])] = None,
    contact: Annotated[str | None, _answer(_QUESTIONS["contact"])] = None,
    dates: Annotated[
        DateOrder | None,
        typer.Option(help="What comes first in dates such as 03/04/2024; default: what the values decide."),
    ] = None,
    table: Annotated[str | None, typer.Option(help="Sheet or table that holds the cases, of several.")] = None,
    name: Annotated[
        str,
        typer.Option(
            help="Short name, for addresses: small Latin letters, digits and hyphens, such as pump-failure; "
            "default: from the file's name. It cannot be changed on a hub."
        ),
    ] = "",
    dataset: Annotated[
        str, typer.Option(help="The dataset that the cases are of, such as plant/milling: its terms hold for trials.")
    ] = "",
) -> None:
    """Write a draft scenario from six answers; everything else has a stated default that you confirm."""
    from pilotbase.data.drafting import DraftAnswers

    if time is not None and group_or_time:
        raise InputError("draft.time_and_group", time=time, group=group_or_time)
    answers = DraftAnswers(
        problem=_asked("problem", problem, ""),
        target=_asked("target", target, ""),
        group_or_time=time or _asked("group_or_time", group_or_time, "") or None,
        cost_of_miss=_asked("miss", miss, 1.0),
        cost_of_false_alarm=_asked("false_alarm", false_alarm, 1.0),
        contact=_asked("contact", contact, ""),
        name=name,
        dataset=subject_written("dataset", dataset) if dataset else "",
        is_time=time is not None,
        dates=dates,
        table=table,
    )
    for line in _drafted(source, answers, folder).lines:
        say(line)


def _asked(name: str, given: Any, default: Any) -> Any:
    if given is not None:
        return given
    question = f"{list(_QUESTIONS).index(name) + 1}/6 {_QUESTIONS[name]}"
    return typer.prompt(question, default=default, type=type(default), show_default=default != "")


def _drafted(source: Path, answers: DraftAnswers, folder: Path) -> WrittenScenario:
    """Draft; whether the day or the month comes first is asked on a terminal where the dates do not decide it."""
    from pilotbase.worker.intake.drafting import new_scenario

    try:
        return new_scenario(source, answers, folder)
    except InputError as error:
        open_order = next((one.problem for one in error.issues if one.problem.code == "draft.date_order"), None)
        if open_order is None or not sys.stdin.isatty():
            raise
        day_first = typer.confirm(shown(Text(code="draft.ask_day_first", params=open_order.params)))
        order = DateOrder.DAY_FIRST if day_first else DateOrder.MONTH_FIRST
        return new_scenario(source, replace(answers, dates=order), folder)


@app.command("check")
@command
def check(
    scenario: Annotated[Path, typer.Argument(help="The scenario's folder, or its scenario.yaml.")],
    step: Annotated[str, typer.Option(help="For which step: draft, rehearse or freeze.")] = "freeze",
    as_json: AsJson = False,
) -> None:
    """Check a scenario and its data; report every problem at once."""
    from pilotbase.worker.base import base_if_any
    from pilotbase.worker.intake.checking import check_scenario

    checked, lines = check_scenario(scenario, step, base_if_any())
    if as_json:
        print_json(checked.to_json_value())
    else:
        for line in lines:
            say(line)


@app.command("refresh")
@command
def refresh(
    scenario: Annotated[
        str, typer.Argument(help="The scenario's folder, or its name on this base, such as plant/milling.")
    ],
    source: Annotated[
        str, typer.Option("--from", help="Where its cases live: a file that grew, or postgresql://… (#schema).")
    ],
    table: Annotated[str | None, typer.Option(help="Sheet or table, where the source has several.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Carry it out; without it, say what would happen.")] = False,
) -> None:
    """Seal the next version of a scenario's hidden data from new cases of a source that lives on.

    Cases of earlier versions stay there, with their spent budget. Run again on the same source nothing changes.
    """
    from pilotbase.documents.texts import text
    from pilotbase.worker.base import open_base
    from pilotbase.worker.intake.refreshing import refreshing

    base = open_base()
    with refreshing(base, scenario, source, table) as opened:
        for line in opened.looked.lines(base):
            say(line)
        say(opened.carry_out() if yes else text("worker.refresh_unconfirmed"))


@app.command("versions")
@command
def versions(
    scenario: Annotated[
        str, typer.Argument(help="The scenario's folder, or its name on this base, such as plant/milling.")
    ],
    as_json: AsJson = False,
) -> None:
    """List the versions of a scenario's hidden data: cases, attempts, what is left, certificates that rest on them."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.trials.hidden_budgets import scenario_at, sealed_versions

    base = open_base()
    found = sealed_versions(base, scenario_at(base.lab.view, scenario)[0])
    if as_json:
        print_json([one.to_json_value() for one in found])
    for one in [] if as_json else found:
        say(one.line())
