"""When an owner has to bring fresh cases: what the next attempt on a hidden set could no longer decide."""

from __future__ import annotations

import math
from collections.abc import Iterator

import polars as pl

from pilotbase.documents.errors import BarredError
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.evidence import attempt_levels, exact
from pilotbase.trial.criteria_check import undecidable
from pilotbase.trial.verdict_rules import error_level
from pilotbase.vault.attempts import Remaining
from pilotbase.vault.hidden import HiddenSet


def next_level(scenario: Scenario, left: Remaining) -> float:
    """Return the error level at which the next attempt is judged: the hidden set's, or the scenario's if stricter."""
    own = attempt_levels(exact(error_level(scenario.criteria)), left.next_number).accept
    return min(left.next_alpha, float(own))


def why_no_attempt(scenario: Scenario, hidden: HiddenSet, left: Remaining) -> BarredError | None:
    """Return why no further attempt may be made on a hidden set: all that set or scenario allow are used; or None."""
    allowed = min(scenario.trial.attempts, hidden.attempts)
    used = hidden.attempts - left.attempts
    return BarredError("trial.no_attempts_left", allowed=allowed) if used >= allowed else None


def refresh_advice(
    scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame, left: Remaining
) -> tuple[Text, ...]:
    """Return why fresh cases are due, in sentences for the owner; empty while the next attempt can decide everything.

    Planning estimates: the public sample stands in for the cases that are left, with every answer right.
    """
    return tuple(_advice(scenario, classes, public, left))


def _advice(scenario: Scenario, classes: tuple[str, ...], public: pl.DataFrame, left: Remaining) -> Iterator[Text]:
    terms = scenario.trial
    if left.attempts < 1:
        yield text("trial.refresh.attempts")
    wanted = max(terms.cases_per_attempt or 1, terms.cases or 1)
    if left.fresh < wanted:
        yield text("trial.refresh.cases", wanted=wanted, left=left.fresh, missing=wanted - left.fresh)
    cases = min(terms.cases_per_attempt or left.fresh, left.fresh)
    if not cases:
        return
    level = next_level(scenario, left)
    for _, found in undecidable(scenario, classes, public, cases, level):
        yield text(
            "trial.refresh.criterion",
            rule=found.params["rule"],
            alpha=f"{level:.2g}",
            needed=_cases(found, cases),
            cases=cases,
            left=left.fresh,
        )


def _cases(found: Text, cases: int) -> str:
    """Return how many cases of the kind there are would hold the needed eligible ones, in two digits rounded up."""
    eligible, needed = found.params["found"], found.params["needed"]
    if not isinstance(needed, int) or not isinstance(eligible, int) or not eligible:
        return "∞"
    count = math.ceil(needed * cases / eligible)
    step = 10 ** max(0, len(str(count)) - 2)
    return str(-(-count // step) * step)
