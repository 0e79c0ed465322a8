"""``pilotbase scenario``: a draft from a file, and everything that a scenario still lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pilotbase.cli import data_readers, hub_records, hub_uploads
from pilotbase.cli.edge.terminal import command, print_json, say
from pilotbase.documents.subjects import subject_written

app = typer.Typer(help="Describe a real problem: data contract, baseline, acceptance criteria.", no_args_is_help=True)
app.command("list")(hub_records.lister("scenarios"))
app.command("show")(hub_records.shower("scenario"))
app.command("readers")(data_readers.reader("scenario"))
app.command("save")(hub_uploads.save_scenario)
app.command("files")(hub_uploads.kept_files)
app.command("erase-files")(hub_uploads.erase_files)


def _ask(number: int, question: str) -> Any:
    return typer.Option(help=f"{question}.", prompt=f"{number}/6 {question}")


@app.command("new")
@command
def new(  # noqa: PLR0913 - each of the six answers is an option
    source: Annotated[Path, typer.Option("--from", help="Your cases: .csv, .parquet or .xlsx.")],
    folder: Annotated[Path, typer.Option("--out", help="Folder to write (must not exist).")] = Path("scenario"),
    problem: Annotated[str, _ask(1, "The problem, in a sentence")] = "",
    target: Annotated[str, _ask(2, "The column to be answered")] = "",
    group_or_time: Annotated[str, _ask(3, "The column that groups cases or tells time (empty: none)")] = "",
    miss: Annotated[float, _ask(4, "Cost of a miss (regression: of one unit of error)")] = 1.0,
    false_alarm: Annotated[float, _ask(5, "Cost of a false alarm (regression: 0)")] = 1.0,
    contact: Annotated[str, _ask(6, "Your organisation and contact")] = "",
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
    from pilotbase.worker.intake.drafting import new_scenario

    subject = subject_written("dataset", dataset) if dataset else ""
    answers = DraftAnswers(problem, target, group_or_time or None, miss, false_alarm, contact, name, subject)
    for line in new_scenario(source, answers, folder).lines:
        say(line)


@app.command("check")
@command
def check(
    scenario: Annotated[Path, typer.Argument(help="The scenario's folder, or its scenario.yaml.")],
    step: Annotated[str, typer.Option(help="For which step: draft, rehearse or freeze.")] = "freeze",
    as_json: Annotated[bool, typer.Option("--json", help="Print the document.")] = False,
) -> None:
    """Check a scenario and its data; report every problem at once."""
    from pilotbase.worker.intake.checking import check_scenario
    from pilotbase.worker.trials.scenario_standing import base_if_any

    checked = check_scenario(scenario, step, base_if_any())
    if as_json:
        print_json(checked.scenario.to_json_value())
    else:
        for line in checked.lines:
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the document.")] = False,
) -> None:
    """List the versions of a scenario's hidden data: cases, attempts, what is left, certificates that rest on them."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.trials.data_versions import scenario_at, sealed_versions

    base = open_base()
    found = sealed_versions(base, scenario_at(base.lab.view, scenario)[0])
    if as_json:
        print_json([one.to_json_value() for one in found])
    for one in [] if as_json else found:
        say(one.line())
