"""Logs of Inspect AI, the evaluation framework for agents and language models: each run of a sample, with its scores.

It reads both forms of log format version 2: ``.eval``, a zip archive of ``header.json`` and ``samples/*.json``, and
``.json``, one object with the same content. Inspect itself isn't needed, and none of its code runs.

A score is converted to a number as in Inspect's ``value_to_float``: C 1, P 0.5, I and N 0, yes and true 1, no and
false 0. A score with several values becomes several scores, ``scorer/key``.

Python up to 3.13 can't read Zstandard (method 93, .ZIP file format specification 6.3.10 §4.4.5), which agents' logs are
packed with; the ``zstandard`` package is used there, if installed.
"""

from __future__ import annotations

import importlib.util
import io
import json
import math
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from pilotbase.documents.errors import InputError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.files import read_bounded, reading

SUFFIXES = (".eval", ".json")
VERSION = 2
MAXIMUM_SAMPLE = 64 << 20
"""Bytes of one run of a sample, unpacked; and of a whole log that is one object."""
MAXIMUM_LOG = 16 << 30
"""Bytes of all of them: they are read one after the other."""
MAXIMUM_RUNS = 1_000_000
MAXIMUM_SCORERS = 1000
"""Distinct names, including those of metadata: each is a column of a table, in which each run is a row."""
MAXIMUM_CELLS = 100_000_000
MAXIMUM_KEPT = 1 << 30
"""Letters of answers, targets and metadata of all runs: they are kept together."""
_HEADER, _SAMPLES = "header.json", "samples/"
_NAMED = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_SAID = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_LONGEST_NAME = 1000

End = Literal["scored", "error", "limit", "missing"]
MAXIMUM_MEMBERS = 200_000
_ZSTANDARD = 93
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_ENCRYPTED = 1


@dataclass(frozen=True)
class SampleRun:
    """One run of a sample, which may have several, one per epoch. ``scores``: None where there is none."""

    sample: str
    epoch: int
    end: End
    scores: Mapping[str, float | None]
    answer: str | None = None
    target: str | None = None
    metadata: Mapping[str, str] | None = None
    """The words, numbers and booleans of the sample's metadata."""

    @property
    def letters(self) -> int:
        """Return how many letters of others it keeps."""
        return sum(map(len, (self.answer or "", self.target or "", *(self.metadata or {}).values())))


@dataclass(frozen=True)
class InspectLog:
    """What was evaluated, and every run that the log should contain: a missing or void one ended ``missing``."""

    task: str
    model: str
    runs: tuple[SampleRun, ...]

    @property
    def scorers(self) -> tuple[str, ...]:
        """Return the names of all scores, sorted."""
        return tuple(sorted({name for run in self.runs for name in run.scores}))


def read_inspect_log(path: Path) -> InspectLog:
    """Return the log in ``path``.

    Raises:
        InputError: the file doesn't exist; it isn't an archive or JSON, or not from Inspect; an unknown version; too
            large; a duplicate run; a score that isn't a number.
    """
    reader = _Reader(path.name)
    if path.suffix.lower() == ".json":
        whole = _loaded(read_bounded(path, MAXIMUM_SAMPLE), path.name, path.name)
        samples = whole.get("samples") if isinstance(whole, dict) else None
        return reader.log(whole, samples if isinstance(samples, list) else [])
    with _opened_zip(path, MAXIMUM_SAMPLE, MAXIMUM_LOG) as members:
        if _HEADER not in members.by_name:
            raise InputError("inspect.unfinished", file=path.name, found=_HEADER)
        header = _loaded(members.read(_HEADER), path.name, _HEADER)
        names = (name for name in members.by_name if name.startswith(_SAMPLES) and name.endswith(".json"))
        return reader.log(header, (_loaded(members.read(name), path.name, name) for name in names))


def _loaded(content: bytes, file: str, place: str) -> Any:
    try:
        found = json.loads(content)  # NaN is what Inspect writes for a score that there is not
        if b"\\ud" in content or b"\\uD" in content:
            json.dumps(found, ensure_ascii=False).encode()  # fails for half a pair of surrogates
        return found
    except (ValueError, RecursionError) as error:
        raise InputError("inspect.no_json", file=file, place=place[:200], reason=str(error)[:200]) from None


