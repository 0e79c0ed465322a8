"""Who has read a dataset, on the command line of a home."""

import json

from tests.cli.test_data_catalogue import published, run

__all__ = ["published", "run"]


def test_who_has_read_a_dataset_is_listed_and_narrowed(published, tmp_path):
    published("offer", "plant/logs", "acme", "--ends", "2099-01-01")
    said = published("readers", "plant/logs")
    assert "0 lines; the log has" in said
    published("preview", "plant/logs", "--organisation", "acme", code=5)
    said = published("readers", "dataset:plant/logs", "--kind", "refused")
    assert "acme: refused: " in said and "1 lines" in said and "What happened: refused 1" in said
    assert "已拒绝" in published("readers", "plant/logs", language="zh")
    (line,) = json.loads(published("readers", "plant/logs", "--json"))["items"]
    assert (line["organisation"], line["channel"], line["times"]) == ("acme", "pb:preview", 1)
    assert "0 lines" in published("readers", "plant/logs", "--before", str(line["number"]))
    published("readers", "plant/none", code=2)
    published("readers", "plant/logs", "--kind", "nothing", code=2)
