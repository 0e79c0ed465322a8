"""Where annotators differ: the adjudicator sees labels and no names; decisions are read back whole or not at all."""

import csv
import io
from collections import Counter

import pytest

from pilotbase.data.labelling.final_labels import (
    final_labels,
    format_disagreements,
    format_final,
    join_labels,
    labelled_items,
    read_decisions,
)
from pilotbase.data.labelling.gathering import read_audit
from pilotbase.data.sources.opening import read_table
from pilotbase.documents.errors import InputError
from pilotbase.documents.labelling import LabelSource

FIRST = ["cat", "cat", "dog", "bird", None]
SECOND = ["cat", "dog", "cat", "bird", "dog"]


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def decided(tmp_path, content, head="item,label_1,label_2,decision,reason"):
    path = tmp_path / "decided.csv"
    path.write_text(f"{head}\n{content}", "utf-8")
    return path


def codes(error):
    return sorted((issue.line, issue.problem.code) for issue in error.value.issues)


def test_what_is_to_be_decided_names_nobody(campaign, gathered):
    data = format_disagreements(campaign(), gathered(FIRST, SECOND))
    rows = rows_of(data)
    assert {row["item"]: sorted((row["label_1"], row["label_2"])) for row in rows} == {
        "i1": ["cat", "dog"],
        "i2": ["cat", "dog"],
    }
    assert all(row["decision"] == row["reason"] == "" for row in rows)
    assert b"a1" not in data
    assert b"a2" not in data


def test_whose_label_stands_first_is_left_to_chance(campaign, gathered):
    rows = rows_of(format_disagreements(campaign(), gathered(["cat"] * 400, ["dog"] * 400)))
    first = Counter(row["label_1"] for row in rows)
    assert 140 < first["cat"] < 260
    assert [row["item"] for row in rows] != [f"i{item}" for item in range(400)]


def test_what_was_decided_is_the_final_label_with_its_reason(campaign, gathered, tmp_path):
    found = gathered(FIRST, SECOND)
    path = decided(tmp_path, "i1,cat,dog,dog,It barks.\ni2,dog,cat,,\n")
    items = {one.item: one for one in final_labels(campaign(), found, read_decisions(campaign(), found, path))}
    assert {item: (one.how, one.label) for item, one in items.items()} == {
        "i0": ("agreed", "cat"),
        "i1": ("decided", "dog"),
        "i2": ("undecided", None),
        "i3": ("agreed", "bird"),
        "i4": ("alone", "dog"),
    }
    assert items["i1"].reason == "It barks."
    assert [one.label for one in items["i1"].given] == ["cat", "dog"]


def test_an_adjudicator_may_choose_what_nobody_has_given(campaign, gathered, tmp_path):
    found = gathered(FIRST, SECOND)
    path = decided(tmp_path, "i1,cat,dog,bird,It flies.\n")
    assert read_decisions(campaign(), found, path)["i1"].label == "bird"


def test_all_mistakes_of_decisions_are_told_at_once(campaign, gathered, tmp_path):
    content = "i1,,,cow,It moos.\ni1,,,cat,Again.\ni0,,,cat,Nobody differs.\ni2,,,cat,\n,,,cat,Which?\n"
    with pytest.raises(InputError) as error:
        read_decisions(campaign(), gathered(FIRST, SECOND), decided(tmp_path, content))
    assert codes(error) == [
        (2, "labelling.unknown_class"),
        (3, "labelling.decided_twice"),
        (4, "labelling.nothing_to_decide"),
        (5, "labelling.no_reason"),
        (6, "labelling.empty_cell"),
    ]


def test_nobody_decides_whom_the_campaign_does_not_name(campaign, gathered, tmp_path):
    with pytest.raises(InputError) as error:
        read_decisions(campaign(adjudicator=None), gathered(FIRST, SECOND), decided(tmp_path, "i1,cat,dog,dog,x\n"))
    assert error.value.code == "labelling.no_adjudicator"


def test_numbers_that_agree_within_the_tolerance_have_their_mean(campaign, gathered):
    numbers = campaign(scale="interval", classes=[], tolerance=1)
    items = final_labels(numbers, gathered(["1", "-3", "5"], ["2", "-3.0", "9"]), {})
    assert [one.label for one in items][:1] == ["1.5"]
    assert float(items[1].label) == -3
    assert items[2].label is None


