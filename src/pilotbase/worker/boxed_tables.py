"""Tables that were handed in, read in a box: a parser that a hostile file breaks reaches nothing of the base."""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import TypeVar

import polars
import pydantic

import pilotbase
from pilotbase.compute.box import Box
from pilotbase.compute.channel import ChannelClosedError, DeadlinePassedError
from pilotbase.compute.command import Mount, Program
from pilotbase.compute.settings import BoxSettings, LogPolicy
from pilotbase.data.drafting import Draft, DraftAnswers
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.protocols.frames import FrameError, Kind, encode_json
from pilotbase.worker import table_program

_TABLE, _RESULT = PurePosixPath("/table"), PurePosixPath("/result")
_CODE, _PACKAGES = PurePosixPath("/code"), PurePosixPath("/packages")
_LIMITS = Limits(memory_bytes=3 << 30, cpu_seconds=300, wall_seconds=300, processes=64, scratch_bytes=256 << 20)
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


def describe_table(table: Path) -> TableFacts:
    """Return the facts of a table that stands alone in its folder, which the box sees.

    Raises:
        InputError: it is no table (see `read_table`), or its reader took more than a box gives.
        RefusedError: this host gives no box.
    """
    return _read_in_box(table, None, TableFacts)


def draft_in_box(table: Path, answers: DraftAnswers) -> Draft:
    """Return what `draft_scenario` drafts, computed in a box; raises as it does, and as `describe_table`."""
    found = _read_in_box(table, answers, _Drafted)
    if found.scenario is None:
        raise InputError("data.not_a_table", file=table.name, reason=text("data.reason.box"))
    return Draft(found.scenario, found.decided, found.missing)


def _read_in_box(table: Path, answers: DraftAnswers | None, model: type[Found]) -> Found:
    table.parent.chmod(0o755)  # for the box's user; the folders above keep everybody else out
    table.chmod(0o644)
    with tempfile.TemporaryDirectory(dir=table.parent.parent) as place:
        settings = BoxSettings(limits=_LIMITS, level=IsolationLevel.L2, logs=LogPolicy.FULL)
        if os.getuid() == 0:
            os.chown(place, settings.uid, settings.uid)
        _converse(Program(Path(table_program.__file__), (), _mounts(table, Path(place))), settings, table, answers)
        found = _result(Path(place) / "found.json", model, table)
    if found.error is not None:
        raise InputError(found.error.code, issues=found.issues, **found.error.params)
    return found


def _mounts(table: Path, place: Path) -> tuple[Mount, ...]:
    ours, packages = Path(pilotbase.__file__).parent, Path(polars.__file__).parent.parent
    return (
        Mount(table.parent, _TABLE),
        Mount(place, _RESULT, writable=True),
        Mount(ours, _CODE / "pilotbase"),
        Mount(packages, _PACKAGES),
    )


def _converse(program: Program, settings: BoxSettings, table: Path, answers: DraftAnswers | None) -> None:
    greeting = {
        "packages": [str(_CODE), str(_PACKAGES)],
        "table": str(_TABLE / table.name),
        "result": str(_RESULT / "found.json"),
        "answers": asdict(answers) if answers else None,
    }
    deadline = time.monotonic() + settings.limits.wall_seconds
    with Box(program, settings) as box:
        try:
            box.channel.send(encode_json(Kind.HELLO, json.dumps(greeting).encode()), deadline)
            header = box.channel.receive_header(deadline)
            if header.kind is not Kind.READY:
                raise FrameError(EndReason.BROKEN_PROTOCOL)
        except (ChannelClosedError, DeadlinePassedError, FrameError):
            raise InputError("data.not_a_table", file=table.name, reason=text("data.reason.box")) from None


def _result(file: Path, model: type[Found], table: Path) -> Found:
    """Return what the box wrote, which is as little trusted as the table."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as stream:
            return model.model_validate_json(stream.read(_MOST_RESULT))
    except (OSError, pydantic.ValidationError):
        raise InputError("data.not_a_table", file=table.name, reason=text("data.reason.box")) from None
