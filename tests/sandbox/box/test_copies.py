"""Copies of what a box reads: who reads which, when they are made anew, and that nothing else stands in for them."""

from __future__ import annotations

import os
import time
from itertools import combinations
from pathlib import Path

import pytest

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.documents.errors import InvalidProofError, PilotbaseError
from pilotbase.documents.limits import IsolationLevel
from pilotbase.sandbox.box import copies
from pilotbase.sandbox.box.box import Box, prepare_host
from pilotbase.sandbox.box.command import BoxProgram, shown_of_host
from pilotbase.sandbox.box.copies import copy_of
from pilotbase.sandbox.box.environments import build_environment
from pilotbase.sandbox.box.probe import probe_host
from pilotbase.sandbox.box.settings import BoxSettings, Interpreter, LogPolicy, Protection, running_interpreter
from pilotbase.sandbox.box.trees import digest_tree, readable_folder
from pilotbase.sandbox.box.warm_worker import start_worker

HIDDEN = BoxSettings(interpreter=running_interpreter())
CONTRACT = Contract(features=(Field(name="x", dataType="sc:Float"),), prediction=Prediction(kind="value"))


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def place(tmp_path) -> Path:
    """A folder with all that there may be in one."""
    folder = tmp_path / "place"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "file").write_text("content")
    (folder / "tool").write_text("#!")
    (folder / "tool").chmod(0o4755)
    (folder / "link").symlink_to("deep/er/file")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "packages").mkdir()
    (folder / "packages" / "other.py").write_text("")
    os.mkfifo(folder / "pipe")
    os.utime(folder / "deep" / "er" / "file", (1, 1))
    (folder / "deep").chmod(0o555)
    return folder


def test_a_copy_is_what_the_place_is_under_inodes_of_its_own(cache, place):
    made = copy_of(place, "withheld", [place / "packages"])
    assert made.is_relative_to(cache)
    names = sorted(path.name for path in made.rglob("*"))
    assert names == ["dangling", "deep", "er", "file", "link", "packages", "tool"]
    assert (made / "deep" / "er" / "file").read_text() == "content"
    assert (made / "deep" / "er" / "file").stat().st_mtime == 1
    assert (made / "link").readlink() == Path("deep/er/file")
    assert (made / "tool").stat().st_mode & 0o7777 == 0o755, "no program takes another's rights with it"
    assert (made / "deep").stat().st_mode & 0o777 == 0o555
    assert not (made / "tool").samefile(place / "tool")
    assert copy_of(place / "tool", "withheld").read_text() == "#!"


def test_a_copy_is_made_once_and_anew_when_the_place_changes(cache, place, monkeypatch):
    made = copy_of(place, "withheld")
    copies._MADE.clear()
    assert copy_of(place, "withheld") == made
    (place / "deep" / "er" / "file").write_text("another")
    copies._MADE.clear()
    assert (copy_of(place, "withheld") / "deep" / "er" / "file").read_text() == "another"


def test_half_a_copy_that_a_killed_process_left_is_none(cache, place, monkeypatch):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(copies, "_copy_file", killed)
    with pytest.raises(KeyboardInterrupt):
        copy_of(place, "withheld")
    monkeypatch.undo()
    monkeypatch.setenv("CACHE_DIRECTORY", str(cache))
    assert (copy_of(place, "withheld") / "deep" / "er" / "file").read_text() == "content"


@pytest.mark.prove
def test_a_prepared_host_is_walked_no_more(cache, monkeypatch):
    prepare_host(HIDDEN)

    def walked(places, empty):
        raise AssertionError(f"{places} are walked again")

    monkeypatch.setattr(copies, "mark_of", walked)
    program = BoxProgram(Path(copies.__file__), (), ())
    assert shown_of_host(program, HIDDEN, probe_host().tools)


def test_what_was_not_used_for_a_week_goes_when_another_is_made(cache, place):
    old, kept = copy_of(place, "withheld"), copy_of(place / "deep", "withheld")
    week = time.time() - 8 * 86_400
    for place_of in (old.parents[1], old.parents[2] / ".swept"):
        os.utime(place_of, (week, week))
    copy_of(place / "tool", "withheld")
    assert not old.exists() and kept.exists()
    assert copy_of(place, "withheld").exists(), "it is made again"


def test_a_folder_that_cannot_be_written_is_told(cache, place):
    cache.write_text("no folder")
    with pytest.raises(PilotbaseError) as told:
        copy_of(place, "withheld")
    assert told.value.code == "box.no_copies"
    with pytest.raises(PilotbaseError):
        Box(BoxProgram(Path(copies.__file__), (), ()), HIDDEN)


def files_of(settings: BoxSettings) -> set[tuple[int, int]]:
    """Return device and inode of each file and folder that a box is shown of the host."""
    found = set()
    for mount in shown_of_host(BoxProgram(Path(copies.__file__), (), ()), settings, probe_host().tools):
        for path in (mount.source, *mount.source.rglob("*")):
            if "-packages" not in str(path) and not path.is_symlink():
                found.add((path.stat().st_dev, path.stat().st_ino))
    return found


def test_boxes_of_which_other_things_leave_have_no_file_in_common(tmp_path):
    prefix = tmp_path / "python"
    (prefix / "lib").mkdir(parents=True)
    (prefix / "lib" / "os.py").write_text("")
    small = Interpreter(prefix / "lib" / "os.py", prefix, "none")
    shown = {logs: files_of(BoxSettings(logs=logs, interpreter=small)) for logs in LogPolicy}
    assert shown[LogPolicy.FULL] == shown[LogPolicy.ANSWERS]
    apart = [shown[logs] for logs in (LogPolicy.FULL, LogPolicy.FIGURES, LogPolicy.WITHHELD)]
    assert all(len(files) > 100 for files in apart)
    assert all(not one & other for one, other in combinations(apart, 2))
    removed = BoxSettings(interpreter=small, removed=frozenset({Protection.COPIES}))
    assert files_of(removed) == shown[LogPolicy.FULL]
    assert BoxSettings(level=IsolationLevel.L1).copies is None, "there is no wall behind which to stand others"


def test_an_environments_copy_is_held_against_its_seal(cache, tmp_path):
    (tmp_path / "application").mkdir()
    (tmp_path / "application" / "app.py").write_text("def predict(batch): return batch['x']")
    environment = build_environment(b"", "requirements.lock", tmp_path / "environments")
    copied = copy_of(environment.path, "withheld")
    copied.chmod(0o755)
    (copied / "numpy.py").write_text("poisoned = True")
    assert digest_tree(copied) != environment.seal
    with pytest.raises(InvalidProofError) as refused:
        start_worker(tmp_path / "application", Form(), CONTRACT, environment, HIDDEN)
    assert refused.value.code == "environment.poisoned" and str(copied) in str(refused.value)


def test_an_application_is_copied_for_one_box_and_gone_with_it(cache, tmp_path):
    folder = tmp_path / "application"
    folder.mkdir()
    (folder / "app.py").write_text("")
    with readable_folder(folder, copied=True) as one, readable_folder(folder, copied=True) as other:
        assert one != other != folder and (one / "app.py").exists()
    assert not one.exists() and not other.exists()
