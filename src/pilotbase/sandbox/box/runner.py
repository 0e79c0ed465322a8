"""The program inside the box: it loads an application and answers batches. It stands alone: standard library only.

``python -s -S -P -B runner.py REQUESTS ANSWERS SHARED`` speaks the frames of `pilotbase.protocols.frames` on two pipes
and a read-only file, none of which is standard input or output, so that an application's prints break nothing. It uses
numpy if the application's environment has it; otherwise columns are plain lists. An application that is no Python code
is loaded by one of the modules of `pilotbase.sandbox.adapters`, which is a file of the box. Everything here runs beside
hostile code: its reports are checked again outside.
"""

from __future__ import annotations

import array
import ast
import contextlib
import errno
import importlib
import importlib.util
import io
import json
import math
import mmap
import os
import select
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, groupby
from typing import Any

MAGIC = b"PBX1"
HEADER = struct.Struct("<4sB3xIIQ")
STARTED, HELLO, READY, BATCH, ANSWER, ERROR, SHARED = range(1, 8)
SLOTS = 2
MISSING_BOOLEAN = 255
MAX_ERROR_CHARACTERS = 4000
PROMPT_SECONDS = 2e-4
FEW_CLASSES = 16
SPELLED = frozenset({"text", "probabilities", "labels", "ranking", "boxes", "mask"})
NPY_LENGTH = struct.Struct("<H")


def main() -> None:
    """Serve until the requests end."""
    pipe = Pipe(*map(int, sys.argv[1:4]))
    pipe.send(STARTED)
    if (hello := pipe.receive()) is None:
        return
    greeting = json.loads(bytes(hello[2]))
    try:
        predict, numpy = load(greeting)
    except BaseException as problem:  # noqa: BLE001 - any error of the application is reported
        pipe.send_error("load_failed", problem)
        return
    reader = Reader(greeting["features"], numpy)
    encode = Encoder(greeting["kind"], greeting["classes"], numpy).encode
    pipe.send_json(READY, {"numpy": numpy.__version__ if numpy else None})
    while (frame := pipe.receive()) is not None:
        sequence, rows, payload = frame
        try:
            answer = encode(predict(reader.read(payload, rows)), rows)
        except BaseException as problem:  # noqa: BLE001
            pipe.send_error("application_error", problem)
            return
        pipe.send(ANSWER, answer, sequence, rows)


def load(greeting: dict[str, Any]) -> tuple[Callable[[Batch], object], Any]:
    """Return the application's function and numpy (None if the environment has none).

    The supplier's folder is on the import path only if its code is the submission.
    """
    if greeting["adapter"] is None:
        sys.path.insert(0, greeting["application"])
    sys.path.append(greeting["environment"])
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, line_buffering=True)
    try:
        numpy = importlib.import_module("numpy")
    except ModuleNotFoundError:
        numpy = None
    if greeting["adapter"] is None:
        return entry_point(greeting["form"]["entry_point"]), numpy
    return adapter(greeting["adapter"]).load(RunnerInput(greeting)), numpy


def entry_point(name: str) -> Callable[[Batch], object]:
    """Return the supplier's function."""
    module, _, function = name.partition(":")
    predict: Callable[[Batch], object] = getattr(importlib.import_module(module), function)
    if not callable(predict):
        raise TypeError(f"{name} is no function")
    return predict


def adapter(file: str) -> Any:
    """Return the module that loads another form of application."""
    found = importlib.util.spec_from_file_location("pilotbase_adapter", file)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


