"""People of the benchmark's hub, one for each organisation, with one password: ``python -m benchmarks.hub.accounts``.

It is a separate process because Django has one set of settings per process. It reads the number of organisations.
"""

from __future__ import annotations

import sys

from pilotbase.hub.serving import serving

PASSWORD = "a bench has no secrets"
OPERATOR, REGULATOR = "desk", "regulator"
MINISTRY = "ministry"
"""The regulator's organisation; like any other, it must be registered before its people have its roles."""


def email_of(name: str) -> str:
    """Return the address of an organisation's person."""
    return f"{name}@bench.example"


def main() -> None:
    """Bring the home's accounts up to date and let everyone log in."""
    serving.configure(serving.BindAddress())
    serving.prepare()
    from django.contrib.auth.hashers import make_password

    from pilotbase.hub.base import base

    organisations, password = int(sys.argv[1]), make_password(PASSWORD)
    half = organisations // 2
    people = [(f"o{number:04}", f"o{number:04}", "demand_owner") for number in range(half)]
    people += [(f"o{number:04}", f"o{number:04}", "supplier") for number in range(half, organisations)]
    people += [(OPERATOR, base().trust.issuer, "operator"), (REGULATOR, MINISTRY, "regulator")]
    _let_in(people, password)


def _let_in(people: list[tuple[str, str, str]], password: str) -> None:
    from allauth.account.models import EmailAddress  # type: ignore[import-untyped]
    from django.db import transaction

    from pilotbase.hub.models import Membership, Person

    with transaction.atomic():
        made = Person.objects.bulk_create(
            Person(identity=f"p-{name}", email=email_of(name), name=name, password=password) for name, _, _ in people
        )
        EmailAddress.objects.bulk_create(
            EmailAddress(user=person, email=person.email, verified=True, primary=True) for person in made
        )
        Membership.objects.bulk_create(
            Membership(person=person, organisation=organisation, roles=[role])
            for person, (_, organisation, role) in zip(made, people, strict=True)
        )


if __name__ == "__main__":
    main()
