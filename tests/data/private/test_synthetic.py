"""A synthetic sample keeps its source's contract, comes from the profile alone, and is tested for privacy."""

import json

import numpy as np
import polars as pl
import pytest

from pilotbase.data.bridges.reading import load_description
from pilotbase.data.conform import conform
from pilotbase.data.private import profiling, synthetic
from pilotbase.data.private.profiling import Units, noisy, profile
from pilotbase.data.private.synthesis import spell, synthesise
from pilotbase.data.private.synthetic import make_sample, write_sample
from pilotbase.data.quality.columns import ROW
from pilotbase.data.quality.measuring import measure_quality
from pilotbase.data.sources.opening import read_table
from pilotbase.documents.errors import InputError
from pilotbase.documents.private import PrivacyUnit
from pilotbase.documents.scenario import Scenario
from tests.data.private.closed_for_tests import DATASET, FIELDS, described, question, runs, table_of


@pytest.fixture(scope="module")
def data():
    return runs()


def sample_from(dataset, data, rows, **changes):
    """Return a sample and its profile."""
    table = table_of(dataset, data)
    found = profile(table, question(dataset, holdout=True, **changes))
    return make_sample(dataset, found, table, rows), found


@pytest.fixture(scope="module")
def both(data):
    return sample_from(described(), data, 1500)


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


def test_the_sample_of_a_good_generator_is_about_as_near_to_either_side(sample):
    """One in twenty of a good generator does not pass."""
    assert sample.test.nearest.lower - 0.05 < 0.5 < sample.test.nearest.upper + 0.05
    assert sample.test.nearest.compared == 1500


@pytest.mark.parametrize("aside", [True, False])
def test_of_neighbours_nothing_is_released_but_what_the_paid_noise_covers(data, monkeypatch, aside):
    """49 or 50 records on either side: from the same noisy counts the same leaves, and ε covers how the counts differ.

    So each outcome, refusals and suppressed cells among them, is at most exp(ε) times as likely for one as the other.
    """
    dataset, spent = described(), 0
    asked, units = (
        question(dataset, holdout=True, cell_size=50),
        Units(table_of(dataset, data), PrivacyUnit(kind="record")),
    )
    part = units.holdout() if aside else units.training(holdout=True)
    fiftieth = int(part.frame.select(ROW).collect()[ROW].sort()[49])
    drawn: list = []

    def released(records):
        table = table_of(dataset, data.head(records))
        found = profile(table, asked)
        return found, make_sample(dataset, found, table, 200)

    def drawing(counts, noise):
        drawn.append((list(counts), noise, noisy(counts, noise)))
        return drawn[-1][2]

    def drawing_again(counts, noise):
        nonlocal spent
        before, same, given = drawn.pop(0)
        assert noise == same
        spent += sum(abs(a - b) for a, b in zip(before, counts, strict=True)) * noise.epsilon / noise.sensitivity
        return given

    monkeypatch.setattr(profiling, "noisy", drawing)
    found, sample = released(fiftieth)
    monkeypatch.setattr(profiling, "noisy", drawing_again)
    neighbour, its_sample = released(fiftieth - 1)
    assert neighbour == found
    assert its_sample.table.equals(sample.table)
    assert 0 <= spent <= asked.epsilon
    assert (spent == 0) == aside
    assert drawn == []


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
    assert not make_sample(dataset, released, table, 1500).test.passed


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
    assert not make_sample(dataset, released, table, 1500).test.passed


@pytest.mark.prove
def test_others_of_the_same_source_pass_as_a_good_generator_does(data, released, monkeypatch):
    """The test is of nearness to the profiled part: fresh records of the same process are none of its business."""
    dataset, passed = described(), 0
    for seed in range(10):
        fresh = runs(1500, seed=100 + seed)
        monkeypatch.setattr(synthetic, "synthesise", lambda *_, fresh=fresh: fresh)
        passed += make_sample(dataset, released, table_of(dataset, data), 1500).test.passed
    assert passed >= 5


@pytest.mark.prove
def test_groups_and_rules_that_reject_much(data):
    rules = [{"name": "hot-only-if-worn", "rule": "wear >= 100 and torque > 20"}]
    dataset = described(
        recordSet=[{"name": "runs", "field": FIELDS, "key": ["id"], "group": "machine", "rules": rules}]
    )
    made = sample_from(dataset, data, 400, at_most=4, epsilon=4_000_000)[0].table
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
    sample, found = sample_from(dataset, every_kind(5000), 500, at_most=4, epsilon=4_000_000)
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
