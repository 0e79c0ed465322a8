"""`pilotbase data check` and `data export`: what somebody with a description in hand is told and given."""

import hashlib
import json

import pytest
import yaml

from pilotbase.data.croissant.writing import write_croissant
from tests.cli.test_command_line import run
from tests.data.croissant.datasets_for_tests import complete, read
from tests.data.croissant.faults_for_tests import FAULTS, spoiled

TABLE = "pump,hour,flow,state\np1,2026-05-01T00:00:00Z,7.5,ok\np2,2026-05-01T01:00:00Z,NA,worn\n"
SHA = hashlib.sha256(TABLE.encode()).hexdigest()
DQV = "dqv:hasQualityMeasurement"


@pytest.fixture
def folder(tmp_path):
    """A description beside its table, as its owner has them."""
    spelled = complete().to_json_value()
    flow = spelled["recordSet"][0]["field"][2]
    flow |= {"name": "flow", "source": {"resource": "pumps.csv", "column": "flow", "transforms": []}}
    spelled["distribution"][0]["sha256"] = SHA
    (tmp_path / "dataset.yaml").write_text(yaml.safe_dump(spelled, allow_unicode=True), "utf-8")
    (tmp_path / "pumps.csv").write_text(TABLE, "utf-8")
    return tmp_path


