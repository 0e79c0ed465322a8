"""``pilotbase data labels``: a campaign from blind sheets to the labels of a scenario, on the command line."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pilotbase.data.sources.opening import read_table
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.labelling import LabelledItems, LabelQuality
from pilotbase.documents.quality import LabelStatement
from tests.cli.test_command_line import run

GUIDELINE = b"A cat has whiskers.\n"
CASES = 40
DIFFER = 6


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    (tmp_path / "guideline.md").write_bytes(GUIDELINE)
    path = tmp_path / "campaign.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "document": "labelling/1",
                "name": "pets",
                "of": "clinic/pets",
                "guideline": {"version": "1.2", "file": "guideline.md", "digest": digest_bytes(GUIDELINE)},
                "classes": ["cat", "dog"],
                "annotators": [{"name": "a1"}, {"name": "a2"}],
                "adjudicator": "judge",
            }
        )
    )
    (tmp_path / "cases.csv").write_text("case,weight\n" + "".join(f"c{n},{n}.5\n" for n in range(CASES)))
    return path


@pytest.fixture
def labelled(campaign: Path) -> Callable[[], list[Path]]:
    """Return a filler of sheets that `assign` has written: both by one rule, the second otherwise on some."""

    def fill() -> list[Path]:
        folder = campaign.parent
        told = run("data", "labels", "assign", campaign, folder / "cases.csv", "--key", "case", "--out", folder / "s")
        assert told.exit_code == 0 and "a1: 40 items" in told.stdout, told.output
        for sheet in (paths := sorted((folder / "s").iterdir())):
            with sheet.open(encoding="utf-8-sig") as stream:
                rows = list(csv.DictReader(stream))
            for row in rows:
                number = int(row["item"].removeprefix("c"))
                row["label"] = "dog" if (number % 2) ^ (sheet.stem == "a2" and number < DIFFER) else "cat"
            with sheet.open("w", newline="") as stream:
                writer = csv.DictWriter(stream, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        return paths

    return fill


def test_from_blind_sheets_to_the_labels_of_a_scenario(campaign, labelled, tmp_path):
    sheets = labelled()
    told = run("data", "labels", "import", campaign, *sheets, "--out", tmp_path / "all.csv")
    assert told.exit_code == 0 and "80 labels of 40 items by 2 annotators" in told.stdout, told.output

    to_decide = tmp_path / "decide.csv"
    told = run("data", "labels", "disagreements", campaign, tmp_path / "all.csv", "--out", to_decide)
    assert told.exit_code == 0 and f"{DIFFER} items to decide" in told.stdout, told.output
    filled = to_decide.read_text("utf-8-sig").replace(",,\n", ",dog,It barks.\n")
    to_decide.write_text(filled, "utf-8")

    table = ["--table", tmp_path / "cases.csv", "--key", "case", "--target", "pet"]
    out = tmp_path / "final"
    told = run("data", "labels", "adjudicate", campaign, *sheets, "--decided", to_decide, *table, "--out", out)
    assert told.exit_code == 0 and "40 of 40 items" in told.stdout, told.output
    final = read_table(out / "labels.csv")
    assert final.columns == ["case", "weight", "pet"]
    expected = ["dog" if number < DIFFER or number % 2 else "cat" for number in range(CASES)]
    assert final["pet"].to_list() == expected
    origin = LabelledItems.model_validate_json((out / "labelled-items.json").read_bytes())
    assert sum(one.how == "decided" for one in origin.items) == DIFFER
    assert {source.file for source in origin.sources} == {"a1.csv", "a2.csv", "decide.csv", "cases.csv"}

    audit = tmp_path / "audit.csv"
    audit.write_text("item,label\n" + "".join(f"c{number},{expected[number]}\n" for number in range(20)))
    asked = ["data", "labels", "agreement", campaign, *sheets, "--decided", to_decide, "--audit", audit]
    quality = LabelQuality.from_json_value(json.loads(run(*asked, "--json").stdout))
    assert (quality.disagreements, quality.adjudicated, quality.audit.correct) == (DIFFER, DIFFER, 20)
    shown = run(*asked, "--out", tmp_path / "quality.json").stdout
    assert LabelQuality.model_validate_json((tmp_path / "quality.json").read_bytes()) == quality
    block = yaml.safe_load(next(line for line in shown.splitlines() if line.lstrip().startswith("labels:")))
    assert LabelStatement.model_validate(block["labels"]) == quality.statement()
    assert re.search(r"Cohen's kappa: 0\.7\d\d \[0\.\d+, 0\.\d+\]", shown)
    chinese = run(*asked, language="zh").stdout
    assert "审核标签准确率" in chinese and "Cohen κ 系数" in chinese


def test_what_a_person_has_filled_in_is_never_written_over(campaign, labelled, tmp_path):
    sheets = labelled()
    again = run("data", "labels", "assign", campaign, tmp_path / "cases.csv", "--key", "case", "--out", tmp_path / "s")
    assert again.exit_code == 2 and "a1.csv already exists" in again.stderr
    to_decide = tmp_path / "decide.csv"
    to_decide.write_text("mine")
    assert run("data", "labels", "disagreements", campaign, *sheets, "--out", to_decide).exit_code == 2
    assert to_decide.read_text() == "mine"


def test_where_nothing_can_be_written_is_said(campaign, labelled, tmp_path):
    sheets = labelled()
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file" / "all.csv", tmp_path):
        told = run("data", "labels", "import", campaign, *sheets, "--out", out)
        assert told.exit_code == 2 and "cannot be written" in told.stderr, told.output
    deep = tmp_path / "a" / "b" / "all.csv"
    assert run("data", "labels", "import", campaign, *sheets, "--out", deep).exit_code == 0 and deep.exists()


def test_all_mistakes_of_all_files_are_told_and_nothing_is_written(campaign, tmp_path):
    (tmp_path / "one.csv").write_text("item,annotator,label\nx,a1,cow\nx,a3,cat\n")
    (tmp_path / "two.json").write_text(json.dumps([{"id": 1, "annotations": [3]}]))
    files = [tmp_path / "one.csv", tmp_path / "two.json"]
    told = run("data", "labels", "import", campaign, *files, "--out", tmp_path / "all.csv")
    assert told.exit_code == 2
    for place in ("one.csv:2", "one.csv:3", "two.json [0].annotations[0]"):
        assert place in told.stderr
    assert not (tmp_path / "all.csv").exists()
    assert "one.csv" in run("data", "labels", "import", campaign, *files, language="zh").stderr
