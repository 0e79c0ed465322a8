"""What is told of a service's use."""

from datetime import UTC, datetime

from pilotbase.service.calls import Cost
from pilotbase.service.draining import drain
from pilotbase.service.terms import usage_by_day
from tests.service.services_for_tests import Served


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
