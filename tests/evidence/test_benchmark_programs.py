"""What `make bench-evidence` runs of ours, in a small size: each says how long it took, as the benchmark reads it."""

import pytest

from benchmarks.bench_evidence import ours

PROGRAMS = [
    ("sequence", "independent draws", "2000"),
    pytest.param(("sequence", "finite set", "2000"), marks=pytest.mark.prove),
    pytest.param(("sequence", "real values", "2000"), marks=pytest.mark.prove),
    ("interval", "auc"),
    pytest.param(("interval", "f1"), marks=pytest.mark.prove),
    pytest.param(("ten_measures", "population"), marks=pytest.mark.prove),
]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("program", PROGRAMS, ids=" ".join)
def test_a_program_of_the_benchmark_says_what_it_took(program: tuple[str, ...]) -> None:
    measured = ours(*program)
    assert measured.wall > 0 and measured.cpu > 0 and measured.peak > 1_000_000
