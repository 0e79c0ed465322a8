"""A warm worker as an honest application and its operator see it."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.documents.errors import InputError
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.sandbox.box.probe import probe_host
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.box.warm_worker import start_worker

VALUE = Prediction(kind="value")
COLUMNS = {
    "temperature": ("sc:Float", np.array([1.5, np.nan, -2.0])),
    "count": ("sc:Integer", np.array([1, 2**53 + 1, -3])),
    "age": ("sc:Integer", np.array([40.0, np.nan, 41.0])),
    "smoker": ("sc:Boolean", np.array([True, False, True])),
    "alarm": ("sc:Boolean", np.array([1, 0, 255], dtype=np.uint8)),
    "city": ("sc:Text", np.array(["上海", None, ""], dtype=object)),
    "day": ("sc:Date", np.array(["2026-01-01", "2026-01-02", "2026-01-03"])),
    "time": ("sc:DateTime", np.array(["2026-01-01T00:00:00Z", None, "x"], dtype=object)),
}
EVERYTHING = Contract(
    features=tuple(Field(name=name, dataType=kind) for name, (kind, _) in COLUMNS.items()), prediction=VALUE
)
SEEN = """
import math
def same(column, expected):
    values = column if isinstance(column, list) else column.tolist()
    return len(values) == len(expected) and all(
        one == other or (one != one and other != other) for one, other in zip(values, expected)
    )
def predict(batch):
    nan = math.nan
    expected = {
        "temperature": [1.5, nan, -2.0], "count": [1, 2**53 + 1, -3], "age": [40.0, nan, 41.0],
        "smoker": [1, 0, 1], "alarm": [1, 0, 255], "city": ["上海", None, ""],
        "day": ["2026-01-01", "2026-01-02", "2026-01-03"], "time": ["2026-01-01T00:00:00Z", None, "x"],
    }
    assert list(batch) == list(expected) and batch.rows == 3 and len(batch) == 8
    for name, values in expected.items():
        assert same(batch[name], values), (name, batch[name])
    matrix = batch.matrix(["count", "smoker"])
    assert [list(row) for row in matrix] == [[1.0, 1.0], [2.0**53, 0.0], [-3.0, 1.0]], matrix
    return [1.0, 2.0, None]
