from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Criterion, Scenario, TrialDesign
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.evidence import Levels
from pilotbase.measures import Cases
from pilotbase.trial.baselines import measured_baseline, measured_others
from pilotbase.trial.scoring import NO_RUN, describe, judge, settle_criteria
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
    decision = judge(criteria, cases, order, Levels(Fraction(1, 20), Fraction(1, 20)), NO_RUN, TrialDesign(stop="full"))
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
