"""A scenario that would hang the base, or end it without a sentence: each is the owner's input error."""

import contextlib
import time

import pytest

from pilotbase.documents.base import Step
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.trial.freezing import freeze_plan
from pilotbase.worker.intake.checking import check_scenario
from pilotbase.worker.trials.proving import rehearse_in, take_in

ACCURACY = "{rule: accuracy >= 0.7}"


def rule(words, more=""):
    return lambda content: content.replace(ACCURACY, f"{{rule: '{words}'{more}}}")


def limit(words):
    return lambda content: content.replace("load_seconds: 60", words)


BOMBS = {
    "a threshold of ten million digits": rule("accuracy >= 1e9999999"),
    "a threshold beyond floats": rule("memory.peak <= 1e400 B"),
    "beta with too many digits": rule("f_beta(broken, beta=0.1234567890123) >= 0.5"),
    "certainty": rule("accuracy >= 0.7", ", confidence: 0.999999999999"),
    "waiting for ever": limit("load_seconds: 1e300"),
    "more memory than JSON can say": limit("load_seconds: 60, scratch_bytes: 99999999999999999999"),
    "more processes than JSON can say": limit("load_seconds: 60, processes: 99999999999999999999"),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", BOMBS)
def test_a_number_beyond_bounds_is_the_owners_input_error(base, write_scenario, write_application, name):
    scenario = write_scenario(rows=150, cases=40, change=BOMBS[name])
    with pytest.raises(InputError):
        rehearse_in(base, scenario, write_application())


def test_an_approval_until_some_day_is_the_owners_input_error(base, write_scenario, write_application):
    approvals = "  approvals: [{kind: ethics, reference: E-1, until: soon}]\n"
    with pytest.raises(PilotbaseError):
        sealed, candidate = take_in(
            base,
            write_scenario(change=lambda content: content + approvals),
            write_application(),
            Step.DRAFT,
            lambda _: None,
        )
        freeze_plan(base.lab, sealed, candidate)


@pytest.mark.parametrize("source", [" " * 1000 + "x", "gap(" + " " * 1000 + ") <= 0.1"], ids=["blanks", "group"])
def test_a_rule_of_blanks_is_read_at_once(source):
    began = time.process_time()
    with contextlib.suppress(InputError):
        parse_rule(source)
    assert time.process_time() - began < 0.3


def test_a_gap_between_single_cases_is_refused_before_it_is_computed(write_scenario):
    scenario = write_scenario(change=rule("gap(accuracy by case_id) <= 0.5"))
    with pytest.raises(InputError):
        check_scenario(scenario)


def test_data_and_baseline_stay_inside_the_scenarios_folder(base, write_scenario, write_application, tmp_path):
    outside = write_scenario(name="outside")
    for file in ("../outside/cases.csv", str(outside / "cases.csv")):
        scenario = write_scenario(name=f"s{len(file)}", change=lambda content, f=file: content.replace("cases.csv", f))
        with pytest.raises(InputError):
            check_scenario(scenario)
    linked = write_scenario(name="linked")
    (linked / "cases.csv").unlink()
    (linked / "cases.csv").symlink_to(outside / "cases.csv")
    with pytest.raises(InputError):
        check_scenario(linked)
    application = write_application()
    reference = "{kind: application, path: ../alarm}"
    scenario = write_scenario(
        name="reference", change=lambda content: content.replace("{kind: rule, rule: pressure > 8}", reference)
    )
    with pytest.raises(InputError):
        rehearse_in(base, scenario, application)


def test_a_deep_baseline_rule_is_refused_in_words(base, write_scenario, write_application):
    deep = "(" * 900 + "pressure" + ")" * 900 + " > 8"
    scenario = write_scenario(change=lambda content: content.replace("pressure > 8", deep))
    with pytest.raises(InputError):
        check_scenario(scenario)
