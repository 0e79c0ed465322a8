"""Records on a hub: lists, contents, where each stands, the steps that move them; folders handed in."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.declared import Command, add, on_hub
from pilotbase.cli.edge.driving import hub, named, remote
from pilotbase.cli.edge.terminal import AsJson, language, print_json, progress_shown, say
from pilotbase.documents.base import localized
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import reading
from pilotbase.documents.lifecycles import state_name, transition
from pilotbase.documents.moments import format_day, format_minute
from pilotbase.documents.nearest import offer
from pilotbase.documents.permissions import Act, act_name
from pilotbase.documents.subjects import kind_of
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import format_for_terminal
from pilotbase.operations import uploads

if TYPE_CHECKING:
    from pilotbase.documents.api.records import ListedRecord, Section, WaitingWork
    from pilotbase.documents.api.uploads import OpenUpload
    from pilotbase.documents.base import Document, Part
    from pilotbase.documents.record import Record


Seen = Annotated[str | None, typer.Option(help="Digest of what you have seen: refused where others were first.")]
Note = Annotated[str, typer.Option(help="A note that stands in the history.")]
uploads_app = typer.Typer(help="What was sent to the hub and not yet handed in.", no_args_is_help=True)
Kept = Annotated[str, typer.Argument(help="Your scenario, such as plant/milling.")]
Packer = Callable[[Path, IO[bytes]], str]
_SHOWN = 50


def lister(section: Section) -> Callable[..., None]:
    """Return the command that lists a section."""

    @remote
    def list_records(
        search: Annotated[str, typer.Argument(help="Words to find, English or Chinese.")] = "",
        state: Annotated[str, typer.Option(help="Only in this state, such as open.")] = "",
        owner: Annotated[str, typer.Option(help="Only of this organisation.")] = "",
        everything: Annotated[bool, typer.Option("--all", help="All of them, not the newest 50 only.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """List what you may see on the hub, newest first."""
        asked = {"q": search, "state": state, "owner": owner}
        client = hub()
        found = list(client.records(section, **asked)) if everything else client.page(section, **asked).items[:_SHOWN]
        if as_json:
            print_json([one.model_dump(mode="json") for one in found])
        for line in [] if as_json else found:
            _print_listed(line)

    return list_records


def shower(kind: str) -> Callable[..., None]:
    """Return the command that shows one of a kind."""

    @remote
    def show(name: Annotated[str, typer.Argument(help="Such as plant/milling.")], as_json: AsJson = False) -> None:
        """Show the newest content on the hub, and where it stands."""
        show_record(f"{kind}:{name}", as_json)

    return show


def show_record(subject: str, as_json: bool) -> None:
    """Print the content of a record as JSON, or in a few lines where it stands, as far as that is for the caller."""
    client = hub()
    content = client.content(subject)
    if as_json:
        print_json(content.to_json_value())
        return
    try:
        record = client.record(subject)
    except InputError:  # others see an open scenario, not who has it in hand
        say(text("cli.hub_content", subject=subject, digest=content.digest()))
        _print_form(content)
        return
    _print_record(record)
    _print_form(content)
    for waiting in record.waits:
        due = format_day(waiting.due) if waiting.due else "–"
        say(text("cli.hub_waits", act=act_name(waiting.act), role=text(f"role.{waiting.role}"), due=due))


@remote
def work(as_json: AsJson = False) -> None:
    """List what waits for you on the hub, what is due first."""
    from pilotbase.operations import records

    found = on_hub(records.WORK)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    if not found.tasks and not found.held:
        say(text("cli.hub_nothing_waits"))
    for item in (*found.tasks, *found.held):
        _print_work(item)


@remote
def acts(
    subject: Annotated[str, typer.Argument(help="Such as scenario:plant/milling or commission:7f3a9c.")],
    as_json: AsJson = False,
) -> None:
    """List what you may do to a record on the hub now, and what stands against it."""
    found = hub().steps(subject)
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
    for step in [] if as_json else found:
        against = f" – {step.obstacle}" if step.obstacle else ""
        brings = f" [{step.brings}]" if step.brings else ""
        typer.echo(format_for_terminal(f"{step.act}{brings}  {step.name}{against}"))


@remote
def act(
    subject: Annotated[str, typer.Argument(help="Such as scenario:plant/milling or commission:7f3a9c.")],
    step: Annotated[str, typer.Argument(help="The step, as `pilotbase acts` lists it, such as commission.agree.")],
    source: Annotated[Path | None, typer.Option("--from", help="JSON file with what the step hands in.")] = None,
    note: Note = "",
    seen: Seen = None,
    as_json: AsJson = False,
) -> None:
    """Take a step on a record on the hub; prints where it stands then."""
    chosen = _act(step)
    brings = _brought(chosen, source)
    print_record(hub().take(subject, chosen, brings if brings is not None else note, seen), as_json)


@remote
def save_scenario(
    scenario: Annotated[Path, typer.Argument(help="The scenario's folder, or its scenario.yaml.")],
    note: Note = "",
    seen: Seen = None,
    new: Annotated[bool, typer.Option("--new", help="It is a new one: refused where the name is taken.")] = False,
    why_holds: Annotated[
        bool, typer.Option("--why-holds", help="Reasons beside changed criteria hold for the new ones too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Hand a scenario's folder in to the hub: a new one, or the next version; what broke off goes on."""
    from pilotbase.worker.intake.folder_archives import zip_scenario

    said: dict[str, str | bool] = {"note": note, "new": new, "why_holds": why_holds}
    record = _hand_in("scenario", (scenario, zip_scenario), said, seen, as_json)
    _print_handed_in(record, as_json)


