"""Who has read a dataset, and whose copy has leaked, on the command line of a home."""

import json

from pilotbase.documents.vocabularies import Opening
from tests.catalogue.agreements_for_tests import dataset
from tests.cli.test_data_catalogue import published, run
from tests.worker.datasets.test_marking import table

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
