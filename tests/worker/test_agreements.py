"""What the base does by itself about agreements: their first and last day, and work under one that was ended."""

from datetime import UTC, datetime

import pytest

from pilotbase.documents.permissions import Act
from pilotbase.worker.reactions.feed import move_agreements
from tests.catalogue.agreements_for_tests import AGREEMENT, DATASET, agree, agreement, dataset, publish
from tests.catalogue.conftest import store, trial
from tests.catalogue.records_for_tests import MACHINE, OWNER, PLANNER, SUPPLIER, Trial
from tests.worker.commissions_for_tests import Ordered

__all__ = ["store", "trial"]


def test_time_moves_records_once_whoever_looks(trial: Trial, clock) -> None:
    agree(trial, publish(trial, dataset()), begins="2026-05-02", ends="2026-05-03")
    view = trial.store.as_actor(MACHINE)
    states = []
    for day in ("2026-05-01", "2026-05-02", "2026-05-03", "2026-05-04", "2026-05-05"):
        clock.now = datetime.fromisoformat(day).replace(tzinfo=UTC)
        move_agreements(view)
        move_agreements(view)
        states.append(trial.record(AGREEMENT).state)
    assert states == ["agreed", "in_force", "in_force", "expired", "expired"]
    assert [step.act for step in trial.record(AGREEMENT).history[-2:]] == [Act.AGREEMENT_BEGIN, Act.AGREEMENT_EXPIRE]


def test_one_that_nobody_looked_at_in_all_its_days_expires(trial: Trial, clock) -> None:
    agree(trial, publish(trial, dataset()), begins="2026-05-02", ends="2026-05-03")
    clock.now = datetime(2026, 6, 1, tzinfo=UTC)
    move_agreements(trial.store.as_actor(MACHINE))
    assert trial.record(AGREEMENT).state == "expired"


@pytest.mark.prove
def test_a_trial_that_waits_under_a_revoked_agreement_fails_and_says_why(
    base, write_scenario, write_application
) -> None:
    def of_dataset(text: str) -> str:
        named = text.replace("  file: cases.csv", f"  file: cases.csv\n  dataset: {DATASET}")
        return named + "  approvals: [{kind: ethics}]\n"

    ordered = Ordered(base)
    what = dataset()
    ordered.do(OWNER, Act.DATASET_REGISTER, what, subject=DATASET)
    ordered.do(OWNER, Act.DATASET_PUBLISH, subject=DATASET)
    ordered.do(OWNER, Act.AGREEMENT_OFFER, agreement(what, ends=None), subject=AGREEMENT)
    ordered.do(SUPPLIER, Act.AGREEMENT_AGREE, subject=AGREEMENT)
    ordered.open(write_scenario(change=of_dataset), write_application())
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    assert ordered.work() == [("freeze", "done")]
    ordered.do(PLANNER, Act.TRIAL_QUEUE)
    ordered.do(OWNER, Act.AGREEMENT_REVOKE, subject=AGREEMENT)
    assert ordered.work() == [("trial", "failed")]
    record = ordered.record()
    assert record.state == "frozen"
    assert "no agreement" in record.history[-1].reason.render("en")