@remote
def save_application(
    application: Annotated[Path, typer.Argument(help="The application's folder.")],
    scenario: Annotated[
        str | None, typer.Option(help="The scenario that it is made for, such as plant/milling.")
    ] = None,
    note: Note = "",
    seen: Seen = None,
    as_json: AsJson = False,
) -> None:
    """Hand an application's folder in to the hub: a new one, or the next version; what broke off goes on."""
    from pilotbase.worker.intake.folder_archives import zip_application

    said = {"note": note} | ({"scenario": f"scenario:{scenario}"} if scenario else {})
    record = _hand_in("application", (application, zip_application), said, seen, as_json)
    _print_handed_in(record, as_json)


@remote
def kept_files(scenario: Kept, as_json: AsJson = False) -> None:
    """List the files that the base keeps of your scenario's versions, encrypted, and until when."""
    from pilotbase.operations import records

    found = on_hub(records.KEPT, **named(scenario))
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
    for one in [] if as_json else found:
        say(text("cli.hub_kept", scenario=one.scenario, size=one.size, until=format_day(one.kept_until)))


@remote
def erase_files(scenario: Kept) -> None:
    """Erase the files that the base keeps of your scenario, all versions; what is sealed stays sealed."""
    from pilotbase.operations import records

    say(text("cli.hub_erased", count=on_hub(records.ERASE_KEPT, **named(scenario)).erased))


def stepper(kind: str, chosen: Act) -> Callable[..., None]:
    """Return the command that takes one step of a kind that hands nothing in."""

    @remote
    def take(
        name: Annotated[str, typer.Argument(help="Such as acme/forest.")],
        note: Note = "",
        seen: Seen = None,
        as_json: AsJson = False,
    ) -> None:
        print_record(hub().take(f"{kind}:{name}", chosen, note, seen), as_json)

    return take


def _act(step: str) -> Act:
    try:
        return Act(step)
    except ValueError:
        raise InputError("cli.unknown_act", found=step, allowed=offer(step, Act)) from None


def _brought(chosen: Act, source: Path | None) -> Part | None:
    from pilotbase.documents.record import BROUGHT

    kind = transition(chosen).brings
    if kind is None:
        return None
    if source is None:
        raise InputError("cli.act_needs_file", act=chosen, kind=kind)
    return read_part(BROUGHT[kind], source)


def read_part(model: type[Part], source: Path) -> Part:
    """Return what a JSON file spells; raises `InputError` with every problem at once."""
    import pydantic

    from pilotbase.documents.loading import issues_of

    try:
        with reading(source):
            return model.model_validate_json(source.read_bytes())
    except pydantic.ValidationError as error:
        raise InputError.from_issues(str(source), issues_of(str(source), error, model)) from None


def print_record(record: Record, as_json: bool) -> None:
    """Print a record as JSON, or in a line where it stands."""
    if as_json:
        print_json(record.to_json_value())
    else:
        _print_record(record)


def _print_record(record: Record) -> None:
    state = state_name(record.kind, record.state)
    title = localized(record.title, language())
    say(text("cli.hub_record", subject=record.subject, title=title, state=state, version=record.version))


def _print_form(content: Document) -> None:
    """Print in what form an application comes; of other contents nothing."""
    from pilotbase.documents.application import form_in_words
    from pilotbase.documents.record import ApplicationVersion

    if isinstance(content, ApplicationVersion):
        say(form_in_words(content.application.form))


def _print_listed(one: ListedRecord) -> None:
    kind = kind_of(one.subject)
    state = text(f"state.{kind}.{one.state}")
    say(text("cli.hub_listed", subject=one.subject, title=one.title.render(language()), state=state))


def _print_work(item: WaitingWork) -> None:
    due = format_day(item.due) if item.due else "–"
    line = text("cli.hub_work", due=due, act=act_name(Act(item.act)), subject=item.subject)
    against = f" – {item.bar.reason}" if item.bar is not None else ""
    typer.echo(f"{format_for_terminal(line.render(language()))}{format_for_terminal(against)}")


def _print_uploads(found: list[OpenUpload]) -> None:
    for one in found:
        facts = {"received": one.received, "size": one.size, "until": format_minute(one.expires_at)}
        say(text("cli.hub_upload", identity=one.identity, name=one.name, **facts))


add(uploads_app, Command("list", uploads.LIST, show=_print_uploads), Command("erase", uploads.ERASE))


def _hand_in(
    kind: str, packed: tuple[Path, Packer], said: Mapping[str, str | bool], seen: str | None, quiet: bool
) -> Record:
    folder, pack = packed
    client = hub()
    with tempfile.TemporaryFile() as archive, progress_shown(quiet) as on_progress:
        name = pack(folder, archive)
        return client.hand_in(kind, client.upload(f"{name}.zip", archive, on_progress), said, seen)


def _print_handed_in(record: Record, as_json: bool) -> None:
    if as_json:
        print_json(record.to_json_value())
        return
    state = state_name(record.kind, record.state)
    say(text("cli.hub_handed_in", subject=record.subject, version=record.version, state=state))
