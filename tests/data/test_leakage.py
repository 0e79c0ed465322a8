from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import polars as pl
import pytest

from pilotbase.data.giveaway import feature_strengths
from pilotbase.data.leakage import TOLERATED_SHARE, LeakageCheck, check_leakage
from pilotbase.data.twins import FEW_TWINS, near_twins
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.vocabularies import Outcome
from pilotbase.documents.yaml_reader import parse_yaml

FEATURES = ["air", "process", "speed", "torque", "wear"]


def machines(rows, seed=0):
    """Cases like those of the AI4I 2020 set: five numbers, a type, a rare failure and the kind of failure."""
    random = np.random.default_rng(seed)
    air = random.normal(300, 2, rows).round(1)
    torque = random.normal(40, 10, rows).round(1)
    wear = random.integers(0, 254, rows)
    risk = (torque > 55) & (wear > 120) | (random.random(rows) < 0.003)
    kind = np.where(risk, np.where(torque > 55, "Overstrain", "Random"), "No Failure")
    return pl.DataFrame(
        {
            "air": air,
            "process": (air + random.normal(10, 1, rows)).round(1),
            "speed": random.normal(1500, 180, rows).round(0),
            "torque": torque,
            "wear": wear.astype(np.int64),
            "type": random.choice(["L", "M", "H"], rows),
            "failure_type": kind,
            "machine": [f"m{index}" for index in range(rows)],
            "failure": np.where(risk, "true", "false"),
        }
    )


def scenario_over(frame, withheld=("failure_type", "machine"), task="classification", target="failure", **parts):
    types = {pl.Float64: "sc:Float", pl.Int64: "sc:Integer", pl.String: "sc:Text", pl.Date: "sc:Date"}
    fields = [{"name": name, "dataType": types[dtype.base_type()]} for name, dtype in frame.schema.items()]
    data = {"file": "cases.csv", "fields": fields, "target": target, "withheld": list(withheld)}
    data["split"] = parts.pop("split", {"method": "hash"})
    value = {"name": "milling", "title": "x", "owner": {"organisation": "plant"}, "problem": "x", "task": task}
    return Scenario.model_validate(value | {"data": data} | parts)


def checks(public, hidden, scenario):
    found = check_leakage(public, hidden, scenario)
    for check in found.checks:
        assert check.sentence.render("en") != check.sentence.render("zh")
    return {check.name: check for check in found.checks}, found.outcome


@pytest.fixture
def sides():
    frame = machines(8000)
    return frame.head(4000), frame.tail(4000)


def test_a_clean_split_passes(sides):
    found, outcome = checks(*sides, scenario_over(sides[0]))
    assert list(found) == [
        "exact_duplicates",
        "near_duplicates",
        "similar_cases",
        "group_overlap",
        "key_overlap",
        "giveaway_feature",
        "row_order",
    ]
    assert outcome is Outcome.PASS, {name: check.sentence.render() for name, check in found.items()}


def test_the_kind_of_failure_gives_the_label_away(sides):
    found, outcome = checks(*sides, scenario_over(sides[0], withheld=("machine",)))
    assert outcome is Outcome.FAIL
    assert found["giveaway_feature"].outcome is Outcome.FAIL
    assert "failure_type" in found["giveaway_feature"].sentence.render()


def test_an_imperfect_giveaway_is_still_found(sides):
    """As in the real set, where nine failures carry the kind "No Failure"."""
    public, hidden = (
        side.with_columns(
            pl.when(pl.int_range(pl.len()).over("failure") % 40 == 0)
            .then(pl.lit("No Failure"))
            .otherwise("failure_type")
            .alias("failure_type")
        )
        for side in sides
    )
    found, _ = checks(public, hidden, scenario_over(public, withheld=("machine",)))
    assert found["giveaway_feature"].outcome is Outcome.FAIL


