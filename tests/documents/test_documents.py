import importlib
import json
import pkgutil
from datetime import datetime

import pydantic
import pytest

import pilotbase.documents
from pilotbase.documents.base import Document, Step
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import canonical_json, digest_json
from pilotbase.documents.loading import build_document, upgrade
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.schema import KINDS, json_schema
from pilotbase.documents.subjects import Organisation
from pilotbase.documents.yaml_reader import parse_yaml

SCENARIO = """
document: scenario/1
name: milling
title: {en: Milling alarm, zh: 铣床预警}
owner: {organisation: mill}
sector: manufacturing
problem: The spindle fails without warning.
data:
  file: a.csv
  fields:
    - {name: torque, dataType: sc:Float, unit: N.m}
    - {name: failure, dataType: sc:Boolean}
  target: failure
task: classification
positive: true
baseline: {kind: rule, rule: torque > 60}
criteria:
  - rule: recall(true) >= 0.8
trial: {limits: {memory_bytes: 512 MiB, batch_seconds: 500 ms}}
"""


def load(content: str, step: Step = Step.DRAFT) -> Scenario:
    return build_document(Scenario, parse_yaml(content.encode(), "scenario.yaml"), step)


def problems(content: str, step: Step = Step.DRAFT) -> dict[str, tuple[str, int | None]]:
    with pytest.raises(InputError) as caught:
        load(content, step)
    assert caught.value.exit_code == 2
    return {issue.path: (issue.problem.code, issue.line) for issue in caught.value.issues}


def test_a_scenario_reads_with_quantities_and_labels():
    scenario = load(SCENARIO)
    assert scenario.trial.limits.memory_bytes == 512 << 20
    assert scenario.trial.limits.batch_seconds == 0.5
    assert scenario.positive == "true"
    assert [field.name for field in scenario.contract(("false", "true")).features] == ["torque"]


def test_the_digest_is_that_of_the_canonical_json_and_survives_a_round_trip():
    scenario = load(SCENARIO)
    again = Scenario.from_json_value(json.loads(scenario.canonical()))
    assert again == scenario
    assert again.digest() == scenario.digest() == digest_json(json.loads(scenario.canonical()))
    assert load(SCENARIO.replace("0.8", "0.81")).digest() != scenario.digest()


def test_documents_are_frozen_and_closed():
    scenario = load(SCENARIO)
    with pytest.raises(pydantic.ValidationError):
        scenario.name = "other"
    with pytest.raises(pydantic.ValidationError):
        Organisation.from_json_value({"document": "organisation/1", "name": "a", "title": "A", "roles": [], "x": 1})


def test_all_problems_at_once_with_place():
    broken = (
        SCENARIO.replace("sector: manufacturing", "sectr: manufacturing")
        .replace("kind: rule", "kind: ruler")
        .replace("recall(true) >= 0.8", "recall(true) => 0.8")
        .replace("name: milling", "name: Milling!")
    )
    assert problems(broken) == {
        "name": ("input.invalid_value", 3),
        "sectr": ("input.unknown_field", 6),
        "baseline": ("input.not_allowed", 16),
        "criteria[0]": ("criterion.no_comparison", 18),
    }


def test_all_inconsistencies_at_once():
    broken = SCENARIO.replace("target: failure", "target: broken").replace("recall(true)", "gap(recall by site)")
    broken += "subhead: work\naction: industry\nprediction: value\n"
    assert set(problems(broken)) == {"data.target", "criteria[0].rule", "subhead", "prediction"}


def test_a_draft_may_lack_what_freezing_needs():
    assert problems(SCENARIO, Step.FREEZE).keys() == {"action", "intended_use", "data.licence"}


def test_another_kind_or_version_is_named():
    assert problems(SCENARIO.replace("scenario/1", "scenario/9")) == {"document": ("input.wrong_kind", 2)}
    assert problems(SCENARIO.replace("document: scenario/1\n", "")).keys() == {"document"}


def test_columns_that_must_stay_unseen_never_become_features():
    scenario = load(
        SCENARIO.replace("kind: rule, rule: torque > 60", "kind: column, column: human").replace(
            "  target: failure",
            "    - {name: human, dataType: sc:Boolean}\n    - {name: why, dataType: sc:Text}\n"
            "    - {name: id, dataType: sc:Text}\n  withheld: [why]\n  key: id\n  target: failure",
        )
    )
    assert [field.name for field in scenario.feature_fields] == ["torque"]
    assert scenario.unseen == {"failure", "human", "why", "id"}


