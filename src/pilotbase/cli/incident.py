"""``pilotbase incident``: what happened to services, what was done, who must be told until when; here or on a hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.driving import hub, is_remote, remote
from pilotbase.cli.edge.terminal import language, print_json, say
from pilotbase.documents.moments import spell_second
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import EventGrade, ResponseLevel

if TYPE_CHECKING:
    from pilotbase.cli.incident_here import IncidentsHere
    from pilotbase.documents.watch import Incident
    from pilotbase.protocols.hub_incidents import HubIncidents

app = typer.Typer(help="Incidents of services: in this home, or on a hub.", no_args_is_help=True)
Number = Annotated[int, typer.Argument(help="Number of the incident.", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the document.")]
Said = Annotated[str, typer.Option("--note", help="In your words; stands in the timeline.")]


@app.command("list")
@remote
def list_all(
    service: Annotated[str, typer.Option(help="Only of this service.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="The closed ones, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List incidents, newest first."""
    found = _incidents().all(service, closed=everything)
    if as_json:
        print_json([incident.to_json_value() for incident in found])
        return
    for incident in found:
        _say_head(incident)
    if not found:
        say(text("incident.none"))


@app.command("show")
@remote
def show(number: Number, as_json: AsJson = False) -> None:
    """Show an incident: colour, grade and response level, its timeline, its reporting clocks."""
    _print(_incidents().show(number), as_json)


@app.command("note")
@remote
def note(
    number: Number,
    words: Annotated[str, typer.Argument(help="The note.")],
    unknown: Annotated[
        list[str] | None, typer.Option(help="What is not known yet; may be given again. Replaces what stood there.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a note to the timeline."""
    left = tuple(unknown) if unknown else None
    _print(_incidents().note(number, words, left), as_json)


@app.command("grade")
@remote
def grade(
    number: Number,
    event: Annotated[EventGrade, typer.Argument(help="Event grade; from larger up it must be reported.")],
    response: Annotated[ResponseLevel, typer.Argument(help="Response level: how much is done about it.")],
    said: Said = "",
    as_json: AsJson = False,
) -> None:
    """Set event grade and response level, which starts or ends reporting clocks."""
    _print(_incidents().grade(number, (event, response), said), as_json)


@app.command("report")
@remote
def report(
    number: Number,
    clock: Annotated[str, typer.Argument(help="Name of the reporting clock, as `show` lists it.")],
    said: Said = "",
    as_json: AsJson = False,
) -> None:
    """Say that a report was made now; what must follow it begins to run."""
    _print(_incidents().report(number, clock, said), as_json)


@app.command("mitigate")
@remote
def mitigate(number: Number, said: Said = "", as_json: AsJson = False) -> None:
    """Say that the harm has been stopped."""
    _print(_incidents().mitigate(number, said), as_json)


@app.command("close")
@remote
def close(
    number: Number,
    summary: Annotated[str, typer.Argument(help="What happened, why, and what was learned.")],
    as_json: AsJson = False,
) -> None:
    """Close an incident with its summary; reports that are still due stay due."""
    _print(_incidents().close(number, summary), as_json)


@app.command("correct")
@remote
def correct(
    number: Number,
    line: Annotated[int, typer.Argument(help="Number of the line, as `show` lists it.", min=1)],
    words: Annotated[str, typer.Argument(help="What is right.")],
    as_json: AsJson = False,
) -> None:
    """Set a line of the timeline right; the line stays as it was."""
    _print(_incidents().correct(number, line, words), as_json)


@app.command("runbook")
@remote
def runbook(
    service: Annotated[str, typer.Argument(help="Name of the service.")],
    source: Annotated[
        Path | None, typer.Option("--from", help="YAML or JSON file with the runbook that it has from now on.")
    ] = None,
) -> None:
    """Print the runbook of a service as JSON, after giving it the one of a file."""
    from pilotbase.documents.loading import load_document
    from pilotbase.documents.watch import Runbook

    incidents = _incidents()
    if source is None:
        print_json(incidents.runbook(service).to_json_value())
    else:
        print_json(incidents.set_runbook(service, load_document(Runbook, source)).to_json_value())


@app.command("desk")
@remote
def desk(as_json: AsJson = False) -> None:
    """Show the duty desk: where every service stands, what it is warned of, what was done, which reports are due."""
    from pilotbase.cli.incident_desk import print_desk

    found = _incidents().desk()
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        print_desk(found)


def _incidents() -> IncidentsHere | HubIncidents:
    """Return the incidents of the hub that was named, else of this home."""
    if is_remote():
        from pilotbase.protocols.hub_incidents import HubIncidents

        return HubIncidents(hub().requests)
    from pilotbase.cli.incident_here import IncidentsHere
    from pilotbase.worker.base import open_base

    return IncidentsHere(open_base().lab.view, language())


def _print(incident: Incident, as_json: bool) -> None:
    if as_json:
        print_json(incident.to_json_value())
        return
    _say_head(incident)
    say(text("incident.colour_line", colour=text(f"colour.{incident.colour}"), at=spell_second(incident.known_at)))
    for number, line in enumerate(incident.timeline, 1):
        code = "incident.timeline_said" if line.said else "incident.timeline_line"
        said = {"said": line.said} if line.said else {}
        say(text(code, number=number, at=spell_second(line.at), what=line.what, **said))
    for clock in incident.clocks:
        done = clock.done_at
        code = "incident.clock_done" if done else "incident.clock_due"
        say(text(code, clock=clock.clock, at=spell_second(done or clock.due)))
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
