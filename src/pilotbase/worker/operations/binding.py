"""Binds functions to the operations that they implement, and calls operations of the base on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, Protocol

from pilotbase.documents.files import Part, whole
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plugins import packages
from pilotbase.documents.subjects import Organisation
from pilotbase.documents.texts import Language
from pilotbase.documents.vocabularies import Role
from pilotbase.operations.operation import In, Operation, Out
from pilotbase.vault.place import UploadTerms
from pilotbase.worker.base import Base
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

if TYPE_CHECKING:
    from pilotbase.documents.api import people
    from pilotbase.operations.people import NewDomain, OfDomain, PeopleAsked, RolesWanted

_UPLOADS = UploadTerms(512 << 20, 1 << 30, timedelta(hours=72))


@dataclass(frozen=True)
class CallerLimits:
    """Limits for callers, from a hub's configuration."""

    uploads: UploadTerms = _UPLOADS
    attached: int = 10 << 20
    """Bytes of a file attached to a message."""
    unpacked: int = 256 << 20
    """Bytes of an unpacked archive."""
    webhook_allow: tuple[str, ...] = ()
    """Private hosts and networks that webhooks may reach."""
    files_days: int = 730
    """How long the base keeps the files of a scenario."""
    url: str = ""
    """The public address of the hub."""


class Remember(Protocol):
    """Returns the result of ``make`` for this caller, or an earlier one under ``name``, up to so many seconds old.

    A result that takes long to make may be older.
    """

    def __call__(self, name: str, seconds: float, make: Callable[[], Out]) -> Out: ...


class Accounts(Protocol):
    """The accounts of a hub, as the caller sees them."""

    def me(self) -> people.Caller: ...

    def invitations(self, organisation: str) -> list[people.Invitation]: ...

    def invite(self, organisation: str, email: str, roles: Sequence[Role]) -> people.Invitation: ...

    def domains(self, organisation: str) -> list[people.JoiningDomain]: ...

    def set_domain(self, wanted: NewDomain) -> None: ...

    def end_domain(self, asked: OfDomain) -> None: ...

    def find(self, asked: PeopleAsked) -> people.AccountPage: ...

    def show(self, identity: str) -> people.AccountDetails: ...

    def block(self, identity: str) -> people.AccountDetails: ...

    def unblock(self, identity: str) -> people.AccountDetails: ...

    def end_sessions(self, identity: str) -> None: ...

    def reset_factor(self, identity: str) -> None: ...

    def revoke_token(self, identity: str, number: int) -> None: ...

    def set_roles(self, wanted: RolesWanted) -> people.AccountDetails: ...

    def proposals(self) -> list[people.ProposedRoles]: ...

    def consent(self, number: int) -> None: ...

    def refuse(self, number: int) -> None: ...


def anew(name: str, seconds: float, make: Callable[[], Out]) -> Out:
    """Return the result of ``make``; this machine remembers none."""
    return make()


@dataclass(frozen=True)
class Caller:
    """The caller, the base, and the version that the caller has seen of what they change."""

    base: Base
    view: View
    language: Language = "en"
    seen: Digest | None = None
    """The version of the document that the caller has seen."""
    service: str | None = None
    """The one service that the caller's key opens."""
    limits: CallerLimits = CallerLimits()
    remember: Remember = anew
    part: Part = whole
    """The requested part of a file."""
    address_of: Callable[[str], str] = lambda subject: ""
    """Returns the address of a subject's page on a hub."""
    is_member: Callable[[str, str], bool] = lambda organisation, person: False
    """Returns whether a person (by identifier) acts for an organisation of this hub."""
    email_of: Callable[[str], str | None] = lambda person: None
    """Returns the e-mail address of a person (by identifier) of this hub."""
    accounts: Accounts | None = None
    """None: this machine alone has none."""
    changing_roles: Callable[[Organisation], AbstractContextManager[object]] = nullcontext
    """Within it an organisation is saved: a hub guards the rights of its members, and limits their roles."""


@dataclass(frozen=True)
class Versioned(Generic[Out]):
    """A result and its version, if that is not its own digest."""

    given: Out
    version: Digest


_LATER = ("acts", "files")
"""What of a noun stands in a module of its own: each loads what the ones before it don't need."""
Function = Callable[[Caller, In], Out | Versioned[Out]]
BOUND: dict[str, Callable[[Caller, Any], Any]] = {}
"""Operation → its function, for the nouns that are loaded."""


def does(operation: Operation[In, Out]) -> Callable[[Function[In, Out]], Function[In, Out]]:
    """Bind a function with the input and output of ``operation``; raises `TypeError` for a second one."""

    def bind(function: Function[In, Out]) -> Function[In, Out]:
        if operation.name in BOUND:
            raise TypeError(f"operation {operation.name} is bound twice")
        BOUND[operation.name] = function
        return function

    return bind


def there(found: Out | None) -> Out:
    """Return ``found``; raises `NotFoundError` for None."""
    if found is None:
        raise NotFoundError("hub.not_found")
    return found


def function_of(operation: Operation[In, Out]) -> Function[In, Out]:
    """Return the function of ``operation``; raises `LookupError` if there is none."""
    for name in (operation.noun, *(f"{operation.noun}_{rest}" for rest in _LATER)):
        for module in packages(f"worker.operations.{name}") if operation.name not in BOUND else ():
            import_module(module)
    if operation.name not in BOUND:
        raise LookupError(f"operation {operation.name} is bound to nothing")
    return BOUND[operation.name]


@dataclass(frozen=True)
class Here:
    """Calls operations of the base on this machine."""

    caller: Caller

    def call(self, operation: Operation[In, Out], asked: In, seen: Digest | None = None) -> Out:
        """Return the operation's result; raises as its function does."""
        found = function_of(operation)(replace(self.caller, seen=seen), asked)
        return found.given if isinstance(found, Versioned) else found
