"""What holds of every measure of the quality of data."""

from __future__ import annotations

import polars as pl
import pytest

from pilotbase.data.quality.measures import QUALITY_MEASURES
from pilotbase.data.quality.measuring import measure_quality
from pilotbase.data.quality.profiling import DEFAULTS
from pilotbase.documents.dataset import DataField, Dataset, FieldType, RecordSet
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.scenario import Contact
from pilotbase.documents.texts import LANGUAGES

EVERY = pytest.mark.parametrize("measure", QUALITY_MEASURES, ids=lambda measure: measure.name)


def report_on(frame: pl.DataFrame, folder, **promised: object) -> QualityReport:
    """Return the report on a table of two texts of which nothing is promised, unless said."""
    frame.write_parquet(path := folder / "bare.parquet")
    fields = promised.pop("fields", tuple(DataField(name=name, data_type=FieldType.TEXT) for name in frame.columns))
    bare = RecordSet(name="bare", fields=fields, **promised)
    dataset = Dataset(name="bare", title="Bare", owner=Contact(organisation="plant"), record_sets=(bare,))
    return measure_quality(dataset, {"bare": path})


def test_no_two_measures_have_one_name() -> None:
    names = [measure.name for measure in QUALITY_MEASURES]
    assert sorted(names) == sorted(set(names))


@EVERY
def test_is_written_down_completely(measure) -> None:
    assert measure.formula
    assert measure.ask.__doc__
    assert any((measure.codes.iso, measure.codes.tc609, measure.codes.gbt))
    titles = {measure.title.render(language) for language in LANGUAGES}
    assert len(titles) == len(LANGUAGES)


@pytest.mark.one_in(4)
@EVERY
def test_what_is_held_against_nothing_is_never_good(measure, tmp_path) -> None:
    """Without labels, references, rules, key or description no measure of these says 1: it says why it says nothing."""
    found = report_on(pl.DataFrame({"a": ["x", "y"], "b": ["u", "v"]}), tmp_path).measurement(measure.name)
    by_the_data_alone = {
        "value_completeness", "feature_completeness", "record_completeness", "syntactic_accuracy",
        "format_consistency", "uniqueness", "sample_similarity", "identifiability", "documentation",
    }  # fmt: skip
    assert (found.state == "measured") == (measure.name in by_the_data_alone)
    if found.state != "measured":
        assert found.value is found.numerator is found.lower is None
        assert all(found.reason.render(language) for language in LANGUAGES)


@EVERY
def test_of_no_rows_nothing_is_said(measure, tmp_path) -> None:
    nothing = pl.DataFrame({"a": [], "b": []}, schema={"a": pl.String, "b": pl.String})
    found = report_on(nothing, tmp_path).measurement(measure.name)
    assert found.value is None or measure.name == "documentation"


@pytest.mark.one_in(4)
@EVERY
def test_is_finite_and_within_its_bounds_on_odd_tables(measure, tmp_path) -> None:
    odd = pl.DataFrame({"a": [None, None, "x"], "b": ["", " ", "\u200b"], "n": [float("nan"), float("inf"), 0.0]})
    fields = (
        DataField(name="a", data_type=FieldType.TEXT, semantic=("cr:Label",)),
        DataField(name="b", data_type=FieldType.DATETIME),
        DataField(name="n", data_type=FieldType.FLOAT, minimum=0, maximum=1),
    )
    found = report_on(odd, tmp_path, fields=fields, key=("a",), time="b").measurement(measure.name)
    assert found.value is None or 0 <= found.value <= (1 if measure.name != "smallest_cell" else 3)


def test_every_default_names_a_measure_and_a_bound_that_fits_its_direction() -> None:
    directions = {measure.name: measure.direction for measure in QUALITY_MEASURES}
    for required in (one for usual in DEFAULTS.values() for one in usual):
        lower = directions[required.measure] == "lower"
        assert (required.at_most is not None) == lower and (required.at_least is not None) != lower
