"""Counters beside our clock: the smaller is settled, and who says what cannot be is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vouchers_for_tests import HOUR, PRICES, RULES, codes

from pilotbase.documents.errors import InputError
from pilotbase.documents.estimate import PriceList, format_money, rounded
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.documents.voucher import MeteringTerms, Usage, VoucherRules
from pilotbase_estate.vouchers.rules import amounts_over, bill
from pilotbase_estate.vouchers.settling import MeterReading, reconcile

WALL = HOUR * 1000
DEMAND = Resources({"cpu": 2, "memory": "4 GiB", "gpu/t4": 0.5}).vector
TERMS = MeteringTerms(tolerance=500, tolerance_ms=0)


def usage(**changed) -> Usage:
    counted = {"cpu_ms": 2 * WALL, "memory_mib_ms": 4096 * WALL, "gpu_ms": {"t4": WALL // 2}}
    return Usage(**({"source": "cgroup v2", "node": "n7", "wall_ms": WALL, **counted} | changed))


def read(**changed):
    capacity = changed.pop("capacity", None)
    wall = changed.pop("clock", WALL)
    return reconcile(MeterReading(usage(**changed), DEMAND, wall, wall, capacity), TERMS)


def test_counters_that_agree_are_settled_as_they_are():
    found = read()
    assert found.findings == ()
    assert found.settled == {"cpu": 2 * WALL, "memory": 4096 * WALL, "gpu/t4": WALL // 2}


def test_a_job_that_waits_for_data_is_settled_on_what_it_used():
    found = read(cpu_ms=WALL // 10)
    assert found.findings == () and found.settled["cpu"] == WALL // 10


def test_a_counter_above_the_clock_is_settled_on_the_clock_and_its_node_named():
    found = read(cpu_ms=3 * WALL)
    assert found.settled["cpu"] == 2 * WALL
    assert codes(found.findings) == ["beyond"]
    assert "node n7 reports 10800000 of cpu, but our clock allows at most 7200000" in found.findings[0].render("en")
    within = read(cpu_ms=2 * WALL + 2 * WALL // 20)
    assert within.findings == () and within.settled["cpu"] == 2 * WALL


def test_a_node_whose_time_is_not_ours_is_named_and_the_shorter_time_is_settled():
    longer = read(wall_ms=2 * WALL)
    assert codes(longer.findings) == ["wall"] and longer.settled["cpu"] == 2 * WALL
    shorter = read(wall_ms=WALL // 2, cpu_ms=WALL, memory_mib_ms=2048 * WALL, gpu_ms={"t4": WALL // 4})
    assert codes(shorter.findings) == ["wall"] and shorter.settled["cpu"] == WALL


def test_what_is_not_counted_is_not_settled_and_what_was_not_asked_for_neither():
    found = read(memory_mib_ms=None, gpu_ms={"a100": WALL})
    assert "memory" not in found.settled and found.settled["gpu/a100"] == 0
    assert codes(found.findings) == ["missing", "missing", "beyond"]


def test_a_node_that_lies_about_its_capacity_is_named():
    small = Resources({"cpu": 1, "memory": "8 GiB", "gpu/t4": 1}).vector
    found = read(capacity=small)
    assert codes(found.findings) == ["capacity", "impossible"]
    assert "was given 2 of cpu but has declared 1" in found.findings[0].render("en")
    assert "n7" in found.findings[1].render("zh")
    assert read(capacity=Resources({"cpu": 2, "memory": "4 GiB", "gpu/t4": 1}).vector).findings == ()


def test_calls_and_tokens_are_settled_as_counted():
    found = reconcile(MeterReading(usage(calls=1500, tokens=2_000_000), DEMAND, WALL, WALL), TERMS)
    assert (found.settled["calls"], found.settled["tokens"]) == (1500, 2_000_000)
    billed = bill(PRICES, {"calls": 1500, "tokens": 2_000_000}, RULES)
    assert (billed.cost, billed.counted) == (300 + 800, 1100)


@given(
    st.fixed_dictionaries(
        {name: st.integers(0, 10**9) for name in ("wall_ms", "cpu_ms", "memory_mib_ms")}
        | {"gpu_ms": st.fixed_dictionaries({"t4": st.integers(0, 10**9)})}
    ),
    st.integers(0, 10**8),
    st.integers(0, 10**8),
)
def test_never_more_is_settled_than_counters_or_clock_say(counted, clock, paid):
    found = reconcile(MeterReading(usage(**counted), DEMAND, clock, paid), TERMS)
    most = amounts_over(DEMAND, min(clock, paid))
    for name, amount in found.settled.items():
        assert 0 <= amount <= usage(**counted).counted[name]
        assert amount <= most[name]


@given(st.integers(0, 10**12), st.integers(1, 10**7))
def test_rounding_is_what_it_says(numerator, denominator):
    down, half, up = (rounded(numerator, denominator, how) for how in ("down", "half_up", "up"))
    assert down * denominator <= numerator < (down + 1) * denominator
    assert (up - 1) * denominator < numerator <= up * denominator
    assert half == (down if 2 * (numerator - down * denominator) < denominator else down + 1)


def test_a_bill_is_the_sum_of_lines_that_are_rounded_each_in_whole_numbers():
    hour = amounts_over(Resources({"cpu": 0.5, "memory": "1536 MiB", "licence/halcon": 2}).vector, 1_234_567)
    billed = bill(PRICES, hour, RULES)
    assert [(line.of, line.cost) for line in billed.lines] == [("cpu", 17), ("licence/halcon", 343), ("memory", 5)]
    assert billed.cost == 365
    assert all(isinstance(line.cost, int) for line in billed.lines)


def test_a_cost_that_cannot_be_counted_is_bad_input():
    with pytest.raises(InputError) as caught:
        bill(PRICES, {"cpu": 10**18}, RULES)
    assert caught.value.code == "voucher.beyond_counting"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"begins": "2027-01-01"}, "voucher.ends_before"),
        ({"cap_voucher": 2_000_000}, "voucher.caps_disagree"),
        ({"cap_year": 0}, "voucher.caps_disagree"),
        ({"rate": 10_001}, "less_than_equal"),
        ({"rate": 0.3}, "int_type"),
        ({"cap_year": -1}, "greater_than_equal"),
        ({"total": 10.5}, "int_type"),
        ({"claimed_by": ()}, "too_short"),
    ],
)
def test_rules_that_cannot_be_are_bad_input(changed, code):
    with pytest.raises(ValueError) as caught:
        VoucherRules(**(RULES.model_dump() | changed))
    assert code in str(caught.value.errors())


def test_prices_are_of_what_a_pool_has():
    with pytest.raises(ValueError, match="electricity"):
        PriceList(pool="hall", supplier="centre", prices={"electricity": 3})


def test_money_is_spelled_to_the_hundredth():
    assert [format_money(amount, "CNY") for amount in (0, 5, 123_450, -305)] == [
        "0.00 CNY",
        "0.05 CNY",
        "1,234.50 CNY",
        "-3.05 CNY",
    ]
