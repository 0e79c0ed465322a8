"""A synthetic sample keeps its source's contract, comes from the profile alone, and is tested for privacy."""

import json

import numpy as np
import polars as pl
import pytest

from pilotbase.data.bridges.reading import load_description
from pilotbase.data.conform import conform
from pilotbase.data.private import synthetic
from pilotbase.data.private.profiling import profile
from pilotbase.data.private.synthesis import spell, synthesise
from pilotbase.data.private.synthetic import make_sample, write_sample
from pilotbase.data.quality.measuring import measure_quality
from pilotbase.data.sources.opening import read_table
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.scenario import Scenario
from tests.data.private.closed_for_tests import DATASET, FIELDS, described, question, runs, table_of


@pytest.fixture(scope="module")
def data():
    return runs()


def passing(dataset, data, rows, **changes):
    """Return a sample that passes, and its profile: one in twenty of a good generator is refused."""
    table = table_of(dataset, data)
    for _ in range(6):
        found = profile(table, question(dataset, holdout=True, **changes))
        try:
            return make_sample(dataset, found, table, rows), found
        except RefusedError:
            continue
    raise AssertionError("refused six times")


@pytest.fixture(scope="module")
def both(data):
    return passing(described(), data, 1500)


@pytest.fixture(scope="module")
def sample(both):
    return both[0]


@pytest.fixture(scope="module")
def released(both):
    return both[1]


