"""What the budget of fresh cases is for: no verdict can be bought by trying again (`statistics.md`, correction 2).

Attempts go through the store, scores through the evidence engine; only the box is left out.
"""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.hashes import digest_bytes
from pilotbase.evidence import CriterionPlan, attempt_levels, decide, draw_order, exact
from pilotbase.measures import Cases, observe
from pilotbase.vault.attempts import (
    AttemptRequest,
    VaultAttempt,
    close_attempt,
    commit_answers,
    mark_delivered,
    mark_scored,
    open_attempt,
    reveal_order,
)
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import HiddenSet, SealTerms, seal

Column = npt.NDArray[np.int64]
ALPHA = 0.05


def opened(vault: Vault, hidden_set: HiddenSet, name: str, cases: int) -> VaultAttempt:
    plan = digest_bytes(f"{hidden_set.identity} {name}".encode())
    return open_attempt(vault, hidden_set, AttemptRequest(plan, plan, plan[7:39], cases))


def verdict_of(
    vault: Vault, hidden_set: HiddenSet, attempt: VaultAttempt, truth: Column, answers: Column, rule: str
) -> tuple[str, Column]:
    """Return the verdict of an attempt with these answers, and the cases that were scored for it."""
    mark_delivered(vault, attempt)
    commit_answers(vault, attempt, digest_bytes(answers.tobytes()))
    order = draw_order(len(answers), reveal_order(vault, hidden_set, attempt))
    criterion = parse_rule(rule)
    cases = Cases(truth[attempt.cases], answers, classes=("a", "b"))
    seen = observe(criterion, cases, order, "population")
    plan = CriterionPlan(rule, seen, criterion.comparison, Fraction(criterion.threshold), "population")
    decision = decide([plan], order, attempt_levels(exact(hidden_set.alpha), attempt.number))
    scored = attempt.cases[order[: decision.scored]]
    mark_scored(vault, attempt, scored)
    close_attempt(vault, attempt)
    return decision.verdict, scored


@pytest.mark.prove
def test_being_told_the_truth_of_every_scored_case_buys_no_accept(vault: Vault) -> None:
    """An application at chance that learns all labels after each attempt, against a threshold of .6, six attempts."""
    chance = np.random.default_rng(3)
    accepted, repeated = 0, 0
    for run in range(5):
        truth = chance.integers(0, 2, 1500)
        hidden_set = seal(vault, pl.DataFrame({"x": range(1500)}), SealTerms(digest_bytes(b"s"), "plant", ALPHA, 6))
        told = np.full(1500, -1)
        for number in range(6):
            attempt = opened(vault, hidden_set, f"{run} {number}", 240)
            known = told[attempt.cases]
            repeated += int((known >= 0).sum())
            answers = np.where(known >= 0, known, chance.integers(0, 2, 240))
            verdict, scored = verdict_of(vault, hidden_set, attempt, truth, answers, "accuracy >= 0.6")
            accepted += verdict == "accept"
            told[scored] = truth[scored]
    assert repeated == 0
    assert accepted == 0


@pytest.mark.prove
def test_twenty_suppliers_at_the_boundary_get_one_false_certificate_in_twenty_hidden_sets_at_most(vault: Vault) -> None:
    """With α for each it would be .30; with α/(j(j+1)) over all of them it is at most α = .05 (two standard errors)."""
    chance, runs, false_accepts = np.random.default_rng(5), 60, 0
    for run in range(runs):
        truth = np.zeros(4000, dtype=np.int64)
        hidden_set = seal(vault, pl.DataFrame({"x": range(4000)}), SealTerms(digest_bytes(b"s"), "plant", ALPHA, 20))
        verdicts = []
        for supplier in range(20):
            attempt = opened(vault, hidden_set, f"{run} {supplier}", 190)
            answers = (chance.random(190) >= 0.8999).astype(np.int64)
            verdicts.append(verdict_of(vault, hidden_set, attempt, truth, answers, "accuracy >= 0.9")[0])
        false_accepts += "accept" in verdicts
    assert false_accepts / runs <= ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / runs)
