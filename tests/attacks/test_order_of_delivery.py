"""A supplier reads nothing but the place of a case: in its batch, in the run, in the size of the batch."""

import json
import random
import shutil
from itertools import groupby, product
from pathlib import Path

import polars as pl
import pytest

from pilotbase.data.splits import split_cases
from pilotbase.documents.base import Step
from pilotbase.trial.scenario_folder import load_scenario, read_cases
from tests.trial.conftest import MANIFEST
from tests.worker.sites.homes_for_tests import two_homes

SCENARIO = """
document: scenario/1
name: {name}
title: {{en: Sorted, zh: 排好的表}}
owner: {{organisation: plant}}
action: industry
problem: {{en: P., zh: 问。}}
intended_use: {{en: U., zh: 用。}}
data:
  file: cases.csv
  licence: CC0-1.0
  fields:
    - {{name: case_id, dataType: sc:Text}}
    - {{name: pressure, dataType: sc:Float}}
    - {{name: day, dataType: sc:Integer}}
    - {{name: kind, dataType: sc:Text}}
  target: kind
  key: case_id
  withheld: [day]
  split: {split}
task: classification
baseline: {{kind: constant, value: {first}}}
criteria: [{criteria}]
trial:
  attempts: 5
  cases_per_attempt: {cases}
  batch_rows: {rows}
  stop: full
  {more}
  limits: {{load_seconds: 60, batch_seconds: 30}}
"""
CASES = 280
"""Hidden cases, all of them in one attempt: a place in the run is then a place in the table."""
BY_HASH, LATER = "{method: hash, hidden: 0.5}", f"{{method: time, column: day, hidden_from: '{CASES}'}}"


def in_order(classes):
    return lambda row, rows: row * classes // rows


TABLES = {
    "seven classes in order": (7, in_order(7), BY_HASH),
    "five classes in order": (5, in_order(5), BY_HASH),
    "two classes in order": (2, in_order(2), BY_HASH),
    "five classes in forty groups": (5, lambda row, rows: row * 40 // rows % 5, BY_HASH),
    "five classes in turn": (5, lambda row, rows: row % 5, LATER),
}

BLIND = """
import json
from pathlib import Path

KNOWN = json.loads(Path(__file__).with_name("places.json").read_text())
done = 0

def at(share):
    for label, end in KNOWN["runs"]:
        if share < end:
            break
    return label

def predict(batch):
    global done
    first, done = done, done + batch.rows
    return [answer(first + i, i, batch.rows) for i in range(batch.rows)]

def answer(turn, i, rows):
    return """
PROGRAMS = {
    "place in the batch": "at((i + 0.5) / rows)",
    "place in the run": "at((turn + 0.5) / KNOWN['cases'])",
    "turn by turn": "KNOWN['begins'][turn % 5]",
    "size of the batch": "at((turn + 0.5) / KNOWN['cases']) if rows < KNOWN['rows'] else at((i + 0.5) / rows)",
}
"""By what each answers; the runs of classes are those of the public sample."""

QUICK = [
    ("seven classes in order", "size of the batch"),
    ("two classes in order", "place in the run"),
    ("five classes in turn", "turn by turn"),
]
"""A table and a place each; what was answered far better than by chance while cases came in the order of the file."""


def write_table(folder: Path, name: str, by: str = "", more: str = "", criteria: tuple[str, ...] = ()) -> dict:
    """Write a scenario whose one feature says nothing; return what its public sample tells of the order."""
    classes, kind, split = TABLES[name]
    rows = 512 if by == "place in the batch" else 64
    rules = [f"accuracy >= {0.7 if classes == 2 else 2 / classes:.2f}", *criteria]
    write_scenario(
        folder,
        criteria=", ".join(f"{{rule: '{rule}'}}" for rule in rules),
        values={"split": split, "rows": rows, "more": more, "first": "k0"},
        cases=[(random.Random(row).uniform(0, 10), f"k{kind(row, 2 * CASES)}") for row in range(2 * CASES)],
    )
    document, _ = load_scenario(folder, Step.DRAFT)
    public = split_cases(read_cases(document, folder), document).public["kind"].to_list()
    runs, seen = [], 0
    for label, run in groupby(public):
        seen += len(list(run))
        runs.append([label, seen / len(public)])
    return {"runs": runs, "cases": 250, "rows": rows, "begins": public[:5]}


def write_scenario(folder: Path, criteria: str, values: dict, cases: list[tuple[float, str]]) -> None:
    folder.mkdir(exist_ok=True)
    # With a split by hash not every second case is hidden: fewer than half are taken, so that there are enough.
    hidden = CASES if values["split"] == LATER else 250
    given = {"name": folder.name, "cases": hidden, "criteria": criteria, **values}
    (folder / "scenario.yaml").write_text(SCENARIO.format(**given))
    lines = [f"c{row},{pressure:.6f},{row},{kind}" for row, (pressure, kind) in enumerate(cases)]
    (folder / "cases.csv").write_text("\n".join(["case_id,pressure,day,kind", *lines, ""]))


def write_blind(folder: Path, by: str, places: dict) -> Path:
    folder.mkdir()
    (folder / "application.yaml").write_text(MANIFEST.format(name="blind", supplier="acme"))
    (folder / "app.py").write_text(f"{BLIND}{PROGRAMS[by]}\n")
    (folder / "places.json").write_text(json.dumps(places))
    return folder


def most_by_chance(classes: int, cases: int) -> float:
    """Return a share of right answers that guessing passes once in three million times."""
    return 1 / classes + 5 * ((1 / classes) * (1 - 1 / classes) / cases) ** 0.5


def guesses(pilotbase, tmp_path, name, by):
    places = write_table(tmp_path / "table", name, by)
    out = tmp_path / "out"
    told = pilotbase("trial", "run", tmp_path / "table", write_blind(tmp_path / "blind", by, places), "--out", out)
    report = json.loads((out / "report.json").read_text())
    (criterion,) = report["criteria"]
    assert report["counts"]["answered"] == report["counts"]["scored"] >= 250
    assert criterion["estimate"] <= most_by_chance(TABLES[name][0], report["counts"]["scored"])
    assert told.exit_code == (3 if report["verdict"] == "reject" else 0)
    return report


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("name", "by"), QUICK)
def test_who_reads_nothing_but_places_guesses(pilotbase, tmp_path, name, by):
    report = guesses(pilotbase, tmp_path, name, by)
    assert report["verdict"] == "reject"
    found = {one["check"]: one for section in report["sections"] for one in section["findings"]}["row_order"]
    assert found["outcome"] == "pass"
    if name == "two classes in order":
        assert found["sentence"]["code"] == "data.leakage.rows_hidden"