@pytest.fixture(scope="module")
def folder(sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(sample, folder)
    return folder


def test_every_rule_of_the_contract_holds(sample, folder):
    report = measure_quality(sample.dataset, {"runs": folder / sample.file})
    assert {rule.rule: rule.failed for rule in report.rules if rule.failed != 0} == {}
    assert {rule.kind for rule in report.rules} >= {"required", "type", "range", "pattern", "values", "key", "row"}
    assert report.profiles[0].rows == 1500


def test_it_is_labelled_synthetic_wherever_it_is_named(sample, folder):
    assert sample.file == "milling-synthetic.csv"
    dataset = load_description(folder / "milling-synthetic.croissant.json").description.dataset
    assert dataset.synthetic
    assert dataset.name == "milling-synthetic"
    assert dataset.provenance.derived_from == (DATASET,)
    assert dataset.title.en == "Milling (synthetic)"
    assert dataset.title.zh == "铣削（合成）"
    assert dataset.description.en.startswith("SYNTHETIC")
    assert dataset.record_sets[0].field("generated_data_indicator").value == "1"
    lines = (folder / "milling-synthetic.tc609.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 1500
    assert all(json.loads(line)["generated_data_indicator"] == 1 for line in lines)
    assert all(json.loads(line)["source"] == DATASET for line in lines)


def test_labels_depend_on_fields_as_in_the_source(sample, data):
    made = sample.table
    for name in ("torque", "wear"):
        truly = [data.filter(failed=one)[name].fill_nan(None).mean() for one in ("false", "true")]
        found = [made.filter(pl.col("failed") == one)[name].mean() for one in (False, True)]
        assert found[1] - found[0] == pytest.approx(truly[1] - truly[0], rel=0.25)
    assert made["torque"].null_count() / made.height == pytest.approx(0.1, abs=0.05)


def test_it_comes_from_the_profile_and_the_contract_alone(sample, released):
    assert synthesise(released, described().record_sets[0], 1500).equals(sample.table)
    written = sample.table.write_csv()
    assert "secret" not in written
    assert "machine 1" not in written


def test_the_sample_of_a_good_generator_passes(sample):
    assert sample.test.passed
    assert sample.test.nearest.lower < 0.5 < sample.test.nearest.upper + 0.05
    assert sample.test.nearest.compared == 1500


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_a_generator_that_copies_records_is_caught(data, released, monkeypatch, share):
    """It copies records of the profiled part, all of them or three in ten, and makes up the others."""
    dataset, honest = described(), synthetic.synthesise
    table = table_of(dataset, data)
    training = synthetic.Units(table, released.unit).training(holdout=True)
    copied = training.frame.select(data.columns).collect()

    def copier(given, record_set, rows):
        made = honest(given, record_set, rows)
        several = copied.sample(int(rows * share), seed=1, with_replacement=True).select(made.columns)
        return pl.concat([several.cast(dict(made.schema)), made.head(rows - several.height)])

    monkeypatch.setattr(synthetic, "synthesise", copier)
    with pytest.raises(RefusedError, match="nearer"):
        make_sample(dataset, released, table, 1500)


def test_a_generator_that_only_blurs_records_is_caught_too(data, released, monkeypatch):
    dataset = described()
    table = table_of(dataset, data)
    training = synthetic.Units(table, released.unit).training(holdout=True)
    random = np.random.default_rng(2)

    def blurring(given, record_set, rows):
        chosen = training.frame.select(data.columns).collect().sample(rows, seed=4, with_replacement=True)
        blurred = chosen["torque"].fill_nan(None) + pl.Series(random.normal(0, 0.01, rows))
        return chosen.with_columns(blurred.clip(0, 100).alias("torque"))

    monkeypatch.setattr(synthetic, "synthesise", blurring)
    with pytest.raises(RefusedError, match="nearer"):
        make_sample(dataset, released, table, 1500)


@pytest.mark.prove
def test_others_of_the_same_source_pass_as_a_good_generator_does(data, released, monkeypatch):
    """The test is of nearness to the profiled part: fresh records of the same process are none of its business."""
    dataset, passed = described(), 0
    for seed in range(10):
        fresh = runs(1500, seed=100 + seed)
        monkeypatch.setattr(synthetic, "synthesise", lambda *_, fresh=fresh: fresh)
        try:
            passed += make_sample(dataset, released, table_of(dataset, data), 1500).test.passed
        except RefusedError:
            continue
    assert passed >= 5


@pytest.mark.prove
def test_groups_and_rules_that_reject_much(data):
    rules = [{"name": "hot-only-if-worn", "rule": "wear >= 100 and torque > 20"}]
    dataset = described(
        recordSet=[{"name": "runs", "field": FIELDS, "key": ["id"], "group": "machine", "rules": rules}]
    )
    made = passing(dataset, data, 400, at_most=4, epsilon=4_000_000)[0].table
    assert made.filter((pl.col("wear") < 100) | (pl.col("torque") <= 20)).is_empty()
    assert made["id"].n_unique() == 400
    assert made.group_by("machine").len()["len"].max() <= 4
    impossible = described(
        recordSet=[{"name": "runs", "field": FIELDS, "rules": [{"name": "no", "rule": "wear > 900"}]}]
    )
    found = profile(table_of(impossible, data), question(impossible, holdout=True))
    with pytest.raises(InputError, match="meet the rules"):
        make_sample(impossible, found, table_of(impossible, data), 200)


EVERY_KIND = [
    {"name": "site", "dataType": "sc:Text", "required": True},
    {"name": "at", "dataType": "sc:DateTime", "required": True, "source": {"resource": "f", "column": "When?"}},
    {"name": "day", "dataType": "sc:Date", "required": True},
    {"name": "clock", "dataType": "sc:Time", "required": True},
    {"name": "grade", "dataType": "sc:Integer", "values": ["1", "2", "3"], "required": True},
    {"name": "good", "dataType": "sc:Boolean", "values": ["yes", "no"], "required": True},
    {"name": "level", "dataType": "sc:Float", "minimum": -0.001, "maximum": 0.002, "required": True},
    {"name": "constant", "dataType": "sc:Float", "minimum": 5, "maximum": 5},
    {"name": "large", "dataType": "sc:Integer", "minimum": 0, "maximum": 10**12},
    {"name": "open", "dataType": "sc:Float", "minimum": 3, "required": True},
    {"name": "page", "dataType": "sc:URL", "required": True},
    {"name": "cost", "dataType": "sc:Float", "minimum": 0, "maximum": 1000, "semantic": ["cr:Label"], "required": True},
]


def every_kind(rows: int) -> pl.DataFrame:
    random = np.random.default_rng(1)
    cost = random.random(rows) * 1000
    return pl.DataFrame(
        {
            "site": [f"site {number % 900}" for number in range(rows)],
            "When?": ["2026-01-01 00:00:00"] * rows,
            "day": ["2026-01-01"] * rows,
            "clock": ["10:00:00"] * rows,
            "grade": random.integers(1, 4, rows),
            "good": np.where(cost > 500, "yes", "no"),
            "level": random.random(rows) * 0.003 - 0.001,
            "constant": [5.0] * rows,
            "large": random.integers(0, 10**12, rows),
            "open": [4.0] * rows,
            "page": ["https://a.example"] * rows,
            "cost": cost,
        }
    )


def test_every_kind_of_field_keeps_its_contract(tmp_path):
    """With a number as label, groups, a key of two fields, a column of another name, spelled truths."""
    record_set = {"name": "runs", "field": EVERY_KIND, "key": ["site", "at"], "group": "site", "time": "at"}
    dataset = described(distribution=[{"kind": "file", "id": "f"}], recordSet=[record_set])
    sample, found = passing(dataset, every_kind(5000), 500, at_most=4, epsilon=4_000_000)
    write_sample(sample, tmp_path)
    report = measure_quality(sample.dataset, {"runs": tmp_path / sample.file})
    assert [(rule.rule, rule.failed) for rule in report.rules if rule.failed != 0] == []
    assert sample.table.columns == every_kind(1).columns
    cost = dict(sample.table.group_by("good").agg(pl.col("cost").mean()).iter_rows())
    assert cost["yes"] - cost["no"] == pytest.approx(500, rel=0.2)
    assert {one.field for one in found.left_out} == {"site", "at", "day", "clock", "open", "page"}
    assert set(sample.table.group_by("site").len()["len"]) <= {1, 2, 3, 4}


@pytest.mark.parametrize(("data_type", "last"), [("sc:Date", "2026-02-28"), ("sc:DateTime", "2026-02-28T23:59:59Z")])
def test_counted_times_are_spread_over_their_months_as_they_were_counted(data, data_type, last):
    fields = [{**one, "dataType": data_type} if one["name"] == "taken" else one for one in FIELDS]
    dataset = described(recordSet=[{"name": "runs", "field": fields, "key": ["id"]}])
    months = ["2025-12-01", last, last, last]
    frame = data.with_columns(taken=pl.Series([months[at % 4] for at in range(data.height)], dtype=pl.String))
    asked = question(dataset, dates=[{"field": "taken", "first": "2025-12", "last": "2026-02"}], epsilon=50_000_000)
    found = profile(table_of(dataset, frame), asked)
    taken = synthesise(found, dataset.record_sets[0], 4000)["taken"].drop_nulls()
    shares = taken.dt.strftime("%Y-%m").value_counts()
    share = {month: number / 4000 for month, number in shares.iter_rows()}
    assert set(share) == {"2025-12", "2026-02"} and 0.70 < share["2026-02"] < 0.80
    assert taken.n_unique() > 50 and taken.max().day == 28


def test_too_few_records_and_a_profile_without_a_holdout_are_refused(data, released):
    dataset = described()
    table = table_of(dataset, data)
    with pytest.raises(InputError, match="too few or too many"):
        make_sample(dataset, released, table, 199)
    with pytest.raises(InputError, match="drawn from all records"):
        make_sample(dataset, profile(table, question(dataset)), table, 300)
    small = table_of(dataset, runs(100))
    with pytest.raises(InputError, match="on one side"):
        make_sample(dataset, profile(small, question(dataset, holdout=True)), small, 300)


def test_a_scenario_takes_it_as_its_public_sample(folder):
    kept = {"name", "dataType", "minimum", "maximum", "unit"}
    fields = [{name: said for name, said in field.items() if name in kept} for field in FIELDS]
    scenario = Scenario.model_validate(
        {
            "name": "milling",
            "title": "Milling",
            "owner": {"organisation": "plant"},
            "problem": "Failures come unseen",
            "task": "classification",
            "positive": "true",
            "data": {"file": "milling-synthetic.csv", "fields": fields, "target": "failed", "key": "id"},
        }
    )
    taken = conform(read_table(folder / "milling-synthetic.csv"), scenario)
    assert taken.height == 1500
    assert set(taken["failed"].unique()) == {"true", "false"}


@pytest.mark.parametrize("pattern", [r"M\d{5}", r"[A-Z]{2}-\d{3,4}", r"(?:ab|cd)x\w+", r"^[LMH]\d+$", r"a?b{2}\."])
def test_keys_are_spelled_by_their_pattern(pattern):
    import re

    spelled = [spell(pattern, number) for number in range(3 if "?" not in pattern else 1)]
    assert all(re.fullmatch(pattern, one) for one in spelled)
    assert len(set(spelled)) == len(spelled)


def test_a_pattern_with_too_few_places_is_told():
    with pytest.raises(InputError, match="pattern"):
        spell(r"M\d", 10)
    with pytest.raises(InputError, match="pattern"):
        spell(r"(?=x)\d+", 1)
