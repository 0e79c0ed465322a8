"""Tenders through the box: the same cases for all, spent once; the owner sees the order, each supplier its place."""

import numpy as np
import pytest

from pilotbase.documents.base import Step
from pilotbase.documents.board import TenderPlace, TenderResult, TenderTerms
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.evidence.paired import PartialOrder
from pilotbase.trial import tender as tenders
from pilotbase.trial.rehearsing import rehearse
from pilotbase.trial.scorer_process import run_tender
from pilotbase.trial.tender import freeze_tender, place_head, score_tender
from pilotbase.vault.attempts import AttemptState, attempts_of, remaining
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.trials.proving import take_in
from pilotbase.workspace.actors import actor
from tests.trial.conftest import BAD, GOOD

TERMS = TenderTerms(measure="accuracy", cases=200, margin=0.01, tolerance=0.05)
GUESS = "def predict(batch):\n    return ['broken' if p > 7 else 'fine' for p in batch['pressure']]\n"


@pytest.fixture
def ready(base, write_scenario, write_application):
    """Return a function that takes in rehearsed applications of several suppliers: program by supplier."""
    scenario = write_scenario()

    def take(**programs: str):
        found = []
        for supplier, program in programs.items():
            folder = write_application(program, name=supplier, supplier=supplier.partition("_")[0])
            sealed, candidate = take_in(base, scenario, folder, Step.FREEZE, lambda _: None)
            rehearse(base.lab, sealed, candidate)
            found.append(candidate)
        return sealed, found

    return take


def test_the_owner_is_told_the_order_and_each_supplier_its_own_place(base, ready):
    sealed, entrants = ready(acme=GOOD, globex=BAD, hooli=GUESS, initech=GUESS)
    hidden = base.lab.view.load(sealed.record.hidden_set, HiddenSet)
    before = remaining(base.lab.vault, hidden)
    plan = freeze_tender(base.lab, sealed, entrants, TERMS)
    result = run_tender(base.lab, plan)
    pairs = {(one.better, one.worse) for one in result.separated}
    best, worst = "application:acme/acme", "application:globex/globex"
    one, same = "application:hooli/hooli", "application:initech/initech"
    assert {(best, worst), (one, worst), (same, worst)} <= pairs
    assert not pairs & {(one, same), (same, one), (worst, best), (one, best)}
    assert result.best == (best,)
    assert result.copies == ((one, same),)
    after = remaining(base.lab.vault, hidden)
    assert before.fresh - after.fresh == after.scored == 200
    (attempt,) = attempts_of(base.lab.vault, hidden)
    assert attempt.state is AttemptState.CLOSED
    told = base.lab.view.as_actor(actor("globex", "supplier"))
    place = told.load_head(place_head(plan.digest(), "globex"), TenderPlace)
    assert place is not None
    assert (place.others, place.better_than, place.worse_than, place.best) == (3, 0, 3, False)
    assert told.load_head(place_head(plan.digest(), "acme"), TenderPlace) is None
    assert told.get(result.digest()) is None
    assert base.lab.view.as_actor(actor("plant", "demand_owner")).load(result.digest(), TenderResult) == result
    assert run_tender(base.lab, plan) == result
    assert freeze_tender(base.lab, sealed, entrants[::-1], TERMS) == plan


def test_a_tender_broken_off_goes_on_from_its_answers_and_its_cases_are_spent(base, ready, monkeypatch):
    sealed, entrants = ready(acme=GOOD, globex=BAD)
    hidden = base.lab.view.load(sealed.record.hidden_set, HiddenSet)
    plan = freeze_tender(base.lab, sealed, entrants, TERMS)
    with monkeypatch.context() as broken:
        broken.setattr(tenders, "compare_paired", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            score_tender(base.lab, plan, lambda _: None)
    assert remaining(base.lab.vault, hidden).scored == 200
    with monkeypatch.context() as asked:
        asked.setattr("pilotbase.trial.running.run_candidate", lambda *_: pytest.fail("asked again"))
        result = score_tender(base.lab, plan, lambda _: None)
        assert score_tender(base.lab, plan, lambda _: None) == result, "derived again from what is kept"
    assert [(one.better, one.worse) for one in result.separated] == [
        ("application:acme/acme", "application:globex/globex")
    ]
    with monkeypatch.context() as altered:
        altered.setattr(tenders, "compare_paired", lambda *_: PartialOrder({(1, 0): 20}, {1: 20}))
        with pytest.raises(InvalidProofError) as caught:
            score_tender(base.lab, plan, lambda _: None)
        assert caught.value.code == "tender.differs"
        for ended in base.lab.home.path.glob("runs/tender-*/globex/ended"):
            ended.unlink()
        assert score_tender(base.lab, plan, lambda _: None) == result, "answers are kept for a time"


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("programs", "terms", "code"),
    [
        ({"acme": GOOD}, {}, "tender.one_entrant"),
        ({"acme": GOOD, "acme_two": BAD}, {}, "tender.entered_twice"),
        ({"acme": GOOD, "globex": BAD}, {"measure": "f1(broken)"}, "tender.measure"),
        ({"acme": GOOD, "globex": BAD}, {"measure": "accuracy >"}, "tender.measure"),
        ({"acme": GOOD, "globex": BAD}, {"measure": "balanced_accuracy"}, "tender.measure"),
        ({"acme": GOOD, "globex": BAD}, {"margin": 1.0}, "tender.margin"),
        ({"acme": GOOD, "globex": BAD}, {"cases": 5000}, "trial.hidden_set_used_up"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_runs(base, ready, programs, terms, code):
    sealed, entrants = ready(**programs)
    with pytest.raises(PilotbaseError) as caught:
        freeze_tender(base.lab, sealed, entrants, TERMS.model_copy(update=terms))
    assert caught.value.code == code
    assert isinstance(caught.value, InputError | RefusedError)
    assert attempts_of(base.lab.vault, base.lab.view.load(sealed.record.hidden_set, HiddenSet)) == []


def test_shared_errors_of_honest_suppliers_do_not_make_copies():
    draw = np.random.default_rng(2)
    hard = draw.random(2000) < 0.07
    wrong = np.stack([hard ^ (draw.random(2000) < 0.02) for _ in range(3)], axis=1)
    wrong[:, 2] = wrong[:, 1]
    given = [np.where(column, 1, 0) for column in wrong.T]
    assert tenders._copies(given, wrong) == [(1, 2)]
