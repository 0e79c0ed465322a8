"""A desk asked by an event loop: what it holds enough for is admitted at once, and nothing else is."""

import pytest

from pilotbase.service.calls import Cost
from pilotbase.service.desk import MustWaitError
from tests.service.services_for_tests import Served


def test_only_what_is_held_is_admitted_at_once(served: Served):
    served.serve()
    served.budget(calls=100)
    key = served.key(budget="main")
    with served.desk() as desk:
        with pytest.raises(MustWaitError):
            desk.admit(key, "milling", Cost(1), waiting=False)
        first = desk.admit(key, "milling", Cost(1))
        second = desk.admit(key, "milling", Cost(1), waiting=False)
        for admission in (first, second):
            desk.settle(admission, Cost(1), served.observed("case"))
    assert served.gone().calls == 2
