"""``pilotbase data quality``: what is printed, written, and which code it exits with."""

from __future__ import annotations

import json

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.dataset import FileObject, Source
from pilotbase.documents.hashes import digest_file
from tests.data.quality.planted_for_tests import PLANTED, clean_table, description, device_table, devices, records


def run(*arguments: object, language: str = "en"):
    return CliRunner().invoke(app, ["data", "quality", *map(str, arguments)], env={"PILOTBASE_LANGUAGE": language})


def described(folder, **changes):
    """Write the table, what it refers to, and the description; return table and description."""

    def sourced(record_set, resource):
        fields = [one.model_copy(update={"source": Source(resource=resource)}) for one in record_set.fields]
        return record_set.model_copy(update={"fields": tuple(fields)})

    files = (FileObject(id="table", content_url="records.csv"), FileObject(id="others", content_url="devices.parquet"))
    sets = (sourced(records(), "table"), sourced(devices(), "others"))
    value = description(distribution=files, record_sets=sets, purpose="training", **changes)
    table = changes.pop("table", None) or clean_table(200)
    pl.DataFrame(table).write_csv(folder / "records.csv")
    device_table().write_parquet(folder / "devices.parquet")
    (folder / "dataset.yaml").write_text(yaml.safe_dump(value.to_json_value(), allow_unicode=True))
    return folder / "records.csv", folder / "dataset.yaml"


def with_label_on_record(table):
    for row in range(4):  # two records that look the same, so that label consistency can be measured
        for column in table:
            table[column][row] = table[column][row] if column in ("id",) else table[column][0]
    return table


def test_a_table_that_is_fit_exits_with_0_and_leaves_a_page(tmp_path):
    file, dataset = described(tmp_path)
    pl.DataFrame(with_label_on_record(clean_table(200))).write_csv(file)
    done = run(file, "--description", dataset, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "Fit for training" in done.output or "fit for training" in done.output
    report = json.loads((tmp_path / "out" / "quality.json").read_text())
    assert report["grade"]["outcome"] == "pass" and "quality.html" in done.output
    assert {rule["rule"]: rule.get("failed") for rule in report["rules"]}["reference device"] == 0
    assert (tmp_path / "out" / "quality.html").read_text().startswith("<!doctype html>")


def test_a_missed_measure_exits_with_3_and_names_rule_and_rows(tmp_path):
    file, dataset = described(tmp_path)
    table = clean_table(200)
    PLANTED["syntactic_accuracy"][0].plant(table, list(range(1, 121, 2)))
    pl.DataFrame(table).write_csv(file)
    done = run(file, "--description", dataset)
    assert done.exit_code == 3
    assert "rule type temperature: 60 of 200 fail, first in rows 2, 4, 6, 8, 10" in done.output


def test_what_could_not_be_measured_exits_with_4(tmp_path):
    file, dataset = described(tmp_path)
    done = run(file, "--description", dataset, "--quick")
    assert done.exit_code == 4
    assert "one pass" in done.output


def test_json_is_the_document(tmp_path):
    file, _ = described(tmp_path)
    done = CliRunner().invoke(app, ["data", "quality", str(file), "--json"])
    assert json.loads(done.stdout)["document"] == "quality/1"


def test_in_chinese(tmp_path):
    file, dataset = described(tmp_path)
    assert "语法准确性" in run(file, "--description", dataset, language="zh").output


def test_a_closed_table_keeps_its_rows_to_itself_unless_the_owner_asks(tmp_path):
    file, dataset = described(tmp_path, opening="compute_to_data")
    table = clean_table(200)
    PLANTED["syntactic_accuracy"][0].plant(table, list(range(1, 121, 2)))
    pl.DataFrame(table).write_csv(file)
    assert "first in rows" not in run(file, "--description", dataset).output
    assert "first in rows" in run(file, "--description", dataset, "--full").output


def broken(name: str, folder):
    made = {
        "unknown kind": ("table.doc", b"x"),
        "empty": ("table.csv", b""),
        "no table": ("table.parquet", b"PAR1 this is none"),
        "other encoding": ("table.csv", b"a,b\n\xff\xfe\x81,1\n"),
        "double column": ("table.csv", b"a,b,a\n1,2,3\n"),
        "row too long": ("table.csv", b"a,b\n1,2\n1,2,3\n"),
    }
    file, content = made[name]
    (folder / file).write_bytes(content)
    return folder / file


@pytest.mark.parametrize(
    "name", ["unknown kind", "empty", "no table", "other encoding", "double column", "row too long"]
)
def test_a_file_that_cannot_be_read_is_told_with_its_name(name, tmp_path):
    done = run(broken(name, tmp_path))
    assert done.exit_code == 2, done.output
    assert "table." in done.output and "Traceback" not in done.output


def test_a_file_of_no_record_set_is_told(tmp_path):
    _, dataset = described(tmp_path)
    (tmp_path / "other.csv").write_text("a\n1\n")
    done = run(tmp_path / "other.csv", "--description", dataset)
    assert done.exit_code == 2 and "other.csv" in done.output and "contentUrl" in done.output


def test_a_required_measure_that_nobody_knows_is_told_with_what_was_meant(tmp_path):
    file, dataset = described(tmp_path, required=({"measure": "uniquness", "at_least": 1},))
    done = run(file, "--description", dataset)
    assert done.exit_code == 2 and "uniqueness" in done.output


def test_a_table_in_another_encoding_or_kind_is_measured_too(tmp_path):
    (tmp_path / "table.csv").write_bytes("名称,值\n甲,1\n乙,\n".encode("gb18030"))
    (tmp_path / "table.jsonl").write_text('{"a": 1}\n{"a": null}\n{"a": 3}\n')
    for name, value in (("table.csv", 3 / 4), ("table.jsonl", 2 / 3)):
        report = json.loads(run(tmp_path / name, "--json", "--full").stdout)
        found = {one["measure"]: one.get("value") for one in report["measurements"]}
        assert found["value_completeness"] == pytest.approx(value, abs=0.01), name
        assert report["files"] == [name] and report["data"] == digest_file(tmp_path / name)
