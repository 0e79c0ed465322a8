"""What we write we read back the same, and what was read of others survives being written again."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from pilotbase.data.croissant.findings import FieldStatistics, Measured, Measurement
from pilotbase.data.croissant.writing import write_croissant
from tests.data.croissant.datasets_for_tests import complete, datasets, read


@pytest.mark.prove
@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(datasets())
def test_a_dataset_written_and_read_is_the_same(dataset):
    found = read(write_croissant(dataset))
    assert found.faults == () and found.not_held == ()
    assert found.require().to_json_value() == dataset.to_json_value()
    assert found.require() == dataset


def test_the_complete_one_lacks_nothing_and_says_so():
    written = write_croissant(complete())
    found = read(written)
    assert (found.faults, found.lacking, found.not_held) == ((), (), ())
    assert found.require() == complete()
    assert "urn:pilotbase:croissant:1" in written["conformsTo"]


MEASURED = Measured(
    (
        Measurement(
            "value-completeness", 0.98, numerator=98, denominator=100, method="pb-1.0", data="sha256:" + "0" * 64
        ),
        Measurement("label-accuracy", 0.9, "readings", lower=0.8, upper=0.95, engine="pilotbase 0.1.0"),
        Measurement("feature-completeness", 0.5, "readings", "state", at="2026-06-01T00:00:00Z"),
    ),
    (FieldStatistics("readings", "流量 (m³/h)", 12.5, 0.25, 890.0),),
)


def test_what_was_measured_is_read_as_it_was_written():
    found = read(write_croissant(complete(), MEASURED))
    assert (found.measured, found.not_held) == (MEASURED, ())
    assert write_croissant(found.require(), found.measured) == write_croissant(complete(), MEASURED)


def test_measures_of_others_are_told_and_not_taken_for_ours():
    written = write_croissant(complete(), MEASURED)
    theirs = {"@type": "dqv:QualityMeasurement", "dqv:isMeasurementOf": {"@id": "ex:cleanliness"}, "dqv:value": 0.1}
    unreadable = {"dqv:isMeasurementOf": "urn:pilotbase:measure:uniqueness", "dqv:value": "high"}
    written["dqv:hasQualityMeasurement"] = [theirs, unreadable]
    found = read(written)
    assert found.measured.measurements == MEASURED.measurements[1:]
    assert {issue.path.rpartition("/")[0] for issue in found.not_held} == {
        f"/dqv:hasQualityMeasurement/{place}" for place in (0, 1)
    }
