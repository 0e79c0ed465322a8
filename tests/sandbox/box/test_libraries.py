"""Which of the system's libraries a box is shown: enough for wheels, Python and its tools, the same for every box."""

from __future__ import annotations

import ctypes.util
from pathlib import Path

import numpy as np
import pytest

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box import copies
from pilotbase.sandbox.box.command import BoxProgram, shown_of_host
from pilotbase.sandbox.box.copies import shown_libraries
from pilotbase.sandbox.box.environments import build_environment
from pilotbase.sandbox.box.probe import probe_host
from pilotbase.sandbox.box.settings import BoxSettings, Interpreter, LogPolicy, running_interpreter
from pilotbase.sandbox.box.warm_worker import start_worker


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def system(tmp_path) -> Path:
    """A folder of libraries: names stand in a file as in ELF files, each behind a zero."""
    folder = tmp_path / "lib"
    (folder / "gconv").mkdir(parents=True)
    (folder / "gconv" / "GBK.so").write_bytes(b"table")
    (folder / "dri").mkdir()
    (folder / "dri" / "big.so").write_bytes(b"driver")
    for name, needs in {
        "libc.so.6": [],
        "libneeded.so.1.2": ["libdeep.so.2"],
        "libdeep.so.2": [],
        "libother.so.1": [],
    }.items():
        (folder / name).write_bytes(b"\0".join([b"\x7fELF", *(one.encode() for one in needs), b""]))
    (folder / "libneeded.so.1").symlink_to("libneeded.so.1.2")
    return folder


def python(tmp_path: Path, content: bytes = b"\0libneeded.so.1\0") -> Interpreter:
    (tmp_path / "python" / "bin").mkdir(parents=True, exist_ok=True)
    executable = tmp_path / "python" / "bin" / "python3"
    executable.write_bytes(content)
    return Interpreter(executable, tmp_path / "python", "none")


def test_what_is_needed_is_shown_with_all_that_it_needs_and_nothing_else(cache, system, tmp_path):
    shown = shown_libraries(system, python(tmp_path), [])
    names = sorted(str(path.relative_to(shown)) for path in shown.rglob("*"))
    assert names == ["gconv", "gconv/GBK.so", "libc.so.6", "libdeep.so.2", "libneeded.so.1", "libneeded.so.1.2"]
    assert (shown / "libneeded.so.1").readlink() == Path("libneeded.so.1.2")


def test_it_is_chosen_once_and_anew_when_a_library_or_python_changes(cache, system, tmp_path):
    shown = shown_libraries(system, python(tmp_path), [])
    copies._MADE.clear()
    assert shown_libraries(system, python(tmp_path), []) != shown, "Python was written anew"
    (system / "libdeep.so.2").write_bytes(b"\0libother.so.1\0")
    copies._MADE.clear()
    interpreter = python(tmp_path)
    assert (shown_libraries(system, interpreter, []) / "libother.so.1").exists()
    copies._MADE.clear()
    kept = shown_libraries(system, interpreter, [])
    copies._MADE.clear()
    assert shown_libraries(system, interpreter, []) == kept


def test_a_rehearsal_and_a_trial_are_shown_the_same_names():
    def names(logs: LogPolicy) -> dict[str, set[str]]:
        settings = BoxSettings(logs=logs, interpreter=running_interpreter())
        shown = shown_of_host(BoxProgram(Path(copies.__file__), (), ()), settings, probe_host().tools)
        libraries = [mount for mount in shown if str(mount.target).startswith(("/usr/lib", "/lib"))]
        return {
            str(one.target): {str(file.relative_to(one.source)) for file in one.source.rglob("*")} for one in libraries
        }

    assert names(LogPolicy.FULL) == names(LogPolicy.WITHHELD)


LOADS = """
import ctypes, encodings, importlib, pathlib, sys

def predict(batch):
    failed = []
    own = "lib/python{}.{}/lib-dynload/*.so".format(*sys.version_info)
    for file in sorted(pathlib.Path(sys.base_prefix).glob(own)):
        try:
            importlib.import_module(file.name.partition(".")[0])
        except Exception as problem:
            failed.append(f"{file.name}: {problem}")
    for name in NAMES:
        try:
            ctypes.CDLL(name)
        except Exception as problem:
            failed.append(f"{name}: {problem}")
    print("failed", failed)
    return [0.5] * batch.rows
"""
LEFT_TO_THE_SYSTEM = ("stdc++", "gcc_s", "gomp", "z", "expat", "glib-2.0", "GL", "X11", "Xext", "Xrender", "SM", "ICE")


def test_every_module_of_python_and_what_wheels_leave_to_the_system_loads_in_a_box(tmp_path):
    names = [name for name in map(ctypes.util.find_library, LEFT_TO_THE_SYSTEM) if name is not None]
    (tmp_path / "application").mkdir()
    (tmp_path / "application" / "app.py").write_text(LOADS.replace("NAMES", repr(names)))
    contract = Contract(features=(Field(name="x0", dataType="sc:Float"),), prediction=Prediction(kind="value"))
    plain = build_environment(b"", "requirements.lock", tmp_path / "environments")
    settings = BoxSettings(logs=LogPolicy.FULL)
    with start_worker(tmp_path / "application", Form(), contract, plain, settings) as worker:
        worker.predict(FeatureBatch({"x0": np.zeros(1)}, 1))
        worker.close()
        assert len(names) >= 2 and worker.logs().text.startswith("failed []"), worker.logs().text
