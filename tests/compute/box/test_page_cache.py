"""Forgetting files: which ones, and that it is quick enough to be done after every run."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pilotbase.compute.box import page_cache, runner
from pilotbase.compute.box.box import Box
from pilotbase.compute.box.command import Program
from pilotbase.compute.box.page_cache import forget_files
from pilotbase.compute.box.settings import BoxSettings


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files whose cache was dropped, by name."""
    names: list[str] = []

    def note(descriptor: int, start: int, length: int, advice: int) -> None:
        assert (start, length, advice) == (0, 0, os.POSIX_FADV_DONTNEED), "the whole file"
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    monkeypatch.setattr(page_cache.os, "posix_fadvise", note)
    return names


def test_every_regular_file_but_the_hidden_ones(tmp_path, forgotten):
    for name in ("a", "deep/er/b", "packages/c", "outside/d"):
        file = tmp_path / "place" / name if not name.startswith("outside") else tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    place = tmp_path / "place"
    (place / "link").symlink_to(tmp_path / "outside")
    (place / "file-link").symlink_to(tmp_path / "outside" / "d")
    os.mkfifo(place / "pipe")
    alias = tmp_path / "alias"
    alias.symlink_to(place)
    assert forget_files([alias, place, place / "a", tmp_path / "gone"], [place / "packages"]) == 3
    assert sorted(set(forgotten)) == ["a", "b"]


@pytest.mark.usefixtures("forgetful_boxes")
def test_the_places_of_a_box_hold_its_interpreter_and_libraries(forgotten):
    with Box(Program(Path(runner.__file__), (), ()), BoxSettings()) as box:
        began = time.monotonic()
        count = box.forget_files()
        assert time.monotonic() - began < 10
    assert count == len(forgotten) and {"os.py", "libc.so.6"} <= set(forgotten)
