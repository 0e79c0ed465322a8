"""Takes the walk up to the armed watch in the base of PILOTBASE_HOME, with people who have accounts.

    python -m tests.rounds.walked

It answers ``{"key": …, "tokens": {"owner": …, "desk": …}, "session": …}``: key of the service, tokens of two people for
the API, and the session of the second in a browser.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import hash_secret
from pilotbase.hub.serving import serving
from pilotbase.operations.services import NewBudget, NewKey
from pilotbase.service.terms import create_key, set_budget
from pilotbase.worker.demo.walk import prove_walk
from pilotbase.worker.demo.walked_service import BUDGET, SERVICE, TERMS, armed

OWNER = "three-airports-desk"
_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def main() -> None:
    serving.configure(serving.BindAddress())
    serving.prepare()
    from pilotbase.hub.base import base
    from pilotbase.hub.demo import make_accounts

    lab, issuer = base().lab, base().trust.issuer
    cast, _ = make_accounts(issuer)
    try:
        for step in prove_walk(base(), cast):
            print(step.stage, step.what.render(), file=sys.stderr, flush=True)
        armed(base(), TERMS)
    except PilotbaseError as error:
        sys.exit(error.text.code)
    set_budget(lab.view, NewBudget(service=SERVICE, budget=BUDGET, calls=10_000))
    key = create_key(lab.view, NewKey(service=SERVICE, title="walk", budget=BUDGET)).secret
    tokens = {"owner": _token(cast.owner, OWNER), "desk": _token(cast.desk, issuer)}
    json.dump({"key": key, "tokens": tokens, "session": _session(cast.desk)}, sys.stdout)


def _token(identity: str, organisation: str) -> str:
    from django.utils import timezone

    from pilotbase.hub.models import ApiToken, Person
    from pilotbase.hub.people import tokens

    secret, person = tokens.new_secret("pilot"), Person.objects.get(identity=identity)
    end, hashed = timezone.now() + timedelta(days=1), hash_secret(secret)
    ApiToken.objects.create(
        person=person, organisation=organisation, label="t", scope="write", secret_hash=hashed, expires_at=end
    )
    return secret


def _session(identity: str) -> str:
    from django.test import Client

    from pilotbase.hub.models import Person

    client = Client()
    client.force_login(Person.objects.get(identity=identity), backend=_BACKEND)
    return "; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items())


if __name__ == "__main__":
    main()
