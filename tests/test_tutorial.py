"""The tutorial: the same commands in both languages, and what they say is what it says they do."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"```(sh)?\n(.*?)```", re.S)
COMMENT = re.compile(r" +# .*")
PROBLEM = re.compile(r'--problem "[^"]*"')
"""The owner's words: each reader's own language."""
FIGURES = re.compile(r"[\d,.]*\d")


def blocks(language):
    text = (ROOT / "docs" / f"tutorial{language}.md").read_text("utf-8")
    found = BLOCK.findall(text)
    return [COMMENT.sub("", block) for kind, block in found if kind], [block for kind, block in found if not kind]


def test_both_languages_give_the_same_commands():
    (english, told), (chinese, told_too) = blocks(""), blocks(".zh")
    assert [PROBLEM.sub("", one) for one in english] == [PROBLEM.sub("", one) for one in chinese]
    assert len(told) == len(told_too) == 4


@pytest.mark.prove
@pytest.mark.parametrize("language", ["", ".zh"])
def test_every_command_does_what_the_tutorial_says(language, tmp_path):
    commands, told = blocks(language)
    script = "\n".join(["set -e", *commands]).replace(". .venv/bin/activate", "").replace("$PWD/build", "build")
    script = script.replace("build/tutorial", str(tmp_path)).replace("../../examples", str(ROOT / "examples"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    spoken = {"": "en", ".zh": "zh"}[language]
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env={**os.environ, "PATH": path, "PILOTBASE_LANGUAGE": spoken},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = FIGURES.sub("#", done.stdout + done.stderr)
    for block in told:
        for line in block.strip().split("\n"):
            assert FIGURES.sub("#", line.strip().removesuffix("…")) in said, f"{line}\n{done.stdout}{done.stderr}"
    assert (tmp_path / "draft" / "doctor.html").is_file() and (tmp_path / "verdict" / "report.html").is_file()
