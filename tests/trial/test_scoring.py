from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from pilotbase.documents.criteria import TrialDesign
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.vocabularies import Estimand
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.evidence import Design, Levels, draw_order
from pilotbase.measures import Cases
from pilotbase.trial.baselines import measured_baseline, measured_others
from pilotbase.trial.scoring import NO_RUN, ReportedCases, ScoredCases, describe, design_on, judge, settle_criteria
from pilotbase.trial.sealed import OpenedScenario, SealedScenario
from tests.trial.conftest import SCENARIO

ZERO = "sha256:" + "0" * 64


def scenario(extra: str) -> Scenario:
    return build_document(Scenario, parse_yaml((SCENARIO.format(cases=10) + extra).encode(), "scenario.yaml"))


def sealed(document: Scenario) -> OpenedScenario:
    record = SealedScenario(
        scenario=ZERO, source=ZERO, public_sample=ZERO, public_cases=1, hidden_set=ZERO, hidden_cases=1,
        classes=("broken", "fine"),
    )  # fmt: skip
    return OpenedScenario(document, record)


def test_the_decision_threshold_is_written_out_in_the_rules_that_need_it():
    settled = settle_criteria(scenario("prediction: probability\ndecision_threshold: 0.2\n"))
    assert [criterion.rule for criterion in settled] == [
        "recall(broken, cut=0.2) >= 0.7", "accuracy(cut=0.2) >= 0.7", "memory.peak <= 512 MiB",
    ]  # fmt: skip
    assert settle_criteria(scenario("")) == scenario("").criteria


@pytest.mark.parametrize("unit", ["m3/h", None])
def test_what_is_measured_in_the_unit_of_the_target_is_told_in_it(unit):
    values = np.arange(40.0)
    criteria = [Criterion(rule=rule) for rule in ("capped_mae(cap=100) <= 5", "within(tolerance=5) >= 0.8")]
    cases, order = Cases(values, values + 1, kind="value"), np.arange(40)
    decision = judge(criteria, cases, order, Levels(Fraction(1, 20), Fraction(1, 20)), NO_RUN, Design("full"))
    error, share = describe(criteria, cases, order, decision, unit).criteria
    assert (error.estimate, error.unit_label) == (1.0, unit or "")
    assert (share.estimate, share.unit_label) == (1.0, "")


@pytest.mark.parametrize(("extra", "expected"), [("prediction: probability\n", [1.0, 0.0]), ("", [0, 1])])
def test_a_rule_of_today_is_measured_in_the_form_in_which_applications_answer(extra, expected):
    """The positive class comes first among the classes here: its code 0 must not be read as probability 0."""
    frame = pl.DataFrame({"pressure": [9.0, 1.0], "age": [1, 2], "site": ["n", "s"], "failure": ["broken", "fine"]})
    answers = measured_baseline(None, sealed(scenario(extra)), frame, None)
    assert np.asarray(answers).tolist() == expected


@pytest.mark.parametrize(("extra", "expected"), [("prediction: probability\n", [1.0, 0.0, None]), ("", [0, 1, -1])])
def test_what_people_decided_is_measured_in_the_form_in_which_applications_answer(extra, expected):
    decided = pl.DataFrame({"pressure": [1.0] * 3, "site": ["broken", "fine", None], "failure": ["fine"] * 3})
    people = measured_others(None, sealed(scenario(f"{extra}people: {{column: site}}\n")), decided, None)["people"]
    assert [None if np.isnan(answer) else answer for answer in people] == expected


SMALL_AND_LARGE = np.concatenate([np.arange(200), 200 + np.arange(1000) // 10])
RULES = (
    "accuracy >= 0.6", "lift(accuracy) >= -0.5", "worst(accuracy by site) >= 0.3", "balanced_accuracy >= 0.6",
    "mcc >= 0.3",
)  # fmt: skip


@pytest.mark.parametrize("estimand", list(Estimand))
@pytest.mark.parametrize("stop", ["early", "full"])
def test_the_same_answers_have_the_same_score_whoever_gave_them(estimand, stop):
    """Patients of one case and of ten: the mean over patients is not that over cases."""
    draw = np.random.default_rng(3)
    truth = draw.integers(0, 2, 1200)
    answers = np.where(draw.random(1200) < np.where(SMALL_AND_LARGE < 200, 0.6, 0.95), truth, 1 - truth)
    sites = np.where(SMALL_AND_LARGE % 2, "north", "south")
    cases = Cases(
        truth, answers, {"site": sites}, SMALL_AND_LARGE, answers, ("broken", "fine"), "broken", "label", people=answers
    )
    criteria = [
        Criterion(rule=rule, estimand=estimand, unit="patient") for rule in RULES[: 3 if stop == "early" else 5]
    ]
    order, levels = draw_order(1200, b"seed", SMALL_AND_LARGE), Levels(Fraction(1, 20), Fraction(1, 20))
    decision = judge(criteria, cases, order, levels, NO_RUN, design_on(criteria, cases, order, TrialDesign(stop=stop)))
    assert decision.scored == 1200
    assert (decision.decided < 1200) == (stop == "early" and estimand is Estimand.POPULATION)
    told = describe(criteria, cases, order, decision, None)
    for one in told.criteria:
        if one.paired is None:
            assert one.baseline == one.people == pytest.approx(one.estimate, abs=1e-12), one.rule
        else:
            assert one.paired.ours == one.paired.baseline == one.paired.people == told.criteria[0].baseline
    worst = min(group.score for group in told.groups)
    assert stop == "early" or worst == pytest.approx(told.criteria[2].estimate, abs=1e-12)
    older = describe(criteria, cases, order, decision, None, ReportedCases(by_unit=False)).criteria[0]
    assert (older.baseline == pytest.approx(older.estimate)) == (estimand is Estimand.HIDDEN_SET)


def test_a_blind_program_is_scored_by_units_as_an_application_is():
    """It is right of every patient of ten cases and of no other: nearly all cases, a third of the patients."""
    truth = np.where(SMALL_AND_LARGE < 200, 0, 1)
    cases = Cases(truth, np.ones(1200, int), {}, SMALL_AND_LARGE, None, ("broken", "fine"), "broken", "label")
    shares = {
        estimand: ScoredCases.whole(cases).score(Criterion(rule="accuracy >= 0.8", estimand=estimand, unit="patient"))
        for estimand in Estimand
    }
    assert shares == {
        Estimand.POPULATION: pytest.approx(1 / 3), Estimand.HIDDEN_SET: pytest.approx(1000 / 1200),
    }  # fmt: skip