"""


def floats(count: int) -> Contract:
    features = tuple(Field(name=f"x{index}", dataType="sc:Float") for index in range(count))
    return Contract(features=features, prediction=VALUE)


def labels(*classes: str) -> Contract:
    feature = Field(name="x0", dataType="sc:Float")
    return Contract(features=(feature,), prediction=Prediction(kind="label", classes=classes))


def one_column(rows: int = 3) -> FeatureBatch:
    return FeatureBatch({"x0": np.arange(rows, dtype=np.float64)}, rows)


@pytest.mark.parametrize("environment", ["plain", "with_numpy"])
def test_every_type_arrives_as_it_was_sent(start, request, environment):
    batch = FeatureBatch({name: column for name, (_, column) in COLUMNS.items()}, 3)
    with start(SEEN, EVERYTHING, request.getfixturevalue(environment)) as worker:
        np.testing.assert_array_equal(worker.predict(batch).values, [1.0, 2.0, np.nan])


def test_floats_are_views_of_one_block(start, with_numpy):
    source = """
    import numpy as np
    def predict(batch):
        matrix = batch.matrix()
        assert matrix.shape == (batch.rows, 3) and matrix.dtype == np.float64
        assert all(np.shares_memory(matrix, batch[name]) for name in batch)
        return matrix @ np.array([1.0, 10.0, 100.0])
    """
    matrix = np.random.default_rng(1).random((1000, 3))
    with start(source, floats(3), with_numpy) as worker:
        answers = worker.predict(FeatureBatch.from_matrix(["x0", "x1", "x2"], matrix)).values
    np.testing.assert_allclose(answers, matrix @ [1.0, 10.0, 100.0])


def test_earlier_batches_stay_what_they_were(start, with_numpy):
    source = """
    kept = []
    def predict(batch):
        kept.append(batch["x0"])
        return kept[0] if len(kept[0]) == batch.rows else [0.0] * batch.rows
    """
    with start(source, floats(1), with_numpy) as worker:
        for scale in (1.0, 2.0, 3.0):
            answers = worker.predict(FeatureBatch({"x0": np.full(4, scale)}, 4)).values
            assert answers.tolist() == [1.0] * 4


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("classes", "expression", "expected"),
    [
        (("no", "yes"), "['yes', None, 'no']", ["yes", None, "no"]),
        (("no", "yes"), "np.array(['yes', 'no', 'no'])", ["yes", "no", "no"]),
        (("no", "yes"), "np.array(['yes', None, 'no'], dtype=object)", ["yes", None, "no"]),
        (("false", "true"), "[True, False, None]", ["true", "false", None]),
        (("false", "true"), "np.array([1.0, np.nan, 0.0])", ["true", None, "false"]),
        (("false", "true"), "np.array([True, False, True])", ["true", "false", "true"]),
        (("0", "1", "2"), "np.array([2, 0, 1])", ["2", "0", "1"]),
        (("0", "1", "2"), "[np.int64(2), 0, 1.0]", ["2", "0", "1"]),
    ],
)
def test_the_ways_to_answer_with_a_class(start, with_numpy, classes, expression, expected):
    source = f"import numpy as np\ndef predict(batch):\n    return {expression}"
    with start(source, labels(*classes), with_numpy) as worker:
        assert worker.predict(one_column()).labels(classes) == expected


@pytest.mark.parametrize("expression", ["['maybe'] * 3", "[7] * 3", "np.array([0, 1, 7])", "np.array(['a'] * 3)"])
def test_an_unknown_class_is_named_to_its_author(start, with_numpy, expression):
    source = f"import numpy as np\ndef predict(batch):\n    return {expression}"
    with start(source, labels("0", "1"), with_numpy) as worker, pytest.raises(BoxEnded) as ended:
        worker.predict(one_column())
    assert ended.value.reason is EndReason.UNKNOWN_CLASS and "no class of the contract" in ended.value.detail


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nothing_like_this", "ModuleNotFoundError"),
        ("def other(batch): pass", "no attribute 'predict'"),
        ("predict = 3", "is no function"),
        ("def predict(batch:", "SyntaxError"),
        ("raise RuntimeError('no model file')", "no model file"),
        ("raise RuntimeError('no ' + chr(0xD800) + ' file')", "no ? file"),
    ],
)
def test_an_application_that_does_not_load_says_why(start, plain, source, words):
    with pytest.raises(BoxEnded) as ended:
        start(source, floats(1), plain)
    assert ended.value.reason is EndReason.LOAD_FAILED and words in ended.value.detail


def test_leaving_while_loading_is_an_exit(start, plain):
    with pytest.raises(BoxEnded) as ended:
        start("import sys; sys.exit(0)", floats(1), plain)
    assert ended.value.reason is EndReason.APPLICATION_EXIT


def test_an_error_comes_with_its_traceback_and_ends_the_box(start, plain):
    source = "def predict(batch):\n    return 1 / 0"
    with start(source, floats(1), plain) as worker:
        for _ in range(2):
            with pytest.raises(BoxEnded) as ended:
                worker.predict(one_column())
            assert ended.value.reason is EndReason.APPLICATION_ERROR
            assert "ZeroDivisionError" in ended.value.detail and "app.py" in ended.value.detail
        assert worker.end.batch == 1


def test_a_column_that_applications_do_not_see_is_named_beside_those_they_see(start, plain):
    with start('def predict(batch):\n    return batch["repair"]', floats(1), plain) as worker:
        with pytest.raises(BoxEnded) as ended:
            worker.predict(one_column())
        assert "no column 'repair'; applications see x0" in ended.value.detail


def test_a_batch_that_does_not_fit_leaves_the_box_running(start, plain):
    with start("def predict(batch): return batch['x0']", floats(1), plain) as worker:
        with pytest.raises(InputError):
            worker.predict(FeatureBatch({"y": np.zeros(1)}, 1))
        assert worker.predict(one_column()).values.tolist() == [0.0, 1.0, 2.0]
        assert worker.end is None
    assert worker.end.reason is EndReason.FINISHED


def test_prints_break_nothing_and_stand_in_the_log(start, plain):
    source = """
    import os, sys
    print("loading")
    def predict(batch):
        print("PBX1 in a batch of", batch.rows)
        sys.stderr.write("a warning\\n")
        os.write(1, b"raw\\n")
        return batch["x0"]
    """
    with start(source, floats(1), plain) as worker:
        worker.predict(one_column())
    logs = worker.logs()
    assert not logs.withheld and logs.dropped_bytes == 0
    assert {"loading", "PBX1 in a batch of 3", "a warning", "raw"} <= set(logs.text.splitlines())


def test_an_application_finds_its_own_files_and_may_use_its_scratch(start, plain, tmp_path):
    source = """
    import tempfile
    from helper import scale
    factor = float(open("model.txt").read())
    def predict(batch):
        with tempfile.TemporaryFile() as stream:
            stream.write(b"x" * 1000)
        return [scale(x) * factor for x in batch["x0"]]
    """
    (tmp_path / "application").mkdir()
    (tmp_path / "application" / "model.txt").write_text("2.5")
    (tmp_path / "application" / "helper.py").write_text("def scale(x): return 10 * x")
    with start(source, floats(1), plain) as worker:
        assert worker.predict(one_column()).values.tolist() == [0.0, 25.0, 50.0]


def test_the_environment_is_the_same_for_everyone(start, plain):
    source = """
    import os
    def predict(batch):
        assert set(os.environ) - {"LC_CTYPE", "PWD"} <= {
            "PATH", "HOME", "TMPDIR", "LANG", "TZ", "USER", "PYTHONHASHSEED", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS",
            "RAYON_NUM_THREADS"}, os.environ
        return [float(os.environ["OMP_NUM_THREADS"]), hash("a") % 2.0**50, 0]
    """
    seen = []
    for _ in range(2):
        with start(source, floats(1), plain) as worker:
            seen.append(worker.predict(one_column()).values.tolist())
    assert seen[0] == seen[1] and seen[0][0] == 1.0


def test_usage_counts_the_whole_box(start, plain):
    source = """
    import os, time
    def predict(batch):
        if os.fork() == 0:
            held = b"x" * (60 << 20)
            end = time.process_time() + 0.3
            while time.process_time() < end:
                pass
            os._exit(0)
        os.wait()
        return batch["x0"]
    """
    with start(source, floats(1), plain) as worker:
        worker.predict(one_column())
        usage = worker.usage()
    assert 60 << 20 <= usage.memory_peak_bytes < 150 << 20
    assert 0.3 <= usage.cpu_seconds < 3
    assert usage.wall_seconds >= 0.3 and worker.usage().wall_seconds >= usage.wall_seconds


def test_the_report_can_say_what_the_box_was(start, plain, own_uid):
    settings = BoxSettings(uid=own_uid)
    with start("def predict(batch): return batch['x0']", floats(1), plain, settings) as worker:
        facts = worker.facts
    probe = probe_host()
    assert facts.level is IsolationLevel.L2 and facts.start in {start.value for start in probe.starts}
    assert facts.memory_watch is probe.memory_watch
    assert facts.uid == (own_uid if probe.is_root else os.getuid())
    assert 0 < facts.start_seconds < 60 and worker.load_seconds >= facts.start_seconds


def test_files_that_only_root_can_read(start, plain, tmp_path, monkeypatch, own_uid):
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    (tmp_path / "application").mkdir(mode=0o700)
    (tmp_path / "application" / "app.py").write_text("def predict(batch): return batch['x0']")
    (tmp_path / "application" / "app.py").chmod(0o600)
    contract = floats(1)
    settings = BoxSettings(uid=own_uid, logs=LogPolicy.FULL)
    with start_worker(tmp_path / "application", Form(), contract, plain, settings) as worker:
        assert worker.predict(one_column()).values.tolist() == [0.0, 1.0, 2.0]
    assert [kept for kept in (tmp_path / "cache" / "applications").rglob("*") if kept.is_file()] == []


def test_many_columns_and_rows(start, plain):
    names = [f"x{index}" for index in range(1500)]
    matrix = np.random.default_rng(2).random((400, 1500))
    with start("def predict(batch): return batch['x1499']", floats(1500), plain) as worker:
        answers = worker.predict(FeatureBatch.from_matrix(names, matrix)).values
    np.testing.assert_array_equal(answers, matrix[:, 1499])


@pytest.mark.parametrize("rows", [[1000, 2000, 1000], [300_000, 1000, 300_000, 1000, 1000]])
def test_batches_of_any_size_that_are_made_ready_ahead(start, with_numpy, rows):
    """Small payloads cross in memory, large ones in the pipe; what is made ready disturbs nobody at work."""
    source = "def predict(batch): return batch['x0'] + batch['x1']"
    random = np.random.default_rng(0)
    matrices = [np.asfortranarray(random.normal(size=(count, 2))) for count in rows]
    batches = [FeatureBatch.from_matrix(["x0", "x1"], matrix) for matrix in matrices]
    with start(source, floats(2), with_numpy) as worker:
        for batch, following, matrix in zip(batches, [*batches[1:], None], matrices, strict=True):
            assert np.array_equal(worker.predict(batch, partial(lambda one: one, following)).values, matrix.sum(axis=1))


def test_what_is_asked_counts_and_not_what_was_made_ready(start, with_numpy):
    source = "def predict(batch): return batch['x0']"
    first, expected, asked = (FeatureBatch.from_matrix(["x0"], np.full((5, 1), value)) for value in (1.0, 2.0, 3.0))
    strange = FeatureBatch({"y": np.zeros(5)}, 5)
    with start(source, floats(1), with_numpy) as worker:
        worker.predict(first, lambda: expected)
        assert worker.predict(asked, lambda: strange).values.tolist() == [3.0] * 5
        with pytest.raises(InputError, match="x0"):
            worker.predict(strange)
        assert worker.predict(expected).values.tolist() == [2.0] * 5


def test_an_empty_batch(start, plain, with_numpy):
    for environment in (plain, with_numpy):
        with start("def predict(batch): return batch['x0']", floats(1), environment) as worker:
            assert len(worker.predict(one_column(0))) == 0


def test_limits_are_those_that_were_given(start, plain, own_uid):
    source = """
    import resource
    def predict(batch):
        limits = (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_MSGQUEUE)
        return [float(resource.getrlimit(limit)[0]) for limit in limits]
    """
    settings = replace(BoxSettings(uid=own_uid), limits=Limits(file_bytes=3 << 20))
    with start(source, floats(1), plain, settings) as worker:
        assert worker.predict(one_column()).values.tolist() == [3 << 20, 0, 0]


def test_another_thread_may_cancel(start, plain):
    source = "import time\ndef predict(batch):\n    time.sleep(60)"
    with start(source, floats(1), plain) as worker:
        timer = threading.Timer(0.2, worker.cancel)
        timer.start()
        with pytest.raises(BoxEnded) as ended:
            worker.predict(one_column())
    assert ended.value.reason is EndReason.CANCELLED


def test_time_zones_are_known(start, plain):
    source = """
    import datetime, zoneinfo
    def predict(batch):
        moment = datetime.datetime(2026, 1, 1, tzinfo=zoneinfo.ZoneInfo("Asia/Shanghai"))
        return [moment.utcoffset().total_seconds()] * batch.rows
    """
    if not Path("/usr/share/zoneinfo/Asia/Shanghai").exists():
        pytest.skip("this host has no time-zone data")
    with start(source, floats(1), plain) as worker:
        assert worker.predict(one_column()).values.tolist() == [28800.0] * 3