class _Reader:
    """Reads the parts of a log, and reports in words what is missing or wrong."""

    def __init__(self, file: str) -> None:
        self._file = file

    def log(self, header: Any, samples: Iterable[Any]) -> InspectLog:
        evaluated = header.get("eval") if isinstance(header, dict) else None
        if not isinstance(evaluated, dict):
            raise InputError("inspect.no_log", file=self._file)
        if header.get("version") != VERSION:
            found = str(header.get("version"))[:40]
            raise InputError("inspect.version", file=self._file, found=found, known=VERSION)
        runs: dict[tuple[str, int], SampleRun] = {}
        columns, kept = set[str](), 0
        for sample in samples:
            run = self._run(sample)
            if runs.setdefault((run.sample, run.epoch), run) is not run:
                raise self._wrong(run.sample, "id", f"epoch {run.epoch} stands twice")
            columns |= run.scores.keys() | (run.metadata or {}).keys()
            kept += run.letters
            if kept > MAXIMUM_KEPT:
                raise InputError("input.file_too_large", file=self._file, limit=MAXIMUM_KEPT)
            cells = len(runs) * len(columns)
            if len(runs) > MAXIMUM_RUNS or len(columns) > MAXIMUM_SCORERS or cells > MAXIMUM_CELLS:
                raise InputError("inspect.too_many", file=self._file, runs=MAXIMUM_RUNS, scorers=MAXIMUM_SCORERS)
        if not runs:
            raise InputError("inspect.unfinished", file=self._file, found="samples")
        missing = (key for key in _expected(evaluated) if key not in runs)
        runs |= {key: SampleRun(*key, "missing", {}) for key in missing}
        return InspectLog(_word(evaluated.get("task")), _word(evaluated.get("model")), tuple(runs.values()))

    def _run(self, sample: Any) -> SampleRun:
        if not isinstance(sample, dict):
            raise self._wrong("?", "samples", "is no object")
        name, epoch = sample.get("id"), sample.get("epoch")
        if type(name) not in (int, str) or not 0 < len(str(name)) <= _LONGEST_NAME:
            raise self._wrong("?", "id", "is no name")
        if type(epoch) is not int or epoch < 1:
            raise self._wrong(str(name), "epoch", "is no whole number from 1 on")
        ends: tuple[End, ...] = ("error", "limit", "missing")
        told = (sample.get("error"), sample.get("limit"), sample.get("invalidation"))
        end: End = next((end for end, said in zip(ends, told, strict=True) if said), "scored")
        return SampleRun(
            sample=str(name),
            epoch=epoch,
            end=end,
            scores=dict(self._scores(str(name), sample.get("scores") or {})),
            answer=_completion(sample.get("output")),
            target=_target(sample.get("target")),
            metadata=_plain(sample.get("metadata")),
        )

    def _scores(self, sample: str, scores: Any) -> Iterator[tuple[str, float | None]]:
        if not isinstance(scores, dict):
            raise self._wrong(sample, "scores", "is no object")
        for name, score in scores.items():
            value = score.get("value") if isinstance(score, dict) else score
            several = value if isinstance(value, dict) else {"": value}
            for key, one in several.items():
                place = f"{name}/{key}" if key else name
                yield place, self._number(sample, place, one)

    def _number(self, sample: str, place: str, value: Any) -> float | None:
        if value is None:
            return None
        if isinstance(value, str) and value in _NAMED:
            return _NAMED[value]
        number = _as_float(value)
        if number is None:
            raise self._wrong(sample, place, f"{str(value)[:60]!r} is no number")
        return None if math.isnan(number) else number

    def _wrong(self, sample: str, place: str, problem: str) -> InputError:
        return InputError("inspect.wrong", file=self._file, sample=sample[:80], place=place[:80], reason=problem)


