"""Asked again: an application whose answers depend on other cases is rejected, and one whose answers vary is named."""

from math import comb

import numpy as np
import pytest

from pilotbase.certificate.issuing import issue_certificate
from pilotbase.documents.contract import Prediction
from pilotbase.documents.scenario import TrialTerms
from pilotbase.documents.site import Release
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.trial.estimating import estimate_of
from pilotbase.trial.probes.cells import comparable
from pilotbase.trial.probes.invariance import ALONE, LEVEL, PROBE, AskedAgain, cases_to_ask, differing
from pilotbase.trial.scorer import score_trial
from pilotbase.worker.sites.releases import permitted
from pilotbase.worker.trials.proving import freeze_in, prove, rehearse_in
from pilotbase.worker.trials.replaying import replay_trial
from tests.trial.conftest import writing_scenario

RANKS = """
def predict(batch):
    ordered = sorted(batch['pressure'])
    return ['broken' if p >= ordered[int(.6 * batch.rows)] else 'fine' for p in batch['pressure']]
"""
NORMALISES = """
def predict(batch):
    mean = sum(batch['pressure']) / batch.rows
    return ['broken' if p > mean + 1 else 'fine' for p in batch['pressure']]
"""
REMEMBERS = """
seen = [5.0]
def predict(batch):
    answers = ['broken' if p > 1 + sum(seen) / len(seen) else 'fine' for p in batch['pressure']]
    seen.extend(batch['pressure'])
    return answers
"""
NOISY_ALONE = f"""
import random
{RANKS.replace("predict", "rank")}
def predict(batch):
    return rank(batch) if batch.rows > 1 else [random.choice(['broken', 'fine'])]
"""
BY_CLOCK = """
import time
def predict(batch):
    return ['broken' if (p > 6) != (time.time_ns() // 1000 % 7 == 0) else 'fine' for p in batch['pressure']]
"""
BREAKS_ALONE = """
def predict(batch):
    if batch.rows == 1:
        raise SystemExit(3)
    return ['broken' if p > 6 else 'fine' for p in batch['pressure']]
"""
ROLLS_DICE = """
import random
def predict(batch):
    return ['broken' if (p > 6) != (random.random() < .1) else 'fine' for p in batch['pressure']]
"""


@pytest.fixture
def write_scenario(tmp_path):
    """As for other tests, but asking again as often as a scenario does that says nothing of it."""

    def usual(change=lambda content: content, **given):
        return writing_scenario(tmp_path)(change=lambda said: change(said.replace("  asked_again: 0\n", "")), **given)

    return usual


def found(report):
    return PROBE.found.model_validate(report.probes["invariance"])


def codes(report):
    return [reason.code for reason in report.reasons]


def test_answers_that_depend_on_other_cases_are_rejected_and_named_everywhere(
    base, write_scenario, write_application, tmp_path
):
    scenario, application = write_scenario(), write_application(RANKS)
    report = prove(base, scenario, application, tmp_path / "out").report
    assert report.verdict is Verdict.REJECT and codes(report) == ["trial.reason.depends"]
    assert {one.outcome for one in report.criteria} == {Outcome.PASS}, "only this rejects it"
    assert found(report).depends and report.asked_again.outcome is Outcome.FAIL
    assert replay_trial(tmp_path / "out").verdict is Verdict.REJECT
    page = (tmp_path / "out" / "report.html").read_text()
    assert "depend on other cases in the batch" in page and "答案依赖同批的其他案例" in page
    plan, now = freeze_in(base, scenario, application), report.ended_at
    assert estimate_of(base.lab, plan.digest()).cases > 100 + 2 * 100, "two passes alone, and the test of a case"
    signed = issue_certificate(report, plan, issuer="test-base", now=now, expires_at=now)
    assert signed.remarks[-1] == text("trial.reason.depends"), "an application chooses no figure of a certificate"
    kept = found(report).cases - found(report).differing
    assert report.asked_again.sentence.params["kept"] == kept > 10
    assert report.supplier_view().asked_again.sentence.params["kept"] == kept // 10 * 10
    site = permitted(report, Release())
    assert site.probes is None and site.asked_again.outcome is Outcome.FAIL


@pytest.mark.prove
def test_only_answers_that_depend_on_other_cases_reject(base, write_scenario, write_application):
    """Normalising, remembering and breaking off reject in the rehearsal already; chance and clocks are named."""
    scenario = write_scenario()
    for number, program in enumerate([NORMALISES, REMEMBERS, BREAKS_ALONE]):
        rehearsed = rehearse_in(base, scenario, write_application(program, name=f"dependent-{number}")).report
        assert codes(rehearsed)[0] == "trial.reason.depends", program
    for number, program in enumerate([BY_CLOCK, ROLLS_DICE]):
        rehearsed = rehearse_in(base, scenario, write_application(program, name=f"varying-{number}")).report
        assert found(rehearsed).differing
        said = "trial.finding.again_tested" if found(rehearsed).depends else "trial.finding.again_varies"
        assert rehearsed.asked_again.sentence.code == said
    honest = rehearse_in(base, scenario, write_application()).report
    assert found(honest) == AskedAgain(cases=150) and "fewer than about 2 %" in honest.asked_again.sentence.render("en")


