"""Weights come from the public sample alone, and come out the same again."""

import json

import pytest

from tests.examples.examples_for_tests import EXAMPLES, SECTORS, WALK, split_of, training

SLOW = [pytest.param(sector, marks=pytest.mark.prove) for sector in (*SECTORS, WALK) if sector != "healthcare"]


@pytest.mark.parametrize("sector", ["healthcare", *SLOW])
def test_the_weights_come_out_again(sector):
    split_of(sector)  # skips where the package cannot be had
    fitted = training.models(sector, training.CACHE)
    kept = {file.parent.name: json.loads(file.read_text()) for file in (EXAMPLES / sector).rglob("model.json")}
    assert fitted.keys() == kept.keys()
    for name, model in fitted.items():
        words, figures = leaves(json.loads(training.spell(model)))
        kept_words, kept_figures = leaves(kept[name])
        assert words == kept_words
        assert figures == pytest.approx(kept_figures, rel=1e-3, abs=1e-3), name


def leaves(value, path=""):
    """Return path → word and path → figure of a model, so that another machine's last digit can be forgiven."""
    if isinstance(value, str):
        return {path: value}, {}
    if not isinstance(value, dict | list):
        return {}, {path: value}
    words, figures = {}, {}
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        found = leaves(inner, f"{path}.{key}")
        words |= found[0]
        figures |= found[1]
    return words, figures


@pytest.mark.prove
def test_prepared_tables_are_as_described():
    heights = {
        "energy": 9527,
        "finance": 1000,
        "healthcare": 918,
        "manufacturing": 10_000,
        "transport": 65_470,
        WALK: 15_583,
    }
    for sector, height in heights.items():
        split = split_of(sector)
        assert split.public.height + split.hidden.height == height, sector


@pytest.mark.prove
def test_the_hidden_hospitals_and_months_are_not_in_the_public_sample():
    hospitals = split_of("healthcare")
    assert set(hospitals.public["hospital"]) == {"Cleveland", "VA Long Beach"}
    assert set(hospitals.hidden["hospital"]) == {"Hungary", "Switzerland"}
    flights = split_of("transport")
    assert flights.public["scheduled_departure"].max() < flights.hidden["scheduled_departure"].min()


def test_the_order_of_patients_tells_nothing_of_their_findings():
    sick = split_of("healthcare").hidden["finding"] == "disease"
    places = sick.arg_true().mean() / (sick.len() - 1)
    assert 0.45 < places < 0.55, "the package sorts them, nearly"


def test_not_measured_is_missing_and_not_zero():
    for frame in (split_of("healthcare").public, split_of("healthcare").hidden):
        assert frame["cholesterol"].min() > 0
        assert frame["resting_blood_pressure"].min() > 0
