"""Who acts, and who may see: an actor is an organisation with roles; a visibility names who sees a document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.permissions import AnyAct, may_begin, roles_for
from pilotbase.documents.vocabularies import Role

Scope = Literal["public", "parties", "base"]


@dataclass(frozen=True)
class Actor:
    """An organisation acting in roles; made by the code that has checked this (the command line, the hub)."""

    organisation: str
    roles: frozenset[Role]
    person: str | None = None
    """Opaque identifier of the person, the same in every organisation; None for command line and worker."""
    manages: bool = False
    """Whether the person manages the organisation: who is in it, and as what."""

    @property
    def is_operator(self) -> bool:
        return Role.OPERATOR in self.roles

    @property
    def sees_all(self) -> bool:
        """Operator and regulator see every document of the base."""
        return self.is_operator or Role.REGULATOR in self.roles

    def may_write_for(self, owner: str) -> bool:
        """Everyone writes for their own organisation, the operator for any."""
        return self.is_operator or owner == self.organisation

    def require_writes_for(self, owner: str) -> None:
        """Return if `may_write_for`; raises `RefusedError`."""
        if not self.may_write_for(owner):
            raise RefusedError("workspace.not_yours", organisation=self.organisation, owner=owner)

    def require_is(self, owner: str) -> None:
        """Return if this is ``owner`` itself, which the operator is not; raises `RefusedError`."""
        if owner != self.organisation:
            raise RefusedError("workspace.not_yours", organisation=self.organisation or "–", owner=owner)


def actor(organisation: str, *roles: Role | str, person: str | None = None) -> Actor:
    """Return an `Actor`; raises `ValueError` for a role that does not exist."""
    return Actor(organisation, frozenset(Role(role) for role in roles), person)


VISITOR = Actor("", frozenset())
"""No organisation has an empty name, so only what is public exists for a visitor."""
BASE_ITSELF = Actor("", frozenset({Role.OPERATOR}))
"""Terms are judged by the contents of the store, independent of who may see them."""


@dataclass(frozen=True)
class Visibility:
    """``public``: everyone; ``parties``: the owner and the named organisations; ``base``: operator and regulator only.

    Operator and regulator see all three.
    """

    scope: Scope
    organisations: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.organisations and self.scope != "parties":
            raise ValueError("only the visibility 'parties' names organisations")

    def admits(self, actor: Actor, owner: str) -> bool:
        """Return whether ``actor`` may see a document of ``owner`` under this visibility."""
        if self.scope == "public" or actor.sees_all:
            return True
        return self.scope == "parties" and actor.organisation in self.organisations | {owner}


def spelled(scope: str, organisations: Iterable[str]) -> str:
    """Return a visibility as the log's payloads spell it: ``parties, acme, globex``."""
    return ", ".join((scope, *sorted(organisations)))


PUBLIC = Visibility("public")
BASE = Visibility("base")


def parties(*organisations: str) -> Visibility:
    """Return the visibility of the owner and ``organisations``."""
    return Visibility("parties", frozenset(organisations))


def require_may_begin(act: AnyAct, actor: Actor) -> None:
    """Return if `may_begin`; raises `RefusedError` naming who may."""
    if not may_begin(act, actor):
        raise RefusedError("hub.role_missing", needed=", ".join(role.value for role in roles_for(act)))
