"""A verdict derived again from the raw records, on any machine: no home, no key, no hidden data, only this engine.

It reads the plan, the records with their salt, and the root that the report names. It checks that the records are those
that were committed to, that the order is the one that the plan committed to, and that every scored case is at its place
in that order.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest, digest_bytes
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.vocabularies import Verdict
from pilotbase.evidence import Decision, draw_order
from pilotbase.measures import coded
from pilotbase.trial.arena.references import replay_in
from pilotbase.trial.records import Ints, StoredRecords, leaf_hashes, restored_cases
from pilotbase.trial.scoring import ReportedCases, ScoredDecision, describe
from pilotbase.trial.verdict_rules import Rule, decision_digest, judge_plan, levels_of, scoring_seed, verdict_at_end


@dataclass(frozen=True)
class Replayed:
    """The decision from the records."""

    verdict: Verdict
    decision: Decision
    judged: ScoredDecision
    """The report's figures."""
    digest: Digest
    root: Digest
    leaves: int


def replay_decision(plan: TrialPlan, stored: StoredRecords, root: Digest) -> Replayed:
    """Return the decision of ``stored`` under ``plan``; ``root`` is the commitment in the report.

    Raises:
        InvalidProofError: a record was altered (the error names the batch), the records are from another plan, the
            order isn't the committed one, or a case isn't at its place in the order.
    """
    facts = stored.facts
    if facts.plan != plan.digest():
        raise InvalidProofError("trial.replay_other_plan", plan=plan.digest(), found=facts.plan)
    _require_unaltered(stored)
    if stored.root != root:
        raise InvalidProofError("trial.replay_other_root", found=stored.root, root=root)
    cases = coded(restored_cases(stored.records, plan.positive))
    _require_units(plan, cases.units)
    order = _order(plan, stored, cases.units)
    levels = levels_of(plan, facts.alpha_of_all, facts.attempt)
    rule: Rule = "first_cases" if facts.by_all is None else "stopped" if facts.described is None else "described"
    decision = judge_plan(plan, cases, order, levels, facts.load, rule)
    _require_positions(order, decision.scored, stored)
    verdict = verdict_at_end(decision, facts.end, facts.load)
    reported = ReportedCases(facts.unscored not in ("shuffled", "exact"), by_unit=facts.by_unit is not None)
    judged = describe(plan.criteria, cases, order, decision, plan.contract.prediction.unit, reported)
    digest = decision_digest(decision, plan.design, verdict)
    return Replayed(verdict, decision, judged, digest, root, len(stored.leaves))


def replay_world(plan: TrialPlan, stored: StoredRecords, given: Path | None, usual: Path) -> int | None:
    """Return how many episodes the world derives again whose folder is ``given``, or the ``usual`` one if it is there.

    None without a world: nothing was played, or its folder is not there. Raises as `replay_in`.
    """
    place = given or (usual if usual.is_dir() else None)
    if plan.contract.world is None or place is None:
        return None
    return replay_in(place, plan.contract.world, stored.records)


def _require_unaltered(stored: StoredRecords) -> None:
    """Return if every batch has the hash that is kept of it; raises `InvalidProofError` naming the one that has not."""
    records = stored.records
    found = leaf_hashes(records, stored.salt)
    for number, (own, kept) in enumerate(itertools.zip_longest(found, stored.leaves)):
        if own == kept:
            continue
        if number == 0:
            raise InvalidProofError("trial.replay_facts_altered")
        first = (number - 1) * records.batch_rows
        last = min(first + records.batch_rows, len(records.cases)) - 1
        numbers = records.cases[first : last + 1].tolist() or [0]
        raise InvalidProofError(
            "trial.replay_batch_altered", batch=number, first=numbers[0], last=numbers[-1], rows=len(numbers)
        )


def _require_units(plan: TrialPlan, units: Ints | None) -> None:
    """Return if the records have as many units as the plan draws; that none is torn, the base's log check proves."""
    found = 0 if units is None else len(np.unique(units))
    if plan.draw is not None and found != plan.draw.units:
        raise InvalidProofError("trial.replay_units", unit=plan.draw.column, found=found, units=plan.draw.units)


def _order(plan: TrialPlan, stored: StoredRecords, units: Ints | None) -> Ints:
    secret = bytes.fromhex(stored.facts.order_secret)
    if digest_bytes(secret) != plan.order_commitment:
        raise InvalidProofError("trial.replay_other_order", commitment=plan.order_commitment)
    return draw_order(len(stored.records.cases), scoring_seed(plan, secret), units)


def _require_positions(order: Ints, scored: int, stored: StoredRecords) -> None:
    expected = np.full(len(order), -1, dtype=np.int64)
    expected[order[:scored]] = np.arange(scored)
    wrong = np.flatnonzero(expected != stored.records.position)
    if len(wrong):
        case, found = int(stored.records.cases[wrong[0]]), int(stored.records.position[wrong[0]])
        raise InvalidProofError(
            "trial.replay_position", case=case, found=found, expected=int(expected[wrong[0]]), count=len(wrong)
        )
