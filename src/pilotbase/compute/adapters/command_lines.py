"""A program in any language that answers lines of JSON: one line a batch on its standard input, one on its output.

``{"rows": 2, "columns": {"torque": [41.5, null], …}}`` is answered by ``[…]`` with one answer a case: what ``predict``
of an application in Python returns, or null to abstain. A missing value is null; an image or a sound is
``{"shape": [h, w, c], "type": "|u1", "base64": "…"}``. The first line asks about no case at all: ``[]`` says that the
program is ready. It runs until its input ends. What it prints elsewhere than on standard output is its log.
"""

from __future__ import annotations

import base64
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

RUNTIME = "command"
NEEDS = ()
EXTRA = ""

_PYTHON = "python"
_MISSING_BOOLEAN = 255
_LONGEST_ANSWER = 256 << 20
_EXIT_SECONDS = 5.0


def load(given: Any) -> Callable[[Any], Any]:
    """Return what answers a batch, once the program has answered the empty one."""
    program = _Program(given)
    program.ask(0, {name: [] for name in given.features})
    return lambda batch: program.ask(batch.rows, {name: _plain(batch[name], given.types[name]) for name in batch})


class _Program:
    def __init__(self, given: Any) -> None:
        self._refused = given.refused
        variables = {**os.environ, "PYTHONPATH": given.environment}
        words, pipe = _words(given), subprocess.PIPE
        try:
            self._process = subprocess.Popen(words, stdin=pipe, stdout=pipe, cwd=given.folder, env=variables)
        except OSError as problem:
            said = f"{given.form['command'][0]} cannot be run here: {problem.strerror}"
            raise given.refused("model_unreadable", said) from None

    def ask(self, rows: int, columns: dict[str, Any]) -> list[Any]:
        """Return the program's answers; raises what ends the run."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"rows": rows, "columns": columns}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        line = self._process.stdout.readline(_LONGEST_ANSWER)
        if not line.endswith(b"\n") and len(line) < _LONGEST_ANSWER:
            raise self._ended()
        try:
            answers = json.loads(line)
        except ValueError:
            answers = None
        if not isinstance(answers, list):
            said = f"the command printed {line[:200]!r}, which is no list of answers in JSON on one line"
            raise self._refused("wrong_type", f"{said}; print everything else on standard error")
        return answers

    def _ended(self) -> Exception:
        try:
            code: object = self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            code = "none yet"
        ended: Exception = self._refused(
            "application_exit", f"the command ended while it was asked (exit code: {code})"
        )
        return ended


def _words(given: Any) -> list[str]:
    """Return the command that runs: Python as it runs here, or a copy of the program that may be executed."""
    first, *rest = given.form["command"]
    if first == _PYTHON:
        return [sys.executable, "-s", "-S", "-B", "-X", "utf8", *rest]
    place = Path(tempfile.mkdtemp(), "program")
    shutil.copyfile(Path(given.folder, first), place)
    place.chmod(0o500)
    return [str(place), *rest]


def _plain(column: Any, kind: str) -> list[Any]:
    values = column if isinstance(column, list) else column.tolist()
    if kind in ("sc:ImageObject", "sc:AudioObject"):
        return [None if value is None else _array(value) for value in values]
    if kind == "sc:Boolean":
        return [None if value == _MISSING_BOOLEAN else bool(value) for value in values]
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]


def _array(value: Any) -> dict[str, Any]:
    """Return an array as JSON has it; where the environment has no numpy it came as (shape, type, bytes)."""
    shape, kind, data = value if isinstance(value, tuple) else (value.shape, value.dtype.str, value.tobytes())
    return {"shape": list(shape), "type": kind, "base64": base64.b64encode(data).decode()}
