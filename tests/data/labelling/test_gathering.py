"""Campaigns and tables of labels: every mistake at once, and nothing read that nobody declared."""

import polars as pl
import pytest

from pilotbase.data.labelling.gathering import format_labels, read_campaign, read_labels
from pilotbase.documents.errors import InputError


def codes(error):
    return [(issue.path or issue.line, issue.problem.code) for issue in error.value.issues]


def table(tmp_path, content, name="labels.csv"):
    path = tmp_path / name
    path.write_text(content, "utf-8")
    return path


def test_a_campaign_is_read_with_the_guideline_that_its_digest_names(campaign_file):
    path = campaign_file()
    assert read_campaign(path).names == {"a1": "a1", "7": "a1", "a2": "a2", "8": "a2"}
    (path.parent / "guideline.md").write_text("Another text.\n")
    with pytest.raises(InputError) as error:
        read_campaign(path)
    assert error.value.code == "labelling.guideline_changed"
    assert "1.2" in error.value.render()


def test_all_that_is_wrong_with_a_campaign_is_told_at_once(campaign_file):
    annotators = [{"name": "a1", "accounts": [7]}, {"name": "a2", "accounts": [7]}]
    path = campaign_file(classes=["cat", "cat"], annotators=annotators, adjudicator="a2", tolerance=1)
    with pytest.raises(InputError) as error:
        read_campaign(path)
    assert {code for _, code in codes(error)} == {
        "labelling.two_classes",
        "labelling.double_class",
        "labelling.double_annotator",
        "labelling.adjudicator_labels",
        "labelling.no_tolerance",
    }


def test_who_decides_labels_nothing(campaign):
    with pytest.raises(ValueError, match="adjudicator"):
        campaign(adjudicator="a1")


def test_a_table_of_labels_is_read_and_written_back_the_same(campaign, tmp_path):
    path = table(tmp_path, "item,annotator,label,at\n=1+1,a1,cat,2026-05-04T09:30:00+08:00\nx,7,dog,\nx,8,,\n")
    found = read_labels(campaign(), [path])
    assert [(one.item, one.annotator, one.label) for one in found.annotations] == [
        ("=1+1", "a1", "cat"),
        ("x", "a1", "dog"),
    ]
    assert found.annotations[0].at.isoformat() == "2026-05-04T01:30:00+00:00"
    assert found.left_out == {"empty": 1}
    written = tmp_path / "written.csv"
    written.write_bytes(format_labels(found))
    assert b"'=1+1" in written.read_bytes()
    assert read_labels(campaign(), [written]).annotations == found.annotations


def test_all_mistakes_of_a_table_are_told_with_their_lines(campaign, tmp_path):
    rows = [",a1,cat,", "x,,cat,", "x,a1,cat,", "x,a1,dog,", "y,a3,cat,", "z,a2,cow,", "w,a2,cat,noon"]
    content = "\n".join(
        ["item,annotator,label,at", *rows, "v,a2,cat,2026-05-04T09:30:00", "u,a2,cat,0001-01-01T00:00:00+14:00"]
    )
    with pytest.raises(InputError) as error:
        read_labels(campaign(), [table(tmp_path, content)])
    assert sorted(codes(error)) == [
        (2, "labelling.empty_cell"),
        (3, "labelling.empty_cell"),
        (5, "labelling.double_label"),
        (6, "labelling.unknown_annotator"),
        (7, "labelling.unknown_class"),
        (8, "labelling.no_moment"),
        (9, "labelling.no_moment"),
        (10, "labelling.no_moment"),
    ]


def test_a_table_without_the_columns_is_refused(campaign, tmp_path):
    with pytest.raises(InputError) as error:
        read_labels(campaign(), [table(tmp_path, "case,label\n1,cat\n")])
    assert error.value.code == "labelling.lacking_columns"
    assert "item, annotator" in error.value.render()


@pytest.mark.parametrize("label", ["nan", "inf", "1e16", "three", "0x3", "1_000", "３"])
def test_a_number_is_a_finite_number(campaign, tmp_path, label):
    with pytest.raises(InputError) as error:
        read_labels(campaign(scale="interval", classes=[]), [table(tmp_path, f"item,annotator,label\nx,a1,{label}\n")])
    assert codes(error) == [(2, "labelling.no_number")]


def test_a_table_whose_names_differ_by_case_alone_is_refused(campaign, tmp_path):
    with pytest.raises(InputError) as error:
        read_labels(campaign(), [table(tmp_path, "Item,item,annotator,label\nx,x,a1,cat\n")])
    assert error.value.code == "data.double_column"


def test_a_table_with_lists_in_its_cells_is_refused_in_words(campaign, tmp_path):
    path = tmp_path / "labels.parquet"
    pl.DataFrame({"item": ["x"], "annotator": ["a1"], "label": [["cat"]]}).write_parquet(path)
    with pytest.raises(InputError) as error:
        read_labels(campaign(), [path])
    assert error.value.code == "data.not_a_table"
