"""What forms of applications cost beside what they would cost without a pilot base (`make bench-kinds`)."""

import pytest

from benchmarks.bench_kinds import MOST_CPU_MS, RATIO
from benchmarks.gateway import served
from benchmarks.kinds import onnx, onnx_models, samples


@pytest.mark.prove
def test_a_model_in_the_box_takes_little_more_of_the_processor_than_the_library_alone(tmp_path):
    tmp_path.chmod(0o755)
    found = onnx.measure(onnx_models.write_forest, tmp_path, rows=100_000, rounds=5)
    ours, _, ratio = found.median("cpu")
    assert ours > 0 and ratio <= RATIO


@pytest.mark.prove
def test_a_question_to_an_endpoint_takes_less_than_a_millisecond_of_the_processor(tmp_path):
    with served.upstream(tmp_path) as upstream:
        said = samples.ask(samples.OURS, 1000, tmp_path, upstream.url)
    assert 0 < said["cpu"] <= MOST_CPU_MS
