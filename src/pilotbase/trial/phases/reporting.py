"""Reporting: the records are kept, and the one report of the plan is stored under its head, which is set once."""

from __future__ import annotations

from typing import Any

import numpy as np

from pilotbase.documents.report import ArmRecords, Attempt, Order, Records, Report
from pilotbase.documents.subjects import report_head
from pilotbase.trial.carried import carried_findings
from pilotbase.trial.criteria_check import refresh_advice
from pilotbase.trial.phases.judging import DecidedTrial
from pilotbase.trial.records import (
    CaseRecords,
    RecordedFacts,
    further_columns,
    store_records,
    write_records,
)
from pilotbase.trial.repeating import differing_cases, run_column
from pilotbase.trial.reporting import TrialFindings, build_report
from pilotbase.trial.sealed import left_of, read_public_sample
from pilotbase.trial.standards import with_standards
from pilotbase.trial.verdict_rules import decision_digest, levels_of, verdict_at_end
from pilotbase.vault.attempts import close_attempt
from pilotbase.vault.envelopes import seal_envelope
from pilotbase.vault.sealing import secrets_of
from pilotbase.workspace.actors import parties


def publish(decided: DecidedTrial) -> Report:
    """Return the report, stored together with the supplier's view; then end the attempt."""
    trial = decided.trial
    view, plan, scenario = trial.lab.view, trial.plan, trial.sealed.scenario
    proof = _proof(decided)
    span = (trial.began, trial.lab.store.clock())
    report = build_report(_findings(decided), span, proof)
    report = with_standards(view, plan.standards, report, scenario, trial.candidate.submission.application)
    supplier = trial.candidate.reference.supplier.organisation
    with view.transaction("trial.reported") as change:
        digest = change.put(report, parties(), owner=trial.hidden.owner, fields={"scenario": scenario.name})
        change.put(report.supplier_view(), parties(), owner=supplier, fields={"full": digest})
        change.set_head(report_head(plan.digest()), digest, expected=None)
    close_attempt(trial.lab.vault, decided.committed.reserved.attempt)
    return report


def _keep_records(decided: DecidedTrial) -> Records:
    """Store the records of a decided trial and return their commitment."""
    trial, committed, cases = decided.trial, decided.committed, decided.cases
    plan, attempt, clean = trial.plan, committed.reserved.attempt, committed.clean
    prediction, bundle = plan.contract.prediction, secrets_of(trial.lab.vault, trial.hidden)
    position = np.full(len(decided.order), -1, dtype=np.int64)
    position[decided.scored] = np.arange(len(decided.scored))
    columns = {**further_columns(cases), **run_column(decided.asked, plan.repeats)}
    records = CaseRecords(attempt.cases, clean.values, cases.truth, position, prediction, plan.batch_rows, columns)
    facts = RecordedFacts(
        plan=plan.digest(),
        attempt=attempt.number,
        alpha_of_all=trial.hidden.alpha,
        order_secret=decided.secret.hex(),
        answers=committed.digest,
        end=clean.run.end.reason,
        answered=clean.count,
        unscored="shown",
        load=clean.run.load,
        by_unit=True,
        by_all=True,
        described=True,
    )
    stored = store_records(records, facts, bundle.derive("records", plan.digest()))
    blob = seal_envelope(trial.lab.vault, trial.hidden.owner, plan.digest(), write_records(stored))
    arms = tuple(ArmRecords(under=str(arm.under), answers=arm.digest) for arm in committed.perturbed)
    return Records(root=stored.root, leaves=len(stored.leaves), answers=committed.digest, blob=blob, arms=arms or None)


def _findings(decided: DecidedTrial) -> TrialFindings:
    trial, committed, clean = decided.trial, decided.committed, decided.committed.clean
    plan, cases = trial.plan, committed.reserved.attempt.cases
    differing = differing_cases(cases[clean.rows], clean.values[clean.rows]) if plan.repeats else 0
    return TrialFindings(
        scenario=trial.sealed.scenario,
        contract=plan.contract,
        candidate=trial.candidate,
        judged=decided.judged,
        clean=clean,
        arms=committed.perturbed,
        cases=decided.asked,
        day=trial.lab.store.clock().date().isoformat(),
        leakage=committed.reserved.opened.leakage,
        labels=plan.labels,
        carried=tuple(carried_findings(plan.carries)),
        repeats=plan.repeats or 1,
        panel=decided.panel,
        differing=differing,
    )


def _proof(decided: DecidedTrial) -> dict[str, Any]:
    """Return the fields of a report that make it evidence."""
    plan, blind, decision = decided.trial.plan, decided.trial.sealed.record.blind, decided.judged.decision
    run = decided.committed.clean.run
    verdict = verdict_at_end(decision, run.end.reason, run.load)
    return {
        "plan": plan.digest(),
        "scenario": plan.scenario,
        "records": _keep_records(decided),
        "attempt": _attempt(decided),
        "blind": (blind.best if blind is not None else ()) or None,
        "order": Order(commitment=plan.order_commitment, nonce=plan.nonce, secret=decided.secret.hex()),
        "design": plan.design,
        "decision": decision_digest(decision, plan.design, verdict),
    }


def _attempt(decided: DecidedTrial) -> Attempt:
    """Return the cost of the attempt, and what remains of the hidden set after it."""
    trial, attempt = decided.trial, decided.committed.reserved.attempt
    hidden, sealed, plan = trial.hidden, trial.sealed, trial.plan
    left = left_of(trial.lab, sealed)
    advice = tuple(refresh_advice(sealed.scenario, sealed.record.classes, read_public_sample(trial.lab, sealed), left))
    return Attempt(
        number=attempt.number,
        alpha=float(levels_of(plan, hidden.alpha, attempt.number).accept),
        alpha_of_all=hidden.alpha,
        reserved=decided.asked,
        answered=decided.committed.clean.count // (plan.repeats or 1),
        scored=len(np.unique(attempt.cases[decided.scored])),
        rests=decided.judged.rests,
        fresh_left=left.fresh,
        used_before=hidden.rows - left.fresh - decided.asked,
        attempts_left=left.attempts,
        refresh=advice or None,
        alpha_before=left.spent_alpha - attempt.alpha,
        alpha_left=hidden.alpha - left.spent_alpha,
    )