@pytest.mark.prove
def test_who_answers_single_cases_at_random_hides_nothing(base, write_scenario, write_application):
    scenario, application = write_scenario(cases=200), write_application(NOISY_ALONE)
    report = score_trial(base.lab, freeze_in(base, scenario, application), lambda _: None)
    assert report.verdict is Verdict.REJECT and codes(report)[0] == "trial.reason.depends"
    assert 0 < found(report).alone < ALONE and found(report).recurred > 1


@pytest.mark.prove
def test_a_scenario_can_ask_for_fewer_or_none(base, write_scenario, write_application):
    application = write_application(RANKS)
    for number in (12, 0):
        terms = f"trial:\n  asked_again: {number}\n"
        scenario = write_scenario(
            change=lambda said, terms=terms: said.replace("trial:\n", terms), name=f"asks-{number}"
        )
        report = rehearse_in(base, scenario, application).report
        assert (report.asked_again is None) == (number == 0) and (not number or found(report).cases == number)


def test_only_what_may_use_the_past_or_costs_money_is_asked_less():
    terms = TrialTerms()
    assert cases_to_ask(terms, 10_000, spared=False) == 150 and cases_to_ask(terms, 60, spared=False) == 60
    assert cases_to_ask(terms, 201, spared=True) == 0
    assert cases_to_ask(terms.model_copy(update={"asked_again": 30}), 201, spared=True) == 30
    assert cases_to_ask(terms.model_copy(update={"delivery": "in_time"}), 201, spared=False) == 0


def test_rounding_is_no_difference():
    draw = np.random.default_rng(1)
    batch = draw.lognormal(0, 4, 500)
    assert not differing((batch.astype(np.float32) * np.float32(1 + 1e-6)).astype(float), batch).any()
    assert differing(batch * 1.001, batch).sum() > 300
    assert differing(np.array([0, 1, 2]), np.array([1])).tolist() == [True, False, True]
    assert differing(np.array([5.0, 5.00001]), np.array([5.0]), batch).tolist() == [False, False]
    assert not differing(*(np.array(["a", None], dtype=object) for _ in range(2))).any()
    shares = Prediction(kind="probabilities", classes=("a", "b"))
    near, far = (np.array([f"[0.25, {last}]", None], dtype=object) for last in ("0.75", "0.7500000001"))
    assert not differing(comparable(near, shares), comparable(far, shares)).any()


def rejects(batches, passes, alone, again):
    """Return whether answers reject: (cases,) in a batch, (2, cases) and (ALONE,) alone, of the case in later batches.

    As in `perturbed_arms`; ``again`` gives the answers of later batches, a column a case.
    """
    differs = passes[0] != batches
    if not differs.any():
        return False
    kept = differs & (passes[1] == passes[0])
    case = np.flatnonzero(kept if kept.any() else differs)[0]
    now = AskedAgain(cases=len(batches), differing=1)
    while now.wants_batch or now.wants_alone:
        if not now.wants_batch:
            now = now.model_copy(update={"alone": int((alone[:, case] == batches[case]).sum())})
            continue
        same = bool(again[now.batches, case] == batches[case])
        now = now.model_copy(update={"batches": now.batches + 1, "recurred": now.recurred + same})
    return now.depends


@pytest.mark.one_in(5)
@pytest.mark.parametrize("q", [0, 0.0005, 0.001, 0.0027, 0.005, 0.01, 0.03, 0.2, 0.5, 0.65])
@pytest.mark.parametrize("shared", [1, 50, 150])
def test_chance_is_rejected_at_most_as_often_as_stated(q, shared):
    """Each answer deviates with probability q: on its own, or all of a batch of 50 or of 150 together."""
    draw, rejected, runs = np.random.default_rng(2), 0, 500
    for _ in range(runs):
        batches = np.repeat(draw.random((31, 150 // shared)) < q, shared, axis=1)
        passes, alone = draw.random((2, 150)) < q, draw.random((ALONE, 150)) < q
        rejected += rejects(batches[0], passes, alone, batches[1:])
    assert rejected <= runs * LEVEL + 3 * (runs * LEVEL) ** 0.5


def test_the_level_is_exact():
    """A case whose answer recurs with this probability, in the batch as alone, is rejected at most as often as stated.

    The sum over how often it recurs alone is the whole probability: no answer used here was seen when it was chosen.
    """
    recurs, total = np.linspace(0.001, 0.999, 999), np.zeros(999)
    for alone in range(ALONE + 1):
        found = AskedAgain(cases=150, batches=2, recurred=2, alone=alone)
        if found.enough <= 30:
            total += comb(ALONE, alone) * recurs ** (alone + found.enough) * (1 - recurs) ** (ALONE - alone)
    assert 0.007 < total.max() <= LEVEL
