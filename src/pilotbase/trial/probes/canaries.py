"""Canary questions 金丝雀题: cases of the public sample, asked of an endpoint at the end of a trial, and again later.

No digest can show that the endpoint is still the verified one, but its answers can. Each question is asked several
times, to distinguish a model with varying answers from one that has changed. A supplier who means to deceive can keep
the old answers for questions that it knows: this notices changes, it proves none absent.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from pilotbase.documents.contract import Prediction
from pilotbase.documents.endpoint import CanaryAnswers
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.limits import EndReason
from pilotbase.evidence import draw_order
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.trial.delivering import Features
from pilotbase.trial.probing import Probe, ProbeSubject
from pilotbase.trial.records import format_answers
from pilotbase.trial.running import BoxRun, BoxTerms, PreparedApplication, start_candidate

QUESTIONS, ROUNDS = 16, 3
_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
"""Numbers that differ by less are the same: another machine rounds otherwise."""


@dataclass(frozen=True)
class CanaryComparison:
    """The present answers to canaries, compared with those in the trial."""

    asked: int
    changed: int
    """Questions without any answer from the trial."""
    allowed: int
    """Questions with different answers within the trial: this many may change by chance alone."""

    @property
    def holds(self) -> bool:
        return self.changed <= self.allowed


class Canaries(Probe[CanaryAnswers]):
    """What an endpoint answers to cases of the public sample that the plan draws."""

    name = "canaries"
    found = CanaryAnswers
    sections = frozenset()
    rehearsed = False

    def look(self, subject: ProbeSubject, run: BoxRun | None) -> CanaryAnswers | None:
        """Return the answers; None if the application gives none, or broke off."""
        if run is None or run.use is None or run.end.reason is not EndReason.FINISHED:
            return None
        features = subject.features
        rows = len(next(iter(features.values())))
        drawn = draw_order(rows, hashlib.sha256(b"canaries" + subject.seed).digest())[:QUESTIONS].tolist()
        try:
            answers = answers_now(subject.candidate, subject.terms, features, drawn)
        except BoxEnded:
            return None
        return CanaryAnswers(cases=tuple(drawn), answers=answers, digest=digest_json([drawn, answers]))

    def add(self, run: BoxRun, found: CanaryAnswers) -> BoxRun:
        """Return ``run`` with the answers, stored with the use of its calls."""
        return run if run.use is None else replace(run, use=run.use.model_copy(update={"canaries": found}))


PROBE = Canaries()


def compare_canaries(
    before: CanaryAnswers, candidate: PreparedApplication, terms: BoxTerms, features: Features
) -> CanaryComparison:
    """Return how the answers to the same questions have changed.

    Raises:
        BoxEnded: the endpoint does not answer them; RefusedError: as `start_candidate`.
    """
    now = answers_now(candidate, terms, features, before.cases)
    changed = sum(not _any_alike(known, found) for known, found in zip(before.answers, now, strict=True))
    return CanaryComparison(len(now), changed, sum(len(known) > 1 for known in before.answers))


def answers_now(
    candidate: PreparedApplication, terms: BoxTerms, features: Features, cases: Sequence[int]
) -> tuple[tuple[str, ...], ...]:
    """Return of each case the answers in `ROUNDS` rounds, each once, as JSON; raises `BoxEnded`."""
    asked = FeatureBatch({name: column[list(cases)] for name, column in features.items()}, len(cases))
    with start_candidate(candidate, terms) as worker:
        rounds = [_spelled(worker.predict(asked).values, terms.contract.prediction) for _ in range(ROUNDS)]
    return tuple(_apart(case) for case in zip(*rounds, strict=True))


def _spelled(values: NDArray[Any], prediction: Prediction) -> list[str]:
    return [json.dumps(answer, ensure_ascii=False) for answer in format_answers(values, prediction)]


def _apart(answers: Sequence[str]) -> tuple[str, ...]:
    """Return answers that differ, each once."""
    found: list[str] = []
    for answer in answers:
        if not _any_alike(found, [answer]):
            found.append(answer)
    return tuple(found)


def _any_alike(known: Sequence[str], found: Sequence[str]) -> bool:
    return any(_alike(one, other) for one in known for other in found)


def _alike(one: str, other: str) -> bool:
    first, second = json.loads(one), json.loads(other)
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    return bool(first == second)
