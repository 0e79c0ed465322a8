"""How a function is bound to the operation that it does, and how operations of the base on this machine are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from typing import Any, Generic, Protocol

from pilotbase.documents.given_files import Part, whole
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Language
from pilotbase.operations.operation import In, Operation, Out
from pilotbase.vault.uploads import UploadTerms
from pilotbase.worker.base import Base
from pilotbase.workspace.store import View

_UPLOADS = UploadTerms(512 << 20, 1 << 30, timedelta(hours=72))


@dataclass(frozen=True)
class CallerLimits:
    """What a base allows its callers; a hub's configuration says it."""

    uploads: UploadTerms = _UPLOADS
    attached: int = 10 << 20
    """Bytes of a file of a message."""
    unpacked: int = 256 << 20
    """Bytes of a folder that came as an archive."""
    webhook_allow: tuple[str, ...] = ()
    """Hosts and networks that webhooks reach though they are private."""
    files_days: int = 730
    """So long the base keeps the files of a scenario."""


class Remember(Protocol):
    """Returns what ``make`` makes for this caller, or made under ``name`` up to so many seconds ago.

    What took long to make may be older.
    """

    def __call__(self, name: str, seconds: float, make: Callable[[], Out]) -> Out: ...


def anew(name: str, seconds: float, make: Callable[[], Out]) -> Out:
    """Return what ``make`` makes; on this machine nothing is remembered."""
    return make()


@dataclass(frozen=True)
class Caller:
    """Who calls, on which base, and what they have seen of what they change."""

    base: Base
    view: View
    language: Language = "en"
    seen: Digest | None = None
    """The version of the document that they have seen."""
    service: str | None = None
    """The one service that the caller's key opens."""
    limits: CallerLimits = CallerLimits()
    remember: Remember = anew
    part: Part = whole
    """Which part of a file they ask for."""
    address_of: Callable[[str], str] = lambda subject: ""
    """Where the page of a subject is, on a hub."""
    is_member: Callable[[str, str], bool] = lambda organisation, person: False
    """Tells whether a person (by identifier) acts for an organisation of this hub."""
    roles_changed: Callable[[str], object] = lambda organisation: None
    """Hears that the roles of an organisation may be others now: a hub cuts those of its members."""


@dataclass(frozen=True)
class Versioned(Generic[Out]):
    """What is given, and the version under which it is known where that is another than its own digest."""

    given: Out
    version: Digest


Function = Callable[[Caller, In], Out | Versioned[Out]]
BOUND: dict[str, Callable[[Caller, Any], Any]] = {}
"""Operation → what does it, of the nouns that were asked for."""


def does(operation: Operation[In, Out]) -> Callable[[Function[In, Out]], Function[In, Out]]:
    """Bind a function that takes what ``operation`` takes and gives what it gives; raises `TypeError` for a second."""

    def bind(function: Function[In, Out]) -> Function[In, Out]:
        if operation.name in BOUND:
            raise TypeError(f"operation {operation.name} is bound twice")
        BOUND[operation.name] = function
        return function

    return bind


def function_of(operation: Operation[In, Out]) -> Function[In, Out]:
    """Return what does ``operation``; raises `LookupError` where nothing does."""
    import_module(f"pilotbase.worker.bound.{operation.noun}")
    if operation.name not in BOUND:
        raise LookupError(f"operation {operation.name} is bound to nothing")
    return BOUND[operation.name]


@dataclass(frozen=True)
class Here:
    """Calls operations of the base on this machine."""

    caller: Caller

    def call(self, operation: Operation[In, Out], asked: In, seen: Digest | None = None) -> Out:
        """Return what the operation gives; raises as the function that does it."""
        found = function_of(operation)(replace(self.caller, seen=seen), asked)
        return found.given if isinstance(found, Versioned) else found
