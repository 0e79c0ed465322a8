"""What every room's tests may ask for: a clock that is set, an empty store, a PostgreSQL of our own.

Here ``--shard 2/4`` runs every fourth of the tests that were chosen; `scheduling` says which stay together.
"""

import gc
import os
from collections.abc import Sequence
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

from tests import forking
from tests.forking import pytest_runtestloop
from tests.quick_cases import pytest_itemcollected
from tests.scheduling import in_units, parcels, pytest_xdist_make_scheduler
from tests.workspace.stores_for_tests import (
    any_url,
    clock,
    empty_store,
    empty_url,
    every_url,
    postgres,
    ready_stores,
    statements_compiled_once,
    unhurried_disk,
)

__all__ = [
    "any_url",
    "clock",
    "empty_store",
    "empty_url",
    "every_url",
    "postgres",
    "pytest_itemcollected",
    "pytest_runtestloop",
    "pytest_xdist_make_scheduler",
    "ready_stores",
    "statements_compiled_once",
    "unhurried_disk",
]

Card = TypeVar("Card")
ALLOCATIONS = 100_000
"""So many new objects are looked over for garbage at a time: an eighth of a run went into looking over a few."""


EXAMPLES = 25
"""Most examples of a property in the quick suite; the long proofs draw all that its test asks for."""
_SETTINGS = "_hypothesis_internal_use_settings"

settings.register_profile("alike", derandomize=True, deadline=None)
settings.load_profile("alike")
"""What Hypothesis draws is the same on every machine, and no test fails because a machine is slow."""
providers._get_local_constants = lambda: providers._local_constants
"""It draws no constants of our own: what is drawn would depend on what is loaded, and each worker reads all source."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shard", default="1/1", help="2/4: the second of four parts of the tests")
    forking.pytest_addoption(parser)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """After tests were chosen by marker and word: what is left is dealt, and one hand stays."""
    number, _, hands = config.getoption("shard").partition("/")
    if not (number.isdigit() and hands.isdigit() and 1 <= int(number) <= int(hands)):
        raise pytest.UsageError("--shard takes a part and how many there are: 2/4")
    if hasattr(config, "workerinput"):
        items[:] = [item for parcel in parcels(items) for item in parcel]
    if hands == "1":
        return
    dealt = [[item for unit in hand for item in unit] for hand in deal(in_units(items), int(hands))]
    items[:] = dealt.pop(int(number) - 1)
    config.hook.pytest_deselected(items=[item for hand in dealt for item in hand])


def deal(cards: Sequence[Card], hands: int) -> list[list[Card]]:
    """Deal to and fro. Neighbours cost alike, which are mostly one test's cases; so no hand has all the costly ones."""
    turns = [*range(hands), *reversed(range(hands))]
    return [[card for at, card in enumerate(cards) if turns[at % len(turns)] == hand] for hand in range(hands)]


def pytest_sessionstart() -> None:
    gc.set_threshold(ALLOCATIONS, 20, 20)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Bound what Hypothesis draws for the quick suite.

    Sixteen thousand tests and all their modules stay to the end: nobody looks for garbage among them again.
    """
    if session.config.option.markexpr == "not prove":
        for function in {getattr(item, "function", None) for item in session.items}:
            known = getattr(function, _SETTINGS, None)
            if known is not None and known.max_examples > EXAMPLES:
                setattr(function, _SETTINGS, settings(known, max_examples=EXAMPLES))
    gc.freeze()


@pytest.fixture(scope="session")
def own_uid() -> int:
    """The user of this worker's boxes. Without a control group the kernel counts processes by user: none is shared."""
    return 210_000 + os.getpid() % 50_000
