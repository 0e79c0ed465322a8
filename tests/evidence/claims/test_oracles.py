"""Independent implementations answer as ours does; each is asked only where its package is installed."""

from __future__ import annotations

import sys

import pytest

from benchmarks.evidence.agreement import HERE, Question, questions

sys.path.insert(0, str(HERE / "programs"))

import oracles


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.name)
def test_an_independent_implementation_agrees(question: Question) -> None:
    pytest.importorskip(question.needs, reason=f"{question.needs} is not installed: `make evidence` asks it")
    answer = oracles.QUESTIONS[question.name](**question.arguments)
    assert question.apart(answer) <= question.within, question.why
