"""``pilotbase watch``: observations and labels of services, and what the detectors say of them."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge import command, print_json, say
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text

if TYPE_CHECKING:
    from pilotbase.documents.observation import Scalar, Taken
    from pilotbase.documents.watch import Replay, WatchTerms
    from pilotbase.documents.watch_api import RaisedWarning, WatchStatus
    from pilotbase.workspace.store import View

app = typer.Typer(help="Watch over services.", no_args_is_help=True)
Service = Annotated[str, typer.Argument(help="Name of the service.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the document.")]
TermsFile = Annotated[
    Path | None, typer.Option("--terms", help="JSON file with what differs from the usual terms of a watch.")
]
_SHOWN = 20


@app.command("take")
@command
def take(
    service: Service,
    file: Annotated[Path, typer.Argument(help="CSV, Parquet, XLSX or JSON Lines; columns case, at, answer, label, …")],
    as_json: AsJson = False,
) -> None:
    """Take in observations and labels from a file; the same file again changes nothing."""
    from pilotbase.watch.taking_files import take_file

    _print_taken(take_file(_view(), service, file), as_json)


@app.command("label")
@command
def label(
    service: Service,
    labels: Annotated[list[str], typer.Argument(help="Case and what was true of it, such as call-7/0=broken.")],
    as_json: AsJson = False,
) -> None:
    """Give labels to cases, one by one; many come from a file with `pilotbase watch take`."""
    from pilotbase.documents.observation import LabelBatch
    from pilotbase.watch.observations import take as take_in

    batch = LabelBatch(service=service, batch=f"by-hand-{secrets.token_hex(8)}", labels=dict(map(_label, labels)))
    _print_taken(take_in(_view(), [batch]), as_json)


@app.command("replay")
@command
def replay(service: Service, terms: TermsFile = None, as_json: AsJson = False) -> None:
    """Show what a watch would have warned of: over the service's history, else over the trial's public sample."""
    _print_replay(_replayed(service, terms), as_json)


@app.command("arm")
@command
def arm(service: Service, terms: TermsFile = None, as_json: AsJson = False) -> None:
    """Replay a watch and arm it: its detectors begin anew, and warn from now on."""
    from pilotbase.watch.arming import arm as arm_it

    found = _replayed(service, terms)
    _print_replay(found, as_json)
    watch = arm_it(_view(), service, found.digest())
    if not as_json:
        say(text("watching.armed", service=service, risks=len(watch.risks), unpromised=len(watch.unpromised)))


@app.command("disarm")
@command
def disarm(service: Service) -> None:
    """Let a service go unwatched: observations are taken in, nothing is warned of."""
    from pilotbase.watch.arming import disarm as disarm_it

    disarm_it(_view(), service)
    say(text("watching.disarmed", service=service))


@app.command("status")
@command
def status(service: Service, as_json: AsJson = False) -> None:
    """Show how the watch of a service stands: detectors, warnings, cohorts, what was refused."""
    from pilotbase.watch.status import status_of

    found = status_of(_view(), service)
    if as_json:
        print_json(found.to_json_value())
    else:
        _print_status(found)


@app.command("warnings")
@command
def warnings(
    service: Annotated[str, typer.Argument(help="Name of the service; all when left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """List risk warnings, newest first."""
    from pilotbase.watch.status import list_warnings

    found = list_warnings(_view(), service or None)
    if as_json:
        print_json([one.to_json_value() for one in found])
        return
    for one in found:
        _print_warning(one)
    if not found:
        say(text("watching.no_warnings"))


@app.command("acknowledge")
@command
def acknowledge(
    warning: Annotated[str, typer.Argument(help="Digest of the warning, as `pilotbase watch warnings` lists it.")],
    note: Annotated[str, typer.Option(help="In your words.")] = "",
) -> None:
    """Say that somebody takes care of a warning."""
    from pilotbase.watch.muting import acknowledge as acknowledge_it

    said = acknowledge_it(_view(), warning, note)
    say(text("watching.acknowledged", service=said.service))


@app.command("silence")
@command
def silence(
    service: Service,
    reason: Annotated[str, typer.Option(help="Why notices shall rest.")] = "",
    hours: Annotated[float, typer.Option(help="For how long.", min=0)] = 24,
    detector: Annotated[str | None, typer.Option(help="Only this detector, such as drift:speed.")] = None,
    end: Annotated[bool, typer.Option("--end", help="Let notices go out again.")] = False,
) -> None:
    """Let notices about a service rest for a time; detectors go on, and warnings stand."""
    from pilotbase.watch.muting import end_silence
    from pilotbase.watch.muting import silence as silence_it

    view = _view()
    if end:
        end_silence(view, service, detector)
        say(text("watching.silence_ended", service=service))
        return
    said = silence_it(view, service, reason, view.store.clock() + timedelta(hours=hours), detector)
    say(text("watching.silenced", service=service, until=f"{said.until:%Y-%m-%d %H:%M} UTC"))


@app.command("erase")
@command
def erase(service: Service, case: Annotated[str, typer.Argument(help="Identifier of the case.")]) -> None:
    """Erase one case with its labels, as the person whom it is about may ask."""
    from pilotbase.watch.forgetting import erase_case

    erase_case(_view(), service, case)
    say(text("watching.erased", case=case))


def _view() -> View:
    from pilotbase.worker.base import open_base

    return open_base().lab.view


def _label(spelled: str) -> tuple[str, Scalar]:
    """Return case and label of ``case=label``; numbers, true, false and null are read as JSON reads them."""
    case, separator, value = spelled.rpartition("=")
    if not separator:
        raise InputError("watching.no_label", found=spelled)
    try:
        read = json.loads(value)
    except ValueError:
        return case, value
    return case, read if read is None or isinstance(read, bool | int | float | str) else value


def _replayed(service: str, terms: Path | None) -> Replay:
    from pilotbase.watch.arming import prepare_watch, replay_watch
    from pilotbase.worker.base import open_base

    lab = open_base().lab
    return replay_watch(lab, lab.view, prepare_watch(lab, lab.view, service, _terms(terms)))


def _terms(file: Path | None) -> WatchTerms:
    from pilotbase.cli.hub_records import read_part
    from pilotbase.documents.watch import WatchTerms

    if file is None:
        return WatchTerms()
    terms = read_part(WatchTerms, file)
    assert isinstance(terms, WatchTerms)
    return terms


def _print_taken(taken: Taken, as_json: bool) -> None:
    if as_json:
        print_json(taken.to_json_value())
    else:
        say(text("watching.taken", cases=taken.cases, labels=taken.labels, repeated=taken.repeated))
        for name in ("repeated_cases", "late_cases", "late_labels", "unknown_labels"):
            count = getattr(taken, name)
            if count:
                say(text("watching.counted", what=Text(code=f"counted.{name.removesuffix('s')}"), count=count))
    for refusal in taken.refused[:_SHOWN]:
        say(refusal.reason, err=True)
    if taken.refused:
        raise typer.Exit(2)


def _print_replay(found: Replay, as_json: bool) -> None:
    if as_json:
        print_json(found.to_json_value())
        return
    source = Text(code=f"watching.source.{found.source}")
    say(text("watching.replayed", source=source, cases=found.cases, cohorts=found.cohorts, turned=found.turned))
    for turn in found.turns[:_SHOWN]:
        colour = Text(code=f"colour.{turn.colour}")
        began = f"{turn.began:%Y-%m-%d %H:%M}"
        say(text("watching.line", colour=colour, detector=turn.detector, began=began, reason=turn.reason))
    for caution in found.cautions:
        say(caution)


def _print_status(found: WatchStatus) -> None:
    armed = found.watch is not None and found.watch.armed_at is not None
    state = text("watching.is_armed") if armed else text("watching.is_not_armed")
    say(text("watching.status", service=found.service, state=state, colour=Text(code=f"colour.{found.colour}")))
    for one in found.detectors:
        colour = Text(code=f"colour.{one.colour}")
        say(text("watching.detector", detector=one.detector, colour=colour, seen=one.seen, value=f"{one.value:.2f}"))
    for rule, reason in (found.watch.unpromised if found.watch else {}).items():
        say(text("watching.unpromised", rule=rule, reason=reason))
    for warning in found.warnings:
        _print_warning(warning)
    for what, count in found.counts.items():
        say(text("watching.counted", what=Text(code=f"counted.{what}"), count=count))


def _print_warning(one: RaisedWarning) -> None:
    warning = one.warning
    colour, began = Text(code=f"colour.{warning.colour}"), f"{warning.began:%Y-%m-%d %H:%M}"
    say(text("watching.line", colour=colour, detector=warning.detector, began=began, reason=warning.reason))
    say(text("watching.named", service=warning.service, digest=one.digest))
