"""A model in the box of a trial beside the library that computes it, alone and warm (`make bench-kinds`)."""

import pytest

from benchmarks.bench_kinds import RATIO
from benchmarks.kinds import onnx, onnx_models


@pytest.mark.prove
def test_a_model_in_the_box_takes_little_more_of_the_processor_than_the_library_alone(tmp_path):
    tmp_path.chmod(0o755)
    found = onnx.measure(onnx_models.write_forest, tmp_path, rows=100_000, rounds=5)
    ours, _, ratio = found.median("cpu")
    assert ours > 0 and ratio <= RATIO
