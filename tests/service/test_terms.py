"""Keys and use of a service as those to whom they are open make and see them."""

from datetime import UTC, datetime

import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.vocabularies import Role, Scope
from pilotbase.operations.services import NewKey
from pilotbase.service.calls import Cost
from pilotbase.service.draining import drain
from pilotbase.service.registry import keys_of
from pilotbase.service.terms import create_key, list_keys, usage_by_day
from pilotbase.workspace.actors import actor
from tests.service.services_for_tests import Served


def test_a_key_is_of_the_organisation_that_the_service_is_of_and_its_secret_is_told_once(served: Served) -> None:
    service = served.serve()
    made = create_key(served.view, NewKey(service="milling", title="line 4", scopes=[Scope.INFER]))
    assert [key.organisation for key in keys_of(served.view, "milling")] == [service.organisation]
    assert [key.secret for key in list_keys(served.view, "milling")] == [None]
    with served.desk() as desk:
        assert desk.services(made.secret) == [service]


def test_strangers_make_no_key(served: Served) -> None:
    served.serve()
    supplier = served.store.as_actor(actor("acme", Role.SUPPLIER))
    with pytest.raises(RefusedError):
        create_key(supplier, NewKey(service="milling", title="line 4", scopes=[Scope.INFER]))
    assert list_keys(served.view, "milling") == []


def test_use_is_told_by_day(served: Served, clock) -> None:
    served.serve()
    secret = served.key()
    with served.desk() as desk:
        for seconds in (0, 3600, 86_400):
            clock.step(seconds)
            desk.settle(desk.admit(secret, "milling", Cost()), Cost())
        drain(served.view, served.journals)
    told = [(row.day, row.calls) for row in usage_by_day(served.view, "milling")]
    assert told == [(datetime(2026, 5, 1, tzinfo=UTC), 2), (datetime(2026, 5, 2, tzinfo=UTC), 1)]
