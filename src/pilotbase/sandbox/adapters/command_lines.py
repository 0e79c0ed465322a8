"""A program in any language that answers lines of JSON: one line for each batch on its standard input and output.

``{"rows": 2, "columns": {"torque": [41.5, null], …}}`` is answered by ``[…]`` with one answer for each case: the value
that ``predict`` of an application in Python returns, or null to abstain. A missing value is null; an image or a sound
is ``{"shape": [h, w, c], "type": "|u1", "base64": "…"}``. The first line asks about no case: ``[]`` says that the
program is ready. It runs until its input ends. Everything it prints elsewhere than on standard output is its log.

A program that speaks buffers gets numbers and truth values behind the line instead of in it: ``"buffers": {"torque":
"<f8"}`` lists them in order; each is an array with one element for each row, NaN or 255 for a missing value. It may
answer likewise: ``{"buffer": "<f8"}`` and the array behind that line; for labels ``{"buffer": "<i4"}``, their places in
the contract, -1 to abstain.
"""

from __future__ import annotations

import array
import base64
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

RUNTIME = "command"
NEEDS = ()
EXTRA = ""

_PYTHON = "python"
_NUMBERS = ("sc:Float", "sc:Integer", "sc:Boolean")
_SPELLED = {"d": "<f8", "q": "<i8", "B": "|u1"}
_MISSING_BOOLEAN = 255
_LONGEST_ANSWER = 256 << 20
_EXIT_SECONDS = 5.0
_NOT_IN_BOX = "the file is there, but the interpreter that it names (its first line, #!) is not in the box"


def load(given: Any) -> Callable[[Any], Any]:
    """Return a function that answers batches, once the program has answered the empty one."""
    variables = {**os.environ, "PYTHONPATH": given.environment}
    try:
        process = started(_words(given), variables, given.folder)
    except OSError as problem:
        why = _NOT_IN_BOX if isinstance(problem, FileNotFoundError) else problem.strerror
        said = f"{given.form['command'][0]} cannot be run here: {why}"
        raise given.refused("model_unreadable", said) from None
    return answering(process, given)


def started(words: Sequence[str], variables: Mapping[str, str], folder: str) -> subprocess.Popen[bytes]:
    """Return a program that takes questions through its standard input and output; raises `OSError`."""
    pipe = subprocess.PIPE
    return subprocess.Popen(words, stdin=pipe, stdout=pipe, cwd=folder, env=variables)


def answering(process: subprocess.Popen[bytes], given: Any) -> Callable[[Any], Any]:
    """Return a function that answers batches through ``process``, once it has answered the empty one."""
    program = _Program(process, given)
    program.ask(0, {name: [] for name in given.features})
    return lambda batch: program.ask(batch.rows, batch)


class _Program:
    def __init__(self, process: subprocess.Popen[bytes], given: Any) -> None:
        self._process, self._given, self._buffers = process, given, given.form.get("speaks") == "buffers"

    def ask(self, rows: int, columns: Any) -> Any:
        """Return the program's answers; raises the exception that ends the run."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.writelines(self._question(rows, columns))
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
        if isinstance(answers, dict) and self._buffers:
            return self._behind(answers.get("buffer"), rows)
        if not isinstance(answers, list):
            said = f"the command printed {line[:200]!r}, which is no list of answers in JSON on one line"
            raise self._given.refused("wrong_type", f"{said}; print everything else on standard error")
        return answers

    def _question(self, rows: int, columns: Any) -> Iterator[bytes]:
        """Yield the line, then the buffers that it announces."""
        types = self._given.types
        behind = [name for name in columns if self._buffers and types[name] in _NUMBERS]
        asked: dict[str, Any] = {"rows": rows}
        asked["columns"] = {name: _plain(columns[name], types[name]) for name in columns if name not in behind}
        packed = {name: _packed(columns[name], types[name]) for name in behind}
        if self._buffers:
            asked["buffers"] = {name: kind for name, (kind, _) in packed.items()}
        yield json.dumps(asked).encode() + b"\n"
        yield from (data for _, data in packed.values())

    def _behind(self, kind: Any, rows: int) -> Any:
        """Return the answers behind the line."""
        wanted, code = ("<i4", "i") if self._given.kind == "label" else ("<f8", "d")
        if kind != wanted:
            raise self._given.refused("wrong_type", f"the command announced {kind!r}, not {wanted}, behind its line")
        assert self._process.stdout is not None
        answers = array.array(code)
        data = self._process.stdout.read(rows * answers.itemsize)
        if len(data) < rows * answers.itemsize:
            raise self._ended()
        answers.frombytes(data)
        return [self._label(one) for one in answers] if code == "i" else answers

    def _label(self, place: int) -> str | None:
        if -1 <= place < len(self._given.classes):
            return None if place < 0 else str(self._given.classes[place])
        unknown: Exception = self._given.refused("unknown_class", f"the command answered the class {place}")
        raise unknown

    def _ended(self) -> Exception:
        try:
            code: object = self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            code = "none yet"
        ended: Exception = self._given.refused(
            "application_exit", f"the command ended while it was asked (exit code: {code})"
        )
        return ended


def _words(given: Any) -> list[str]:
    """Return the command to run: the Python that runs here, or an executable copy of the program."""
    first, *rest = given.form["command"]
    if first == _PYTHON:
        return [sys.executable, "-s", "-S", "-B", "-X", "utf8", *rest]
    place = Path(tempfile.mkdtemp(), "program")
    shutil.copyfile(Path(given.folder, first), place)
    place.chmod(0o500)
    return [str(place), *rest]


def _packed(column: Any, kind: str) -> tuple[str, bytes]:
    """Return the spelling of numbers, and their bytes; without numpy in the environment they are a list."""
    if hasattr(column, "dtype"):
        return column.dtype.str, column.tobytes()
    code = "B" if kind == "sc:Boolean" else "q" if all(isinstance(value, int) for value in column) else "d"
    return _SPELLED[code], array.array(code, column).tobytes()


def _plain(column: Any, kind: str) -> list[Any]:
    values = column if isinstance(column, list) else column.tolist()
    if kind in ("sc:ImageObject", "sc:AudioObject"):
        return [None if value is None else _array(value) for value in values]
    if kind == "sc:Boolean":
        return [None if value == _MISSING_BOOLEAN else bool(value) for value in values]
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]


def _array(value: Any) -> dict[str, Any]:
    """Return an array for JSON; without numpy in the environment it came as (shape, type, bytes)."""
    shape, kind, data = value if isinstance(value, tuple) else (value.shape, value.dtype.str, value.tobytes())
    return {"shape": list(shape), "type": kind, "base64": base64.b64encode(data).decode()}
