"""Grades of messages: A says what, where and what to do, B two of them, C one; F is silence or a crash."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from click.testing import Result

SHARE_BELOW_B = 0.05
"""At most so many outcomes may be graded below B."""
_FLAGS = re.DOTALL | re.IGNORECASE


@dataclass(frozen=True)
class Expected:
    """What must be said, as patterns: what is wrong, where it is, what to do about it."""

    what: str
    where: str
    do: str


@dataclass
class Told:
    """What commands said, remark by remark, and whether one of them crashed."""

    remarks: list[str] = field(default_factory=list)
    crashed: bool = False

    def take(self, result: Result, remarks: Sequence[str]) -> None:
        """Add the remarks of one command."""
        self.remarks += remarks
        unforeseen = result.exception is not None and not isinstance(result.exception, SystemExit)
        self.crashed = self.crashed or unforeseen or result.exit_code == 1


@dataclass(frozen=True)
class Grade:
    """The letter, and which remark deserved it (None: no remark says what is wrong)."""

    letter: str
    remark: int | None = None


def grade(expected: Expected, told: Told) -> Grade:
    """Return the grade of the best remark: where and what to do must stand beside what is wrong."""
    found = [Grade("F")]
    for at, remark in enumerate(told.remarks):
        if re.search(expected.what, remark, _FLAGS):
            further = [one for one in (expected.where, expected.do) if re.search(one, remark, _FLAGS)]
            found.append(Grade("CBA"[len(further)], at))
    return Grade("F") if told.crashed else min(found, key=lambda one: one.letter)
