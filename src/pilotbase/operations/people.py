"""The caller, people and what they may do, and invitations into an organisation."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic

from pilotbase.documents.api.people import (
    AccountDetails,
    AccountPage,
    AccountState,
    AuditPage,
    Caller,
    Invitation,
    JoiningDomain,
    ProposedRoles,
)
from pilotbase.documents.api.shapes import MOST_LISTED, SHORT, RequestModel
from pilotbase.documents.base import Moment, Name
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.documents.vocabularies import Role
from pilotbase.operations.operation import NOTHING, PATH, In, NoInput, Operation, Out, Repeated


class OfOrganisation(RequestModel):
    """Which organisation."""

    name: Annotated[Name, PATH]


class NewInvitation(OfOrganisation):
    """Whom to invite."""

    email: str = pydantic.Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    roles: list[Role] = pydantic.Field(min_length=1, max_length=len(Role))


class OfDomain(OfOrganisation):
    """Which email domain of an organisation."""

    domain: Annotated[
        str,
        pydantic.Field(max_length=253, pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$"),
        PATH,
    ]


class NewDomain(OfDomain):
    """As what the people of an email domain join."""

    roles: list[Role] = pydantic.Field(min_length=1, max_length=len(Role))


class PeopleAsked(pydantic.BaseModel):
    """What the directory is asked for."""

    q: str = pydantic.Field("", max_length=200)
    organisation: str = pydantic.Field("", max_length=63)
    role: Role | None = None
    state: AccountState | None = None
    after: str = pydantic.Field("", max_length=63)
    limit: int = pydantic.Field(50, ge=1, le=MOST_LISTED)


class AuditAsked(pydantic.BaseModel):
    """Which lines of the log are looked for."""

    organisation: str = pydantic.Field("", max_length=63)
    person: str = pydantic.Field("", max_length=63)
    action: str = pydantic.Field("", max_length=80)
    subject: str = pydantic.Field("", max_length=200)
    since: Moment | None = None
    until: Moment | None = None
    before: int | None = pydantic.Field(None, ge=0, le=2**53)
    limit: int = pydantic.Field(50, ge=1, le=MOST_LISTED)


class OfPerson(RequestModel):
    """Which person."""

    person: Annotated[str, pydantic.Field(max_length=63, pattern=r"^[a-z0-9-]+$"), PATH]


class OfToken(OfPerson):
    """Which token of a person."""

    token: Annotated[int, pydantic.Field(ge=1, le=2**31 - 1), SHORT, PATH]


class OfProposal(RequestModel):
    """Which proposal."""

    number: Annotated[int, pydantic.Field(ge=1, le=2**31 - 1), SHORT, PATH]


class RolesWanted(OfPerson):
    """The roles that a person has in an organisation from now on; none: the membership ends."""

    organisation: Annotated[Name, PATH]
    roles: list[Role] = pydantic.Field(max_length=len(Role))
    manages: bool | None = None
    """Whether they manage the organisation; null: as before."""


def _manages(name: str, http: str, takes: type[In], gives: type[Out], **more: Any) -> Operation[In, Out]:
    """Return what is done to an account; done again, it changes nothing more."""
    who = {"who": DeskAct.MANAGE, **more}
    return Operation(f"people.{name}", http, takes, gives, repeated=Repeated.HARMLESS, **who)


_PATH = "/organisations/{name}/invitations"
ME = Operation("people.me", "GET /me", NoInput, Caller)
INVITATIONS = Operation("people.invitations", f"GET {_PATH}", OfOrganisation, list[Invitation], who=DeskAct.STAFF)
INVITE = Operation(
    "people.invite",
    f"POST {_PATH}",
    NewInvitation,
    Invitation,
    who=DeskAct.STAFF,
    repeated=Repeated.ANEW,
    location="/api/organisations/{asked.name}/invitations",
    example={"email": "wang@plant.example", "roles": ["demand_owner"]},
)
_DOMAINS = "/organisations/{name}/domains"
DOMAINS = Operation("people.domains", f"GET {_DOMAINS}", OfOrganisation, list[JoiningDomain], who=DeskAct.STAFF)
SET_DOMAIN = _manages(
    "set_domain", f"PUT {_DOMAINS}/{{domain}}", NewDomain, NOTHING, example={"roles": ["demand_owner"]}
)
END_DOMAIN = _manages("end_domain", f"DELETE {_DOMAINS}/{{domain}}", OfDomain, NOTHING)
LIST = Operation("people.list", "GET /people", PeopleAsked, AccountPage, refuses=frozenset({404}))
SHOW = Operation("people.show", "GET /people/{person}", OfPerson, AccountDetails)
BLOCK = _manages("block", "PUT /people/{person}/block", OfPerson, AccountDetails)
UNBLOCK = _manages("unblock", "DELETE /people/{person}/block", OfPerson, AccountDetails)
END_SESSIONS = _manages("end_sessions", "DELETE /people/{person}/sessions", OfPerson, NOTHING)
RESET_FACTOR = _manages("reset_factor", "DELETE /people/{person}/second-factor", OfPerson, NOTHING)
REVOKE_TOKEN = _manages("revoke_token", "DELETE /people/{person}/tokens/{token}", OfToken, NOTHING)
SET_ROLES = _manages(
    "set_roles",
    "PUT /people/{person}/memberships/{organisation}",
    RolesWanted,
    AccountDetails,
    who=DeskAct.STAFF,
    example={"roles": ["demand_owner", "reviewer"]},
)
PROPOSALS = Operation(
    "people.proposals",
    "GET /role-changes",
    NoInput,
    list[ProposedRoles],
    who=DeskAct.MANAGE,
    refuses=frozenset({403}),
)
CONSENT = Operation(
    "people.consent",
    "POST /role-changes/{number}/consent",
    OfProposal,
    NOTHING,
    who=DeskAct.MANAGE,
    repeated=Repeated.HARMLESS,
)
REFUSE = _manages("refuse", "DELETE /role-changes/{number}", OfProposal, NOTHING)
AUDIT = Operation("people.audit", "GET /audit", AuditAsked, AuditPage, who=ReadScope.AUDIT, refuses=frozenset({403}))
