"""Records, here or on a hub: lists, contents, where each stands, the steps that move them; folders handed in."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from pilotbase.cli.framework.declared import Command, add, call, calls, command_of
from pilotbase.cli.framework.driving import Noun, build_request, hub, is_remote, remote, where
from pilotbase.cli.framework.terminal import AsJson, answer, each, language, print_value, progress_shown, say, say_all
from pilotbase.documents.base import localized
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.files import reading
from pilotbase.documents.lifecycles import state_name, transition
from pilotbase.documents.moments import format_day, format_minute
from pilotbase.documents.permissions import Act, act_name
from pilotbase.documents.subjects import kind_of
from pilotbase.documents.texts import format_for_terminal, text
from pilotbase.operations import records, uploads

if TYPE_CHECKING:
    from pilotbase.documents.api.records import Erased, ListedRecord, PossibleStep, WaitingWork, Work
    from pilotbase.documents.api.uploads import KeptVersion, OpenUpload
    from pilotbase.documents.base import Document, Part
    from pilotbase.documents.record import Record
    from pilotbase.operations.operation import Operation, Out


uploads_app = Noun()
Packer = Callable[[Path, IO[bytes]], str]
P = TypeVar("P", bound="Part")
_SHOWN = 50


def lister(kind: str) -> Callable[..., None]:
    """Return the command that lists the records of a kind."""

    @remote
    def list_records(
        search: Annotated[str, typer.Argument()] = "",
        state: str = "",
        owner: str = "",
        everything: Annotated[bool, typer.Option("--all")] = False,
        as_json: AsJson = False,
    ) -> None:
        """List what you may see, newest first: in this home, or on a hub."""
        caller, operation = calls(), records.LISTS[kind]
        asked = {"q": search, "state": state, "owner": owner, "limit": _SHOWN}
        page = caller.call(operation, build_request(operation.takes, **asked))
        found = [*page.items]
        while everything and page.next is not None:
            page = caller.call(operation, build_request(operation.takes, **asked, after=page.next))
            found += page.items
        answer(found, as_json, each(print_listed))

    return list_records


def shower(kind: str) -> Callable[..., None]:
    """Return the command that shows one of a kind."""

    @remote
    def show(name: str, as_json: AsJson = False) -> None:
        """Show the newest content, and where it stands: in this home, or on a hub."""
        show_record(f"{kind}:{name}", as_json)

    return show


def about(operations: Mapping[str, Operation[Any, Out]], subject: str) -> Out:
    """Return what the operation for the kind of ``subject`` gives of it, in this home or on the hub that was named."""
    kind = kind_of(subject)
    if kind not in operations:
        raise InputError("cli.unknown_kind", found=kind, allowed=offer(kind, operations))
    return call(operations[kind], **where(subject))


def show_record(subject: str, as_json: bool) -> None:
    """Print the content of a record as JSON, or in a few lines where it stands, as far as that is for the caller."""
    content = about(records.CONTENT, subject)
    if as_json:
        print_value(content)
        return
    try:
        record = about(records.STANDS, subject)
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
def acts(subject: str, as_json: AsJson = False) -> None:
    """List the steps that you can take on a record, and what prevents the others."""
    answer(about(records.ACTS, subject), as_json, each(_print_step))


def _print_step(step: PossibleStep) -> None:
    against = f" – {step.obstacle}" if step.obstacle else ""
    brings = f" [{step.brings}]" if step.brings else ""
    typer.echo(format_for_terminal(f"{step.act}{brings}  {step.name}{against}"))


@remote
def act(
    subject: str,
    step: str,
    source: Annotated[Path | None, typer.Option("--from")] = None,
    note: str = "",
    seen: str | None = None,
    as_json: AsJson = False,
) -> None:
    """Take a step on a record of the hub and print its new state."""
    chosen = _act(step)
    brings = _brought(chosen, source)
    print_record(hub().take(subject, chosen, brings if brings is not None else note, seen), as_json)


@remote
def save_scenario(
    scenario: Path,
    note: str = "",
    seen: str | None = None,
    new: bool = False,
    why_holds: bool = False,
    as_json: AsJson = False,
) -> None:
    """Submit a scenario's folder to the hub: a new one, or the next version. Resumes interrupted uploads."""
    from pilotbase.worker.archives import zip_scenario

    said: dict[str, str | bool] = {"note": note, "new": new, "why_holds": why_holds}
    answer(_hand_in("scenario", (scenario, zip_scenario), said, seen, as_json), as_json, _print_handed_in)


