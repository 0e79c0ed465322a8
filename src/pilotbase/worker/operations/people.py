"""The caller, people and invitations: a hub keeps the accounts."""

from __future__ import annotations

from pilotbase.documents.api import people
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.permissions import DeskAct, ReadScope, SubjectRelation, permitted, roles_for
from pilotbase.operations import people as declared
from pilotbase.operations.operation import NoInput
from pilotbase.worker.operations.binding import Accounts, Caller, does
from pilotbase.workspace.actors import require_may_begin
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.log.entries import LogEntry, LogQuery


@does(declared.ME)
def me(caller: Caller, asked: NoInput) -> people.Caller:
    """Return the caller and the organisation that they act for."""
    return _there(caller.accounts).me()


@does(declared.INVITATIONS)
def invitations(caller: Caller, asked: declared.OfOrganisation) -> list[people.Invitation]:
    """Return the invitations whose links work."""
    return _of_inviter(caller, asked.name).invitations(asked.name)


@does(declared.INVITE)
def invite(caller: Caller, asked: declared.NewInvitation) -> people.Invitation:
    """Invite an address into an organisation."""
    return _of_inviter(caller, asked.name).invite(asked.name, asked.email, asked.roles)


@does(declared.DOMAINS)
def domains(caller: Caller, asked: declared.OfOrganisation) -> list[people.JoiningDomain]:
    """Return the email domains by which people join an organisation."""
    return _of_inviter(caller, asked.name).domains(asked.name)


@does(declared.SET_DOMAIN)
def set_domain(caller: Caller, asked: declared.NewDomain) -> None:
    """Let the people of an email domain join an organisation."""
    _of_manager(caller).set_domain(asked)


@does(declared.END_DOMAIN)
def end_domain(caller: Caller, asked: declared.OfDomain) -> None:
    """Let nobody more join by an email domain."""
    _of_manager(caller).end_domain(asked)


@does(declared.LIST)
def list_people(caller: Caller, asked: declared.PeopleAsked) -> people.AccountPage:
    """Return the people whom the caller may see, by name."""
    return _there(caller.accounts).find(asked)


@does(declared.SHOW)
def show(caller: Caller, asked: declared.OfPerson) -> people.AccountDetails:
    """Return one person."""
    return _there(caller.accounts).show(asked.person)


@does(declared.BLOCK)
def block(caller: Caller, asked: declared.OfPerson) -> people.AccountDetails:
    """Let a person do nothing more until they are unblocked."""
    return _of_manager(caller).block(asked.person)


@does(declared.UNBLOCK)
def unblock(caller: Caller, asked: declared.OfPerson) -> people.AccountDetails:
    """Let a person in again."""
    return _of_manager(caller).unblock(asked.person)


@does(declared.END_SESSIONS)
def end_sessions(caller: Caller, asked: declared.OfPerson) -> None:
    """Sign a person out everywhere."""
    _of_manager(caller).end_sessions(asked.person)


@does(declared.RESET_FACTOR)
def reset_factor(caller: Caller, asked: declared.OfPerson) -> None:
    """Let a person set up their second factor anew."""
    _of_manager(caller).reset_factor(asked.person)


@does(declared.REVOKE_TOKEN)
def revoke_token(caller: Caller, asked: declared.OfToken) -> None:
    """Let a token of a person work no more."""
    _of_manager(caller).revoke_token(asked.person, asked.token)


@does(declared.SET_ROLES)
def set_roles(caller: Caller, asked: declared.RolesWanted) -> people.AccountDetails:
    """Change the roles of a person in an organisation, or end the membership."""
    return _of_inviter(caller, asked.organisation).set_roles(asked)


@does(declared.PROPOSALS)
def proposals(caller: Caller, asked: NoInput) -> list[people.ProposedRoles]:
    """Return what waits for the consent of a second operator."""
    return _of_manager(caller).proposals()


@does(declared.CONSENT)
def consent(caller: Caller, asked: declared.OfProposal) -> None:
    """Let what another operator has proposed take effect."""
    _of_manager(caller).consent(asked.number)


@does(declared.REFUSE)
def refuse(caller: Caller, asked: declared.OfProposal) -> None:
    """Refuse a proposal, or withdraw one's own."""
    _of_manager(caller).refuse(asked.number)


@does(declared.AUDIT)
def audit(caller: Caller, asked: declared.AuditAsked) -> people.AuditPage:
    """Return lines of the log, newest first."""
    if not permitted(ReadScope.AUDIT, caller.view.actor):
        raise RefusedError("hub.role_missing", needed=", ".join(roles_for(ReadScope.AUDIT)))
    entries, more = caller.view.find_log_entries(filled(LogQuery, asked), asked.before, asked.limit)
    return people.AuditPage(items=[_audited(*one) for one in entries], next=more)


def _audited(entry: LogEntry, person: str | None) -> people.AuditEntry:
    return filled(people.AuditEntry, entry, entry.actor, at=entry.time, person=person)


def _of_inviter(caller: Caller, organisation: str) -> Accounts:
    """Return the accounts for whom may invite into ``organisation``; for everybody else there are no invitations."""
    stands = SubjectRelation(organisation=organisation)
    if not permitted(DeskAct.STAFF, caller.view.actor, stands):
        raise NotFoundError("hub.not_found")
    return _there(caller.accounts)


def _of_manager(caller: Caller) -> Accounts:
    require_may_begin(DeskAct.MANAGE, caller.view.actor)
    return _there(caller.accounts)


def _there(accounts: Accounts | None) -> Accounts:
    if accounts is None:
        raise InputError("cli.no_hub")
    return accounts
