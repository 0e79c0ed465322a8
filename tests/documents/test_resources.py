"""Resources: what people write, what is counted, and what a missing dimension means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pilotbase_estate.documents.resources import (
    Demand,
    Resources,
    beyond,
    dominant_share,
    format_vector,
    minus,
    missing,
    plus,
    total,
)

_DIMENSIONS = st.sampled_from(["cpu", "memory", "disk", "gpu/t4", "licence/halcon"])
_VECTORS = st.dictionaries(_DIMENSIONS, st.integers(0, 10**6))
_demand: TypeAdapter[Resources] = TypeAdapter(Demand)


def test_what_people_write_is_counted_in_whole_numbers() -> None:
    written = Resources.model_validate({"cpu": 1.5, "memory": "32 GiB", "gpu/t4": 2, "licence/halcon": 3})
    assert written.vector == {"cpu": 1500, "memory": 32 << 30, "gpu/t4": 2000, "licence/halcon": 3}
    assert str(written) == "cpu 1.5, gpu/t4 2, licence/halcon 3, memory 32 GiB"


@given(_VECTORS)
def test_what_is_written_reads_back_as_it_was(vector: dict[str, int]) -> None:
    resources = Resources.of(vector)
    assert Resources.model_validate_json(resources.model_dump_json()).vector == resources.vector


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ({"gpu": 1}, "compute.unknown_dimension"),
        ({"cpus": 1}, "compute.unknown_dimension"),
        ({"cpu": -1}, "compute.bad_amount"),
        ({"cpu": "many"}, "compute.bad_amount"),
        ({"cpu": True}, "compute.bad_amount"),
        ({"cpu": 0.0001}, "compute.bad_amount"),
        ({"cpu": "inf"}, "compute.bad_amount"),
        ({"gpu/t4": -1}, "compute.bad_amount"),
        ({"licence/halcon": 0.5}, "compute.bad_amount"),
        ({"memory": -1}, "compute.bad_size"),
        ({"memory": "much"}, "compute.bad_size"),
        ({"gpu/t4": 1.5}, "compute.broken_gpu"),
    ],
)
def test_what_cannot_be_counted_says_why(written: dict[str, object], code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _demand.validate_python(written)
    assert refused.value.errors()[0]["ctx"]["error"].code == code


def test_a_share_of_one_gpu_is_no_broken_one() -> None:
    assert _demand.validate_python({"gpu/t4": 0.25}).vector == {"gpu/t4": 250}


def test_a_missing_dimension_is_no_limit_and_nothing_asked_and_nothing_free() -> None:
    assert beyond({"cpu": 5, "gpu/t4": 9}, {"cpu": 5}) == {}
    assert beyond({"cpu": 6}, {"cpu": 5, "memory": 0}) == {"cpu": 1}
    assert missing({"cpu": 1}, {"cpu": 1}) == {}
    assert missing({"cpu": 1, "gpu/t4": 1}, {"cpu": 1}) == {"gpu/t4": 1}
    assert missing({"cpu": 0}, {"cpu": -1}) == {}


@given(st.lists(_VECTORS, max_size=5), _VECTORS)
def test_sums_come_out_even(vectors: list[dict[str, int]], one: dict[str, int]) -> None:
    summed = total([*vectors, one])
    assert total(vectors) == {name: left for name, left in minus(summed, one).items() if name in total(vectors)}
    assert plus(one, one) == plus({}, one, times=2)


def test_the_dominant_share_of_the_paper() -> None:
    """Ghodsi et al., NSDI 2011, §4.1: 9 CPUs, 18 GB; A holds 3 · ⟨1, 4⟩, B holds 2 · ⟨3, 1⟩; both 2/3."""
    whole = {"cpu": 9, "memory": 18}
    assert dominant_share({"cpu": 3, "memory": 12}, whole) == pytest.approx(2 / 3)
    assert dominant_share({"cpu": 6, "memory": 2}, whole) == pytest.approx(2 / 3)
    assert dominant_share({"cpu": 6}, {"cpu": 0}) == 0


def test_nothing_is_spelled_of_what_is_none() -> None:
    assert format_vector({"cpu": 250, "gpu/t4": 0}) == "cpu 0.25"
