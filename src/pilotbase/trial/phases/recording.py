"""The records of a trial: one a case, salted, under one root, sealed for the owner of its data."""

from __future__ import annotations

import numpy as np

from pilotbase.documents.report import ArmRecords, Records
from pilotbase.trial.phases.judging import DecidedTrial
from pilotbase.trial.records import CaseRecords
from pilotbase.trial.remainder import people_where_scored, shuffled_remainder
from pilotbase.trial.repeating import run_column
from pilotbase.trial.stored_records import (
    RecordedFacts,
    further_columns,
    recorded_load,
    store_records,
    write_records,
)
from pilotbase.vault.envelopes import seal_envelope
from pilotbase.vault.sealing import secrets_of


def keep_records(decided: DecidedTrial) -> Records:
    """Store the records of a decided trial and return their commitment; truths that were not scored are shuffled."""
    trial, answers, cases = decided.trial, decided.answers, decided.cases
    plan, attempt = trial.plan, answers.reserved.attempt
    prediction, bundle = plan.contract.prediction, secrets_of(trial.lab.vault, trial.hidden)
    position = np.full(len(decided.order), -1, dtype=np.int64)
    position[decided.scored] = np.arange(len(decided.scored))
    truth, unscored = shuffled_remainder(cases, position, plan.criteria, bundle.derive("remainder", plan.digest()))
    shown = people_where_scored(cases, position, prediction)
    columns = {**further_columns(shown), **run_column(plan.cases, plan.repeats)}
    records = CaseRecords(attempt.cases, answers.values, truth, position, prediction, plan.batch_rows, columns)
    facts = RecordedFacts(
        plan=plan.digest(),
        attempt=attempt.number,
        alpha_of_all=trial.hidden.alpha,
        order_secret=decided.secret.hex(),
        answers=answers.digest,
        end=answers.run.end.reason,
        answered=answers.count,
        unscored=unscored,
        load=recorded_load(answers.run.load),
    )
    stored = store_records(records, facts, bundle.derive("records", plan.digest()))
    blob = seal_envelope(trial.lab.vault, trial.hidden.owner, plan.digest(), write_records(stored))
    arms = tuple(ArmRecords(under=str(arm.under), answers=arm.digest) for arm in answers.arms)
    return Records(root=stored.root, leaves=len(stored.leaves), answers=answers.digest, blob=blob, arms=arms or None)
