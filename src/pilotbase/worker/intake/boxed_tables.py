"""Tables that were handed in, read in a box: a parser that a hostile file breaks reaches nothing of the base."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import polars as pl
import pydantic

from pilotbase.compute.box.box import Box
from pilotbase.compute.box.channel import ChannelClosedError, DeadlinePassedError
from pilotbase.compute.box.command import BoxProgram, Mount
from pilotbase.compute.box.own_functions import FOLDERS, package_mounts
from pilotbase.compute.box.settings import BoxSettings, LogPolicy
from pilotbase.data.conform import conform, conformed_types
from pilotbase.data.drafting import DraftAnswers, ScenarioDraft
from pilotbase.data.plain_columns import decode_columns
from pilotbase.data.sources.faults import MOST_BYTES
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.protocols.frames import FrameError, FrameKind, encode_json
from pilotbase.worker.intake import table_program
from pilotbase.worker.intake.scenario_tables import CaseCounts, PublicSample

_GIVEN, _RESULT = PurePosixPath("/given"), PurePosixPath("/result")
_LIMITS = Limits(
    memory_bytes=3 << 30,
    cpu_seconds=300,
    wall_seconds=300,
    processes=64,
    scratch_bytes=256 << 20,
    file_bytes=MOST_BYTES,
)
_MOST_RESULT = 8 << 20
Found = TypeVar("Found", bound="_Found")


class _Found(pydantic.BaseModel):
    error: Text | None = None
    issues: tuple[Issue, ...] = ()


class TableFacts(_Found):
    """What the columns of a table are called, and how many rows it has."""

    columns: tuple[str, ...] = ()
    rows: int = 0


class _Drafted(_Found):
    scenario: Scenario | None = None
    decided: tuple[Text, ...] = ()
    missing: tuple[str, ...] = ()


class _Counted(_Found):
    counts: CaseCounts | None = None


class _Sampled(_Found):
    contract: Contract | None = None


class _Read(_Found):
    rows: int = pydantic.Field(default=0, ge=0, lt=1 << 40)


@dataclass(frozen=True)
class _Task:
    """What the box is asked for: a function of `table_program`, about the table of a folder."""

    name: str
    folder: Path
    table: str
    given: Mapping[str, Any] | None = None
    beside: str = ""
    """The file that the box writes beside what it has found, if any."""
    further: tuple[str, ...] = ()
    """Other files of the folder that the box reads."""

    @property
    def broken(self) -> InputError:
        """What is said when a box was broken by the table, or would have been."""
        return InputError("data.not_a_table", file=self.table, reason=text("data.reason.box"))


def describe_table(table: Path) -> TableFacts:
    """Return the facts of a table that stands alone in its folder, which the box sees.

    Raises:
        InputError: it is no table (see `read_table`), or its reader took more than a box gives.
        RefusedError: this host gives no box.
    """
    return _ask(_Task("describe", table.parent, table.name), TableFacts)[0]


def draft_in_box(table: Path, answers: DraftAnswers) -> ScenarioDraft:
    """Return what `draft_scenario` drafts, computed in a box; where nothing is missing, its cases hold too.

    Raises as `draft_scenario`, `check_cases` and `describe_table`.
    """
    task = _Task("draft", table.parent, table.name, asdict(answers), table_program.DRAFTED)
    found, cases = _ask(task, _Drafted)
    if found.scenario is None or PurePosixPath(found.scenario.data.file).name != found.scenario.data.file:
        raise task.broken
    return ScenarioDraft(found.scenario, found.decided, found.missing, cases or None)


def check_in_box(scenario: Scenario, folder: Path) -> CaseCounts:
    """Return what `check_cases` counts, read in a box that sees ``folder``; raises as both."""
    recorded = tuple(exchange.file for exchange in scenario.trial.exchanges or ())
    task = _Task("check", folder, scenario.data.file, scenario.to_json_value(), further=recorded)
    found, _ = _ask(task, _Counted)
    if found.counts is None:
        raise task.broken
    return found.counts


def sample_in_box(scenario: Scenario, folder: Path) -> PublicSample:
    """Return what `read_sample` reads, read in a box that sees ``folder``; raises as both."""
    task = _Task("sample", folder, scenario.data.file, scenario.to_json_value(), table_program.SAMPLE)
    found, sample = _ask(task, _Sampled)
    if found.contract is None:
        raise task.broken
    return PublicSample(found.contract, sample)


def cases_in_box(scenario: Scenario, folder: Path) -> pl.DataFrame:
    """Return what `read_cases` reads, read in a box that sees ``folder``; raises as both."""
    task = _Task("cases", folder, scenario.data.file, scenario.to_json_value(), table_program.CASES)
    found, buffers = _ask(task, _Read)
    try:
        frame = decode_columns(buffers, found.rows, conformed_types(scenario))
    except ValueError:
        raise task.broken from None
    return conform(frame, scenario)


def texts_in_box(table: Path) -> pl.DataFrame:
    """Return every value of a table as text, read in a box that sees the folder in which it lies alone.

    Raises as `describe_table`.
    """
    task = _Task("texts", table.parent, table.name, None, table_program.TEXTS)
    found, buffers = _ask(task, TableFacts)
    try:
        return decode_columns(buffers, found.rows, dict.fromkeys(found.columns, pl.String()))
    except ValueError:
        raise task.broken from None


def _ask(task: _Task, model: type[Found]) -> tuple[Found, bytes]:
    """Return what the box has found, and the file that it has written beside, if any."""
    _show(task)
    with tempfile.TemporaryDirectory(dir=task.folder.parent) as name:
        place, settings = Path(name), BoxSettings(limits=_LIMITS, level=IsolationLevel.L2, logs=LogPolicy.FULL)
        if os.getuid() == 0:
            os.chown(place, settings.uid, settings.uid)
        _converse(BoxProgram(Path(table_program.__file__), (), _mounts(task, place)), settings, task)
        found = _result(place, model, task)
        beside = _read(place / task.beside, _LIMITS.file_bytes, task) if task.beside else b""
    return found, beside


def _show(task: _Task) -> None:
    """Let the box's user read folder and files; the folders above keep everybody else out."""
    for name in (task.table, *task.further):
        file = task.folder / name
        if not file.is_file() or not file.resolve().is_relative_to(task.folder.resolve()):
            raise InputError("trial.no_source", file=name, folder=task.folder)
        for path in (task.folder, *(parent for parent in file.parents if task.folder in parent.parents)):
            path.chmod(0o755)
        file.chmod(0o644)


