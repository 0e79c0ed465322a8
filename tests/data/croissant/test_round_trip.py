"""What we write we read back the same, and what was read of others survives being written again."""

from hypothesis import HealthCheck, Phase, given, settings

from pilotbase.data.croissant.writing import write_croissant
from tests.data.croissant.datasets_for_tests import complete, datasets, read


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