def _expected(evaluated: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the sample and the epoch of every run that was to be made, as far as the header says it."""
    dataset, config = evaluated.get("dataset"), evaluated.get("config")
    names = dataset.get("sample_ids") if isinstance(dataset, dict) else None
    epochs = config.get("epochs") if isinstance(config, dict) else None
    count = epochs if type(epochs) is int else 1
    names = names if isinstance(names, list) else []
    if len(names) * count <= MAXIMUM_RUNS:
        yield from ((str(name), epoch) for name in names for epoch in range(1, count + 1))


def _as_float(value: Any) -> float | None:
    if isinstance(value, str) and value.lower() in _SAID:
        return _SAID[value.lower()]
    if not isinstance(value, bool | int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _completion(output: Any) -> str | None:
    said = output.get("completion") if isinstance(output, dict) else None
    return said if isinstance(said, str) and said else None


def _target(target: Any) -> str | None:
    if isinstance(target, list) and len(target) == 1:
        return _target(target[0])
    if isinstance(target, list):
        return json.dumps(target, ensure_ascii=False)
    return target if isinstance(target, str) and target else None


def _plain(metadata: Any) -> Mapping[str, str]:
    found = metadata.items() if isinstance(metadata, dict) else ()
    return {name: _spelled(value) for name, value in found if isinstance(value, str | int | float | bool)}


def _spelled(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _word(value: Any) -> str:
    return str(value)[:200] if isinstance(value, str) else ""


class _ZipMembers:
    """The members of an archive by name; of duplicate names the last counts, as usual."""

    def __init__(self, stream: IO[bytes], file: str, most_bytes: int, most_of_all: int) -> None:
        self._stream, self._file = stream, file
        self._most_bytes, self._left = most_bytes, most_of_all
        self._archive = zipfile.ZipFile(stream)
        found = self._archive.infolist()
        if len(found) > MAXIMUM_MEMBERS:
            raise InputError("zip.members", file=file, limit=MAXIMUM_MEMBERS)
        self.by_name = {info.filename: info for info in found}

    def read(self, name: str) -> bytes:
        """Return a member's bytes.

        Raises:
            InputError: it is larger than a member, or all that are read together, may be; encrypted; packed in a way
                that is not read here; damaged.
        """
        info = self.by_name[name]
        if info.flag_bits & _ENCRYPTED:
            raise InputError("zip.broken", file=self._file, reason=f"{name[:200]} is encrypted")
        limit = min(self._most_bytes, self._left)
        with _in_words(self._file), self._open(info) as stream:
            content = stream.read(limit + 1)
        if len(content) > limit:
            raise InputError("zip.too_large", file=self._file, member=name[:200], limit=limit)
        if zlib.crc32(content) != info.CRC:
            raise InputError("zip.broken", file=self._file, reason=f"{name[:200]} is damaged")
        self._left -= len(content)
        return content

    def _open(self, info: zipfile.ZipInfo) -> IO[bytes]:
        if info.compress_type != _ZSTANDARD:
            return self._archive.open(info)
        packed = io.BytesIO(self._packed(info))
        reader: IO[bytes] = _zstandard(self._file).ZstdDecompressor().stream_reader(packed, read_across_frames=True)
        return reader

    def _packed(self, info: zipfile.ZipInfo) -> bytes:
        self._stream.seek(info.header_offset)
        *_, name, extra = _LOCAL_HEADER.unpack(self._stream.read(_LOCAL_HEADER.size))
        self._stream.seek(name + extra, io.SEEK_CUR)
        return self._stream.read(min(info.compress_size, self._most_bytes))


@contextmanager
def _opened_zip(path: Path, most_bytes: int, most_of_all: int) -> Iterator[_ZipMembers]:
    """Open an archive: at most ``most_bytes`` of one member and ``most_of_all`` in total are read.

    Raises:
        InputError: the file doesn't exist, isn't a zip archive, or has too many members.
    """
    with reading(path):
        stream = path.open("rb")
    with stream:
        with _in_words(path.name):
            members = _ZipMembers(stream, path.name, most_bytes, most_of_all)
        yield members


def _zstandard(file: str) -> Any:
    if importlib.util.find_spec("zstandard") is None:
        raise InputError("zip.needs_zstandard", file=file, packages=packages_of("inspect"))
    import zstandard

    return zstandard


@contextmanager
def _in_words(file: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - archive readers raise any kind of error
        reason = f"{type(error).__name__}: {error}"[:200]
        raise InputError("zip.broken", file=file, reason=reason) from None
