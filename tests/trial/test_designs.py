"""When scoring stops: as soon as the verdict stands, at a number fixed beforehand, or at the last case."""

import json
import re

import pytest

from pilotbase.documents.criteria import TrialDesign
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.worker.trials.proving import freeze_in, prove
from tests.trial.conftest import SCENARIO


def stopping(stop: str):
    return lambda content: content.replace("attempts: 6", f"attempts: 6\n  {stop}")


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("stop", "rests", "guarantee", "said"),
    [
        ("stop: fixed\n  cases: 90", 90, "exact_fixed", "after 90 cases, a number fixed in advance"),
        ("stop: full", 200, "exact_census", "after all cases"),
        ("stop: early", None, "exact_anytime", "as soon as the evidence suffices"),
        ("stop: early ", 200, "exact_census", "as soon as the evidence suffices"),
    ],
)
def test_a_trial_stops_when_its_plan_says_and_the_report_tells(
    base, write_scenario, write_application, tmp_path, stop, rests, guarantee, said
):
    """All answers decide a claim about the hidden cases (``stop: early `` here), and figures are of all anyway."""
    of_cases = "census" in guarantee

    def change(content):
        return content if of_cases else content.replace("0.7}", "0.7, estimand: population}")

    folder = write_scenario(cases=200, change=lambda content: change(stopping(stop)(content)))
    proven = prove(base, folder, write_application(), tmp_path / "out")
    report = proven.report
    assert report.attempt.scored == report.criteria[1].scored == 200
    assert report.attempt.rests.cases == rests if rests else report.attempt.rests.cases < 200
    assert report.criteria[1].guarantee == guarantee
    assert said in (tmp_path / "out" / "report.html").read_text()
    supplier = json.loads((tmp_path / "out" / "supplier" / "report.json").read_text())
    assert supplier["design"]["stop"] in stop
    assert "decision" not in supplier, "a digest of few figures could be guessed back"


def test_a_fixed_number_that_can_never_decide_is_refused_with_the_number_that_could(
    base, write_scenario, write_application
):
    def few(content):
        return stopping("stop: fixed\n  cases: 4")(content).replace("0.7}", "0.7, estimand: population}")

    with pytest.raises(InputError) as caught:
        freeze_in(base, write_scenario(cases=200, change=few), write_application())
    shown = caught.value.render("en")
    assert "criteria[0].rule" in shown
    assert "criteria[1].rule" in shown
    assert re.search(r"accuracy\(?.*4", shown)


def test_more_cases_than_an_attempt_has_cannot_be_scored(base, write_scenario, write_application):
    with pytest.raises(RefusedError, match="5000"):
        freeze_in(base, write_scenario(change=stopping("stop: fixed\n  cases: 5000")), write_application())


@pytest.mark.parametrize("stop", ["stop: fixed", "stop: early\n  cases: 5", "cases: 5", "stop: sometimes"])
def test_a_design_that_says_half_is_refused_at_its_place(stop):
    with pytest.raises(InputError) as caught:
        build_document(Scenario, parse_yaml(stopping(stop)(SCENARIO.format(cases=50)).encode(), "scenario.yaml"))
    assert "scenario.yaml:" in caught.value.render("en")
    assert "trial" in caught.value.render("zh")


def test_a_design_is_early_where_nothing_is_said():
    scenario = build_document(Scenario, parse_yaml(SCENARIO.format(cases=50).encode(), "scenario.yaml"))
    assert scenario.trial.design == TrialDesign(stop="early")
