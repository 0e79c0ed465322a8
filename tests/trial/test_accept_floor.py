"""On how many cases, and how many of the class asked about, an accept rests at least."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from pilotbase.documents.criteria import AcceptFloor, TrialDesign
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.probes import PANEL
from pilotbase.documents.report import RestsOn
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.texts import LANGUAGES
from pilotbase.evidence import Levels
from pilotbase.measures import Cases
from pilotbase.trial.accept_floor import RunningCounts, floor_missed
from pilotbase.trial.criteria_check import check_criteria, require_enough
from pilotbase.trial.scoring import NO_RUN, describe, design_on, judge
from tests.trial.test_criteria_check import with_rule

LEVELS = Levels(Fraction(1, 40), Fraction(1, 40))
RECALL = (Criterion(rule="recall(late) >= 0.5", estimand="population"),)


def flights(late: int = 40, size: int = 400, units: np.ndarray | None = None) -> Cases:
    """Return flights of which every tenth is late, each answered rightly."""
    truth = np.zeros(size, dtype=np.int64)
    truth[:: size // late] = 1
    return Cases(truth, truth.copy(), {}, units, None, ("on time", "late"), "late", "label")


@pytest.mark.parametrize(("floor", "decided"), [(None, 91), ((150, 5), 150), ((50, 20), 191), ((50, None), 91)])
def test_an_accept_rests_on_enough_cases_and_positives(floor, decided):
    cases, order = flights(), np.arange(400)
    least = None if floor is None else AcceptFloor(cases=floor[0], positives=floor[1])
    found = judge(RECALL, cases, order, LEVELS, NO_RUN, design_on(RECALL, cases, order, TrialDesign(accept_from=least)))
    told = describe(RECALL, cases, order, found, None)
    assert found.verdict == "accept"
    early = floor is None or floor == (50, None)
    assert found.decided < 100 if early else found.decided == decided
    assert told.rests == RestsOn(cases=found.decided, label="late", of_label=-(-found.decided // 10))
    assert told.criteria[0].scored == 40, "figures are of all answers"


def test_a_floor_out_of_reach_leaves_the_verdict_open_and_says_so():
    cases, order = flights(), np.arange(400)
    floor = AcceptFloor(cases=100, positives=41)
    found = judge(RECALL, cases, order, LEVELS, NO_RUN, design_on(RECALL, cases, order, TrialDesign(accept_from=floor)))
    assert found.verdict == "inconclusive"
    reason = floor_missed(floor, describe(RECALL, cases, order, found, None).rests)
    assert reason is not None
    assert all(one in reason.render(language) for language in LANGUAGES for one in ("41", "late"))
    assert not any("40" in reason.render(language) for language in LANGUAGES), "a supplier reads it too"
    assert floor_missed(AcceptFloor(cases=100, positives=40), RestsOn(cases=400, label="late", of_label=40)) is None


def test_of_a_sample_that_experts_judge_only_what_they_judged_counts():
    cases = flights()
    cases = replace(cases, given={PANEL: np.where(np.arange(400) < 60, "1", "")})
    criteria = (Criterion(rule="judged(by=panel) >= 0.5", estimand="population"),)
    assert RunningCounts.of(criteria, cases, np.arange(400)).rests_on(400).cases == 60


def test_units_are_counted_where_criteria_count_units():
    cases = flights(units=np.arange(400) // 8)
    counts = RunningCounts.of((Criterion(rule="accuracy >= 0.5", unit="carrier"),), cases, np.arange(400))
    assert counts.rests_on(80) == RestsOn(cases=80, unit="carrier", units=10, label="late", of_label=8)
    assert counts.first(AcceptFloor(cases=10)) == 73 and counts.first(AcceptFloor(cases=51)) == 401


def test_a_plan_that_cannot_reach_its_floor_is_refused_with_what_it_needs():
    (scenario, public), classes = with_rule("recall(broken) >= 0.5", 100, 20), ("broken", "fine")
    for floor, told in (
        ({"cases": 100, "positives": 40}, ("40", "30", "200")),
        ({"cases": 300}, ("300", "150")),
    ):
        trial = scenario.trial.model_copy(update={"accept_from": AcceptFloor(**floor)})
        with pytest.raises(InputError) as caught:
            check_criteria(scenario.model_copy(update={"trial": trial}), classes, public, 150, 0.05)
        (issue,) = [one for one in caught.value.issues if one.path == "trial.accept_from"]
        for language in LANGUAGES:
            assert all(number in issue.problem.render(language) for number in told)
    check_criteria(scenario.model_copy(update={"trial": trial}), classes, public, 300, 0.05)
    with pytest.raises(RefusedError) as refused:
        require_enough(scenario.model_copy(update={"trial": trial}), classes, public, 0.05)
    assert refused.value.code == "trial.floor_hidden" and "300" in refused.value.hint.render("zh")
