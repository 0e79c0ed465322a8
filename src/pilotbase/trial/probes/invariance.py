"""Asked again 重问: a secret sample of the hidden cases, each alone and in another order, in a fresh box.

An application that ranks within a batch, normalises by it, or remembers earlier cases can look good in a trial and is
useless in service, where cases come one by one. `perturbed_arms` asks; here the answers are compared. Where any
differs, a second identical pass shows whether answers vary by themselves: by chance, or with the clock. Without such
variation any difference rejects. With it, two exact tests decide: if only chance is at work, the answer in the batch is
the odd one of three in a third of the cases with one odd answer, and the better of two in half of the cases where one
is better.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.base import Part
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import ASKED_AGAIN
from pilotbase.documents.scenario import TrialTerms
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Verification
from pilotbase.evidence.distributions import binomial_at_least
from pilotbase.measures import Cases
from pilotbase.measures.cases import probability_rows
from pilotbase.trial.design_findings import judged, unmeasured
from pilotbase.trial.probes.cells import apart
from pilotbase.trial.probing import Findings, Probe, ProbeSubject
from pilotbase.trial.running import BoxRun

CASES = 150
"""No difference among 149 shows, with 95 % confidence, that fewer than 2 % of the answers differ: .98 ** 149 < .05."""
_TOLERANCE = 1e-5
"""Relative: a library adds up a batch in another order than a single case, in 32 bits with errors up to 1e-6."""
_LEVEL = 0.01
"""Error probability of each of the two tests."""


class AskedAgain(Part):
    """How the answers to the same cases differ: in a batch, alone, and alone once more."""

    cases: int
    differing: int = 0
    """Cases answered differently alone than in the batch."""
    batch: int = 0
    """Cases answered alike alone, twice, and differently in the batch."""
    passes: int = 0
    """Cases answered alike in the batch and in one of the two passes alone."""
    better: int = 0
    """Scored cases whose answer was better in the batch than alone; counted where answers vary."""
    worse: int = 0
    varies: bool = False
    """Chance is declared: the plan asks each case several times, or an endpoint answers."""

    @property
    def by_chance(self) -> bool:
        return self.varies or self.passes > 0 or self.differing > self.batch

    @property
    def depends(self) -> bool:
        """Return whether answers depend on other cases."""
        if not self.by_chance:
            return self.differing > 0
        odd = binomial_at_least(self.batch, self.batch + self.passes, 1 / 3)
        return min(odd, binomial_at_least(self.better, self.better + self.worse, 0.5)) <= _LEVEL

    @property
    def bound(self) -> float:
        """Return the upper bound, with 95 % confidence, of the share of answers that differ if none did here."""
        return 1 - float(0.05 ** (1 / self.cases))


class Invariance(Probe[AskedAgain]):
    """The comparison that comes with every run in secret order."""

    name = "invariance"
    found = AskedAgain
    sections = frozenset({Verification.FUNCTION})
    kept = False

    def look(self, subject: ProbeSubject, run: BoxRun | None) -> AskedAgain | None:
        """Return None: the arms of a run ask, since only they may deliver hidden cases."""
        return None

    def rejects(self, found: AskedAgain) -> bool:
        return found.depends

    def findings(self, found: AskedAgain) -> Findings:
        values: Mapping[str, Any] = {"sent": found.cases}
        if found.depends:
            said = text("trial.finding.again_differs", kept=found.cases - found.differing, **values)
        elif found.differing:
            said = text("trial.finding.again_varies", **values)
        else:
            said = text("trial.finding.again_same", bound=f"{100 * found.bound:.2g}", **values)
        return {Verification.FUNCTION: [judged(ASKED_AGAIN, not found.depends, said)]}

    def unasked(self) -> Findings:
        return {Verification.FUNCTION: [unmeasured(ASKED_AGAIN, text("trial.finding.not_again"))]}


PROBE = Invariance()


def cases_to_ask(asked: TrialPlan | TrialTerms, cases: int, at_endpoint: bool) -> int:
    """Return how many of ``cases`` to ask again.

    None where they come in time order, since the past may then be used; of a paid endpoint only as many as stated.
    """
    if asked.delivery is not None:
        return 0
    usual = 0 if at_endpoint else CASES
    return min(usual if asked.asked_again is None else asked.asked_again, cases)


def compared(batch: NDArray[Any], alone: NDArray[Any], again: NDArray[Any] | None, varies: bool) -> AskedAgain:
    """Return how the answers differ; ``again``: of the second pass, None if it wasn't needed."""
    differs = _differ(alone, batch)
    found = AskedAgain(cases=len(batch), differing=int(differs.sum()), varies=varies)
    if again is None:
        return found
    apart_alone, apart_again = _differ(again, alone), _differ(again, batch)
    odd = {"batch": differs & ~apart_alone, "passes": apart_alone & ~(differs & apart_again)}
    return found.model_copy(update={name: int(rows.sum()) for name, rows in odd.items()})


def with_scores(run: BoxRun, cases: Cases, alone: NDArray[Any], scored: NDArray[np.int64]) -> BoxRun:
    """Return ``run`` with how often its answers to ``scored`` cases are better in the batch, where answers vary.

    ``alone``: an answer per case as asked alone; ``scored``: the rows to compare, of those.
    """
    found = PROBE.of(run.load)
    if found is None or not found.by_chance:
        return run
    gap = _errors(alone, cases)[scored] - _errors(cases.answers, cases)[scored]
    scores = {"better": int((gap > 0).sum()), "worse": int((gap < 0).sum())}
    return PROBE.add(run, found.model_copy(update=scores))


def _differ(answers: NDArray[Any], reference: NDArray[Any]) -> NDArray[np.bool_]:
    if reference.dtype.kind != "f" or not np.isfinite(reference).any():
        return apart(answers, reference, 0.0)[0]
    sizes = np.abs(np.nan_to_num(reference))
    return apart(answers, reference, _TOLERANCE * np.maximum(sizes, np.median(sizes)))[0]


def _errors(answers: NDArray[Any], cases: Cases) -> NDArray[np.float64]:
    """Return an error per case, of any form in which less is better."""
    if cases.kind == "probabilities":
        of_truth = probability_rows(answers, cases.classes)[np.arange(len(cases)), cases.truth]
        return np.asarray(np.nan_to_num(1 - of_truth, nan=np.inf), dtype=np.float64)
    if cases.kind not in ("probability", "value"):
        same = [np.array_equal(one, other) for one, other in zip(answers, cases.truth, strict=True)]
        return 1.0 - np.array(same, dtype=np.float64)
    truth = cases.truth == cases.code(cases.positive) if cases.kind == "probability" and cases.positive else cases.truth
    return np.nan_to_num(np.abs(answers - truth.astype(np.float64)), nan=np.inf)