@pytest.mark.parametrize("direction", [1, -1])
def test_a_number_that_orders_the_classes_gives_them_away(sides, direction):
    score = direction * ((pl.col("failure") == "true").cast(pl.Float64) * 3 + pl.col("wear") / 100)
    public, hidden = (side.with_columns(score.alias("score")) for side in sides)
    found, _ = checks(public, hidden, scenario_over(public))
    assert found["giveaway_feature"].outcome is Outcome.FAIL
    assert "score" in found["giveaway_feature"].sentence.render()


def known_afterwards(draw, broken, kind):
    """Return a value that almost only a breakdown has, and hardly twice the same."""
    if not broken or draw.random() < 0.04:
        return 0.0 if kind == "amount" else None
    if kind == "time":
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=draw.randrange(500_000))
    return draw.uniform(1, 9000) if kind == "amount" else draw.randbytes(6).hex()


@pytest.mark.parametrize("kind", ["amount", "time", "text"])
def test_values_that_all_differ_give_away_what_they_stand_beside(kind):
    draw = Random(5)
    broken = [draw.random() < 0.25 for _ in range(900)]
    known = [known_afterwards(draw, one, kind) for one in broken]
    load = [draw.gauss(0, 1) + one for one in broken]
    frame = pl.DataFrame({"paid": known, "load": load, "state": ["no" if not one else "yes" for one in broken]})
    document = build_document(Scenario, parse_yaml(PAID.encode(), "scenario.yaml"))
    found = feature_strengths(frame[:450], frame[450:], ["paid", "load"], document)
    assert found["paid"].strength > 0.85 and found["load"].strength < 0.3
    jumbled = frame.with_columns(pl.col("paid").shuffle(seed=1))
    assert feature_strengths(jumbled[:450], jumbled[450:], ["paid"], document)["paid"].strength < 0.1


PAID = """
document: scenario/1
name: paid
title: Paid
owner: {organisation: a}
problem: x
task: classification
data: {file: a.csv, target: state, fields: [{name: paid, dataType: sc:Text}, {name: state, dataType: sc:Text}]}
"""


def test_unseen_words_give_nothing_away(sides):
    public, hidden = (
        side.with_columns(note=pl.format("{} {}", pl.lit(word), pl.int_range(pl.len())))
        for side, word in zip(sides, ("seen", "unseen"), strict=True)
    )
    found, _ = checks(public, hidden, scenario_over(public))
    assert found["giveaway_feature"].outcome is Outcome.PASS


NUMBERED = pl.int_range(pl.len())


@pytest.mark.parametrize(
    ("note", "part"),
    [
        (pl.format("{}-{}", pl.col("failure").replace({"true": "F", "false": "N"}), NUMBERED), "what it begins with"),
        (pl.format("line {} is {}", NUMBERED, "failure"), "one word of it"),
        pytest.param(
            pl.format(
                "case {} of the line", NUMBERED % 1000 + pl.col("failure").replace_strict({"true": 5000, "false": 1000})
            ),
            "the number in it",
            marks=pytest.mark.prove,
        ),
    ],
)
def test_an_id_or_a_text_that_holds_the_answer_gives_it_away(sides, note, part):
    public, hidden = (side.with_columns(note=note) for side in sides)
    found, _ = checks(public, hidden, scenario_over(public))
    assert found["giveaway_feature"].outcome is Outcome.FAIL
    assert f"note ({part})" in found["giveaway_feature"].sentence.render()
    blind = [side.with_columns(note=note.shuffle(seed=3)) for side in sides]
    assert checks(*blind, scenario_over(public))[0]["giveaway_feature"].outcome is Outcome.PASS