def put(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")
    return path


def test_a_complete_description_is_said_to_be_complete(folder):
    found = run("data", "check", folder / "dataset.yaml")
    assert found.exit_code == 0
    assert "nothing is missing" in found.stdout and "pumps (open)" in found.stdout


@pytest.mark.parametrize(("language", "said"), [("en", "This is missing."), ("zh", "此项缺失。")])
def test_what_is_lacking_is_told_with_line_and_remedy(folder, language, said):
    path = folder / "dataset.yaml"
    path.write_text(path.read_text("utf-8").replace("license: CC-BY-4.0\n", "").replace("1234", "null"), "utf-8")
    found = run("data", "check", path, language=language)
    assert found.exit_code == 3
    assert f" license: {said}" in found.stdout
    assert f" distribution[0].contentSize: {said}" in found.stdout


def test_faults_are_told_all_at_once_and_as_json(tmp_path):
    value = spoiled(FAULTS["bad day"])
    FAULTS["unknown type"].change(value)
    path = put(tmp_path / "croissant.json", value)
    found = run("data", "check", path, "--json")
    told = json.loads(found.stdout)
    assert (found.exit_code, told["format"], told["version"], told["dataset"]) == (2, "croissant", "1.1", None)
    assert [one["path"] for one in told["faults"]] == [FAULTS["bad day"].place, FAULTS["unknown type"].place]
    assert all(one["line"] and one["en"] != one["zh"] for one in told["faults"])
    plain = run("data", "check", path)
    assert plain.exit_code == 2 and "sc:Flaot" in plain.stdout and "sc:Float" in plain.stdout


def test_what_is_not_kept_is_told_once_with_how_often(tmp_path):
    value = write_croissant(complete())
    for field in value["recordSet"][0]["field"]:
        field["alternateName"] = "x"
    found = run("data", "check", put(tmp_path / "croissant.json", value))
    assert found.exit_code == 0
    assert found.stdout.count("alternateName has no place") == 1 and "and 3 more" in found.stdout


def test_a_file_in_no_format_is_refused(tmp_path):
    found = run("data", "check", put(tmp_path / "other.json", {"a": 1}), language="zh")
    assert found.exit_code == 2 and "Croissant" in found.stderr


def test_words_of_strangers_steer_no_terminal(tmp_path):
    value = write_croissant(complete())
    value["\x1b[31mred"] = "x"
    value["recordSet"][0]["field"][0]["dataType"] = "sc:\x1b[2J"
    found = run("data", "check", put(tmp_path / "croissant.json", value))
    assert "\x1b" not in found.stdout + found.stderr


def test_an_export_reads_back_as_the_same(folder):
    out = folder / "croissant.json"
    found = run("data", "export", folder / "dataset.yaml", "--out", out)
    assert found.exit_code == 0 and str(out) in found.stderr
    exported = read(json.loads(out.read_text("utf-8"))).require()
    assert exported.to_json_value() == yaml.safe_load((folder / "dataset.yaml").read_text("utf-8"))


def test_an_export_says_what_it_leaves_out(folder):
    found = run("data", "export", folder / "dataset.yaml", "--as", "frictionless")
    assert json.loads(found.stdout)["resources"][0]["path"] == "pumps.csv"
    assert "usageInfo" in found.stderr and "recordSet.split" in found.stderr


def test_records_are_exported_from_the_table_beside_the_description(folder):
    found = run("data", "export", folder / "dataset.yaml", "--as", "tc609")
    first, second = map(json.loads, found.stdout.splitlines())
    assert first["data_content"] == [{"media_type": "application/json", "content": {"flow": 7.5}}]
    assert (first["annotation"]["label"], second["annotation"]["label"]) == (["ok"], ["worn"])
    assert (first["id"], first["generated_data_indicator"]) == ("p1/2026-05-01T00:00:00Z", 0)
    assert second["data_content"][0]["content"] == {"flow": None}
    out = folder / "records.jsonl"
    out.write_text(found.stdout, "utf-8")
    assert run("data", "check", out).exit_code == 3


def test_records_of_a_closed_dataset_and_files_elsewhere_are_not_exported(folder):
    path = folder / "dataset.yaml"
    spelled = path.read_text("utf-8")
    path.write_text(spelled.replace("opening: open", "opening: compute_to_data"), "utf-8")
    closed = run("data", "export", path, "--as", "tc609")
    assert closed.exit_code == 2 and not closed.stdout
    (folder / "inner").mkdir()
    inner = folder / "inner" / "dataset.yaml"
    inner.write_text(spelled.replace("contentUrl: pumps.csv", "contentUrl: ../pumps.csv"), "utf-8")
    outside = run("data", "export", inner, "--as", "tc609")
    assert outside.exit_code == 2 and "../pumps.csv" in outside.stderr and not outside.stdout


def test_what_was_measured_is_said_beside_it(folder):
    out = folder / "quality"
    measured = run("data", "quality", folder / "pumps.csv", "--description", folder / "dataset.yaml", "--out", out)
    assert (out / "quality.json").is_file(), measured.stderr
    found = run("data", "export", folder / "dataset.yaml", "--quality", out / "quality.json")
    record_set = json.loads(found.stdout)["recordSet"][0]
    values = {one["dqv:isMeasurementOf"]: one["dqv:value"] for one in record_set["dqv:hasQualityMeasurement"]}
    assert len(values) > 3 and all(isinstance(value, float | int) for value in values.values())
    flow = {one["name"]: one["value"] for one in record_set["field"][2]["annotation"]}
    assert flow == {"mean": 7.5, "minimum": 7.5, "maximum": 7.5}
    refused = run("data", "export", folder / "dataset.yaml", "--as", "odcs", "--quality", out / "quality.json")
    assert refused.exit_code == 2 and "Open Data Contract" in refused.stderr


def test_a_report_of_another_version_or_for_the_owner_alone_is_not_said_beside_it(folder):
    path, out = folder / "dataset.yaml", folder / "quality"
    spelled = path.read_text("utf-8").replace("opening: open", "opening: compute_to_data")
    path.write_text(spelled, "utf-8")
    run("data", "quality", folder / "pumps.csv", "--description", path, "--out", out, "--full")
    full = run("data", "export", path, "--quality", out / "quality.json")
    assert full.exit_code == 2 and "owner" in full.stderr and not full.stdout
    path.write_text(spelled.replace("version: 1.2.0", "version: 1.3.0"), "utf-8")
    other = run("data", "export", path, "--quality", out / "quality.json")
    assert other.exit_code == 2 and "1.3.0" in other.stderr and not other.stdout


def measures(found):
    """Return measure → value of every measurement in what was written, of the whole or of its record set."""
    value = json.loads(found.stdout)
    told = [*value.get(DQV, ()), *(one for held in value.get("recordSet", ()) for one in held.get(DQV, ()))]
    return {one["dqv:isMeasurementOf"].rpartition(":")[2]: one["dqv:value"] for one in told}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("form", ["croissant", "dcat"])
def test_what_was_measured_of_this_version_is_said_unasked_and_read_back(folder, form):
    path, theirs = folder / "dataset.yaml", folder / "away" / "theirs.json"
    run("data", "quality", folder / "pumps.csv", "--description", path, "--out", folder)
    report = json.loads((folder / "quality.json").read_text("utf-8"))
    expected = {one["measure"]: one["value"] for one in report["measurements"] if "value" in one}
    found = run("data", "export", path, "--as", form)
    assert measures(found) == expected and len(expected) > 3
    assert "quality.json" in found.stderr
    assert f'"pb:data": "sha256:{SHA}"' in found.stdout and f'"pb:method": "{report["method"]}"' in found.stdout
    theirs.parent.mkdir()
    theirs.write_text(found.stdout, "utf-8")
    assert measures(run("data", "export", theirs, "--as", form)) == expected
    assert json.loads(run("data", "check", theirs, "--json").stdout)["notHeld"] == []
    assert "it cannot hold: " in (left_out := run("data", "export", theirs, "--as", "odcs").stderr)
    assert "quality" in left_out


@pytest.mark.parametrize(
    ("there", "instead", "said"), [("version: 1.2.0", "version: 1.3.0", "1.3.0"), (SHA, "a" * 64, "pumps.csv")]
)
def test_what_was_measured_of_another_version_or_of_other_bytes_is_never_said(folder, there, instead, said):
    path = folder / "dataset.yaml"
    run("data", "quality", folder / "pumps.csv", "--description", path, "--out", folder)
    path.write_text(path.read_text("utf-8").replace(there, instead), "utf-8")
    found = run("data", "export", path)
    assert found.exit_code == 0 and measures(found) == {} and said in found.stderr


def test_an_unknown_format_or_dataset_is_refused_in_words(folder):
    found = run("data", "export", folder / "dataset.yaml", "--as", "croisant")
    assert found.exit_code == 2 and "croissant" in found.stderr
    assert run("data", "export", "plant/nothing").exit_code == 2


def test_a_description_of_others_becomes_one_of_our_own_with_its_hashes(tmp_path):
    value = write_croissant(complete())
    del value["pb:opening"]
    value["conformsTo"].pop()
    theirs = put(tmp_path / "theirs.json", value)
    own = tmp_path / "dataset.json"
    assert run("data", "export", theirs, "--as", "dataset", "--out", own).exit_code == 0
    held = json.loads(own.read_text("utf-8"))
    assert (held["opening"], held["distribution"][0]["sha256"]) == ("compute_to_data", "a" * 64)
    checked = run("data", "check", own, "--json")
    assert json.loads(checked.stdout)["format"] == "dataset"
    exported = run("data", "export", own)
    assert "a" * 64 not in exported.stdout and "sha256:" in exported.stdout
