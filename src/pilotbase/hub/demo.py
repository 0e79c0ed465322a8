"""A hub to look at: one account a role, on a base that holds nothing or that the demonstration filled before."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from allauth.account.models import EmailAddress  # type: ignore[import-untyped]
from django.db import transaction

from pilotbase.documents.errors import InputError
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.models import Invitation, Membership, Person
from pilotbase.hub.people.invitations import appoint_managers
from pilotbase.worker.demo.records import Cast, parties_in

_NAMES = {
    "desk": ("Duan, scenario desk", Role.OPERATOR),
    "planner": ("Ping, test lab", Role.OPERATOR),
    "signer": ("Qian, director", Role.OPERATOR),
    "owner": ("Xu, demand owner", Role.DEMAND_OWNER),
    "supplier": ("Gong, supplier", Role.SUPPLIER),
    "reviewer": ("Shen, reviewer", Role.REVIEWER),
    "regulator": ("Zhu, regulator", Role.REGULATOR),
}


_MARK = "desk@pilot.example"
"""The account that is made first: whose base this is, however far it was filled."""


_SETUP = frozenset({"revocations.published", "organisation.register"})


_MOST_SETUP = 20


@dataclass(frozen=True)
class DemoAccount:
    """Who may log in, and with what."""

    role: Role
    email: str
    password: str


def require_own_ground() -> None:
    """Return if the base holds nothing, or the demonstration has filled it before; raises `InputError`."""
    if not Person.objects.filter(email=_MARK).exists() and not _is_unused():
        raise InputError("cli.demo_not_here", home=base().home.path)


def make_accounts(base_name: str) -> tuple[Cast, list[DemoAccount]]:
    """Return the people of the demonstration and how each logs in; earlier passwords of theirs no longer work."""
    accounts, people = [], {}
    for handle, (name, role) in _NAMES.items():
        password = secrets.token_urlsafe(9)
        organisations = (base_name,) if role is Role.OPERATOR else parties_in(role)
        person = _person(handle, name, password, role, organisations)
        people[handle] = person.identity
        accounts.append(DemoAccount(role, person.email, password))
    appoint_managers(operator_view())
    return Cast(base_name, **people), accounts


def _person(handle: str, name: str, password: str, role: Role, organisations: tuple[str, ...]) -> Person:
    email = f"{handle}@pilot.example"
    with transaction.atomic():
        person = Person.objects.filter(email=email).first() or Person(email=email)
        person.name = name
        person.set_password(password)
        person.save()
        EmailAddress.objects.get_or_create(user=person, email=email, defaults={"verified": True, "primary": True})
        for organisation in organisations:
            Membership.objects.update_or_create(
                person=person, organisation=organisation, defaults={"roles": [role.value]}
            )
    return person


def _is_unused() -> bool:
    done = [entry.action for entry in operator_view().log_entries(limit=_MOST_SETUP)]
    only_set_up = len(done) < _MOST_SETUP and _SETUP.issuperset(done) and done.count("organisation.register") <= 1
    return only_set_up and not Person.objects.exists() and not Invitation.objects.exists()