def _mounts(task: _Task, place: Path) -> tuple[Mount, ...]:
    return (Mount(task.folder, _GIVEN), Mount(place, _RESULT, writable=True), *package_mounts())


def _converse(program: BoxProgram, settings: BoxSettings, task: _Task) -> None:
    greeting = {
        "packages": FOLDERS,
        "folder": str(_GIVEN),
        "result": str(_RESULT),
        "task": task.name,
        "table": task.table,
        "given": task.given,
    }
    deadline = time.monotonic() + settings.limits.wall_seconds
    with Box(program, settings) as box:
        try:
            box.channel.send(encode_json(FrameKind.HELLO, json.dumps(greeting).encode()), deadline)
            header = box.channel.receive_header(deadline)
            if header.kind is not FrameKind.READY:
                raise FrameError(EndReason.BROKEN_PROTOCOL)
        except (ChannelClosedError, DeadlinePassedError, FrameError):
            raise task.broken from None


def _result(place: Path, model: type[Found], task: _Task) -> Found:
    """Return what the box wrote, which is as little trusted as the table; raises what it says was wrong."""
    try:
        found = model.model_validate_json(_read(place / table_program.FOUND, _MOST_RESULT, task))
    except pydantic.ValidationError:
        raise task.broken from None
    if found.error is not None:
        raise InputError(found.error.code, issues=found.issues, **found.error.params)
    return found


def _read(file: Path, most: int, task: _Task) -> bytes:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as stream:
            return stream.read(most)
    except OSError:
        raise task.broken from None
