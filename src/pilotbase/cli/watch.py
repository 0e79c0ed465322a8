"""``pilotbase watch``: observations and labels of services, and what the detectors say; here or on a hub."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.declared import Command, OptionSpelling, add, call
from pilotbase.cli.framework.driving import Noun, build_request, hub, is_remote, open_base
from pilotbase.cli.framework.terminal import AsJson, answer, each, progress_shown, say, say_all, warn
from pilotbase.documents.errors import InputError
from pilotbase.documents.moments import format_minute
from pilotbase.documents.observation import LabelBatch
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Signal
from pilotbase.operations import watch

if TYPE_CHECKING:
    from pilotbase.documents.api.watch import AuditWork, RaisedWarning, WatchStatus
    from pilotbase.documents.observation import Scalar, Taken
    from pilotbase.documents.watch import AuditDelay, Replay, Watch, WatchTerms


app = Noun()
_SHOWN = 20


@app.anywhere("take")
def take(service: str, file: Path, as_json: AsJson = False) -> None:
    """Import observations and labels from a file. Importing the same file again changes nothing."""
    taken = _sent(service, file, as_json) if is_remote() else _taken_here(service, file)
    _print_taken(taken, as_json, file.name)


@app.anywhere("label")
def label(service: str, labels: list[str], as_json: AsJson = False) -> None:
    """Label cases one by one. For many, use a file with `pilotbase watch take`."""
    batch = build_request(
        LabelBatch, service=service, batch=f"by-hand-{secrets.token_hex(8)}", labels=dict(map(_label, labels))
    )
    _print_taken(call(watch.LABEL, service=service, sent=batch), as_json)


@app.anywhere("audit")
def audit(service: str, to: Path | None = None, as_json: AsJson = False) -> None:
    """List the cases that were drawn at random and wait for a label, the most urgent first."""
    found = call(watch.AUDIT, service=service)
    if to is not None:
        from pilotbase.watch.files import write_work

        write_work(to, found)
        say(text("watching.audit_written", path=to, cases=len(found.items)))
        return
    answer(found, as_json, _print_work)


@app.anywhere("replay")
def replay(service: str, terms: Path | None = None, as_json: AsJson = False) -> None:
    """Show the warnings that a watch would have raised on the service's history, or on the public sample."""
    answer(call(watch.REPLAY, service=service, sent=_terms(terms)), as_json, _print_replay)


@app.anywhere("arm")
def arm(service: str, terms: Path | None = None, as_json: AsJson = False) -> None:
    """Replay a watch and arm it: its detectors restart and warn from now on."""
    found = call(watch.REPLAY, service=service, sent=_terms(terms))
    answer(found, as_json, _print_replay)
    armed = call(watch.ARM, service=service, replay=found.digest())
    if not as_json:
        say(text("watching.armed", service=service, risks=len(armed.risks), unpromised=len(armed.unpromised)))
        _print_promises(armed)


@app.anywhere("warnings")
def warnings(service: Annotated[str, typer.Argument()] = "", as_json: AsJson = False) -> None:
    """List risk warnings, newest first."""
    found = call(watch.WARNINGS_OF, service=service) if service else call(watch.WARNINGS)
    answer(found, as_json, each(_print_warning, text("watching.no_warnings")))


@app.anywhere("silence")
def silence(service: str, reason: str = "", hours: float = 24, detector: str | None = None, end: bool = False) -> None:
    """Mute notifications about a service for a time. Detectors keep running and warnings stay open."""
    from pilotbase.watch.warnings import end_in

    if end:
        call(watch.END_SILENCE, service=service, detector=detector)
        say(text("watching.silence_ended", service=service))
        return
    until = end_in(hours, datetime.now(UTC))
    said = call(watch.SILENCE, service=service, reason=reason, until=until, detector=detector)
    say(text("watching.silenced", service=service, until=format_minute(said.until)))


@app.here("drill")
def drill(
    service: str,
    for_real: bool = False,
    patience: Annotated[float, typer.Option(min=1, max=3600)] = 30,
    as_json: AsJson = False,
) -> None:
    """Raise a red warning as a drill, and time how a running worker reacts."""
    from pilotbase.worker.reactions.drills import await_drill, start_drill

    view = open_base().lab.view
    digest, started = start_drill(view, service, for_real)
    done = await_drill(view, digest, patience)
    seconds = {step: max(0.0, (one.at - started.at).total_seconds()) for step, one in done.items()}
    lines = [text("reaction.drill_line", seconds=f"{seconds[step]:.1f}", what=one.what) for step, one in done.items()]
    restore = [text("reaction.drill_restore", service=service)] if for_real else []
    answer(seconds, as_json, lambda _: say_all([*lines, *restore]))


def _taken_here(service: str, file: Path) -> Taken:
    from pilotbase.watch.files import take_file

    return take_file(open_base().lab.view, service, file)


