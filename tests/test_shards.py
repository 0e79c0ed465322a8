"""``--shard``: together the parts are all tests, no test is in two, and costly neighbours are spread."""

import pytest

from tests.conftest import deal, pytest_collection_modifyitems


class Chosen:
    """What pytest asks its hooks with, for one part."""

    def __init__(self, shard):
        self.shard, self.hook, self.items = shard, self, list(range(30))
        self.rest = []

    def getoption(self, name):
        return {"shard": self.shard}[name]

    def pytest_deselected(self, items):
        self.rest = items


@pytest.mark.parametrize("hands", [1, 2, 4, 7, 40])
def test_parts_are_disjoint_and_cover_all(hands):
    parts = [Chosen(f"{number}/{hands}") for number in range(1, hands + 1)]
    for part in parts:
        pytest_collection_modifyitems(part, part.items)
        assert sorted([*part.items, *part.rest]) == list(range(30)), "what is not run is told as not chosen"
    assert sorted(item for part in parts for item in part.items) == list(range(30))


def test_no_part_has_all_that_is_costly():
    """Every second one costs much, as on PostgreSQL; and so do seven neighbours."""
    assert {sum(at % 2 for at in hand) for hand in deal(range(960), 4)} == {120}
    assert {sum(100 <= at < 107 for at in hand) for hand in deal(range(960), 4)} <= {1, 2}


@pytest.mark.parametrize("wrong", ["", "2", "0/4", "5/4", "a/b", "1/0", "1/4/2"])
def test_what_is_no_part_is_refused(wrong):
    with pytest.raises(pytest.UsageError, match="2/4"):
        pytest_collection_modifyitems(Chosen(wrong), [])
