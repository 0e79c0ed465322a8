"""Judging: the order of scoring is opened, answers and truth meet, and the criteria are decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.progress import Progress
from pilotbase.documents.texts import text
from pilotbase.evidence import draw_order
from pilotbase.measures import Cases, coded
from pilotbase.trial.design_findings import PanelFound
from pilotbase.trial.phases.asking import CommittedTrial
from pilotbase.trial.phases.opening import TrialContext
from pilotbase.trial.phases.panel import model_scores, with_verdicts
from pilotbase.trial.scoring import ScoredDecision, build_cases, describe, unit_codes
from pilotbase.trial.verdict_rules import judge_plan, levels_of, scoring_seed
from pilotbase.vault.attempts import mark_scored, reveal_order


@dataclass(frozen=True)
class DecidedTrial:
    """A decided trial, with the order in which its cases were scored."""

    committed: CommittedTrial
    cases: Cases
    """As they are stored."""
    panel: PanelFound | None
    """How far experts agreed, if they judged the answers."""
    order: NDArray[np.int64]
    secret: bytes
    """Of the order."""
    judged: ScoredDecision

    @property
    def trial(self) -> TrialContext:
        return self.committed.trial

    @property
    def asked(self) -> int:
        """Return how many cases the attempt has, each counted once."""
        return len(self.order) // (self.trial.plan.repeats or 1)

    @property
    def scored(self) -> NDArray[np.int64]:
        """Return the rows that were scored, as they were."""
        return self.order[: self.judged.decision.scored]


def decide_trial(committed: CommittedTrial) -> DecidedTrial:
    """Return the decision of the criteria on committed answers; the scored cases are marked for ever.

    Raises `RefusedError` (`WAITING`) until experts have judged the answers, where the plan has a panel.
    """
    trial, reserved = committed.trial, committed.reserved
    lab, plan, frame, attempt = trial.lab, trial.plan, reserved.frame, reserved.attempt
    scores = model_scores(committed)
    trial.on_progress(Progress(text("trial.progress.score")))
    secret = reveal_order(lab.vault, trial.hidden, attempt)
    order = draw_order(frame.height, scoring_seed(plan, secret), unit_codes(plan.criteria, frame))
    frame, panel = with_verdicts(committed, order, scores)
    kept = _cases(committed, frame)
    cases = coded(kept)
    levels = levels_of(plan, trial.hidden.alpha, attempt.number)
    decision = judge_plan(plan, cases, order, levels, committed.clean.run.load)
    mark_scored(lab.vault, attempt, attempt.cases[order[: decision.scored]])
    judged = describe(plan.criteria, cases, order, decision, plan.contract.prediction.unit)
    return DecidedTrial(committed, kept, panel, order, secret, judged)


def _cases(committed: CommittedTrial, frame: pl.DataFrame) -> Cases:
    trial, reserved = committed.trial, committed.reserved
    perturbed = {str(arm.under): arm.values for arm in committed.perturbed}
    scenario = trial.sealed.scenario.model_copy(update={"criteria": trial.plan.criteria})
    classes = trial.sealed.record.classes
    return build_cases(scenario, classes, frame, committed.clean.values, reserved.others, perturbed)
