"""A judge model inside a trial: it scores all committed answers before anyone knows which of them experts will judge.

Each judged answer is compared with unjudged ones of its own (statistics-2, §4): its score less their mean score has the
mean zero whatever the judge is worth, and enters the measure ``judged``. A judge that cannot be reached costs no trial:
answers without a score count as the worst.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.judge import ANSWER, judge_of
from pilotbase.documents.probes import PanelJudge
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.measures.cases import JUDGE_WEIGHT, JUDGED_GOOD, Floats, Ints
from pilotbase.trial.design_findings import ModelAgreement
from pilotbase.trial.entering import may_be_asked
from pilotbase.trial.judge_models.folder import KEYS_OF, fixed_scores
from pilotbase.trial.judge_models.judged_cases import JudgedCases


@dataclass(frozen=True)
class ModelScores:
    """What a judge says of each answer, shape (cases,), 1 for a good one; ``scored``: how many it gave a score."""

    group: int
    values: Floats
    scored: int

    @property
    def digest(self) -> Digest:
        return digest_json(self.values.tolist())

    def corrections(self, order: Ints, judged: int) -> list[str]:
        """Return for each of the first ``judged`` cases of ``order`` its score less the mean of its group, else "".

        The groups are the cases that follow, so that no verdict can choose them.
        """
        found, size = [""] * len(order), min(self.group, (len(order) - judged) // max(judged, 1))
        for place, row in enumerate(order[:judged].tolist() if size else ()):
            start = judged + place * size
            found[row] = repr(float(self.values[row] - self.values[order[start : start + size]].mean()))
        return found


def require_judge(scenario: Scenario, terms: PanelJudge) -> None:
    """Return if this machine may send answers to the judge.

    Raises:
        RefusedError: the scenario's cases may not leave and the operator does not list the address; or there is no key.
        InputError: the file of keys cannot be read.
    """
    if not may_be_asked(scenario, terms.endpoint, KEYS_OF):
        raise RefusedError("judge.panel_leaves", url=terms.endpoint.url)


def score_answers(
    terms: PanelJudge, frame: pl.DataFrame, answers: Sequence[str | None], folder: Path, on_progress: OnProgress
) -> ModelScores:
    """Return the scores of ``answers``, which a restart finds again in ``folder``; raises `InvalidProofError`."""
    judge = judge_of(terms)
    places = {name: _texts(frame, name) for name in judge.places if name != ANSWER}
    cases = JudgedCases(tuple(map(str, range(len(answers)))), {**places, ANSWER: tuple(answers)})
    scores = fixed_scores(judge, cases, folder, give_up=True, on_progress=on_progress)
    values = np.array([one.score for one in scores])
    return ModelScores(terms.group, values, sum(one.no_score is None for one in scores))


def agreement(
    scores: ModelScores, verdicts: Mapping[int, str], column: Sequence[str], criteria: Sequence[Criterion]
) -> ModelAgreement:
    """Return how far the scores agree with ``verdicts`` (row → verdict); ``column``: corrections, as they count."""
    rows = sorted(row for row in verdicts if column[row])
    good = np.array([verdicts[row] == JUDGED_GOOD for row in rows], dtype=np.float64)
    said, above = scores.values[rows], np.array([float(column[row]) for row in rows])
    rules = (one.parsed() for one in criteria)
    weights = [float(str(rule.arguments.get("weight", JUDGE_WEIGHT))) for rule in rules if "scores" in rule.arguments]
    weight = weights[0] if weights else 0.0
    return ModelAgreement(
        scored=scores.scored,
        cases=len(scores.values),
        judged=len(rows),
        agreeing=int(((said >= 0.5) == (good == 1)).sum()),
        kindness=float((said - good).mean()) if rows else 0.0,
        worth=_worth(good, good - weight * above),
    )


def _worth(good: NDArray[np.float64], entries: NDArray[np.float64]) -> int | None:
    if len(good) < 2 or not good.var() or not entries.var():
        return None
    return round(len(good) * float(good.var() / entries.var()))


def _texts(frame: pl.DataFrame, name: str) -> tuple[str | None, ...]:
    return tuple(frame[name].cast(pl.String).to_list())
