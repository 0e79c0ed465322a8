"""A changed file described again: the owner's words stay, and the version says how much changed."""

from dataclasses import replace

import pytest

from pilotbase.data.describing.questions import write_dataset_yaml
from pilotbase.documents.dataset import Dataset, RowRule
from pilotbase.documents.described import Answers
from pilotbase.documents.loading import load_document
from tests.data.describing.test_describing import MACHINES, described, runs

FILES = {"runs.csv": runs(), "machines.csv": MACHINES}


@pytest.fixture
def owned(tmp_path):
    """A description in which the owner has written: words, a unit, a promise, a rule, another key."""
    found = described(tmp_path, FILES).dataset
    one, other = found.record_sets
    fields = [
        field.model_copy(update={"unit": "K", "minimum": 0.0, "description": "at the inlet"})
        if field.name == "temp_c"
        else field
        for field in one.fields
    ]
    mine = one.model_copy(
        update={"fields": tuple(fields), "rules": (RowRule(name="warm", rule="temp_c > 0"),), "group": None}
    )
    dataset = found.model_copy(update={"title": "Our runs", "license": "MIT", "record_sets": (mine, other)})
    return write(tmp_path, dataset)


def write(folder, dataset):
    found = described(folder, FILES, out="none.yaml")
    tables = [replace(table, record_set=one) for table, one in zip(found.tables, dataset.record_sets, strict=True)]
    tables = [
        replace(
            table,
            fields=tuple(
                replace(old, field=new) for old, new in zip(table.fields, table.record_set.fields, strict=True)
            ),
        )
        for table in tables
    ]
    (folder / "dataset.yaml").write_text(write_dataset_yaml(replace(found, dataset=dataset, tables=tuple(tables))))
    assert load_document(Dataset, folder / "dataset.yaml") == dataset
    return dataset


def again(folder, files=None, answers=None):
    return described(folder, files or dict.fromkeys(FILES), answers)


def changes(found):
    return [said.render("en") for said in found.changed]


def test_nothing_changed_is_nothing_new(tmp_path, owned):
    found = again(tmp_path)
    assert found.unchanged and found.dataset == owned and not found.changed


def test_added_records_raise_the_minor_version_and_keep_the_owners_words(tmp_path, owned):
    found = again(tmp_path, {"runs.csv": runs(80), "machines.csv": None})
    record_set, before = found.dataset.record_set("runs"), owned.record_set("runs")
    assert found.dataset.version == "1.1.0" and record_set.rows == 80
    assert (found.dataset.title, found.dataset.license) == ("Our runs", "MIT")
    assert record_set.fields == before.fields and record_set.rules == before.rules and record_set.group is None
    assert found.dataset.distribution[0].sha256 != owned.distribution[0].sha256
    assert changes(found) == ["version 1.0.0 → 1.1.0", "runs.csv holds all that it had, and more", "runs: 60 → 80 rows"]


def test_other_records_raise_the_major_version(tmp_path, owned):
    found = again(tmp_path, {"runs.csv": runs().replace(",20.0,", ",99.0,"), "machines.csv": None})
    assert found.dataset.version == "2.0.0"
    assert changes(found)[1:] == ["runs.csv holds other records than before"]


def test_a_file_that_grew_and_changed_holds_other_records(tmp_path, owned):
    found = again(tmp_path, {"runs.csv": runs(80).replace(",20.0,", ",99.0,"), "machines.csv": None})
    assert found.dataset.version == "2.0.0" and "runs.csv holds other records than before" in changes(found)


def test_columns_that_come_and_go_are_named(tmp_path, owned):
    content = runs().replace("state", "mode")
    found = again(tmp_path, {"runs.csv": content, "machines.csv": None})
    assert found.dataset.version == "2.0.0"
    assert {"a new column runs.mode", "the column runs.state is gone"} <= set(changes(found))
    assert [field.name for field in found.dataset.record_set("runs").fields][5] == "mode"


def test_a_value_that_was_not_promised_is_told_and_not_promised(tmp_path, owned):
    found = again(
        tmp_path, {"runs.csv": runs(120).replace(",idle,yes\nR0117", ",idle,yes\nR0117"), "machines.csv": None}
    )
    assert found.dataset.record_set("runs").field("state").values == ("idle", "run")
    content = runs() + "".join(f"S{at:03},M01,2026-02-01 {at % 24:02}:30:00,20.5,101.5,stop,no\n" for at in range(20))
    found = again(tmp_path, {"runs.csv": content, "machines.csv": None})
    assert "runs.state holds values that were not promised: stop" in "\n".join(changes(found))
    assert found.dataset.record_set("runs").field("state").values == ("idle", "run")


def test_a_table_that_is_gone_and_a_new_one_are_named(tmp_path, owned):
    found = again(tmp_path, {"runs.csv": None, "plants.csv": MACHINES})
    assert found.dataset.version == "2.0.0"
    assert {"a new table plants", "the table machines is gone", "a new file plants.csv"} <= set(changes(found))
    assert found.dataset.record_set("runs").field("machine_id").references is None


def test_an_answer_replaces_what_stood_there_and_raises_the_patch(tmp_path, owned):
    found = again(tmp_path, answers=Answers(title="New words", collection="by hand"))
    assert found.dataset.version == "1.0.1" and found.dataset.title == "New words"
    assert found.dataset.responsible.collection == "by hand" and found.dataset.license == "MIT"
    assert changes(found) == ["version 1.0.0 → 1.0.1", "what was said of it"]


def test_a_guess_that_the_owner_replaced_shows_its_ground_no_more(tmp_path, owned):
    del owned
    written = write_dataset_yaml(again(tmp_path, {"runs.csv": runs(80), "machines.csv": None}))
    assert "unit: the name temp_c" not in written and "unit: the name 压力(kPa)" in written


def test_a_description_of_thousands_of_columns_reads_back(tmp_path):
    head = "document: dataset/1\nname: wide\ntitle: wide\nowner: {organisation: lab}\n"
    head += "distribution:\n  - {kind: file, id: w.csv}\n"
    fields = "".join(
        f"      - {{name: g{at}, dataType: sc:Float, source: {{resource: w.csv, column: g{at}}}}}\n"
        for at in range(5000)
    )
    (tmp_path / "dataset.yaml").write_text(f"{head}recordSet:\n  - name: w\n    field:\n{fields}")
    assert len(load_document(Dataset, tmp_path / "dataset.yaml").record_sets[0].fields) == 5000