class RunnerInput:
    """The input of an adapter: the folder, and the facts of the manifest and the contract."""

    def __init__(self, greeting: dict[str, Any]) -> None:
        self.folder: str = greeting["application"]
        self.environment: str = greeting["environment"]
        self.form: dict[str, Any] = greeting["form"]
        self.features: list[str] = greeting["features"]
        self.kind: str = greeting["kind"]
        self.classes: list[str] = greeting["classes"]
        self.positive: str | None = greeting["positive"]
        self.threads: int = greeting["threads"]
        adapters = greeting["adapter"].rpartition("/")[0]
        self.neighbour: Callable[[str], Any] = lambda name: adapter(f"{adapters}/{name}.py")
        self.types: dict[str, str] = dict(zip(greeting["features"], greeting["types"], strict=True))
        self._codes = codes_of(self.classes)

    def is_number(self, feature: str) -> bool:
        """Return whether a feature is a number or a truth value."""
        return self.types[feature] in ("sc:Float", "sc:Integer", "sc:Boolean")

    def is_truth(self, feature: str) -> bool:
        """Return whether a feature is a truth value."""
        return self.types[feature] == "sc:Boolean"

    def numbers(self, batch: Batch, names: Sequence[str] | None = None) -> Any:
        """Return `Batch.matrix` with NaN for a missing truth value, too, shape (rows, columns)."""
        matrix = batch.matrix(names)
        for index, name in enumerate(batch if names is None else names):
            if self.is_truth(name):
                matrix[batch[name] == MISSING_BOOLEAN, index] = math.nan
        return matrix

    def code(self, answer: Any) -> int | None:
        """Return the place of a class in the contract, by `codes_of`; None if it is no class."""
        return self._codes.get(answer)

    def refused(self, reason: str, words: str) -> Exception:
        """Return the exception that ends the run with ``reason``."""
        return ReasonedError(reason, words)