def test_final_labels_are_a_table_that_is_read_back_the_same(campaign, gathered, tmp_path):
    numbers = campaign(scale="interval", classes=[])
    items = final_labels(numbers, gathered(["-1.5", "2", "3"], ["-1.5", "2", "4"]), {})
    path = tmp_path / "labels.csv"
    path.write_bytes(format_final(items))
    assert read_table(path).rows() == [("i0", "-1.5"), ("i1", "2")]


def test_a_class_that_would_be_a_formula_is_written_as_a_word(campaign, gathered):
    items = final_labels(campaign(classes=["=1+1", "dog"]), gathered(["=1+1"], ["=1+1"]), {})
    assert b"i0,'=1+1" in format_final(items)


def test_cases_get_their_labels_and_nothing_else_changes(campaign, gathered, tmp_path):
    cases = tmp_path / "cases.csv"
    cases.write_text("case,weight,note\ni0,-2.5,\ni1,3,=SUM(A1)\ni9,4,none\n", "utf-8")
    items = final_labels(campaign(), gathered(FIRST, SECOND), {})
    joined = join_labels(items, cases, "case", "pet")
    assert rows_of(joined.csv) == [{"case": "i0", "weight": "-2.5", "note": "", "pet": "cat"}]
    assert (joined.labelled, joined.unlabelled, joined.unmatched) == (1, 2, 2)


@pytest.mark.parametrize(
    ("key", "target", "code"),
    [
        ("nr", "pet", "labelling.no_key_column"),
        ("case", "weight", "labelling.target_exists"),
        ("weight", "pet", "labelling.no_case_labelled"),
    ],
)
def test_cases_that_cannot_be_labelled_are_refused(campaign, gathered, tmp_path, key, target, code):
    cases = tmp_path / "cases.csv"
    cases.write_text("case,weight\ni0,2.5\n", "utf-8")
    with pytest.raises(InputError) as error:
        join_labels(final_labels(campaign(), gathered(FIRST, SECOND), {}), cases, key, target)
    assert error.value.code == code


def test_where_labels_come_from_says_who_gave_what(campaign, gathered):
    found = gathered(FIRST, SECOND)
    source = LabelSource(file="export.json", digest="sha256:" + "0" * 64)
    document = labelled_items(campaign(), [source], final_labels(campaign(), found, {}))
    value = document.to_json_value()
    assert value["guideline"]["version"] == "1.2"
    assert value["items"][1]["given"] == [{"annotator": "a1", "label": "cat"}, {"annotator": "a2", "label": "dog"}]
    assert type(document).from_json_value(value) == document


def audit(tmp_path, content):
    path = tmp_path / "audit.csv"
    path.write_text(f"item,label\n{content}", "utf-8")
    return path


def test_an_audit_counts_where_the_expert_agrees(campaign, gathered, tmp_path):
    items = final_labels(campaign(), gathered(FIRST, SECOND), {})
    found = read_audit(campaign(), items, audit(tmp_path, "i0,cat\ni3,dog\ni4,dog\n"))
    assert (found.audited, found.correct) == (3, 2)
    numbers = campaign(scale="interval", classes=[], tolerance=0.5)
    items = final_labels(numbers, gathered(["1", "2"], ["1", "2"]), {})
    found = read_audit(numbers, items, audit(tmp_path, "i0,1.5\ni1,2.6\n"))
    assert (found.audited, found.correct) == (2, 1)


def test_all_mistakes_of_an_audit_are_told_at_once(campaign, gathered, tmp_path):
    items = final_labels(campaign(), gathered(FIRST, SECOND), {})
    with pytest.raises(InputError) as error:
        read_audit(campaign(), items, audit(tmp_path, "i0,cat\ni0,dog\ni1,cat\ni9,cat\ni3,\ni4,cow\n"))
    assert codes(error) == [
        (3, "labelling.audited_twice"),
        (4, "labelling.no_final_label"),
        (5, "labelling.no_final_label"),
        (6, "labelling.empty_cell"),
        (7, "labelling.unknown_class"),
    ]
