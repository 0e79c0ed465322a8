"""The small scenario of the trial's tests, ordered through a record."""

import pytest

from tests.trial.conftest import base, home, write_application, write_scenario
from tests.worker.commissions_for_tests import Ordered

__all__ = ["base", "home", "write_application", "write_scenario"]


@pytest.fixture
def ordered(base, write_scenario, write_application) -> Ordered:
    """A commission that waits for its freeze."""
    ordered = Ordered(base)
    change = lambda content: content + "  approvals: [{kind: ethics}]\n"  # noqa: E731
    ordered.open(write_scenario(change=change), write_application())
    ordered.propose()
    ordered.approve()
    return ordered


@pytest.fixture(autouse=True, scope="module")
def copied_stores(ready_stores: None) -> None:
    """Homes are made here to be used: their stores are copied."""
