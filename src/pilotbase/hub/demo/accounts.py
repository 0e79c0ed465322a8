"""One account a role, with a fresh password that is shown once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from allauth.account.models import EmailAddress  # type: ignore[import-untyped]
from django.db import transaction

from pilotbase.documents.vocabularies import Role
from pilotbase.hub.models import Membership, Person
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


@dataclass(frozen=True)
class DemoAccount:
    """Who may log in, and with what."""

    role: Role
    email: str
    password: str


def make_accounts(base_name: str) -> tuple[Cast, list[DemoAccount]]:
    """Return the people of the demonstration and how each logs in; earlier passwords of theirs no longer work."""
    accounts, people = [], {}
    for handle, (name, role) in _NAMES.items():
        password = secrets.token_urlsafe(9)
        organisations = (base_name,) if role is Role.OPERATOR else parties_in(role)
        person = _person(handle, name, password, role, organisations)
        people[handle] = person.identity
        accounts.append(DemoAccount(role, person.email, password))
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
