"""A trial on cases of a dataset: an agreement in force, counted once, and nothing more once it holds no more."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.terms import Purpose
from pilotbase.documents.vocabularies import Opening, Role, Verdict
from pilotbase.trial.scorer import score_trial
from pilotbase.trial.sealed import load_sealed
from pilotbase.vault.attempts import attempts_of, remaining
from pilotbase.vault.readers import readers_of
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.base import Base
from pilotbase.worker.trials.log_check import verify_base_log
from pilotbase.worker.trials.proving import freeze_in, prove, rehearse_in
from pilotbase.workspace.actors import actor
from pilotbase.workspace.uses import uses_of
from tests.catalogue.agreements_for_tests import AGREEMENT, DATASET, agreement, dataset
from tests.trial.conftest import GOOD

LIMITS = OfferLimits(purposes=(Purpose.VERIFICATION, Purpose.TRAINING), uses=5)
TALKS = "print('pressures', flush=True)\n" + GOOD


class Parties:
    """The owner of the dataset and the supplier, in the base of a test."""

    def __init__(self, base: Base) -> None:
        self.base = base
        store = base.lab.store
        self.owner = store.as_actor(actor("plant", Role.DEMAND_OWNER, person="p-owner"))
        self.supplier = store.as_actor(actor("acme", Role.SUPPLIER, person="p-supplier"))

    def publish(self, opening: Opening = Opening.COMPUTE_TO_DATA, limits: OfferLimits = LIMITS) -> None:
        self.dataset = dataset(opening=opening, usageInfo=offer_for(opening, "plant", DATASET, limits))
        advance(self.owner, DATASET, Act.DATASET_REGISTER, Move(self.dataset))
        advance(self.owner, DATASET, Act.DATASET_PUBLISH)

    def agree(self, name: str = AGREEMENT, **changes: object) -> None:
        terms = agreement(self.dataset, ends=None, **changes)
        advance(self.owner, name, Act.AGREEMENT_OFFER, Move(terms))
        advance(self.supplier, name, Act.AGREEMENT_AGREE)

    def revoke(self, name: str = AGREEMENT) -> None:
        advance(self.owner, name, Act.AGREEMENT_REVOKE)


@pytest.fixture
def parties(base: Base) -> Parties:
    return Parties(base)


@pytest.fixture
def scenario(write_scenario: Callable[..., Path]) -> Path:
    return write_scenario(
        change=lambda text: text.replace("  file: cases.csv", f"  file: cases.csv\n  dataset: {DATASET}")
    )


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.render("en")


def hidden_of(base: Base, plan) -> HiddenSet:
    return base.lab.view.load(plan.scenario.hidden_set, HiddenSet)


def rehearsed_rows(base: Base, plan: TrialPlan) -> int:
    return load_sealed(base.lab.view, plan.sealed).record.public_cases


def test_without_an_agreement_in_force_nothing_is_tried(base, parties, scenario, write_application):
    application = write_application()
    assert "no published dataset dataset:plant/logs" in refused(lambda: prove(base, scenario, application))
    parties.publish()
    assert "acme has no agreement in force for dataset:plant/logs" in refused(
        lambda: prove(base, scenario, application)
    )
    parties.agree(purposes=["pb:training"])
    assert "purpose must be:" in refused(lambda: prove(base, scenario, application))
    assert uses_of(base.lab.view, DATASET) == []


def test_under_an_agreement_it_is_tried_as_ever_and_counted_once(
    base, parties, scenario, write_scenario, write_application
):
    parties.publish()
    parties.agree()
    application = write_application(TALKS)
    proven = prove(base, scenario, application)
    assert proven.report.verdict is Verdict.ACCEPT
    assert prove(base, scenario, application).report == proven.report
    use, rehearsed = uses_of(parties.supplier, DATASET)
    assert (use.ground, use.place, use.request) == (AGREEMENT, 2, proven.report.plan)
    plan = base.lab.view.load(proven.report.plan, TrialPlan)
    assert (rehearsed.place, rehearsed.rows) == (1, rehearsed_rows(base, plan))
    assert (use.organisation, use.purpose, use.channel, use.rows) == ("acme", "pb:verification", "pb:report", 100)
    log = (proven.folder / "rehearsal" / "application.log").read_text()
    assert "pressures" not in log, "what is printed about closed rows stays in"
    assert "withheld" in log
    assert len(uses_of(parties.owner, DATASET)) == 2
    verify_base_log(base)
    plain = prove(base, write_scenario(name="plain"), application)
    assert (plain.report.verdict, plain.report.counts["answered"]) == (Verdict.ACCEPT, 100)
    after = plain.report.attempt
    assert (after.number, after.used_before) == (2, 100), "the same rows without a dataset are no fresh ones"
    assert "pressures" in (plain.folder / "rehearsal" / "application.log").read_text()


def test_a_rehearsal_on_closed_cases_is_counted_once_a_day_told_to_the_owner_and_as_coarse_as_a_trial(
    base, parties, scenario, write_application
):
    parties.publish()
    parties.agree()
    application = write_application(TALKS)
    rehearsed = rehearse_in(base, scenario, application)
    rehearse_in(base, scenario, application)
    (use,) = uses_of(parties.owner, DATASET)
    cases = rehearsed.report.counts["cases"]
    assert (use.ground, use.purpose, use.channel, use.rows) == (AGREEMENT, "pb:verification", "pb:report", cases)
    told = readers_of(parties.owner, DATASET, {}).items
    assert [(one.organisation, one.rows) for one in told if one.kind == "used"] == [("acme", cases)]
    (accuracy,) = [one for one in rehearsed.report.criteria if one.rule.startswith("accuracy")]
    assert accuracy.estimate == round(accuracy.estimate, 2) and accuracy.lower is None and accuracy.scored is None
    assert (rehearsed.report.evidence, rehearsed.report.groups) == (False, ())
    files = {path.name: path.read_text() for path in rehearsed.folder.iterdir()}
    assert set(files) == {"application.log", "report.html", "report.json"}, "no case leaves"
    assert '"c1' not in files["report.json"]
    rehearse_in(base, scenario, write_application(TALKS + "\n", "second"))
    assert len(uses_of(parties.owner, DATASET)) == 2, "another version is another use"
    verify_base_log(base)


def test_a_rehearsal_is_refused_once_the_uses_are_spent_and_stops_with_a_revocation(
    base, parties, scenario, write_application
):
    parties.publish(limits=OfferLimits(uses=1))
    parties.agree()
    first, second = write_application(), write_application(GOOD + "\n", "second")

    def revoke(progress) -> None:
        if progress.stage.code == "trial.progress.rehearse":
            parties.revoke()

    with pytest.raises(RefusedError, match="do not hold any more"):
        rehearse_in(base, scenario, first, on_progress=revoke)
    parties.agree("agreement:a2")
    rehearse_in(base, scenario, first)
    assert "number of uses: 0 of 1 left" in refused(lambda: rehearse_in(base, scenario, second)).casefold()


def test_who_may_take_the_rows_sees_what_is_printed(base, parties, scenario, write_application):
    parties.publish(Opening.OPEN)
    rehearsed = rehearse_in(base, scenario, write_application(TALKS))
    assert "pressures" in (rehearsed.folder / "application.log").read_text()
    assert (rehearsed.folder / "cases.csv").is_file() and rehearsed.report.view == "full"
    assert uses_of(base.lab.view, DATASET) == [], "open data are not counted"


def test_a_revocation_stops_a_plan_that_is_frozen_and_spends_no_attempt(base, parties, scenario, write_application):
    parties.publish()
    parties.agree()
    application = write_application()
    plan = freeze_in(base, scenario, application)
    parties.revoke()
    assert "no agreement" in refused(lambda: prove(base, scenario, application))
    hidden = hidden_of(base, plan)
    assert attempts_of(base.lab.vault, hidden) == []
    assert [use.rows for use in uses_of(base.lab.view, DATASET)] == [rehearsed_rows(base, plan)]
    opened = [entry for entry in base.lab.view.log_entries(limit=10**6) if entry.action == "vault.opened"]
    assert all(entry.facts["purpose"] == "owner" for entry in opened)
    parties.agree("agreement:a2")
    assert prove(base, scenario, application).report.verdict is Verdict.ACCEPT
    assert remaining(base.lab.vault, hidden).attempts == 5


def test_a_revocation_stops_the_next_batch_of_a_trial_under_way(base, parties, scenario, write_application):
    parties.publish()
    parties.agree()
    plan = freeze_in(base, scenario, write_application())
    seen = []

    def revoke_at_forty(progress) -> None:
        if progress.stage.code == "trial.progress.answer":
            seen.append(progress.done)
            if progress.done >= 40 and len(seen) == 2:
                parties.revoke()

    assert "do not hold any more" in refused(lambda: score_trial(base.lab, plan, revoke_at_forty))
    assert max(seen) == 40, "no batch was answered after it"
    parties.agree("agreement:a2")
    report = score_trial(base.lab, plan, lambda _: None)
    assert (report.verdict, report.attempt.number) == (Verdict.ACCEPT, 1)
    grounds = [use.ground for use in uses_of(base.lab.view, DATASET)]
    assert sorted(grounds) == [AGREEMENT, AGREEMENT, "agreement:a2"]
