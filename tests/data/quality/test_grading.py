"""The grade: the worst required measure beside how many were measured, and never an average."""

from __future__ import annotations

import pytest

from pilotbase.data.quality.profiling import DEFAULTS, grade, required_of
from pilotbase.documents.dataset import RequiredMeasure
from pilotbase.documents.errors import InputError
from pilotbase.documents.quality import QualityCodes, QualityMeasurement
from pilotbase.documents.vocabularies import Outcome
from tests.data.quality.planted_for_tests import description

GOOD = {
    "record_completeness": 0.95, "label_completeness": 1.0, "label_accuracy": 0.99, "syntactic_accuracy": 1.0,
    "semantic_consistency": 1.0, "uniqueness": 1.0, "label_consistency": 1.0, "split_leakage": 0.0,
}  # fmt: skip


def graded(changes: dict[str, float | None], absent: tuple[str, ...] = (), **dataset):
    measured = []
    for name, value in (GOOD | changes).items():
        state = "not_applicable" if name in absent else "not_measured" if value is None else "measured"
        told = {
            "measure": name,
            "record_set": "records",
            "codes": QualityCodes(),
            "direction": "higher",
            "formula": "f",
        }
        measured.append(QualityMeasurement(**told, state=state, value=value if state == "measured" else None))
    return grade(description(**dataset), measured)


def test_at_what_is_asked_it_passes_and_the_nearest_is_the_worst():
    found = graded({})
    assert (found.outcome, found.measured, found.required) == (Outcome.PASS, 8, 8)
    assert found.value == GOOD[found.worst] and found.worst in (
        "record_completeness",
        "label_completeness",
        "split_leakage",
    )


@pytest.mark.parametrize(("measure", "value"), [("label_accuracy", 0.9499), ("split_leakage", 0.001)])
def test_one_that_misses_fails_whatever_the_others_say(measure, value):
    found = graded({measure: value})
    assert (found.outcome, found.worst, found.value) == (Outcome.FAIL, measure, value)


def test_what_was_not_measured_decides_nothing_but_a_miss_beside_it_does():
    assert graded({"label_accuracy": None}).outcome is Outcome.INCONCLUSIVE
    assert graded({"label_accuracy": None}).measured == 7
    assert graded({"label_accuracy": None, "uniqueness": 0.5}).outcome is Outcome.FAIL


def test_what_does_not_apply_is_not_asked():
    found = graded({}, absent=("label_accuracy", "label_completeness", "label_consistency"))
    assert (found.outcome, found.required) == (Outcome.PASS, 5)


def test_of_nothing_that_was_asked_there_is_no_pass():
    assert graded({}, absent=tuple(GOOD)).outcome is Outcome.INCONCLUSIVE


def test_the_description_replaces_what_is_usual_and_adds_to_it():
    own = (RequiredMeasure(measure="label_accuracy", at_least=0.5), RequiredMeasure(measure="order", at_least=1))
    found = {one.measure: one.at_least for one in required_of(description(required=own))}
    assert found["label_accuracy"] == 0.5 and found["order"] == 1
    assert len(found) == len(DEFAULTS["verification"]) + 1
    assert graded({"label_accuracy": 0.6}, required=own[:1]).outcome is Outcome.PASS


def test_an_unknown_measure_is_refused_with_what_was_meant():
    with pytest.raises(InputError, match="uniquness") as refused:
        required_of(description(required=(RequiredMeasure(measure="uniquness", at_least=1),)))
    assert "uniqueness" in refused.value.hint.render("en")
