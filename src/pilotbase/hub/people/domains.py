"""Who joins without invitation: whom an identity provider knows by an address of an organisation's email domain."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from pilotbase.documents.errors import BarredError, InputError
from pilotbase.documents.subjects import organisation_subject
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.models import Person, SignUpDomain
from pilotbase.hub.people.invitations import enter_member, require_roles
from pilotbase.hub.people.rights import BASE_WIDE
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View


def set_domain(view: View, domain: str, organisation: str, roles: Iterable[Role]) -> None:
    """Let whoever proves an address of ``domain`` join ``organisation`` in ``roles``.

    Raises:
        InputError: a role that the organisation does not have, or one over the whole base, which takes two operators.
        BarredError: the people of ``domain`` join another organisation.
    """
    named = sorted(set(roles))
    require_roles(organisation, named)
    if not BASE_WIDE.isdisjoint(named):
        raise InputError("hub.domain_role", allowed=", ".join(sorted(set(Role) - BASE_WIDE)))
    with transaction.atomic():
        kept, _ = SignUpDomain.objects.get_or_create(domain=domain, defaults={"organisation": organisation})
        if kept.organisation != organisation:
            raise BarredError("hub.domain_taken", domain=domain, organisation=kept.organisation)
        if kept.roles != named:
            kept.roles = named
            kept.save()
            _log(view, "domain.set", kept)


def end_domain(view: View, domain: str, organisation: str) -> None:
    """Let nobody more join by ``domain``; members stay. Raises `NotFoundError`: not a domain of the organisation."""
    found = SignUpDomain.objects.filter(domain=domain, organisation=organisation).first()
    if found is None:
        raise NotFoundError("hub.not_found")
    with transaction.atomic():
        found.delete()
        _log(view, "domain.ended", found)


def domain_of(email: str) -> SignUpDomain | None:
    """Return the domain by which the owner of ``email`` joins an organisation, or None."""
    return SignUpDomain.objects.filter(domain=email.rpartition("@")[2].lower()).first()


def join_by_domain(view: View, person: Person) -> None:
    """Make ``person``, who has proven their address, a member of the organisation of its domain.

    Raises:
        NotFoundError: there is no such organisation (any more).
        InputError: the organisation no longer has the roles.
    """
    found = domain_of(person.email)
    if found is None:
        raise NotFoundError("hub.not_found")
    require_roles(found.organisation, map(Role, found.roles))
    enter_member(view, person, found.organisation, found.roles, invited=False)


def _log(view: View, action: str, domain: SignUpDomain) -> None:
    with view.transaction(action) as change:
        facts = {"domain": domain.domain, "roles": ", ".join(domain.roles)}
        change.record(action, [organisation_subject(domain.organisation)], facts)
