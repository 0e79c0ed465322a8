"""A trial of a commission that is held for consent: who is told what, who decides, and what a kill changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotbase.catalogue.advancing import possible_acts
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.estimate import Ceiling, ConsentAsked
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.texts import Text
from pilotbase.trial.estimating import CODE, SpendingLimit, consent_of
from pilotbase.trial.scorer_process import run_trial
from pilotbase.vault.attempts import AttemptState, attempts_of, remaining
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.trials import consenting
from pilotbase.worker.trials.consenting import end_refused, seen_estimate
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.jobs import jobs_of
from tests.catalogue.records_for_tests import DESK, OTHER_SUPPLIER, OWNER, PLANNER, REGULATOR, REVIEWER, SUPPLIER
from tests.worker.commissions_for_tests import COMMISSION, Ordered

KEY = "sha256:" + "5" * 64


def _plan(ordered: Ordered) -> TrialPlan:
    return ordered.base.lab.view.load(ordered.record().documents["plan"], TrialPlan)


def _hidden(ordered: Ordered) -> HiddenSet:
    return ordered.base.lab.view.load(_plan(ordered).scenario.hidden_set, HiddenSet)


def _order(ordered: Ordered, monkeypatch: pytest.MonkeyPatch) -> None:
    """Queue the trial of a commission under a limit that every run is above."""
    monkeypatch.setenv("PILOTBASE_ASK_ABOVE", "0 s")
    ordered.freeze()
    ordered.work()
    ordered.do(PLANNER, Act.TRIAL_QUEUE)


def test_a_held_trial_waits_for_whoever_pays_and_goes_on_with_the_same_attempt(
    ordered: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    _order(ordered, monkeypatch)
    assert ordered.work() == [("trial", "done")]
    assert ordered.record().state == "consent"
    (waits,) = ordered.record().waits
    assert (waits.act, waits.organisation) == (Act.CONSENT_GIVE, "acme")
    assert jobs_of(ordered.view(SUPPLIER), COMMISSION)[0].reason == Text(code="estimate.held")
    left = remaining(ordered.base.lab.vault, _hidden(ordered)).attempts
    assert ordered.work() == [], "nothing runs while it is held"
    _require_decided_by_the_payer_alone(ordered)
    _require_told_in_steps(ordered)

    ordered.do(SUPPLIER, Act.CONSENT_GIVE, key=KEY)
    again = ordered.do(SUPPLIER, Act.CONSENT_GIVE, key=KEY)
    assert [step.act for step in again.history].count(Act.CONSENT_GIVE) == 1, "asked again, it is not taken twice"
    with pytest.raises(PilotbaseError) as error:  # a worker that was killed before it had noted the consent
        run_trial(ordered.base.lab, _plan(ordered), limit=SpendingLimit(ceiling=Ceiling(seconds=0)))
    assert error.value.code == CODE
    assert ordered.work() == [("trial", "done")]
    report = ordered.view(OWNER).load(ordered.record().documents["report"], Report)
    assert report.attempt is not None
    assert report.attempt.number == 1
    assert remaining(ordered.base.lab.vault, _hidden(ordered)).attempts == left
    given = consent_of(ordered.base.lab, _plan(ordered).digest())
    assert given is not None
    assert (given.organisation, given.person) == ("acme", SUPPLIER.person)
    verify_store(ordered.base.lab.store)


@pytest.mark.prove
def test_killed_before_the_pause_it_is_held_by_the_next_worker_and_a_refusal_ends_the_attempt(
    ordered: Ordered, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _order(ordered, monkeypatch)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(consenting, "_hold", _killed)
        ordered.work()
    assert ordered.record().state == "running"
    answers = home / "runs" / _plan(ordered).digest().removeprefix("sha256:") / "attempt-1" / "answers"
    answered = answers.read_bytes()
    assert [end for _, end in ordered.work()] == ["done"]
    assert ordered.record().state == "consent"
    assert answers.read_bytes() == answered, "the application was asked nothing more"

    left = remaining(ordered.base.lab.vault, _hidden(ordered)).attempts
    ordered.do(DESK, Act.CONSENT_REFUSE, note="Too dear.")
    assert ordered.record().state == "cancelled"
    assert ordered.work() == [("consent_refused", "done")]
    end_refused(ordered.base, COMMISSION)
    (attempt,) = attempts_of(ordered.base.lab.vault, _hidden(ordered))
    assert attempt.state is AttemptState.CANCELLED
    assert "report" not in ordered.record().documents
    assert remaining(ordered.base.lab.vault, _hidden(ordered)).attempts == left, "its share of α was spent before, once"
    assert ordered.record().history[-1].note == "Too dear."
    verify_store(ordered.base.lab.store)


@pytest.mark.prove
def test_a_refusal_ends_the_attempt_by_the_next_job(ordered: Ordered, monkeypatch: pytest.MonkeyPatch) -> None:
    _order(ordered, monkeypatch)
    assert ordered.work() == [("trial", "done")]
    ordered.do(SUPPLIER, Act.CONSENT_REFUSE)
    assert ordered.work() == [("consent_refused", "done")]
    (attempt,) = attempts_of(ordered.base.lab.vault, _hidden(ordered))
    assert attempt.state is AttemptState.CANCELLED


def _require_decided_by_the_payer_alone(held: Ordered) -> None:
    """The supplier pays: nobody else consents; who operates the base may refuse for them."""
    for who in (OWNER, DESK, REVIEWER, REGULATOR, OTHER_SUPPLIER):
        with pytest.raises(PilotbaseError) as error:
            held.do(who, Act.CONSENT_GIVE)
        assert error.value.code in ("record.not_payer", "record.not_permitted", "record.not_found")
    with pytest.raises(PilotbaseError):
        held.do(OWNER, Act.CONSENT_REFUSE)
    assert _obstacles(held, OWNER, "supplier")[Act.CONSENT_GIVE] == "record.not_payer"
    for payer, who in (("supplier", SUPPLIER), ("demand_owner", OWNER), ("base", DESK)):
        assert set(_obstacles(held, who, payer).values()) == {None}
    assert set(_obstacles(held, SUPPLIER, "base").values()) == {"record.not_payer"}


def _obstacles(held: Ordered, who: Actor, payer: str) -> dict[Act, str | None]:
    """Return what stands against each decision where ``payer`` pays."""
    found = possible_acts(held.view(who), held.record().model_copy(update={"payer": payer}))
    decisions = (one for one in found if one.act in (Act.CONSENT_GIVE, Act.CONSENT_REFUSE))
    return {one.act: one.obstacle.code if one.obstacle is not None else None for one in decisions}


def _require_told_in_steps(held: Ordered) -> None:
    """The supplier is told steps and no figure of a hidden case; owner and regulator two digits."""
    coarse, fine = seen_estimate(held.view(SUPPLIER), held.record()), seen_estimate(held.view(OWNER), held.record())
    assert coarse is not None
    assert fine is not None
    assert (coarse.cpu, coarse.memory, coarse.seen, coarse.wall.expected) == (None, None, 0, None)
    assert {coarse.wall.low, coarse.wall.high} <= {
        0,
        *(step * unit for step in (1, 2, 5, 10, 20, 30) for unit in (1, 60)),
    }
    assert coarse.wall.low <= fine.wall.low <= fine.wall.high <= coarse.wall.high
    assert fine.wall.expected is not None
    assert held.view(SUPPLIER).get(fine.digest()) is None
    asked = held.view(SUPPLIER).load(held.record().documents["consent"], ConsentAsked)
    assert asked.estimate == coarse
    assert seen_estimate(held.view(REVIEWER), held.record()) == coarse
    assert seen_estimate(held.view(REGULATOR), held.record()) == fine


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
