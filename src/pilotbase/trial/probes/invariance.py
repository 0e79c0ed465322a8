"""Asked again 重问: a secret sample of the hidden cases, each alone and in another order, in a fresh box.

An application that ranks within a batch, normalises by it, or remembers earlier cases can look good in a trial and is
useless in service, where cases come one by one. `perturbed_arms` asks; here the answers are compared. A difference
proves nothing yet: answers may vary by chance, a case at a time or a whole batch at once. So one case that differs is
tested with answers not seen so far, each from a fresh box: alone as before, and in its batch, after the same batches.
If the answer of the batch recurs in every batch and seldom alone, the answers depend on other cases. Under chance alone
all of these answers are draws of one distribution, whatever the cases of a batch share.
"""

from __future__ import annotations

import math
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
from pilotbase.trial.design_findings import judged, unmeasured
from pilotbase.trial.probes.cells import apart
from pilotbase.trial.probing import Findings, Probe, ProbeSubject
from pilotbase.trial.running import BoxRun

CASES = 150
"""No difference among 149 shows, with 95 % confidence, that fewer than 2 % of the answers differ: .98 ** 149 < .05."""
_TOLERANCE = 1e-5
"""Relative: a library adds up a batch in another order than a single case, in 32 bits with errors up to 1e-6."""
LEVEL = 0.01
"""Greatest probability of a reject where answers do not depend on other cases; summed up in the tests."""
_RARE = 0.003
"""So rare a run of its answer in the batch must be, judged by how often it came alone: keeps `LEVEL`."""
ALONE = 20
"""How often the case that is tested is asked alone."""
_BATCHES = (2, 30)
"""How often its batch is delivered again: at first, and at most."""


class AskedAgain(Part):
    """How the answers to the same cases differ: in a batch, alone, and alone once more."""

    cases: int
    differing: int = 0
    """Cases answered differently alone than in the batch."""
    alone: int | None = None
    """How often, of `ALONE`, the case that was tested got the batch's answer alone; None: it was not asked."""
    batches: int = 0
    """How often its batch was delivered again."""
    recurred: int = 0
    """How often it then got the batch's first answer."""
    batch: int = 0
    """Of an older test, like the fields below: cases answered alike alone, twice, and differently in the batch."""
    passes: int = 0
    """Cases answered alike in the batch and in one of the two passes alone."""
    better: int = 0
    """Scored cases whose answer was better in the batch than alone; counted where answers vary."""
    worse: int = 0
    varies: bool = False

    @property
    def enough(self) -> int:
        """Return how often the answer must recur in the batch, after how often it did alone."""
        if self.alone is None:
            return _BATCHES[0]
        share = (2 + self.alone) / (2 + ALONE)
        return _BATCHES[1] + 1 if share == 1 else math.ceil(math.log(_RARE) / math.log(share))

    @property
    def wants_batch(self) -> bool:
        """Return whether the answer recurred in every batch so far, and more of them can decide."""
        return self.batches == self.recurred < self.enough <= _BATCHES[1]

    @property
    def wants_alone(self) -> bool:
        """Return whether to ask alone: the answer recurred in the first batches, as by chance it seldom does."""
        return self.alone is None and self.batches == self.recurred

    @property
    def depends(self) -> bool:
        """Return whether answers depend on other cases."""
        return self.recurred >= self.enough if self.batches else self._depended

    @property
    def _depended(self) -> bool:
        """Return what bundles of an older engine say: a replay finds the verdict that they had."""
        if not (self.varies or self.passes > 0 or self.differing > self.batch):
            return self.differing > 0
        odd = binomial_at_least(self.batch, self.batch + self.passes, 1 / 3)
        return min(odd, binomial_at_least(self.better, self.better + self.worse, 0.5)) <= LEVEL

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
        if found.depends and found.batches:
            said = text("trial.finding.again_tested", kept=found.cases - found.differing, level=LEVEL, **values)
        elif found.depends:
            said = text("trial.finding.again_differs", kept=found.cases - found.differing, **values)
        elif found.differing:
            said = text("trial.finding.again_varies", **values)
        else:
            said = text("trial.finding.again_same", bound=f"{100 * found.bound:.2g}", **values)
        return {Verification.FUNCTION: [judged(ASKED_AGAIN, not found.depends, said)]}

    def unasked(self) -> Findings:
        return {Verification.FUNCTION: [unmeasured(ASKED_AGAIN, text("trial.finding.not_again"))]}


PROBE = Invariance()


def cases_to_ask(asked: TrialPlan | TrialTerms, cases: int, spared: bool) -> int:
    """Return how many of ``cases`` to ask again.

    0 if they come in time order, since the past may then be used. If ``spared``, only as many as stated: a case costs
    money at an endpoint, and a box of its own in a world.
    """
    if asked.delivery is not None:
        return 0
    usual = 0 if spared else CASES
    return min(usual if asked.asked_again is None else asked.asked_again, cases)


def differing(answers: NDArray[Any], reference: NDArray[Any], scale: NDArray[Any] | None = None) -> NDArray[np.bool_]:
    """Return which ``answers`` differ from ``reference``, numbers beyond a tolerance; ``scale``: usual answers."""
    if reference.dtype.kind != "f" or not np.isfinite(reference).any():
        return apart(answers, np.broadcast_to(reference, answers.shape), 0.0)[0]
    sizes, usual = np.abs(np.nan_to_num(reference)), np.abs(np.nan_to_num(reference if scale is None else scale))
    tolerance = _TOLERANCE * np.maximum(sizes, np.median(usual))
    return apart(answers, np.broadcast_to(reference, answers.shape), np.broadcast_to(tolerance, answers.shape))[0]
