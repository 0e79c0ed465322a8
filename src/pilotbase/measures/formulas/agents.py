"""Whether a list of actions reaches the goal, replayed in the world that the case describes.

A world is JSON, as in STRIPS: the initial facts, and for each action its preconditions and effects::

    {"facts": ["at gate"], "actions": {"go to hall": {"needs": ["at gate"], "adds": ["at hall"], "drops": ["at gate"]}}}

The truth names the facts that must hold at the end (JSON list, or ``a|b``); the answer is a JSON list of actions.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from pilotbase.documents.answer_texts import AnswerTextError, read_ranking
from pilotbase.documents.errors import InputError
from pilotbase.measures.definition import SHARE, TEXTS, Measure, Parameter
from pilotbase.measures.observation import MeasureInput, MeasurePart, indicator, missing_texts

Facts = frozenset[str]


@dataclass(frozen=True)
class ActionRule:
    """An action's preconditions and effects."""

    needs: Facts
    adds: Facts
    drops: Facts


@dataclass(frozen=True)
class PlanWorld:
    """What holds at first, and what can be done."""

    facts: Facts
    actions: Mapping[str, ActionRule]

    def after(self, actions: list[str]) -> Facts | None:
        """Return the facts after ``actions``, in sequence; None if one of them was impossible."""
        facts = self.facts
        for name in actions:
            action = self.actions.get(name)
            if action is None or not action.needs <= facts:
                return None
            facts = (facts - action.drops) | action.adds
        return facts


def read_world(spelled: str) -> PlanWorld:
    """Return the world that JSON spells; raises `ValueError`."""
    found = _loaded(spelled)
    if not isinstance(found, dict) or not isinstance(actions := found.get("actions"), dict):
        raise ValueError("a world has facts and actions")
    return PlanWorld(_facts(found.get("facts")), {name: _action(action) for name, action in actions.items()})


def goal_reached(question: MeasureInput) -> MeasurePart:
    """Return 1 where every action could be done, they are at most ``steps``, and all facts of the truth hold then."""
    cases, steps = question.cases, question.whole("steps")
    known, absent = ~missing_texts(cases.truth), question.absent()
    reached = np.zeros(len(known), dtype=np.bool_)
    worlds: dict[str, PlanWorld] = {}
    for index, spelled in enumerate(question.given("world").tolist()):
        if known[index] and not absent[index]:
            world = worlds[spelled] = worlds.get(spelled) or _world(spelled, question)
            goal, actions = _goal(cases.truth[index]), _actions(cases.answers[index], steps)
            facts = None if actions is None else world.after(actions)
            reached[index] = facts is not None and goal <= facts
    return indicator(reached, known, absent, question)


def _world(spelled: Any, question: MeasureInput) -> PlanWorld:
    try:
        return read_world(str(spelled))
    except ValueError as error:
        column = question.columns["world"]
        raise InputError("measure.no_world", column=column, found=str(spelled)[:80], reason=str(error)[:200]) from None


def _actions(answer: str, steps: int) -> list[str] | None:
    try:
        found = _loaded(answer)
    except ValueError:
        return None
    good = isinstance(found, list) and len(found) <= steps and all(isinstance(name, str) for name in found)
    return found if good else None


def _goal(truth: str) -> Facts:
    try:
        return frozenset(read_ranking(truth))
    except AnswerTextError:
        raise InputError("measure.no_goal", found=truth[:80]) from None


def _action(found: Any) -> ActionRule:
    if not isinstance(found, dict) or not found.keys() <= {"needs", "adds", "drops"}:
        raise ValueError("an action has needs, adds and drops")
    return ActionRule(*(_facts(found.get(name, [])) for name in ("needs", "adds", "drops")))


def _facts(found: Any) -> Facts:
    if not isinstance(found, list) or not all(isinstance(fact, str) for fact in found):
        raise ValueError("facts are a list of texts")
    return frozenset(found)


def _loaded(spelled: str) -> Any:
    try:
        return json.loads(spelled)
    except RecursionError:
        raise ValueError("it is too deep") from None


MEASURES = (
    Measure(
        "goal_reached", "(all actions possible ∧ goal holds after them) / N",
        "Fikes and Nilsson, Artificial Intelligence 2:189, 1971 (STRIPS); Howey, Long and Fox, ICTAI 2004 (VAL)",
        "higher", TEXTS, goal_reached, guarantees=SHARE, paired=True,
        parameters=(
            Parameter("world", None, of_columns=True),
            Parameter("steps", Decimal(50), Decimal(0), Decimal(10_000), whole=True),
        ),
    ),
)  # fmt: skip