def test_upgrades_run_one_version_after_the_other():
    steps = {
        "scenario/1": lambda value: {"document": "scenario/2", "heading": value["title"]},
        "scenario/2": lambda value: {**value, "document": "scenario/3"},
    }
    assert upgrade({"document": "scenario/1", "title": "t"}, steps) == {"document": "scenario/3", "heading": "t"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_publishes_a_schema_with_its_version(kind):
    schema = json_schema(kind)
    assert canonical_json(schema), "the portal publishes it so"
    assert schema["properties"]["document"]["const"] == f"{kind}/1"
    assert schema["additionalProperties"] is False


def test_no_two_kinds_of_documents_have_one_name():
    for module in pkgutil.walk_packages(pilotbase.documents.__path__, "pilotbase.documents."):
        importlib.import_module(module.name)
    todo, named = [Document], []
    while todo:
        todo += (found := todo.pop().__subclasses__())
        ours = [one for one in found if one.__module__.startswith("pilotbase.")]
        named += [one.model_fields["document"].default for one in ours if "document" in vars(one)["__annotations__"]]
    assert [one for one in set(named) if named.count(one) > 1] == []


def test_times_need_a_zone():
    class Timed(Document):
        document: str = "timed/1"
        at: __import__("pilotbase.documents.base", fromlist=["Moment"]).Moment

    with pytest.raises(pydantic.ValidationError):
        Timed(at=datetime(2026, 1, 1))  # noqa: DTZ001
    assert Timed(at="2026-01-01T08:00:00+08:00").at.isoformat() == "2026-01-01T00:00:00+00:00"


def test_canonical_json_is_rfc_8785():
    assert canonical_json({"b": 1.0, "a": "é", "中": [1e21, 1e-7]}) == '{"a":"é","b":1,"中":[1e+21,1e-7]}'.encode()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ("trial: {limits: {load_seconds: 864001}}", "trial.limits.load_seconds"),
        ("trial: {limits: {wall_seconds: .inf}}", "trial.limits.wall_seconds"),
        ("trial: {limits: {scratch_bytes: 1048577 GiB}}", "trial.limits.scratch_bytes"),
        (f"trial: {{limits: {{log_bytes: {'9' * 30} GiB}}}}", "trial.limits.log_bytes"),
        ("trial: {limits: {log_bytes: -1}}", "trial.limits.log_bytes"),
        ("trial: {limits: {processes: 40000}}", "trial.limits.processes"),
        ("trial: {limits: {threads: 1025}}", "trial.limits.threads"),
        ("trial: {cases_per_attempt: 99999999999999999999}", "trial.cases_per_attempt"),
        ("trial: {approvals: [{kind: ethics, until: soon}]}", "trial.approvals[0].until"),
        ("trial: {approvals: [{kind: ethics, until: 2026-02-30}]}", "trial.approvals[0].until"),
        ("costs: {miss: 1e300, false_alarm: 1}", "costs.miss"),
    ],
)
def test_numbers_and_days_are_bounded(change, path):
    trial = "trial: {limits: {memory_bytes: 512 MiB, batch_seconds: 500 ms}}"
    assert problems(SCENARIO.replace(trial, change)).keys() == {path}


def test_a_day_and_as_many_criteria_as_one_reads_are_admitted():
    many = "criteria:\n" + "  - rule: recall(true) >= 0.8\n" * 101
    assert problems(SCENARIO.replace("criteria:\n  - rule: recall(true) >= 0.8\n", many)).keys() == {"criteria"}
    scenario = load(SCENARIO.replace("trial: {", "trial: {approvals: [{kind: ethics, until: 2028-02-29}], "))
    assert scenario.trial.approvals[0].until == "2028-02-29"


def test_certainty_is_no_confidence():
    certain = SCENARIO.replace("recall(true) >= 0.8", "recall(true) >= 0.8\n    confidence: 0.9999999999")
    assert problems(certain).keys() == {"criteria[0].confidence"}
