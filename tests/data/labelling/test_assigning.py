"""Blind sheets: two passes by two different people, loads even, nothing of the others' on a sheet."""

import csv
import io
from collections import Counter

import pytest

from pilotbase.data.labelling.gathering import assign, format_sheet
from pilotbase.documents.errors import InputError

ITEMS = [f"i{number}" for number in range(101)]


@pytest.mark.parametrize("annotators", [2, 3, 7])
@pytest.mark.parametrize("double", [0, 0.25, 1])
def test_each_item_has_one_annotator_and_so_many_have_a_second(campaign, annotators, double):
    names = [{"name": f"a{number}"} for number in range(annotators)]
    sheets = assign(campaign(annotators=names), ITEMS, double, seed=5)
    times = Counter(item for sheet in sheets.values() for item in sheet)
    assert set(times) == set(ITEMS)
    assert Counter(times.values())[2] == -(-double * 101 // 1)
    assert all(len(set(sheet)) == len(sheet) for sheet in sheets.values())
    loads = [len(sheet) for sheet in sheets.values()]
    assert max(loads) - min(loads) <= 2


def test_second_labels_are_spread_over_all_pairs(campaign):
    names = [{"name": f"a{number}"} for number in range(4)]
    sheets = assign(campaign(annotators=names), [str(number) for number in range(1200)])
    who = {item: frozenset(name for name, sheet in sheets.items() if item in sheet) for item in sheets["a0"]}
    assert set(Counter(who.values()).values()) == {200}


def test_order_and_pairs_follow_from_the_seed_alone(campaign):
    assert assign(campaign(), ITEMS, 0.5, 1) == assign(campaign(), ITEMS, 0.5, 1)
    assert assign(campaign(), ITEMS, 0.5, 1) != assign(campaign(), ITEMS, 0.5, 2)
    once = assign(campaign(), ITEMS, 0)
    assert set(once["a1"]) != set(ITEMS[::2])
    first, second = assign(campaign(), ITEMS).values()
    assert first != second
    assert sorted(first) == sorted(second)


def test_a_sheet_holds_items_and_no_label():
    rows = list(csv.reader(io.StringIO(format_sheet("a1", ["x", "=y"]).decode("utf-8-sig"))))
    assert rows == [["item", "annotator", "label"], ["x", "a1", ""], ["'=y", "a1", ""]]


@pytest.mark.parametrize(
    ("items", "double", "code"),
    [
        ([], 1, "labelling.items"),
        (["x", "x"], 1, "labelling.items"),
        (["x", ""], 1, "labelling.items"),
        (["x"], 1.5, "labelling.no_share"),
    ],
)
def test_what_cannot_be_assigned_is_refused(campaign, items, double, code):
    with pytest.raises(InputError) as error:
        assign(campaign(), items, double)
    assert error.value.code == code
