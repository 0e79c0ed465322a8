"""``-n 2``: what forked workers run is reported as if one process had run it, and what ends a worker ends one test."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.forked_workers import _refuse_threads

ROOT = Path(__file__).parent.parent
CONFTEST = """
from pathlib import Path
from tests import scheduling
from tests.forked_workers import ForkedWorkers

scheduling.ROOT = Path(__file__).parent

def pytest_configure(config):
    config.pluginmanager.register(ForkedWorkers(2))
"""
MANY = """
import os, signal, time, warnings
import pytest

@pytest.mark.parametrize("case", range(4))
def test_of_many(case, tmp_path):
    (tmp_path / "mine").touch()
    if case == 1:
        os.kill(os.getpid(), signal.SIGKILL)

@pytest.fixture
def broken():
    yield
    raise RuntimeError("torn down")

def test_that_fails(broken):
    print("words of its own")
    assert 1 + 1 == 3

@pytest.mark.skip(reason="for now")
def test_that_is_skipped():
    pass

def test_that_warns():
    warnings.warn("soon gone", FutureWarning)
"""
SHARED = """
import os
import pytest

@pytest.fixture(scope="module")
def made():
    yield [os.getpid()]
    print("once torn down")

@pytest.mark.parametrize("case", range(9))
def test_in_one_process(made, case):
    made.append(os.getpid())
    assert len(set(made)) == 1 and len(made) == case + 2

def test_too(made):
    assert len(made) == 10
"""
SESSION = """
import pytest

@pytest.fixture(scope="session")
def kept():
    yield
    raise RuntimeError("it could not be ended")

def test_it(kept):
    pass
"""


@pytest.fixture
def run(tmp_path):
    def run(*options, **files):
        for name, text in {"conftest": CONFTEST, **files}.items():
            (tmp_path / f"{name}.py").write_text(text)
        command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", "-c", os.devnull]
        command += ["--rootdir", tmp_path, "--import-mode=importlib", "-rs", *options, tmp_path]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": "."})

    return run


def test_what_workers_did_is_told_and_one_that_dies_costs_one_test(run):
    done = run(test_many=MANY, test_shared=SHARED)
    assert "2 failed, 14 passed, 1 skipped, 1 warning, 1 error in" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1
    for told in ("SIGKILL in this test", "words of its own", "torn down", "1 + 1", "for now", "soon gone"):
        assert told in done.stdout


def test_after_the_first_failure_no_more_are_begun(run):
    done = run("-x", test_many=MANY)
    assert "stopping after 1 failures" in done.stdout
    assert "warning" not in done.stdout
    assert done.returncode == 1


def test_what_cannot_be_torn_down_at_the_end_fails_the_run(run):
    done = run(test_session=SESSION)
    assert "1 passed" in done.stdout
    assert "it could not be ended" in done.stderr
    assert done.returncode == 1


def test_what_has_threads_of_polars_is_not_forked():
    ready, over = threading.Event(), threading.Event()

    def compute():
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text("polars-0")
        ready.set()
        over.wait()

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        assert ready.wait(10)
        with pytest.raises(pytest.UsageError, match="computes with Polars while it is imported"):
            _refuse_threads()
    finally:
        over.set()
        thread.join()