@remote
def save_application(
    application: Path, scenario: str | None = None, note: str = "", seen: str | None = None, as_json: AsJson = False
) -> None:
    """Submit an application's folder to the hub: a new one, or the next version. Resumes interrupted uploads."""
    from pilotbase.worker.archives import zip_application

    said = {"note": note} | ({"scenario": f"scenario:{scenario}"} if scenario else {})
    answer(_hand_in("application", (application, zip_application), said, seen, as_json), as_json, _print_handed_in)


def stepper(chosen: Act) -> Callable[..., None]:
    """Return the command that takes one step of an application that hands nothing in."""

    @remote
    def take(name: str, note: str = "", seen: str | None = None, as_json: AsJson = False) -> None:
        print_record(hub().take(f"application:{name}", chosen, note, seen), as_json)

    return take


def opener(chosen: Act) -> Callable[..., None]:
    """Return the command that submits or opens a scenario, and says before what its cases can prove."""

    @remote
    def take(
        name: str, although: bool = False, note: str = "", seen: str | None = None, as_json: AsJson = False
    ) -> None:
        subject = f"scenario:{name}"
        if not as_json:
            _print_prospect(subject)
        print_record(hub().take(subject, chosen, note, seen, although), as_json)

    return take


def _print_prospect(subject: str) -> None:
    try:
        found = call(records.PROSPECT, **where(subject))
    except InputError:
        return  # nothing is known of its cases, or there is no such scenario, which the step itself says
    say_all((*found.against, *found.proves, *found.remarks))


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


def read_part(model: type[P], source: Path) -> P:
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
    answer(record, as_json, _print_record)


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


def print_listed(one: ListedRecord) -> None:
    """Print one line of a list."""
    kind = kind_of(one.subject)
    state = text(f"state.{kind}.{one.state}")
    say(text("cli.hub_listed", subject=one.subject, title=one.title.render(language()), state=state))


def _print_work(found: Work) -> None:
    each(_print_item, text("cli.hub_nothing_waits"))((*found.tasks, *found.held))


def _print_item(item: WaitingWork) -> None:
    due = format_day(item.due) if item.due else "–"
    line = text("cli.hub_work", due=due, act=act_name(Act(item.act)), subject=item.subject)
    against = f" – {item.bar.reason}" if item.bar is not None else ""
    typer.echo(f"{format_for_terminal(line.render(language()))}{format_for_terminal(against)}")


def _print_upload(one: OpenUpload) -> None:
    facts = {"received": one.received, "size": one.size, "until": format_minute(one.expires_at)}
    say(text("cli.hub_upload", identity=one.identity, name=one.name, **facts))


def _print_kept(one: KeptVersion) -> None:
    say(text("cli.hub_kept", scenario=one.scenario, size=one.size, until=format_day(one.kept_until)))


def _print_erased(found: Erased) -> None:
    say(text("cli.hub_erased", count=found.erased))


work = command_of(Command("work", records.WORK, show=_print_work, nulls=True))
KEPT_FILES = (
    Command("files", records.KEPT, show=each(_print_kept), nulls=True),
    Command("erase-files", records.ERASE_KEPT, show=_print_erased),
)
add(uploads_app, Command("list", uploads.LIST, show=each(_print_upload)), Command("erase", uploads.ERASE))


def _hand_in(
    kind: str, packed: tuple[Path, Packer], said: Mapping[str, str | bool], seen: str | None, quiet: bool
) -> Record:
    folder, pack = packed
    client = hub()
    with tempfile.TemporaryFile() as archive, progress_shown(quiet) as on_progress:
        name = pack(folder, archive)
        return client.hand_in(kind, client.upload(f"{name}.zip", archive, on_progress), said, seen)


def _print_handed_in(record: Record) -> None:
    state = state_name(record.kind, record.state)
    say(text("cli.hub_handed_in", subject=record.subject, version=record.version, state=state))


@remote
def next_step(folder: Path = Path()) -> None:
    """Say what to do now with what lies in this folder, or what is waiting for you on a hub."""
    if is_remote():
        work()
        return
    from pilotbase.worker.intake.next_steps import next_steps

    for step in next_steps(folder):
        say(text("next.here.step", stands=step.stands, command=step.command))
