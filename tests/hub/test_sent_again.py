"""No action twice: whatever the API does under an Idempotency-Key stands once, though its answer was lost.

What a kill leaves between an act and its answer is the act in the store and no answer kept: each test takes the answer
away and sends the same request again, after others have gone on.
"""

from dataclasses import replace

import pytest
from test_api import caller

from pilotbase.operations.steps import STEPS
from pilotbase.workspace.backup.writing import stored_tables
from tests.hub import (  # noqa: F401 - enter their requests
    claims_sent_again_for_tests,
    incidents_sent_again_for_tests,
    pools_sent_again_for_tests,
)
from tests.hub.sent_again_for_tests import CASES, JSON, ask
from tests.service.services_for_tests import Served
from tests.watch.worlds_for_tests import World


@pytest.fixture(scope="module")
def world(any_world):
    """A certified trial, a service that the API has put into service, and one whose watch is armed."""
    from django.conf import settings

    from pilotbase.certificate.status import IssuedCertificate
    from pilotbase.hub.base import base

    before = settings.CONFIGURATION
    settings.CONFIGURATION = replace(before, webhook_allow=("127.0.0.1",))
    any_world.trial.reach("certified")
    store, home = base().lab.store, base().home.path
    served = Served(store, home)
    certificate = served.view.load(served.certify(held=served.hold()), IssuedCertificate)
    any_world.serial, any_world.press = certificate.certificate.serial, "press"
    ask(any_world, "owner", "post", "/api/services", {"name": "press", "certificate": any_world.serial})
    any_world.watch = World(store, home)
    any_world.watch.arm()
    with store.database.read() as connection:
        any_world.tables = stored_tables(connection)
    yield any_world
    settings.CONFIGURATION = before


def rows_of(world) -> dict[str, list[tuple[object, ...]]]:
    """Return everything that the store holds, of each table in the order of its key."""
    with world.watch.store.database.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(table.select().order_by(*table.primary_key))]
            for table in world.tables
        }


def lose_answers() -> None:
    from pilotbase.hub.models import GivenAnswer

    GivenAnswer.objects.all().delete()


LONGEST = ("send_a_message_again",)
"""Rounds until a message is given up; what is told of messages is tested in `tests.notices`."""


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "case",
    [pytest.param(one, id=str(one), marks=pytest.mark.prove if str(one) in LONGEST else ()) for one in CASES],
)
def test_a_request_whose_answer_was_lost_is_done_once(world, case):
    client, method = caller(world, case.who), case.operation.partition(" ")[0]
    request = case.request(world)
    path, body = next(request)

    def send():
        return getattr(client, method)(path, body, **JSON, HTTP_IDEMPOTENCY_KEY=f"lost {case}")

    first = send()
    assert first.status_code < 300, first.content
    next(request, None)
    lose_answers()
    before = rows_of(world)
    again = send()
    assert again.status_code == (case.again or first.status_code), again.content
    assert again.headers.get("Location") == (None if case.again else first.headers.get("Location"))
    after = rows_of(world)
    assert {name for name in before if before[name] != after[name]} <= case.counted


def test_what_has_a_secret_says_what_was_made_and_never_the_secret(world):
    owner = caller(world, "owner")
    for path, body in (
        (f"/api/services/{world.press}/keys", {"title": "line 9"}),
        ("/api/webhooks", {"url": "http://127.0.0.1:9/other"}),
    ):
        made, again = (owner.post(path, body, **JSON, HTTP_IDEMPOTENCY_KEY="secret") for _ in range(2))
        assert made.json()["identity"] in again.json()["title"] + again.json()["hint"], again.content
        assert made.json()["secret"] not in again.content.decode()
        other = owner.post(path, body, **JSON, HTTP_IDEMPOTENCY_KEY="another")
        assert other.status_code == 201 and other.json()["identity"] != made.json()["identity"]


def test_every_operation_that_takes_a_key_is_tried_here(world):
    """An operation that is added to the API has a request in `sent_again_for_tests`, or this fails."""
    schema = world.client().get("/api/openapi.json").json()
    keyed = {
        f"{method} {path}"
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
        if "Idempotency-Key" in {parameter["name"] for parameter in operation.get("parameters", ())}
    }
    steps = {one for one in keyed if "/acts/" in one}
    assert steps == _made_alike() & keyed, "all steps are one function, of which some are tried"
    assert keyed - steps <= {case.operation for case in CASES}


def _made_alike() -> set[str]:
    """Return the operations that are made of the lifecycles."""
    return {f"{one.method.lower()} /api{one.path}" for one in STEPS.values()}
