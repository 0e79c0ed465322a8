import contextlib
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.documents.criteria import LONGEST_RULE, parse_rule
from pilotbase.documents.errors import InputError


@pytest.mark.parametrize(
    ("source", "measure", "label", "wrapper", "by", "threshold"),
    [
        ("recall(failure) >= 0.90", "recall", "failure", None, None, "0.90"),
        ("f1>=.5", "f1", None, None, None, "0.5"),
        ("gap(recall by site) <= 0.05", "recall", None, "gap", "site", "0.05"),
        ("worst(recall(yes) by 医院) >= 80 %", "recall", "yes", "worst", "医院", "0.80"),
        ("latency.p95 <= 50 ms", "latency.p95", None, None, None, "0.05"),
        ("memory.peak <= 1 GiB", "memory.peak", None, None, None, "1073741824"),
    ],
)
def test_rules_read(source, measure, label, wrapper, by, threshold):
    rule = parse_rule(source)
    assert (rule.measure, rule.label, rule.wrapper, rule.by) == (measure, label, wrapper, by)
    assert rule.threshold == Decimal(threshold)


def test_a_threshold_is_exact():
    assert parse_rule("accuracy >= 0.1").threshold * 3 == Decimal("0.3")


def test_named_arguments():
    assert parse_rule("capped_mae(cap=50) <= 12.5").arguments == {"cap": Decimal(50)}


def test_what_mistakes_cost_reads_back_in_one_spelling():
    rule = parse_rule("cost(重度  as 无 = 500, * as *=0.5, cut=0.4) <= 12")
    assert rule.mistakes == {"重度 as 无": Decimal(500), "* as *": Decimal("0.5")}
    assert parse_rule(str(rule)) == rule


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("cost(a as b=5, a as b=6) <= 1", "criterion.argument_twice"),
        ("recall(failure) > 0.9", "criterion.no_comparison"),
        ("recall", "criterion.no_comparison"),
        ("latency.p95 <= 50 parsecs", "criterion.unknown_unit"),
        ("Recall! >= 0.9", "criterion.no_measure"),
        ("recall(a, b) >= 0.9", "criterion.two_labels"),
        ("recall >= 0.9.1", "criterion.no_number"),
    ],
)
def test_what_cannot_be_read_is_named(source, code):
    with pytest.raises(InputError) as caught:
        parse_rule(source)
    assert caught.value.code == code
    assert caught.value.render("zh") != caught.value.render("en")


@given(
    st.sampled_from(["recall(a)", "f1", "gap(recall(a) by s)", "capped_mae(cap=5)", "f_beta(b, beta=2)"]),
    st.sampled_from([">=", "<="]),
    st.decimals(0, 1000, places=4),
    st.sampled_from(["", " ms", " GiB", " %"]),
)
def test_writing_a_rule_reads_back_the_same(measured, comparison, threshold, unit):
    rule = parse_rule(f"{measured} {comparison} {threshold}{unit}")
    assert parse_rule(str(rule)) == rule


@pytest.mark.parametrize(
    "source",
    [
        "accuracy >= 1e9999999",
        "accuracy >= 1e-31",
        "accuracy >= 0e99",
        "accuracy >= 0.1234567890123456789",
        "capped_mae(cap=1e16) <= 1",
        "f_beta(a, beta=0.1234567) >= 0.5",
        "f_beta(a, beta=0.0000001) >= 0.5",
    ],
)
def test_a_number_that_exact_arithmetic_would_choke_on_is_refused(source):
    with pytest.raises(InputError) as caught:
        parse_rule(source)
    assert caught.value.code == "criterion.number_bounds"


@pytest.mark.parametrize("value", ["inf", "nan", "sNaN", "Infinity", "1_0", "０"])
def test_an_argument_that_only_python_takes_for_a_number_stays_a_word(value):
    assert parse_rule(f"capped_mae(cap={value}) <= 1").arguments == {"cap": value}


def test_the_longest_threshold_stays_exact_in_its_unit():
    rule = parse_rule("memory.peak <= 123456.123456789012 GiB")
    assert rule.threshold == Decimal("123456.123456789012") * 1024**3
    assert parse_rule(str(rule)) == rule
    assert parse_rule("capped_mae(cap=16000000) <= 3790000").arguments == {"cap": Decimal(16_000_000)}


@pytest.mark.parametrize("filler", [" ", "(", "a", "1", ".", " by ", "gap(", ">=", "e", "=", " as ", "a as b=1,"])
def test_every_rule_is_read_at_once_and_the_longest_are_refused(filler):
    began = time.process_time()
    for source in (filler * 480, f"gap({filler * 400} by s) <= 0.1", f"recall({filler * 400}) >= 1 {filler}"):
        with contextlib.suppress(InputError):
            parse_rule(source[:LONGEST_RULE])
    assert time.process_time() - began < 0.3
    with pytest.raises(InputError) as caught:
        parse_rule(f"recall({filler * LONGEST_RULE}) >= 0.5")
    assert caught.value.code == "criterion.too_long"


