"""The effect on employment: tables of occupations and sectors, owners' statements, reports of staffing, and sums."""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.api.shapes import InAddress
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.documents.subjects import Subject
from pilotbase.documents.workforce import (
    EffectTold,
    OccupationsTold,
    OccupationTable,
    OccupationTold,
    SectorsTold,
    SectorTable,
    StaffingReport,
    WorkforceStatement,
    WorkforceTold,
)
from pilotbase.operations.matches import OfRecordWith
from pilotbase.operations.operation import Operation, Repeated, With


class WorkforceAsked(InAddress):
    """Of which scenario or region; empty: of all."""

    scenario: Subject | Literal[""] = ""
    region: str = pydantic.Field("", max_length=6, pattern=r"^[A-Z0-9-]*$")


class OfOccupation(InAddress):
    """Which occupation."""

    code: str = pydantic.Field("", max_length=30, pattern=r"^([a-z0-9-]+:[0-9A-Z.-]+)?$")


_EFFECT = "/workforce/scenarios/{owner}/{name}"
SHOW = Operation("workforce.show", "GET /workforce", WorkforceAsked, WorkforceTold, who=ReadScope.LEDGER)
OCCUPATION = Operation(
    "workforce.occupation",
    "GET /workforce/occupation",
    OfOccupation,
    OccupationTold,
    who=ReadScope.LEDGER,
)
STATE = Operation(
    "workforce.state",
    f"PUT {_EFFECT}",
    OfRecordWith[WorkforceStatement],
    EffectTold,
    who=DeskAct.WORKFORCE,
    repeated=Repeated.HARMLESS,
    example={
        "region": "CN-31",
        "stated_on": "2026-12-01",
        "occupations": [
            {
                "code": "isco-08:4132",
                "people": 40,
                "tasks": ["Key in inspection sheets"],
                "displaced": {"low": 0, "high": 2},
                "augmented": {"low": 30, "high": 40},
                "created": {"low": 1, "high": 1, "payer": "plant"},
            }
        ],
        "assumptions": {
            "minutes_per_case": {"low": 2.1, "high": 2.9, "source": "Time study of November 2026"},
            "cases_per_year": {"low": 140000, "high": 160000, "source": "Log of the line, 2025"},
            "hours_per_year": {"low": 1800, "high": 2000, "source": "Working time rules"},
            "share_redeployed": {"low": 0.5, "high": 1, "source": "Agreement with the works council"},
        },
        "demand": [{"sector": "C33", "amount": {"low": 1.5, "high": 2}}],
        "heard": "Works council, 20 November 2026",
    },
)
REPORT = Operation(
    "workforce.report",
    f"POST {_EFFECT}/staffing",
    OfRecordWith[StaffingReport],
    EffectTold,
    who=DeskAct.WORKFORCE,
    repeated=Repeated.HARMLESS,
    example={"day": "2026-11-30", "people": 39},
)
SET_OCCUPATIONS = Operation(
    "workforce.set_occupations",
    "PUT /workforce/occupations",
    With[OccupationTable],
    OccupationsTold,
    who=DeskAct.PLAN,
    repeated=Repeated.HARMLESS,
    example={
        "document": "occupations/1",
        "source": "Survey of the base, 2026",
        "licence": "CC BY 4.0",
        "raters": ["experts"],
        "language_models": False,
        "occupations": [
            {
                "code": "isco-08:4132",
                "title": {"en": "Data entry clerks", "zh": "数据录入员"},
                "tasks": [{"number": "1", "title": "Key in inspection sheets", "core": True, "labels": ["E1"]}],
            }
        ],
    },
)
SET_SECTORS = Operation(
    "workforce.set_sectors",
    "PUT /workforce/sectors",
    With[SectorTable],
    SectorsTold,
    who=DeskAct.PLAN,
    repeated=Repeated.HARMLESS,
    example={
        "document": "sectors/1",
        "source": "Input-output table of two sectors, an example",
        "region": "CN",
        "year": 2023,
        "unit": "million CNY",
        "sectors": [
            {"code": "C33", "title": "Metal products", "output": 1000},
            {"code": "C34", "title": "General machinery", "output": 2000},
        ],
        "flows": [[150, 500], [200, 100]],
    },
)