def _sent(service: str, file: Path, quiet: bool) -> Taken:
    from pilotbase.cli.watch_files import send_file
    from pilotbase.protocols.hub_requests import HubCalls

    with progress_shown(quiet) as on_progress:
        return send_file(HubCalls(hub().requests), service, file, on_progress)


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


def _terms(file: Path | None) -> WatchTerms:
    from pilotbase.cli.hub_records import read_part
    from pilotbase.documents.watch import WatchTerms

    return WatchTerms() if file is None else read_part(WatchTerms, file)


def _print_taken(taken: Taken, as_json: bool, file: str = "") -> None:
    names = ("repeated_cases", "late_cases", "late_labels", "unknown_labels", "unread_answers")
    counts = {f"counted.{name.removesuffix('s')}": getattr(taken, name) for name in names}
    told = text("watching.taken", cases=taken.cases, labels=taken.labels, repeated=taken.repeated)
    counted = [text("watching.counted", what=text(what), count=count) for what, count in counts.items() if count]
    answer(taken, as_json, lambda _: say_all([told, *counted]))
    for refusal in taken.refused[:_SHOWN]:
        warn(text("watching.of_file", file=file, said=refusal.reason) if file else refusal.reason)
    for code, params in {refusal.reason.code: refusal.reason.params for refusal in taken.refused}.items():
        warn(Text(code=f"{code}.hint", params=params))
    if taken.refused:
        raise typer.Exit(2)


def _print_work(found: AuditWork) -> None:
    say(text("watching.audit_waiting", waiting=found.waiting, drawn=found.drawn))
    for one in found.items[:_SHOWN]:
        at, closes = (format_minute(moment, zone=False) for moment in (one.at, one.closes_at))
        say(text("watching.audit_case", case=one.case, at=at, closes=closes))


def _print_replay(found: Replay) -> None:
    source = Text(code=f"watching.source.{found.source}")
    say(text("watching.replayed", source=source, cases=found.cases, cohorts=found.cohorts, turned=found.turned))
    for turn in found.turns[:_SHOWN]:
        colour = Text(code=f"colour.{turn.colour}")
        began = format_minute(turn.began, zone=False)
        say(text("watching.line", colour=colour, detector=turn.detector, began=began, reason=turn.reason))
    say_all(found.cautions)
    for delay in found.delays:
        say(text("watching.delays_line", labels=delay.labels, times=f"{delay.times:g}", periods=_lasting(delay)))


def _lasting(delay: AuditDelay) -> Text:
    if delay.periods is None:
        return text("watching.delays_too_long")
    return text("watching.delays_periods", periods=delay.periods)


def _print_status(found: WatchStatus) -> None:
    armed = found.watch is not None and found.watch.armed_at is not None
    state = text("watching.is_armed") if armed else text("watching.is_not_armed")
    says_something = found.has_data or found.warnings or not armed
    colour = Text(code=f"colour.{found.colour}") if says_something else text("watching.no_data")
    say(text("watching.status", service=found.service, state=state, colour=colour))
    for one in found.detectors:
        colour = Text(code=f"colour.{one.colour}")
        say(text("watching.detector", detector=one.detector, colour=colour, seen=one.seen, value=f"{one.value:.2f}"))
    if found.watch is not None:
        entered = not armed or any(one.signal is Signal.RISK for one in found.detectors)
        for risk in () if entered else found.watch.risks:
            say(text("watching.not_entered", rule=risk.criterion))
        _print_unpromised(found.watch)
    for warning in found.warnings:
        _print_warning(warning)
    for what, count in found.counts.items():
        say(text("watching.counted", what=Text(code=f"counted.{what}"), count=count))


def _print_promises(armed: Watch) -> None:
    from pilotbase.watch.following import promise_of

    for risk in armed.risks:
        say(text("watching.unpromised", rule=risk.criterion, reason=promise_of(risk)))
    _print_unpromised(armed)


def _print_unpromised(armed: Watch) -> None:
    for rule, reason in armed.unpromised.items():
        say(text("watching.unpromised", rule=rule, reason=reason))


def _print_warning(one: RaisedWarning) -> None:
    warning = one.warning
    colour, began = Text(code=f"colour.{warning.colour}"), format_minute(warning.began, zone=False)
    say(text("watching.line", colour=colour, detector=warning.detector, began=began, reason=warning.reason))
    if one.next is not None:
        say(text("watching.next", said=one.next))
    if one.sure is not None:
        say(text("watching.sure", said=one.sure))
    say(text("watching.named", service=warning.service, digest=one.digest))


add(
    app,
    Command("disarm", watch.DISARM),
    Command("status", watch.SHOW, show=_print_status),
    Command("acknowledge", watch.ACKNOWLEDGE),
    Command("erase", watch.ERASE, spelled={"case": OptionSpelling(positional=True)}),
)
