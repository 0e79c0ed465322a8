from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pilotbase.data.drafting import DraftAnswers, ScenarioDraft, draft_scenario
from pilotbase.documents.scenario import Scenario
from tests.data.drafts_for_tests import CASES

MACHINE_FIELDS = [
    {"name": "id", "dataType": "sc:Integer"},
    {"name": "type", "dataType": "sc:Text"},
    {"name": "torque", "dataType": "sc:Float", "unit": "N·m", "minimum": 0, "maximum": 100},
    {"name": "wear", "dataType": "sc:Integer", "unit": "min"},
    {"name": "alarm", "dataType": "sc:Boolean"},
    {"name": "line", "dataType": "sc:Text"},
    {"name": "day", "dataType": "sc:Date"},
    {"name": "failure", "dataType": "sc:Boolean"},
]


@pytest.fixture
def machine_fields() -> list[dict[str, Any]]:
    return list(MACHINE_FIELDS)


@pytest.fixture
def scenario() -> Callable[..., Scenario]:
    """Return a maker of scenarios; keyword arguments replace parts of ``data`` or of the scenario."""

    def make(data: dict[str, Any] | None = None, **parts: Any) -> Scenario:
        value = {
            "name": "milling",
            "title": "Milling",
            "owner": {"organisation": "plant"},
            "problem": "Failures come unseen",
            "task": "classification",
            "positive": "true",
            "data": {"file": "cases.csv", "fields": MACHINE_FIELDS, "target": "failure", "key": "id"} | (data or {}),
        }
        return Scenario.model_validate(value | parts)

    return make


@pytest.fixture
def table() -> Callable[..., pl.DataFrame]:
    """Return a maker of raw tables of ``rows`` machine cases, as texts; keyword arguments replace columns."""

    def make(rows: int = 8, **columns: list[Any]) -> pl.DataFrame:
        raw: dict[str, list[Any]] = {
            "id": [str(index) for index in range(rows)],
            "type": ["LMH"[index % 3] for index in range(rows)],
            "torque": [f"{40 + index % 50}.5" for index in range(rows)],
            "wear": [str(index % 250) for index in range(rows)],
            "alarm": ["yes" if index % 5 == 0 else "no" for index in range(rows)],
            "line": ["north" if index % 2 else "south" for index in range(rows)],
            "day": [f"2026-01-{1 + index % 28:02d}" for index in range(rows)],
            "failure": ["1" if index % 4 == 0 else "0" for index in range(rows)],
        }
        return pl.DataFrame(raw | columns)

    return make


@pytest.fixture
def draft(tmp_path: Path) -> Callable[..., ScenarioDraft]:
    """Return a maker of drafts from a table of pumps; keyword arguments replace what the owner answers."""

    def make(cases: pl.DataFrame = CASES, name: str = "Pump Failures.csv", **answers: Any) -> ScenarioDraft:
        cases.write_csv(tmp_path / name)
        given: dict[str, Any] = {"problem": "泵故障难以预知", "target": "failed", "group_or_time": None}
        given |= {"cost_of_miss": 100, "cost_of_false_alarm": 10, "contact": "River Water, ops@river.example"}
        return draft_scenario(tmp_path / name, DraftAnswers(**(given | answers)))

    return make