@pytest.mark.parametrize(
    ("source", "measure", "label", "strength", "arguments"),
    [
        ("drop(accuracy under noise(0.1)) <= 0.05", "accuracy", None, "0.1", {}),
        (
            "drop(recall(failure) under missing(0.2, columns=torque|轴 温)) <= 0.1",
            "recall",
            "failure",
            "0.2",
            {"columns": "torque|轴 温"},
        ),
        ("drop(recall(a under b)  under\tslip(0.1, factor=1e3))<=1%", "recall", "a under b", "0.1", {"factor": 1000}),
        ("drop(f1(x) under stale(lag=3, by=2024)) <= 0.2", "f1", "x", None, {"lag": 3, "by": "2024"}),
        ("drop(accuracy under script) <= 0.2", "accuracy", None, None, {}),
        ("drop(accuracy under noise(0.1, columns=heat under load (C))) <= 1", "accuracy", None, "0.1",
         {"columns": "heat under load (C)"}),
    ],
)  # fmt: skip
def test_a_drop_names_its_measure_and_its_perturbation(source, measure, label, strength, arguments):
    rule = parse_rule(source)
    assert (rule.measure, rule.label, rule.wrapper, rule.by) == (measure, label, "drop", None)
    assert rule.under.strength == (None if strength is None else Decimal(strength))
    assert dict(rule.under.arguments) == arguments
    assert parse_rule(str(rule)) == rule


def test_a_lift_is_against_the_baseline_and_may_have_a_margin():
    rule = parse_rule("lift(recall(failure)) >= -0.01")
    assert (rule.measure, rule.label, rule.wrapper, rule.under) == ("recall", "failure", "lift", None)
    assert rule.threshold == Decimal("-0.01")
    assert str(rule) == "lift(recall(failure)) >= -0.01"
    assert str(rule.plain) == "recall(failure) >= -0.01"


def test_one_perturbation_has_one_spelling():
    spellings = ["noise(0.10)", "noise( 1e-1 )", "noise (0.1)"]
    assert {str(parse_rule(f"drop(f1 under {item}) <= 0.1").under) for item in spellings} == {"noise(0.1)"}


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("drop(accuracy) <= 0.05", "criterion.drop_without_under"),
        ("drop(accuracy under) <= 0.05", "criterion.drop_without_under"),
        ("drop(under noise(0.1)) <= 0.05", "criterion.drop_without_under"),
        ("drop(accuracy under Noise!) <= 0.05", "criterion.no_perturbation"),
        ("drop(accuracy under noise(0.1) <= 0.05", "criterion.no_perturbation"),
        ("drop(accuracy under noise(0.1, 0.2)) <= 0.05", "criterion.perturbation_argument"),
        ("drop(accuracy under noise(columns=a, 0.1)) <= 0.05", "criterion.perturbation_argument"),
        ("drop(accuracy under noise(much)) <= 0.05", "criterion.perturbation_argument"),
        ("drop(accuracy under noise(0.1,)) <= 0.05", "criterion.perturbation_argument"),
        ("drop(accuracy under noise(scale=1, scale=2)) <= 0.05", "criterion.argument_twice"),
        ("drop(accuracy under noise(0.1, columns=a||b)) <= 0.05", "criterion.empty_column"),
        ("drop(accuracy under noise(0.1.2)) <= 0.05", "criterion.no_number"),
        ("drop(accuracy under noise(1e99)) <= 0.05", "criterion.number_bounds"),
        ("lift(accuracy under noise(0.1)) >= 0", "criterion.lift_under"),
        ("lift(drop(accuracy under noise(0.1))) >= 0", "criterion.nested"),
        ("drop(gap(accuracy by site) under noise(0.1)) <= 0.1", "criterion.nested"),
        ("worst(lift(accuracy) by site) >= 0", "criterion.nested"),
        ("lift() >= 0", "criterion.no_measure"),
        ("drop(accuracy under noise(0.1)) < 0.05", "criterion.no_comparison"),
    ],
)
def test_what_cannot_be_read_of_a_drop_or_a_lift_is_named(source, code):
    with pytest.raises(InputError) as caught:
        parse_rule(source)
    assert caught.value.code == code
    assert caught.value.render("zh") != caught.value.render("en")


_WORDS = st.text(st.characters(categories=["Ll", "Lo", "Nd"], include_characters="_ -()"), min_size=1, max_size=12)
_NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
_NUMBERS = st.decimals(-1000, 1000, places=3).map(str)
_ARGUMENTS = st.one_of(
    st.tuples(_NAMES, st.one_of(_NUMBERS, _WORDS)).map("=".join),
    st.lists(_WORDS, min_size=1, max_size=3).map(lambda columns: "columns=" + "|".join(columns)),
)


@given(
    st.sampled_from(["accuracy", "recall(a)", "recall(a under b)", "capped_mae(cap=5)", "f_beta(b, beta=2)"]),
    st.none() | st.tuples(_NAMES, st.lists(_NUMBERS, max_size=1), st.lists(_ARGUMENTS, max_size=3)),
    _NUMBERS,
)
def test_whatever_reads_as_a_drop_or_a_lift_is_written_so_that_it_reads_back_the_same(measured, under, threshold):
    perturbation = under and f"{under[0]}({', '.join([*under[1], *under[2]])})"
    source = f"drop({measured} under {perturbation}) <= {threshold}" if under else f"lift({measured}) >= {threshold}"
    with contextlib.suppress(InputError):
        rule = parse_rule(source)
        assert rule.wrapper == ("drop" if under else "lift")
        assert parse_rule(str(rule)) == rule