def by_order(sides, column, **parts):
    """Return the check of rows sorted by ``column``: delivered in a secret order, and in that of time."""
    kept = [side.with_columns(day=pl.int_range(pl.len()) + 4000 * later) for later, side in enumerate(sides)]
    placed = [side.sort(column).with_columns(day=side["day"]) for side in kept]
    withheld = [*parts.pop("withheld", ("failure_type", "machine")), "day"]
    split = {"method": "time", "column": "day", "hidden_from": "4000"}
    in_time = scenario_over(placed[0], withheld, split=split, trial={"delivery": "in_time"}, **parts)
    secret = scenario_over(placed[0], withheld, split=split, **parts)
    jumbled = [side.sample(fraction=1, shuffle=True, seed=1) for side in placed]
    found = checks(*jumbled, in_time)[0]["row_order"]
    assert checks(*placed, in_time)[0]["row_order"].outcome is found.outcome, "the file's own order counts for nothing"
    assert checks(*jumbled, secret)[0]["row_order"].sentence.code == "data.leakage.rows_pass"
    return checks(*placed, secret)[0]["row_order"], found


def test_rows_in_the_order_of_the_answer_are_told_and_refused_only_where_they_are_delivered_so(sides):
    withheld = ("failure_type", "machine", "failure")
    numbers = {"withheld": withheld, "task": "regression", "target": "torque"}
    plain = checks(*sides, scenario_over(sides[0]))[0]["row_order"]
    assert (plain.outcome, plain.sentence.code) == (Outcome.PASS, "data.leakage.rows_pass")
    third = pl.when(pl.col("wear") < 80).then(pl.lit("other")).otherwise("failure")
    three = [side.with_columns(failure=third) for side in sides]
    for given, column, parts in ((sides, "failure", {}), (three, "failure", {}), (sides, "torque", numbers)):
        secret, in_time = by_order(given, column, **parts)
        assert (secret.outcome, secret.sentence.code) == (Outcome.PASS, "data.leakage.rows_hidden")
        assert "a secret one" in secret.sentence.render() and secret.share > 0.95
        assert (in_time.outcome, in_time.sentence.code) == (Outcome.FAIL, "data.leakage.rows_fail")
        assert "Remove delivery" in in_time.sentence.render()


def test_a_key_on_both_sides_is_counted(sides):
    public, hidden = sides
    document = scenario_over(public)
    document = document.model_copy(update={"data": document.data.model_copy(update={"key": "machine"})})
    assert checks(public, hidden, document)[0]["key_overlap"].outcome is Outcome.PASS
    hidden = hidden.with_columns(machine=pl.when(NUMBERED < 7).then(public["machine"]).otherwise("machine"))
    found = checks(public, hidden, document)[0]["key_overlap"]
    assert (found.outcome, found.count) == (Outcome.FAIL, 7)


@pytest.mark.parametrize("filled", ["speed", "type"])
def test_a_missing_value_can_give_the_label_away(sides, filled):
    public, hidden = (
        side.with_columns(pl.when(pl.col("failure") == "false").then(filled).alias("repair")) for side in sides
    )
    found, _ = checks(public, hidden, scenario_over(public))
    assert found["giveaway_feature"].outcome is Outcome.FAIL
    assert "repair" in found["giveaway_feature"].sentence.render()


def test_copied_rows_are_counted(sides):
    public, hidden = sides
    hidden = pl.concat([hidden.head(3800), public.sample(200, seed=3)])
    found, outcome = checks(public, hidden, scenario_over(public))
    assert outcome is Outcome.FAIL
    exact = found["exact_duplicates"]
    assert (exact.outcome, exact.count, exact.share) == (Outcome.FAIL, 200, 0.05)
    assert "copies of public ones: 200 of 4000 (5 %)" in exact.sentence.render()
    assert found["near_duplicates"].outcome is Outcome.PASS


def test_rows_copied_with_a_little_noise_are_counted(sides):
    public, hidden = sides
    random = np.random.default_rng(5)
    copies = (
        public.sample(200, seed=3)
        .with_columns(
            [(pl.col(name) + pl.Series(random.normal(0, 1.5e-3, 200))).alias(name) for name in FEATURES[:4]],
        )
        .with_columns(pl.col("type").str.to_lowercase() + " ")
    )
    hidden = pl.concat([hidden.head(3800), copies])
    found, _ = checks(public, hidden, scenario_over(public))
    assert found["exact_duplicates"].count == 0
    near = found["near_duplicates"]
    assert near.outcome is Outcome.FAIL
    assert 197 <= near.count <= 203  # one grid alone would miss about twenty


