"""``pilotbase incident``: what happened to services, what was done, who must be told until when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge import command, print_json, say
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import EventGrade, ResponseLevel

if TYPE_CHECKING:
    from pilotbase.documents.watch import Incident
    from pilotbase.workspace.store import View

app = typer.Typer(help="Incidents of services.", no_args_is_help=True)
Number = Annotated[int, typer.Argument(help="Number of the incident.", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the document.")]
Said = Annotated[str, typer.Option("--note", help="In your words; stands in the timeline.")]


@app.command("list")
@command
def list_all(
    service: Annotated[str, typer.Option(help="Only of this service.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="The closed ones, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List incidents, newest first."""
    from pilotbase.watch.incidents import list_incidents

    found = list_incidents(_view(), service, closed=everything)
    if as_json:
        print_json([incident.to_json_value() for incident in found])
        return
    for incident in found:
        _say_head(incident)
    if not found:
        say(text("incident.none"))


@app.command("show")
@command
def show(number: Number, as_json: AsJson = False) -> None:
    """Show an incident: colour, grade and response level, its timeline, its reporting clocks."""
    from pilotbase.watch.incidents import load_incident

    _print(load_incident(_view(), number)[0], as_json)


@app.command("note")
@command
def note(
    number: Number,
    words: Annotated[str, typer.Argument(help="The note.")],
    unknown: Annotated[
        list[str] | None, typer.Option(help="What is not known yet; may be given again. Replaces what stood there.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a note to the timeline."""
    from pilotbase.watch.incidents import add_note

    left = tuple(unknown) if unknown else None
    _print(add_note(_view(), number, words, left), as_json)


@app.command("grade")
@command
def grade(
    number: Number,
    event: Annotated[EventGrade, typer.Argument(help="Event grade; from larger up it must be reported.")],
    response: Annotated[ResponseLevel, typer.Argument(help="Response level: how much is done about it.")],
    said: Said = "",
    as_json: AsJson = False,
) -> None:
    """Set event grade and response level, which starts or ends reporting clocks."""
    from pilotbase.watch.incidents import set_grade

    _print(set_grade(_view(), number, (event, response), said), as_json)


@app.command("report")
@command
def report(
    number: Number,
    clock: Annotated[str, typer.Argument(help="Name of the reporting clock, as `show` lists it.")],
    said: Said = "",
    as_json: AsJson = False,
) -> None:
    """Say that a report was made now; what must follow it begins to run."""
    from pilotbase.watch.incidents import mark_reported

    _print(mark_reported(_view(), number, clock, said), as_json)


@app.command("mitigate")
@command
def mitigate(number: Number, said: Said = "", as_json: AsJson = False) -> None:
    """Say that the harm has been stopped."""
    from pilotbase.watch import incidents

    _print(incidents.mitigate(_view(), number, said), as_json)


@app.command("close")
@command
def close(
    number: Number,
    summary: Annotated[str, typer.Argument(help="What happened, why, and what was learned.")],
    as_json: AsJson = False,
) -> None:
    """Close an incident with its summary; reports that are still due stay due."""
    from pilotbase.watch import incidents

    _print(incidents.close(_view(), number, summary), as_json)


@app.command("correct")
@command
def correct(
    number: Number,
    line: Annotated[int, typer.Argument(help="Number of the line, as `show` lists it.", min=1)],
    words: Annotated[str, typer.Argument(help="What is right.")],
    as_json: AsJson = False,
) -> None:
    """Set a line of the timeline right; the line stays as it was."""
    from pilotbase.watch import incidents

    _print(incidents.correct(_view(), number, line, words), as_json)


@app.command("runbook")
@command
def runbook(
    service: Annotated[str, typer.Argument(help="Name of the service.")],
    source: Annotated[
        Path | None, typer.Option("--from", help="YAML or JSON file with the runbook that it has from now on.")
    ] = None,
) -> None:
    """Print the runbook of a service as JSON, after giving it the one of a file."""
    from pilotbase.documents.loading import load_document
    from pilotbase.documents.watch import Runbook
    from pilotbase.watch.runbooks import keep_runbook, runbook_of
    from pilotbase.watch.subjects import service_of

    view = _view()
    found = service_of(view, service)
    if source is not None:
        keep_runbook(view, found, load_document(Runbook, source))
    print_json(runbook_of(view, service).to_json_value())


@app.callback()
def _incidents() -> None:
    """Incidents of services."""


def _view() -> View:
    from pilotbase.worker.base import open_base

    return open_base().lab.view


def _print(incident: Incident, as_json: bool) -> None:
    if as_json:
        print_json(incident.to_json_value())
        return
    _say_head(incident)
    say(text("incident.colour_line", colour=text(f"colour.{incident.colour}"), at=_moment(incident.known_at)))
    for number, line in enumerate(incident.timeline, 1):
        code = "incident.timeline_said" if line.said else "incident.timeline_line"
        said = {"said": line.said} if line.said else {}
        say(text(code, number=number, at=_moment(line.at), what=line.what, **said))
    for clock in incident.clocks:
        done = clock.done_at
        code = "incident.clock_done" if done else "incident.clock_due"
        say(text(code, clock=clock.clock, at=_moment(done or clock.due)))
    for words in incident.unknown:
        say(text("incident.unknown_line", words=words))


def _say_head(incident: Incident) -> None:
    say(
        text(
            "incident.list_line",
            number=incident.number,
            title=incident.title,
            state=text(f"incident.state.{incident.state}"),
            grade=text(f"grade.{incident.grade}"),
            response=text(f"response.{incident.response}"),
        )
    )


def _moment(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