class Pipe:
    """Frames in, frames out, on descriptors that children of the application do not inherit."""

    def __init__(self, requests: int, answers: int, shared: int) -> None:
        for descriptor in (requests, answers):
            os.set_inheritable(descriptor, False)
        self._requests = io.FileIO(requests)
        self._answers, self._prompt = answers, False
        self._coming = select.poll()
        self._coming.register(requests, select.POLLIN)
        self._shared = memoryview(mmap.mmap(shared, 0, prot=mmap.PROT_READ))
        os.close(shared)

    def receive(self) -> tuple[int, int, bytearray] | None:
        """Return (sequence, rows, payload) of the next frame, or None at the end."""
        self._look_out()
        if (head := self._take(HEADER.size)) is None:
            return None
        _, kind, sequence, rows, length = HEADER.unpack(head)
        if kind == SHARED:
            start = sequence % SLOTS * (len(self._shared) // SLOTS)
            return sequence, rows, bytearray(self._shared[start : start + length])
        payload = self._take(length)
        return None if payload is None else (sequence, rows, payload)

    def send(self, kind: int, payload: Any = b"", sequence: int = 0, rows: int = 0) -> None:
        view = memoryview(payload).cast("B") if len(payload) else memoryview(b"")
        head = HEADER.pack(MAGIC, kind, sequence, rows, len(view))
        written = os.writev(self._answers, [head, view]) - len(head)
        while written < len(view):
            written += os.write(self._answers, view[written:])

    def send_json(self, kind: int, value: object) -> None:
        self.send(kind, json.dumps(value).encode())

    def send_error(self, reason: str, problem: BaseException) -> None:
        """Report an error; its words are shown only if the run's policy releases them."""
        sys.stdout.flush()
        self.send_json(ERROR, {"reason": reason_of(problem, reason), "message": describe(problem)})

    def _look_out(self) -> None:
        """Wait for a request; where the last came at once, stay awake a little: to wake up takes as long as a turn."""
        began = time.monotonic()
        while self._prompt and time.monotonic() - began < PROMPT_SECONDS and not self._coming.poll(0):
            os.sched_yield()
        self._coming.poll()
        self._prompt = time.monotonic() - began < PROMPT_SECONDS

    def _take(self, size: int) -> bytearray | None:
        data, filled = bytearray(size), 0
        while filled < size:
            count = self._requests.readinto(memoryview(data)[filled:])
            if not count:
                return None
            filled += count
        return data


class ReasonedError(Exception):
    """Ends the run with a reason of its own: a refused model, a result that does not answer the batch."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def reason_of(problem: BaseException, reason: str) -> str:
    """Return the end reason for an exception, or ``reason`` if it has none of its own."""
    if isinstance(problem, ReasonedError):
        return problem.reason
    if isinstance(problem, MemoryError):
        return "memory_limit"
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "scratch_limit"
    if isinstance(problem, BlockingIOError) or str(problem) == "can't start new thread":
        return "process_limit"
    if isinstance(problem, SystemExit | KeyboardInterrupt):
        return "application_exit"
    return reason


def describe(problem: BaseException) -> str:
    """Return an exception with its innermost lines, as the author would see it."""
    if isinstance(problem, ReasonedError):
        return str(problem)
    return "".join(traceback.format_exception(problem))[-MAX_ERROR_CHARACTERS:]


class Batch(Mapping[str, Any]):
    """What ``predict`` receives: column name → one-dimensional array (a list without numpy).

    Numbers are float64 or int64 (NaN = missing), booleans uint8 (255 = missing), texts and times str, images and sounds
    arrays, shape (height, width, channels) and (samples,), read-only; None = missing. Without numpy an array is
    (shape, type, bytes), the type as numpy spells it.
    """

    def __init__(self, names: Sequence[str], columns: Any, rows: int, block: Any, numpy: Any) -> None:
        self._columns = dict(zip(names, columns, strict=True))
        self._block, self._numpy, self.rows = block, numpy, rows

    def __getitem__(self, name: str) -> Any:
        if name not in self._columns:
            raise KeyError(f"no column {name!r}; applications see {', '.join(self._columns)}")
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def matrix(self, names: Sequence[str] | None = None) -> Any:
        """Return the named columns (all by default) as floats, shape (rows, columns); a view if all are float64."""
        if names is None and self._block is not None:
            return self._block
        columns = [self._columns[name] for name in (self._columns if names is None else names)]
        if self._numpy is None:
            return [[float(value) for value in row] for row in zip(*columns, strict=True)]
        matrix = self._numpy.empty((len(columns), self.rows))
        for index, column in enumerate(columns):
            matrix[index] = column
        return matrix.T


class Reader:
    """Turns the payload of a BATCH frame into a `Batch`."""

    def __init__(self, names: Sequence[str], numpy: Any) -> None:
        self._names = names
        self._numpy = numpy
        self._all_float = b"d" * len(names)

    def read(self, payload: bytearray, rows: int) -> Batch:
        """Return the batch; with numpy its float columns are views of ``payload``."""
        numpy, width = self._numpy, len(self._names)
        codes, position = bytes(payload[:width]), width + -width % 8
        if numpy is not None and codes == self._all_float:
            block = numpy.frombuffer(payload, dtype="<f8", count=width * rows, offset=position).reshape(width, rows)
            return Batch(self._names, block, rows, block.T, numpy)
        columns = []
        for code in codes.decode():
            column, size = self._read_column(code, memoryview(payload)[position:], rows)
            columns.append(column)
            position += size + -size % 8
        return Batch(self._names, columns, rows, None, numpy)

    def _read_column(self, code: str, data: memoryview, rows: int) -> tuple[Any, int]:
        if code in "tn":
            values, size = read_pieces(data, rows)
            read = bytes.decode if code == "t" else self._read_array
            column = [None if value is None else read(value) for value in values]
            return (self._objects(column) if self._numpy is not None else column), size
        item, size = {"d": ("<f8", 8), "q": ("<i8", 8), "B": ("u1", 1)}[code]
        data = data[: rows * size]
        if self._numpy is not None:
            return self._numpy.frombuffer(data, dtype=item), rows * size
        return array.array(code, data.tobytes()).tolist(), rows * size

    def _objects(self, values: list[Any]) -> Any:
        column = self._numpy.empty(len(values), dtype=object)
        for row, value in enumerate(values):
            column[row] = value
        return column

    def _read_array(self, data: bytes) -> Any:
        """Return the contents of a ``.npy`` file of version 1.0."""
        start = 10 + NPY_LENGTH.unpack_from(data, 8)[0]
        described = ast.literal_eval(data[10:start].decode("latin-1"))
        shape, kind = described["shape"], described["descr"]
        if self._numpy is None:
            return shape, kind, data[start:]
        return self._numpy.frombuffer(data, dtype=kind, offset=start).reshape(shape)


def read_pieces(data: memoryview, rows: int) -> tuple[list[bytes | None], int]:
    """Return byte strings, None for missing ones, and the number of bytes read."""
    offsets = array.array("q", data[: 8 * (rows + 1)].tobytes())
    position = 8 * (rows + 1)
    present = data[position : position + rows]
    position += rows + -rows % 8
    pieces = bytes(data[position : position + offsets[rows]])
    values = [pieces[offsets[row] : offsets[row + 1]] if present[row] else None for row in range(rows)]
    return values, position + len(pieces)


def write_pieces(values: Sequence[bytes | None]) -> bytes:
    """Return byte strings in the form that `read_pieces` reads."""
    offsets = array.array("q", accumulate((len(value or b"") for value in values), initial=0))
    present = bytes(value is not None for value in values)
    parts = (offsets.tobytes(), present, b"".join(value or b"" for value in values))
    return b"".join(part + b"\0" * (-len(part) % 8) for part in parts)


class Encoder:
    """Turns the result of ``predict`` into the payload of an ANSWER frame."""

    def __init__(self, kind: str, classes: Sequence[str], numpy: Any) -> None:
        self._kind = kind
        self._codes = codes_of(classes)
        self._numpy = numpy

    def encode(self, result: Any, rows: int) -> Any:
        """Return the bytes of one answer for each case; raises `ReasonedError` on another count or type."""
        plain = self._numpy is not None and self._kind in ("label", "probability", "value")
        if plain and isinstance(result, self._numpy.ndarray) and result.dtype.kind in "biufU":
            return self._encode_array(result, rows)
        if hasattr(result, "tolist"):
            result = result.tolist()
        if isinstance(result, str | bytes | bytearray | Mapping) or not hasattr(result, "__iter__"):
            raise ReasonedError("wrong_type", f"predict returned {type(result).__name__}, not one answer a case")
        result = list(result)
        if len(result) != rows:
            raise ReasonedError("wrong_count", f"predict returned {len(result)} answers for {rows} cases")
        if self._kind in SPELLED:
            return write_pieces([spelled(answer, self._kind) for answer in result])
        if self._kind == "interval":
            return array.array("d", [end for answer in result for end in interval(answer)])
        if self._kind == "label":
            try:
                return array.array("i", map(self._codes.__getitem__, result))  # six times as fast as one by one
            except (KeyError, TypeError):
                return array.array("i", [self._code(answer) for answer in result])
        return array.array("d", [number(answer) for answer in result])

    def _encode_array(self, result: Any, rows: int) -> Any:
        numpy = self._numpy
        if result.ndim == 2 and result.shape[1] == 1:
            result = result[:, 0]
        if result.ndim != 1:
            raise ReasonedError("wrong_type", f"predict returned shape {result.shape}, not one answer a case")
        if len(result) != rows:
            raise ReasonedError("wrong_count", f"predict returned {len(result)} answers for {rows} cases")
        if self._kind != "label":
            if result.dtype.kind == "U":
                raise ReasonedError("wrong_type", "predict answered with a str, not with a number")
            return numpy.ascontiguousarray(result, dtype="<f8")
        return self._encode_labels(result)

    def _encode_labels(self, result: Any) -> Any:
        """Compare with each class in turn, which is quick for few classes; sort only if other values are left."""
        numpy = self._numpy
        known = [(key, code) for key, code in self._codes.items() if isinstance(key, str) == (result.dtype.kind == "U")]
        if len(known) <= FEW_CLASSES:
            codes = numpy.full(len(result), -2, dtype="<i4")
            for key, code in known:  # no answer is two classes, and a sum is quicker than a choice
                codes += (result == key) * numpy.int32(code + 2)
            if len(codes) == 0 or codes.min() >= 0:
                return codes
        kinds, inverse = numpy.unique(result, return_inverse=True)
        codes = [self._code(answer) for answer in kinds.tolist()]
        return numpy.array(codes, dtype="<i4")[inverse] if codes else numpy.zeros(0, dtype="<i4")

    def _code(self, answer: Any) -> int:
        if answer is None or (isinstance(answer, float) and math.isnan(answer)):
            return -1
        with contextlib.suppress(KeyError, TypeError):
            return self._codes[answer]
        if hasattr(answer, "item"):
            return self._code(answer.item())
        if isinstance(answer, str | bool | int | float):
            raise ReasonedError("unknown_class", f"predict answered {answer!r}, which is no class of the contract")
        raise mistyped(answer, "a class")


def mistyped(answer: Any, wanted: str) -> ReasonedError:
    """Return the exception for an answer of another type than the contract's."""
    return ReasonedError("wrong_type", f"predict answered with a {type(answer).__name__}, not with {wanted}")


def codes_of(classes: Sequence[str]) -> dict[str | float, int]:
    """Return answer → code: the class itself, the number it spells, and a truth value for false/true."""
    codes: dict[str | float, int] = {}
    for code, name in enumerate(classes):
        with contextlib.suppress(ValueError):
            codes[float(name)] = code
    if tuple(classes) == ("false", "true"):
        codes = {0.0: 0, 1.0: 1}
    return codes | {name: code for code, name in enumerate(classes)}


def spelled(answer: Any, kind: str) -> bytes | None:
    """Return an answer as a text: itself, or JSON; raises `ReasonedError` if it cannot be of its kind."""
    if answer is None or (isinstance(answer, float) and math.isnan(answer)):
        return None
    if kind == "text":
        if not isinstance(answer, str):
            raise mistyped(answer, "a str")
        return encoded(answer)
    plain: Any = answer.tolist() if hasattr(answer, "tolist") else answer
    named = kind == "probabilities" and isinstance(plain, Mapping)
    if isinstance(plain, str | bytes) or (isinstance(plain, Mapping) and not named) or not hasattr(plain, "__iter__"):
        wanted = {"mask": "rows of codes", "boxes": "a list of boxes", "probabilities": "a number for each class"}
        raise mistyped(answer, wanted.get(kind, "a list of names"))
    if kind == "probabilities" and any(one != one for one in (plain.values() if named else plain)):
        return None
    plain = dict(plain) if named else list(plain)
    try:
        return encoded(json.dumps(run_lengths(plain) if kind == "mask" else plain, default=unpacked, allow_nan=False))
    except (TypeError, ValueError) as problem:
        raise ReasonedError("wrong_type", f"predict answered with what cannot be spelled: {problem}") from None


def encoded(text: str) -> bytes:
    """Return UTF-8; raises `ReasonedError` for an unpaired surrogate."""
    try:
        return text.encode()
    except UnicodeEncodeError as problem:
        raise ReasonedError("wrong_type", f"predict answered with a text that is no Unicode: {problem}") from None


def unpacked(value: Any) -> Any:
    """Return numpy's numbers and rows, and sets, as JSON types."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"a {type(value).__name__}")


def run_lengths(rows: Sequence[Sequence[int]]) -> dict[str, list[int]]:
    """Return the rows of a mask as runs: code, pixels, code, pixels, …"""
    width = len(rows[0]) if rows else 0
    if any(len(row) != width for row in rows):
        raise ValueError("rows of different lengths")
    runs = [(int(code), sum(1 for _ in same)) for code, same in groupby(chain.from_iterable(rows))]
    return {"size": [len(rows), width], "runs": list(chain.from_iterable(runs))}


def interval(answer: Any) -> tuple[float, float]:
    """Return the ends of an interval, NaN for None; raises `ReasonedError` for anything else."""
    if answer is None or (isinstance(answer, float) and math.isnan(answer)):
        return math.nan, math.nan
    if isinstance(answer, str | bytes | Mapping) or not hasattr(answer, "__iter__"):
        raise mistyped(answer, "two numbers")
    ends = [number(end) for end in answer]
    if len(ends) != 2:
        raise ReasonedError("wrong_type", f"predict answered with {len(ends)} numbers, not with two")
    return ends[0], ends[1]


def number(answer: Any) -> float:
    """Return an answer as float, NaN for None; raises `ReasonedError` for anything but a number."""
    if answer is None:
        return math.nan
    with contextlib.suppress(TypeError, ValueError):
        if not isinstance(answer, str | bytes | bytearray):
            return float(answer)
    raise mistyped(answer, "a number")


if __name__ == "__main__":
    main()
