"""A document that is wrong in one place is still checked in the others, and nothing is said that only follows."""

import time

import pytest

from pilotbase.documents.application import Application
from pilotbase.documents.base import Step
from pilotbase.documents.loading import read_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.watch import Runbook
from pilotbase.documents.yaml_reader import parse_yaml
from tests.documents.test_documents import SCENARIO


def read(content, model=Scenario, step=Step.DRAFT):
    return read_document(model, parse_yaml(content.encode(), "given.yaml"), step)


def told(reading):
    return {(issue.line, issue.path, issue.problem.code) for issue in reading.issues}


def test_a_document_without_problems_is_the_document():
    reading = read(SCENARIO)
    assert reading.issues == () and reading.require().name == "milling"


@pytest.mark.parametrize(
    ("right", "wrong", "place", "code"),
    [
        ("kind: rule", "kind: rull", "baseline", "input.not_allowed"),
        ("task: classification", "task: clasification", "task", "input.not_allowed"),
        ("positive: true", "positve: true", "positve", "input.unknown_field"),
        ("  target: failure", "  taget: failure", "data.taget", "input.unknown_field"),
        ("target: failure", "target: failre", "data.target", "scenario.unknown_column"),
    ],
)
def test_a_slip_of_the_pen_is_taken_for_what_was_meant_and_said_once(right, wrong, place, code):
    reading = read(SCENARIO.replace(right, wrong))
    assert [(issue.path, issue.problem.code) for issue in reading.issues] == [(place, code)]
    assert reading.document == read(SCENARIO).document
    assert "did you mean" in reading.issues[0].render("en") and "是否指" in reading.issues[0].render("zh")


@pytest.mark.parametrize("value", ["many", "[a, b]", "{a: b}"])
def test_an_unknown_field_is_not_held_to_the_type_of_the_field_that_it_resembles(value):
    reading = read(SCENARIO.replace("trial: {", f"trial: {{attempt: {value}, "))
    assert [(issue.path, issue.problem.code) for issue in reading.issues] == [("trial.attempt", "input.unknown_field")]


def test_a_number_under_a_misspelt_name_is_held_to_the_limits_of_what_was_meant():
    reading = read(SCENARIO.replace("trial: {", "trial: {attempt: 0, "))
    assert [issue.problem.code for issue in reading.issues] == ["input.unknown_field", "input.invalid_value"]


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [
        ("name: milling", "name: Milling!", "name"),
        ("owner: {organisation: mill}", "owner: {organisation: Plant AG}", "owner.organisation"),
        ("owner: {organisation: mill}\n", "", "owner"),
        ("batch_seconds: 500 ms", "batch_seconds: soon", "trial.limits.batch_seconds"),
        ("positive: true", "positive: [1]", "positive"),
        ("rule: recall(true) >= 0.8", "rule: 5", "criteria[0].rule"),
    ],
)
def test_what_cannot_be_read_is_said_once_and_the_rest_is_still_checked(right, wrong, place):
    reading = read(SCENARIO.replace(right, wrong) + "subhead: nonsense\n")
    assert {issue.path for issue in reading.issues} == {place, "subhead"}
    assert reading.document is not None and [field.name for field in reading.document.data.fields]


def test_what_rests_on_a_field_that_cannot_be_read_is_not_held_against_anybody():
    reading = read(SCENARIO.replace("{name: failure, dataType: sc:Boolean}", "{name: [failure], dataType: sc:Boolean}"))
    assert [issue.path for issue in reading.issues] == ["data.fields[1].name"]


def test_entries_after_one_that_cannot_be_read_keep_their_places():
    reading = read(SCENARIO.replace("  - rule: recall(true) >= 0.8", "  - rule: [1]\n  - rule: accuracy >= 2 parsecs"))
    assert {(issue.path, issue.line) for issue in reading.issues} == {("criteria[0].rule", 18), ("criteria[1]", 19)}


def test_a_step_that_lacks_fields_is_told_beside_the_rest():
    reading = read(SCENARIO.replace("task: classification", "task: clasification"), step=Step.FREEZE)
    assert {issue.path for issue in reading.issues} == {"task", "action", "intended_use", "data.licence"}


def test_fields_of_a_part_are_those_that_are_offered():
    reading = read(SCENARIO.replace("dataType: sc:Float", "dataType: sc:Float, unti: Nm").replace("title: ", "tile: "))
    said = {issue.path: issue.problem.render("en") for issue in reading.issues}
    assert said["data.fields[0].unti"].endswith("minimum, maximum, rate; did you mean unit?")
    assert said["tile"].endswith("; did you mean title?")


def test_other_documents_are_read_alike():
    manifest = (
        "document: application/1\nname: Alarm\nversion: 1.0.0\ntitle: t\nsuplier: {organisation: acme}\n"
        "licence: MIT\nmodel_card: {sumary: s}\nruntime: pyton\n"
    )
    assert told(read(manifest, Application)) == {
        (2, "name", "input.invalid_value"),
        (5, "suplier", "input.unknown_field"),
        (7, "model_card.sumary", "input.unknown_field"),
        (8, "runtime", "input.not_allowed"),
    }
    runbook = read("document: runbook/1\nsteps: 5\nbok: x\n", Runbook)
    assert {issue.path for issue in runbook.issues} >= {"bok"}


@pytest.mark.prove
def test_thousands_of_problems_are_told_in_time():
    began = time.perf_counter()
    strange = "".join(f"tittle{number}: x\n" for number in range(20_000))
    assert len(read(SCENARIO + strange).issues) == 20_000
    columns = ", ".join(f"torqe{number}" for number in range(20_000))
    fields = "".join(f"    - {{name: torqe_{number}, dataType: sc:Text}}\n" for number in range(2_000))
    many = SCENARIO.replace("  target: failure", f"  target: failure\n  withheld: [{columns}]").replace(
        "  fields:\n", f"  fields:\n{fields}"
    )
    assert len(read(many).issues) == 20_000
    assert time.perf_counter() - began < 60
