"""Commands of declared operations, with arguments and options from their input, for this machine and a hub."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import pydantic
import typer

from pilotbase.cli.framework.driving import build_request, hub, is_remote, named, remote
from pilotbase.cli.framework.terminal import answer, language, say
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Role
from pilotbase.operations.operation import In, Operation, Out

if TYPE_CHECKING:
    from pilotbase.protocols.hub_requests import HubCalls
    from pilotbase.worker.operations.binding import Here

_PLAIN = (str, int, float, bool, Enum)


@dataclass(frozen=True)
class OptionSpelling:
    """How the command line passes a field, if not as ``--its-name``."""

    positional: bool = False
    flag: str = ""
    """The option, or what stands for the argument in the usage."""
    default: Any = ...
    kind: Any = None
    read: Callable[[Any], Any] = lambda said: said
    """Converts the typed value to the field's value."""
    ask: bool = False
    """Ask for it on a terminal if it is missing."""


AS_SAID = OptionSpelling()


@dataclass(frozen=True)
class Command:
    """One command. It prints the answer through ``show``; without it, the text ``op.<name>.done`` if there is one."""

    name: str
    operation: Operation[Any, Any]
    show: Callable[[Any], None] | None = None
    said: str = "help"
    """Which text of the operation describes the command, if it has that text."""
    spelled: Mapping[str, OptionSpelling] = field(default_factory=dict)
    """Field → how the command line passes it."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """Fields that the command itself sets."""
    of: Callable[[Any], Any] = lambda found: found
    """Selects what to show of the answer, such as the items of a list."""
    nulls: bool = False
    """Whether ``--json`` has a key, too, for what the answer does not say."""
    here: Callable[[Any], Any] | None = None
    """Answers without base or hub what it can, such as about a folder; None: the operation is called."""
    without: tuple[str, ...] = ()
    """Fields that the command line does not pass."""

    @property
    def of_record(self) -> bool:
        """Whether it is of one record, which is written ``plant/milling``: one argument for two fields."""
        return self.operation.in_path[:2] == ("owner", "name")


def calls(organisation: str = "") -> HubCalls | Here:
    """Return what calls operations: of the hub that was named, else of this home, for ``organisation`` if one is said.

    With a home, the caller holds the keys of everybody in it; on a hub, the token identifies the caller.
    """
    if is_remote():
        from pilotbase.protocols.hub_requests import HubCalls

        return HubCalls(hub().requests)
    from pilotbase.worker.base import open_base
    from pilotbase.worker.operations.binding import Caller, Here
    from pilotbase.workspace.actors import Actor

    base = open_base()
    acting = Actor(organisation, frozenset({Role.SUPPLIER, Role.DEMAND_OWNER})) if organisation else base.lab.view.actor
    return Here(Caller(base, base.lab.view.as_actor(acting), language()))


def call(operation: Operation[In, Out], **said: Any) -> Out:
    """Return the result of an operation; raises `InputError` with every problem of the input."""
    return calls().call(operation, build_request(operation.takes, **said))


def add(app: typer.Typer, *commands: Command) -> None:
    """Add commands to ``app``."""
    for one in commands:
        app.command(one.name)(command_of(one))


def command_of(one: Command) -> Callable[..., None]:
    """Return the function of a command, as typer takes it."""

    def run(as_json: bool = False, **given: Any) -> None:
        said = {name: one.spelled.get(name, AS_SAID).read(value) for name, value in given.items() if _is_said(value)}
        if one.of_record:
            said |= named(said["name"])
        wanted = build_request(one.operation.takes, **one.given, **said)
        answered = one.here(wanted) if one.here is not None else None
        found = one.of(calls().call(one.operation, wanted) if answered is None else answered)
        if one.show is not None:
            answer(found, as_json, one.show, one.nulls)
        elif one.operation.said(language(), "done"):
            values = dict(found) if isinstance(found, pydantic.BaseModel) else {}
            say(text(f"op.{one.operation.name}.done", **{**values, **dict(wanted)}))

    run.__name__, run.__doc__ = one.name.replace("-", "_"), _help(one)
    run.__signature__ = inspect.Signature(list(_parameters(one)))  # type: ignore[attr-defined]
    return remote(run)


def _is_said(value: Any) -> bool:
    return value not in (None, "", [])


def _parameters(one: Command) -> Iterator[inspect.Parameter]:
    operation, fields = one.operation, one.operation.takes.model_fields
    for name in (*operation.in_path, *operation.others):
        hidden = name in one.given or name in one.without or (one.of_record and name == "owner")
        if not hidden and (kind := one.spelled.get(name, AS_SAID).kind or _kind(fields[name].annotation)):
            yield _parameter(operation, name, kind, one.spelled.get(name, AS_SAID))
    if one.show is not None:
        as_json = Annotated[bool, typer.Option("--json", help=text("option.as_json").render(language()))]
        yield inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=as_json)


def _parameter(operation: Operation[Any, Any], name: str, kind: Any, spelled: OptionSpelling) -> inspect.Parameter:
    label = operation.called(name, language())
    said: Any = {"help": operation.called(name, language(), "help") or label}
    default, place = spelled.default, inspect.Parameter.KEYWORD_ONLY
    if name in operation.in_path or spelled.positional:
        default = inspect.Parameter.empty if default is ... else default
        argument = typer.Argument(metavar=spelled.flag or None, **said)
        return inspect.Parameter(name, place, default=default, annotation=Annotated[kind, argument])
    info = operation.takes.model_fields[name]
    if default is ... and not (spelled.ask and info.is_required()):
        default = None if info.is_required() else info.get_default()
    flag = spelled.flag or f"--{name.replace('_', '-')}"
    option = typer.Option(flag, prompt=label if spelled.ask else False, **said)
    default = inspect.Parameter.empty if default is ... else default
    return inspect.Parameter(
        name, place, default=default, annotation=Annotated[kind | None if default is None else kind, option]
    )


def _kind(annotation: Any) -> Any:
    """Return the command-line type for a field's type: words, numbers, names, or several; None: there is none."""
    origin, inner = get_origin(annotation), [one for one in get_args(annotation) if one is not type(None)]
    if origin is Annotated:
        return _kind(inner[0])
    if origin in (Union, types.UnionType):
        kinds = [kind for one in inner if (kind := _kind(one)) is not None]
        return kinds[0] if kinds else None
    if origin in (tuple, list, frozenset):
        return list[_kind(inner[0])]  # type: ignore[misc]
    if not isinstance(annotation, type):
        return str
    return annotation if issubclass(annotation, _PLAIN) else None if issubclass(annotation, pydantic.BaseModel) else str


def _help(one: Command) -> str:
    return one.operation.said(language(), one.said) or one.operation.said(language(), "more")
