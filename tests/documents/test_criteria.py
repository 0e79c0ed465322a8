import contextlib
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.documents.criteria import parse_rule
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


@pytest.mark.parametrize(
    ("source", "code"),
    [
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


@pytest.mark.parametrize("filler", [" ", "(", "a", "1", ".", " by ", "gap(", ">=", "e", "="])
def test_every_rule_is_read_at_once_and_the_longest_are_refused(filler):
    began = time.perf_counter()
    for source in (filler * 120, f"gap({filler * 100} by s) <= 0.1", f"recall({filler * 100}) >= 1 {filler}"):
        with contextlib.suppress(InputError):
            parse_rule(source[:500])
    assert time.perf_counter() - began < 0.3
    with pytest.raises(InputError) as caught:
        parse_rule(f"recall({filler * 500}) >= 0.5")
    assert caught.value.code == "criterion.too_long"
