"""The peer: frictionless on CSV, row by row: FILE. No profile."""

from __future__ import annotations

import sys
from pathlib import Path

from frictionless import Checklist, Resource, Schema, fields
from frictionless.checks import row_constraint
from quality_rules import LISTS, PAIRS, PATTERN, PATTERNS, RANGES, REQUIRED, WORDS
from timing import say

KINDS = {"f": fields.NumberField, "i": fields.IntegerField, "s": fields.StringField, "b": fields.BooleanField,
         "t": fields.AnyField}  # fmt: skip
NAMES = [*(f"f{n}" for n in range(6)), *(f"i{n}" for n in range(5)), *(f"s{n}" for n in range(7)), "b", "t"]


def _constraints(name: str) -> dict[str, object]:
    found: dict[str, object] = {"required": True} if name in REQUIRED else {}
    if name in RANGES:
        found |= {"minimum": RANGES[name][0], "maximum": RANGES[name][1]}
    if name in LISTS:
        found["enum"] = WORDS
    return found | ({"pattern": PATTERN} if name in PATTERNS else {})


SCHEMA = Schema(fields=[KINDS[name[0]](name=name, constraints=_constraints(name)) for name in NAMES])
FILE, LIMIT = Path(sys.argv[1]), 10**7


def work() -> int:
    checks = [row_constraint(formula=f"{less} <= {more}") for less, more in PAIRS]
    resource = Resource(path=FILE.name, basepath=str(FILE.parent), schema=SCHEMA)
    report = resource.validate(Checklist(checks=checks), limit_errors=LIMIT)
    found = report.flatten(["fieldName", "type"])
    return sum(1 for field, kind in found if field == "f0" and kind == "constraint-error")


say(work, ("frictionless",))