def test_coarse_features_that_coincide_are_no_leak(sides):
    public, hidden = (side.select("type", "failure", wear=pl.col("wear") // 50) for side in sides)
    found, _ = checks(public, hidden, scenario_over(public, withheld=()))
    assert found["exact_duplicates"].share > 0.99
    assert found["exact_duplicates"].outcome is Outcome.PASS


def test_a_unit_on_both_sides_is_found(sides):
    public, hidden = (side.with_columns(machine=pl.format("m{}", pl.col("wear") % 50)) for side in sides)
    by = {"method": "hash", "by": "machine"}
    assert checks(public, hidden, scenario_over(public, split=by))[0]["group_overlap"].outcome is Outcome.FAIL
    criteria = [{"rule": "recall(true) >= 0.5", "unit": "machine"}]
    overlap = checks(public, hidden, scenario_over(public, criteria=criteria))[0]["group_overlap"]
    assert (overlap.outcome, overlap.count) == (Outcome.FAIL, 50)
    assert checks(public, hidden, scenario_over(public))[0]["group_overlap"].outcome is Outcome.PASS
    apart = scenario_over(public, split={"method": "group", "column": "machine", "hidden": ["m1"]})
    public, hidden = public.filter(pl.col("machine") != "m1"), hidden.filter(pl.col("machine") == "m1")
    assert checks(public, hidden, apart)[0]["group_overlap"].outcome is Outcome.PASS


def test_a_time_split_must_not_look_back(sides):
    public, hidden = (
        side.with_columns(day=pl.date(2026, 1, 1) + pl.duration(days=pl.int_range(pl.len()) % 10 + offset))
        for side, offset in zip(sides, (0, 10), strict=True)
    )
    split = {"method": "time", "column": "day", "hidden_from": "2026-01-11"}
    document = scenario_over(public, withheld=("failure_type", "machine", "day"), split=split)
    assert checks(public, hidden, document)[0]["group_overlap"].outcome is Outcome.PASS
    found = checks(pl.concat([public, hidden.head(5)]), hidden, document)[0]["group_overlap"]
    assert (found.outcome, found.count) == (Outcome.FAIL, 5)
    later = hidden.filter(pl.col("day") > pl.date(2026, 1, 15))
    between = pl.concat([public, hidden.filter(pl.col("day") == pl.date(2026, 1, 12)).head(4)])
    found = checks(between, later, document)[0]["group_overlap"]
    assert (found.outcome, found.count) == (Outcome.FAIL, 4)


def test_a_regression_target_under_another_name_is_found(sides):
    public, hidden = (side.with_columns(power=pl.col("torque") * pl.col("speed") / 9.55) for side in sides)
    withheld = ("failure_type", "machine", "failure")
    document = scenario_over(public, withheld=withheld, task="regression", target="power")
    assert checks(public, hidden, document)[1] is Outcome.PASS
    public, hidden = (side.with_columns(horsepower=pl.col("power") * 1.36) for side in (public, hidden))
    document = scenario_over(public, withheld=withheld, task="regression", target="power")
    found, _ = checks(public, hidden, document)
    assert found["giveaway_feature"].outcome is Outcome.FAIL
    assert "horsepower" in found["giveaway_feature"].sentence.render()
    copied = pl.concat([hidden.head(3000), public.head(1000)])
    assert checks(public, copied, document)[0]["exact_duplicates"].outcome is Outcome.FAIL


def test_too_few_cases_decide_nothing(sides):
    public, hidden = sides
    few = pl.concat([hidden.filter(pl.col("failure") == "true").head(3), hidden.head(30)])
    found, _ = checks(public, few, scenario_over(public, withheld=("machine",)))
    assert found["giveaway_feature"].outcome is Outcome.INCONCLUSIVE


@pytest.mark.prove
def test_a_million_rows_are_checked_in_bounded_time():
    import time

    random = np.random.default_rng(0)
    values = random.normal(size=(1_000_000, 20))
    frame = pl.DataFrame({f"x{index}": values[:, index] for index in range(20)}).with_columns(
        failure=pl.when(pl.col("x0") + pl.col("x1") > 2).then(pl.lit("true")).otherwise(pl.lit("false"))
    )
    document = scenario_over(frame, withheld=())
    start = time.process_time()
    assert check_leakage(frame.head(500_000), frame.tail(500_000), document).outcome is Outcome.PASS
    assert time.process_time() - start < 120


def test_coincidences_of_few_features_are_no_copies_even_where_the_target_follows_from_them() -> None:
    """Two features, a target that is a threshold of one: near twins agree by nature, as many as chance gives."""
    draw = np.random.default_rng(5)
    frame = pl.DataFrame({"pressure": draw.uniform(0, 10, 3000), "age": draw.uniform(0, 10, 3000)})
    features = ["pressure", "age"]
    frame = frame.with_columns(pl.when(pl.col("pressure") > 6).then(pl.lit("a")).otherwise(pl.lit("b")).alias("y"))
    public, hidden = frame[:1500], frame[1500:]
    found = near_twins(public, hidden, features, two_feature_scenario())
    assert found.share > 0.01
    assert found.agreement > 0.98
    outcomes = {check.name: check.outcome for check in check_leakage(public, hidden, two_feature_scenario()).checks}
    assert outcomes["near_duplicates"] is Outcome.PASS


def two_feature_scenario(more: str = "") -> Scenario:
    fields = "".join(f"    - {{name: {name}, dataType: sc:Float}}\n" for name in ("pressure", "age"))
    fields += f"    - {{name: {more}, dataType: sc:Text}}\n" if more else ""
    content = (
        "document: scenario/1\nname: two\ntitle: Two\nowner: {organisation: a}\nproblem: x\ntask: classification\n"
        f"data:\n  file: a.csv\n  target: y\n  fields:\n{fields}    - {{name: y, dataType: sc:Text}}\n"
    )
    return build_document(Scenario, parse_yaml(content.encode(), "scenario.yaml"))


def coarse_cases(seed: int, rows: int = 900) -> pl.DataFrame:
    """Three features of which a few nearly coincide, and a target that follows from one of them."""
    draw = np.random.default_rng(seed)
    frame = pl.DataFrame({"pressure": draw.uniform(0, 10, rows), "age": draw.uniform(0, 10, rows)})
    frame = frame.with_columns(pl.when(pl.col("pressure") > 6).then(pl.lit("a")).otherwise(pl.lit("b")).alias("y"))
    return frame.with_columns(site=pl.Series(np.random.default_rng(seed + 9).choice(["n", "s"], rows)))


def near_check(public: pl.DataFrame, hidden: pl.DataFrame, scenario: Scenario) -> LeakageCheck:
    return next(one for one in check_leakage(public, hidden, scenario).checks if one.name == "near_duplicates")


@pytest.mark.one_in(5)
@pytest.mark.parametrize("seed", [135, 202, *range(8)])
def test_rare_coincidences_of_small_data_are_no_alarm(seed) -> None:
    """Of four that chance gives, six are found: one shuffled sample that happened to show none made it a leak."""
    frame = coarse_cases(seed)
    found = near_check(frame[:520], frame[520:], two_feature_scenario(more="site"))
    assert found.outcome is Outcome.PASS
    assert seed < 100 or (found.count > FEW_TWINS and found.share > TOLERATED_SHARE)


def test_few_copies_in_small_data_are_still_a_leak() -> None:
    """Where five features hardly ever coincide, eight copies of four hundred are enough."""
    frame, draw = machines(1000, seed=4), np.random.default_rng(6)
    public, hidden = frame[:600], frame[600:992]
    noise = [(pl.col(name) + pl.Series(draw.normal(0, 1.5e-3, 8))).alias(name) for name in FEATURES[:4]]
    copied = pl.concat([hidden, public.sample(8, seed=3).with_columns(noise)])
    assert near_check(public, copied, scenario_over(public)).outcome is Outcome.FAIL
