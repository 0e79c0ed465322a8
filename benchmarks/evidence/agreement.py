"""Ours against independent implementations: the questions, our answers, and how far the two differ."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from benchmarks.peers.environments import HERE, peer_environment, peer_python
from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import JudgedPool, PredictionPoweredSequence
from pilotbase.evidence.distributions import clopper_pearson
from pilotbase.measures import Cases, score

_N, _LABELLED = 5000, 800


@dataclass(frozen=True)
class Question:
    """The question to the oracle, our answer, and how far the two may differ.

    ``needs``: the oracle's package. ``why``: where the tolerance comes from.
    """

    name: str
    needs: str
    arguments: Mapping[str, Any]
    ours: Callable[[], Any]
    within: float
    why: str

    def apart(self, answer: Any) -> float:
        """Return the largest difference to the oracle's ``answer``; for sets, how many members differ."""
        mine = self.ours()
        if self.name == "prediction_powered_mean":
            return max(mine[0] - answer[1], answer[2] - mine[1], 0.0)
        if isinstance(answer, dict):
            return max(abs(mine[key] - answer[key]) for key in answer)
        first, second = np.atleast_1d(np.asarray(mine)), np.atleast_1d(np.asarray(answer))
        if first.dtype == bool:
            return float((first != second).sum())
        return float(np.abs(first - second).max())


def questions() -> list[Question]:
    """Return every question, on data from a fixed seed."""
    rng = np.random.default_rng(20261125)
    truth = (rng.random(_N) < 0.2).astype(np.int64)
    scores = np.round(rng.normal(size=_N) + 1.5 * truth, 2)  # with ties
    answers = (scores > 0.8).astype(np.int64)
    pool = _pool(rng)
    labels = {"truth": truth.tolist(), "answers": answers.tolist()}
    return [
        Question(
            "prediction_powered_mean", "ppi_py", pool, lambda: _powered(pool), 0, "ours has to hold its",
        ),
        Question("scores_of_labels", "sklearn", labels, lambda: _scores(truth, answers), 1e-8, "nine digits are kept"),
        Question(
            "binomial_interval", "scipy", {"successes": 281, "trials": 300},
            lambda: _pair(clopper_pearson(281, 300, 0.025, 0.025)), 1e-9, "floating point",
        ),
    ]  # fmt: skip


def ask(asked: list[Question]) -> dict[str, Any]:
    """Return the oracles' answers, from their own environment."""
    wanted = json.dumps({question.name: question.arguments for question in asked})
    program = str(HERE / "programs" / "oracles.py")
    done = subprocess.run(
        [str(peer_python("oracles")), program],
        input=wanted, env=peer_environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


def _pool(rng: np.random.Generator) -> dict[str, Any]:
    """Return 800 labelled cases of a pool of 5,000, with a judge that is wrong in one of twenty."""
    labels = (rng.random(_N) < 0.9).astype(int)
    scores = np.where(rng.random(_N) < 0.05, 1 - labels, labels)
    return {
        "labels": labels[:_LABELLED].tolist(), "scores": scores[:_LABELLED].tolist(),
        "rest": scores[_LABELLED:].tolist(), "lam": 0.8,
    }  # fmt: skip


def _powered(asked: Mapping[str, Any]) -> list[float]:
    pool = JudgedPool.of(np.array([*asked["scores"], *asked["rest"]]), (0, 1))
    sequence = PredictionPoweredSequence(pool, 0.05, Fraction(4, 5))
    return _pair(sequence.update(np.column_stack((asked["labels"], asked["scores"]))))


def _pair(bounds: Any) -> list[float]:
    return [bounds.lower, bounds.upper]


def _scores(truth: Any, answers: Any) -> dict[str, float | None]:
    cases = Cases(truth, answers, classes=("0", "1"), positive="1")
    names = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "jaccard", "mcc")
    return {name: score(parse_rule(f"{name} >= 0"), cases) for name in names}
