"""What an application is compared with: here another application."""

import pytest

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.worker.trials.proving import prove
from tests.trial.conftest import BAD, GOOD


def compared_with(path):
    def change(content):
        return content.replace("{kind: rule, rule: pressure > 8}", f"{{kind: application, path: {path}}}")

    return change


def test_a_reference_application_answers_the_same_cases_in_a_box(base, write_scenario, write_application):
    scenario = write_scenario(change=compared_with("reference"))
    write_application(GOOD, "reference").rename(scenario / "reference")
    same = prove(base, scenario, write_application(GOOD)).report.criteria
    assert [result.baseline for result in same[:2]] == [result.estimate for result in same[:2]]
    worse = prove(base, scenario, write_application(BAD, "other")).report.criteria[0]
    assert (worse.estimate, worse.baseline > 0.5) == (0.0, True), "few cases decide; of them it may miss one or two"


def test_a_reference_that_does_not_answer_is_no_baseline(base, write_scenario, write_application):
    scenario = write_scenario(change=compared_with("reference"))
    write_application("def predict(batch):\n    raise SystemExit(3)\n", "reference").rename(scenario / "reference")
    with pytest.raises(RefusedError) as refused:
        prove(base, scenario, write_application())
    assert refused.value.code == "trial.baseline_failed"


def test_a_reference_outside_of_the_scenarios_folder_is_refused(base, write_scenario, write_application):
    write_application(GOOD, "reference")
    with pytest.raises(InputError) as refused:
        prove(base, write_scenario(change=compared_with("../reference")), write_application())
    assert refused.value.code == "trial.baseline_outside"
