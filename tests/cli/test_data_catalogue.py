"""``pilotbase data list``: the catalogue in a home, in both languages."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.data.commitments import commitment, salt_of
from pilotbase.documents.hashes import digest_file, hex_of
from pilotbase.documents.vocabularies import Opening
from tests.catalogue.agreements_for_tests import dataset
from tests.worker.datasets.reports_for_tests import LOGS, quality_report
from tests.worker.datasets.test_marking import table


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))

    def run(*words, code=0, language="en"):
        monkeypatch.setenv("PILOTBASE_LANGUAGE", language)
        done = CliRunner().invoke(app, ["data", *words])
        assert done.exit_code == code, done.output
        return done.output

    return run


@pytest.fixture
def published(run, tmp_path):
    path = tmp_path / "logs.json"
    path.write_text(json.dumps(dataset(sector="manufacturing", recordSet=LOGS).to_json_value()))
    run("publish", str(path))
    return run


def test_datasets_are_listed_with_what_there_is_of_each(published):
    listed = published("list", "torque", "--sector", "manufacturing")
    assert "plant/logs: Spindle logs – Published, compute to data, CC-BY-4.0" in listed
    assert "1 dataset" in listed and "Licence: CC-BY-4.0 1" in listed
    chinese = published("list", "扭矩", language="zh")
    assert "主轴日志" in chinese and "共 1 个数据集" in chinese
    assert json.loads(published("list", "--opening", "open", "--json"))["items"] == []


def test_contributions_are_told_in_both_languages(published):
    assert "plant/logs: Spindle logs – published" in published("contributions", "plant")
    assert "plant: 1 dataset; 0 agreements, 0 uses" in published("contributions")
    assert "1 个版本；0 份生效合约" in published("contributions", language="zh")
    assert json.loads(published("contributions", "nobody", "--json"))["datasets"] == []


def test_files_are_kept_shown_and_fetched_on_their_terms(run, tmp_path):
    described, table = tmp_path / "logs.json", tmp_path / "logs.csv"
    table.write_text("torque\n1.5\n2.5\n")
    value = dataset(opening=Opening.ON_TERMS, files={"logs.csv": table.read_bytes()}).to_json_value()
    described.write_text(json.dumps(value))
    run("publish", str(described))
    assert "logs.csv: 15 bytes, 2 rows, stored" in run("keep", "plant/logs", str(table))
    out = tmp_path / "out"
    assert "no agreement" in run("fetch", "plant/logs", "--organisation", "acme", "--out", str(out), code=5)
    assert list(out.iterdir()) == []
    made = json.loads(run("take", "plant/logs", "acme", "--json"))["subject"].partition(":")[2]
    assert "the first 2 of 2 rows" in run("preview", "plant/logs", "--organisation", "acme")
    assert "已写入" in run("fetch", "plant/logs", "--organisation", "acme", "--out", str(out), language="zh")
    assert (out / "logs.csv").read_bytes() == table.read_bytes()
    assert len(json.loads(run("uses", "plant/logs", "--json"))) == 2
    run("revoke", made)
    run("fetch", "plant/logs", "--organisation", "acme", "--out", str(out), code=5)
    assert "Nothing was erased" in run("erase", "plant/logs")
    assert "已删除 1 个文件" in run("erase", "plant/logs", "logs.csv", "--yes", language="zh")
    assert "has no file logs.csv" in run("erase", "plant/logs", "logs.csv", "--yes", code=2)


def test_closed_files_are_held_against_their_commitment_under_the_owners_salt(run, tmp_path):
    table, salt = tmp_path / "logs.csv", tmp_path / "logs.salt"
    table.write_text("torque\n1.5\n")
    salt.write_text("ab" * 32 + "\n")
    told = commitment(hex_of(digest_file(table)), salt_of("logs.csv", bytes.fromhex("ab" * 32)))
    closed = dataset()
    files = tuple(one.model_copy(update={"commitment": told}) for one in closed.distribution)
    described = closed.model_copy(update={"distribution": files}).to_json_value()
    (tmp_path / "logs.json").write_text(json.dumps(described))
    run("publish", str(tmp_path / "logs.json"))
    assert "logs.csv: 11 bytes" in run("keep", "plant/logs", str(table), "--salt", str(salt))
    table.write_text("torque\n1.6\n")
    assert "differs from the file described" in run("keep", "plant/logs", str(table), "--salt", str(salt), code=2)
    assert "logs.csv: 11 bytes" in run("keep", "plant/logs", str(table)), "nothing is held against it without"


def test_a_quality_report_is_published_and_found(published, tmp_path):
    path = tmp_path / "quality.json"
    path.write_text(json.dumps(quality_report().to_json_value()))
    assert "quality of dataset:plant/logs 1.0.0: pass" in published("grade", str(path))
    assert "quality pass" in published("list", "--quality", "pass")
    path.write_text(json.dumps(quality_report(version="2.0.0").to_json_value()))
    assert "该报告针对 dataset:plant/logs 2.0.0" in published("grade", str(path), code=2, language="zh")


def test_a_published_report_goes_with_the_description_of_its_version_alone(published, tmp_path):
    report = tmp_path / "quality.json"
    found = {"measure": "value_completeness", "recordSet": "logs", "codes": {}, "state": "measured", "formula": "a/b"}
    found |= {"direction": "higher", "value": 0.97, "numerator": 970, "denominator": 1000}
    report.write_text(json.dumps(quality_report(measurements=[found]).to_json_value()))
    assert "dqv:hasQualityMeasurement" not in json.loads(published("export", "plant/logs"))["recordSet"][0]
    published("grade", str(report))
    told = json.loads(published("export", "plant/logs"))["recordSet"][0]["dqv:hasQualityMeasurement"]
    assert (told["dqv:value"], told["pb:numerator"], told["pb:denominator"]) == (0.97, 970, 1000)
    later = tmp_path / "later.json"
    later.write_text(json.dumps(dataset("1.1.0", recordSet=LOGS).to_json_value()))
    published("publish", str(later))
    assert "dqv:hasQualityMeasurement" not in json.loads(published("export", "plant/logs"))["recordSet"][0]


def test_versions_tell_what_changed(published, tmp_path):
    path = tmp_path / "logs.json"
    more = [{**LOGS[0], "rows": 500}]
    path.write_text(json.dumps(dataset("2.0.0", sector="manufacturing", recordSet=more).to_json_value()))
    published("publish", str(path))
    told = published("versions", "plant/logs")
    assert "logs: – → 500 rows" in told and "agreements for earlier versions do not cover it" in told
    assert [one["version"] for one in json.loads(published("versions", "plant/logs", "--json"))] == ["2.0.0", "1.0.0"]
    assert "logs：– → 500 行" in published("versions", "plant/logs", "--since", "1.0.0", language="zh")
    assert "Version 1.2.0 does not exist" in published("versions", "plant/logs", "--since", "1.2.0", code=2)


__all__ = ["published", "run"]


def test_who_has_read_a_dataset_is_listed_and_narrowed(published, tmp_path):
    published("offer", "plant/logs", "acme", "--ends", "2099-01-01")
    said = published("readers", "plant/logs")
    assert "0 lines; the log has" in said
    published("preview", "plant/logs", "--organisation", "acme", code=5)
    said = published("readers", "dataset:plant/logs", "--kind", "refused")
    assert "acme: refused: " in said and "1 line;" in said and "What happened: refused 1" in said
    assert "已拒绝" in published("readers", "plant/logs", language="zh")
    (line,) = json.loads(published("readers", "plant/logs", "--json"))["items"]
    assert (line["organisation"], line["channel"], line["times"]) == ("acme", "pb:preview", 1)
    assert "0 lines" in published("readers", "plant/logs", "--before", str(line["number"]))
    published("readers", "plant/none", code=2)
    published("readers", "plant/logs", "--kind", "nothing", code=2)


def test_a_leaked_copy_is_recognised_on_the_command_line(run, tmp_path):
    usage = json.loads(run("terms", "on_terms", "plant/logs", "--marked"))
    assert "odrl:watermark" in json.dumps(usage)
    what = dataset(opening=Opening.ON_TERMS, files={"logs.csv": table()}).to_json_value() | {"usageInfo": usage}
    (tmp_path / "logs.json").write_text(json.dumps(what))
    (tmp_path / "logs.csv").write_bytes(table())
    run("publish", str(tmp_path / "logs.json"))
    run("take", "plant/logs", "acme")
    assert "logs.csv is marked" in run("keep", "plant/logs", str(tmp_path / "logs.csv"))
    assert "No one has fetched it" in run("canaries", str(tmp_path / "logs.csv"), "plant/logs")
    run("fetch", "plant/logs", "--organisation", "acme", "--out", str(tmp_path / "acme"))
    said = run("canaries", str(tmp_path / "acme" / "logs.csv"), "plant/logs")
    assert "32 of 64 canaries" in said and "acme: 32 of the 32 in its copy" in said
    assert "32 行标记中的 32 行" in run("canaries", str(tmp_path / "acme" / "logs.csv"), "plant/logs", language="zh")
    (found,) = json.loads(run("canaries", str(tmp_path / "logs.csv"), "plant/logs", "--json"))
    assert (found["found"], found["chance"]) == (0, 1.0)
    run("canaries", str(tmp_path / "none.csv"), "plant/logs", code=2)