@pytest.mark.prove
@pytest.mark.parametrize(("name", "by"), [pair for pair in product(TABLES, PROGRAMS) if pair not in QUICK])
def test_no_table_is_answered_by_any_place(pilotbase, tmp_path, name, by):
    assert guesses(pilotbase, tmp_path, name, by)["verdict"] == "reject"


@pytest.mark.prove
def test_a_perturbed_arm_is_asked_in_an_order_of_its_own(pilotbase, tmp_path):
    """The answers by place are right in no arm, and agree between two arms as often as chance has it."""
    by, drop = "place in the run", "drop(accuracy under noise(0.1)) <= 0.5"
    places = write_table(tmp_path / "table", "seven classes in order", by, criteria=(drop,))
    out = tmp_path / "out"
    pilotbase("trial", "run", tmp_path / "table", write_blind(tmp_path / "blind", by, places), "--out", out)
    table = pl.read_csv(out / "cases.csv")
    clean, perturbed, truth = (table[name] for name in ("prediction", "prediction under noise(0.1)", "truth"))
    bound = most_by_chance(7, table.height)
    assert table.height == 250 and truth.null_count() == 0
    assert max((clean == truth).mean(), (perturbed == truth).mean(), (clean == perturbed).mean()) <= bound


@pytest.mark.prove
def test_a_board_is_not_climbed_by_places(pilotbase, tmp_path):
    by, board = "place in the run", "board: {measure: accuracy, share: 0.4, entries: 3}"
    places = write_table(tmp_path / "table", "seven classes in order", by, board)
    scenario = (tmp_path / "table" / "scenario.yaml").read_text().replace("cases_per_attempt: 250", "")
    (tmp_path / "table" / "scenario.yaml").write_text(scenario)
    cases = round(0.4 * CASES)
    blind = write_blind(tmp_path / "blind", by, {**places, "cases": cases})
    told = pilotbase("trial", "board", tmp_path / "table", blind, "--json")
    assert json.loads(told.stdout)["submission"]["released"] <= most_by_chance(7, cases)


@pytest.mark.prove
def test_a_trial_at_a_site_is_not_answered_by_places(tmp_path):
    by = "place in the run"
    with two_homes(tmp_path) as homes:
        shutil.rmtree(homes.scenario)
        homes.scenario = homes.scenario.with_name("small-alarm")
        places = write_table(homes.scenario, "seven classes in order", by)
        homes.enrol()
        ran = homes.run(homes.pack(write_blind(tmp_path / "blind", by, places)).file)
    assert ran.report.criteria[0].estimate <= most_by_chance(7, 250)
    assert ran.report.verdict.value == "reject"


REMEMBERS = """
before = 5.0

def predict(batch):
    global before
    answers = []
    for pressure in batch["pressure"]:
        answers.append("up" if pressure > before else "down")
        before = pressure
    return answers
"""
"""Needs the case of the day before."""


@pytest.mark.parametrize(
    "declared", [True, pytest.param(False, marks=pytest.mark.prove)], ids=["declared", "not declared"]
)
def test_time_is_an_order_of_delivery_only_where_the_scenario_says_so(pilotbase, tmp_path, write_application, declared):
    draw = random.Random(4)
    pressures = [draw.uniform(0, 10) for _ in range(2 * CASES)]
    risen = ["up" if now > before else "down" for before, now in zip([5.0, *pressures], pressures, strict=False)]
    values = {"split": LATER, "rows": 64, "more": "delivery: in_time" if declared else "", "first": "up"}
    write_scenario(
        tmp_path / "table",
        criteria="{rule: accuracy >= 0.9}",
        values=values,
        cases=list(zip(pressures, risen, strict=True)),
    )
    checked = pilotbase("scenario", "check", tmp_path / "table")
    assert ("deliver cases in the order of day" in checked.stdout) is declared
    out = tmp_path / "out"
    pilotbase("trial", "run", tmp_path / "table", write_application(REMEMBERS), "--out", out)
    report, plan = (json.loads((out / name).read_text()) for name in ("report.json", "plan.json"))
    assert (report["verdict"], plan.get("delivery")) == (("accept", "in_time") if declared else ("reject", None))
    page = (out / "report.html").read_text()
    for words in ("Cases were delivered in the order of day", "案例依 day 的次序送达"):
        assert (words in page) is declared
    assert pilotbase("trial", "replay", out).exit_code == 0
