"""For measures that read texts in a way of their own: a truth, a right answer, one half right, one wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pilotbase.measures import Cases
from tests.contracts.direct_agents import LOST, WALKS, WORLD

COLUMN = "passage"
PASSAGE = "The pump runs at 50 bar. 水泵压力为五十巴。"
_WORDS = ("red", "car", "on", "wet", "road", "车")
_SCHEMA = '{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "enum": [1, 2]}}}'

# Measure → the truth, by random numbers; then right, half right and wrong answers to a truth.
TRUTHS: dict[str, Callable[[np.random.Generator], str]] = {
    "choice": lambda rng: str(rng.choice(list("ABCD"))),
    "numeric_match": lambda rng: str(rng.integers(1, 99)),
    "json_valid": lambda rng: "",
    "json_fields": lambda rng: f'{{"a": {rng.integers(0, 9)}, "b": {{"c": "x"}}}}',
    "json_schema": lambda rng: _SCHEMA,
    "contains": lambda rng: "red|car",
    "key_points": lambda rng: "red|car",
    "wer": lambda rng: " ".join(rng.choice(_WORDS, rng.integers(2, 7))),
    "normalised_match": lambda rng: " ".join(rng.choice(_WORDS, rng.integers(2, 7))),
    "token_f1": lambda rng: " ".join(rng.choice(_WORDS, rng.integers(2, 7))),
    "rouge_l": lambda rng: " ".join(rng.choice(_WORDS, rng.integers(2, 7))),
    "matches": lambda rng: "(red|green) ca+r",
    "supported": lambda rng: "x",
    "quotes_found": lambda rng: "x",
    "attack_success": lambda rng: "CANARY 7|swordfish",
    "secret_told": lambda rng: "x",
    "goal_reached": lambda rng: str(rng.choice(list(WALKS))),
}
RIGHT: dict[str, Callable[[str], str]] = {
    "choice": lambda truth: f"The answer is ({truth}).",
    "numeric_match": lambda truth: f"In all it is {truth}.",
    "json_valid": lambda truth: "{}",
    "json_schema": lambda truth: '{"a": 2, "b": null}',
    "contains": lambda truth: "a car that is red",
    "key_points": lambda truth: "a car that is red",
    "matches": lambda truth: "a red caar",
    "supported": lambda truth: "The pump runs. 压力为五十巴。",
    "quotes_found": lambda truth: 'It says "The pump  runs".',
    "attack_success": lambda truth: "No.",
    "secret_told": lambda truth: "No.",
    "goal_reached": lambda truth: WALKS[truth],
}
HALF: dict[str, str] = {
    "json_fields": '{"a": 99, "b": {"c": "x"}}',
    "key_points": "red",
    "wer": "red car",
    "token_f1": "red car",
    "rouge_l": "red car",
    "supported": "The pump runs. The moon sings.",
    "quotes_found": "it says nothing",
}
WRONG: dict[str, str] = {
    "choice": "The answer is (E).",
    "numeric_match": "It is 100.",
    "json_valid": "{",
    "json_fields": '{"z": 1}',
    "json_schema": '{"a": 3}',
    "matches": "a blue car",
    "supported": "The pump runs at 60 bar.",
    "quotes_found": "「月亮」",
    "attack_success": "It is c-a-n-a-r-y 7!",
    "secret_told": "I cannot say c-a-n-a-r-y 7!",
    "goal_reached": LOST,
}
NOTHING = "zz zz zz zz zz zz zz zz"


def right(name: str, truth: str) -> str:
    return RIGHT.get(name, lambda same: same)(truth)


def wrong(name: str) -> str:
    return WRONG.get(name, NOTHING)


def half(name: str) -> str:
    return HALF.get(name, wrong(name))


def read_in_its_way(name: str, cases: Cases, seed: int) -> Cases:
    """Return ``cases`` with truth and answers that the measure can read; who abstained still does."""
    rng = np.random.default_rng(seed)
    truth, answers = np.empty(len(cases), dtype=object), np.empty(len(cases), dtype=object)
    for case in range(len(cases)):
        truth[case] = TRUTHS[name](rng)
        answer = str(rng.choice([right(name, truth[case]), half(name), wrong(name)], p=[0.5, 0.25, 0.25]))
        answers[case] = None if cases.answers[case] is None else answer
    return replace(cases, truth=truth, answers=answers)


def with_passage(cases: Cases, name: str = "") -> Cases:
    """Return ``cases`` with the column that the measure reads: a passage, or a world."""
    column = {"goal_reached": WORLD, "secret_told": "CANARY 7|swordfish"}.get(name, PASSAGE)
    said = np.where(np.arange(len(cases)) % 3 < 2, "good", "poor").astype(object)
    return replace(cases, given={COLUMN: said if name == "judged" else np.full(len(cases), column, dtype=object)})


def with_refusals(cases: Cases, seed: int) -> Cases:
    """Return ``cases`` with some of the answers in words that decline."""
    said = np.random.default_rng(seed).random(len(cases)) < 0.3
    there = np.array([isinstance(answer, str) for answer in cases.answers.tolist()])
    return replace(cases, answers=np.where(said & there, REFUSAL, cases.answers))


REFUSAL = "抱歉，我无法回答。"


def rights_and_wrongs(name: str, truth: Any) -> tuple[Any, Any]:
    pairs = [(right(name, each), wrong(name)) for each in truth.tolist()]
    best, worst = zip(*pairs, strict=True)
    return np.array(best, dtype=object), np.array(worst, dtype=object)
