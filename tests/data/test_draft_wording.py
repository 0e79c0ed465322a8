"""What a draft does to an owner's own words, and what it says about it."""

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pilotbase.data.column_types import classes_of
from pilotbase.data.conform import conform
from pilotbase.data.drafting import DraftAnswers, draft_scenario
from pilotbase.data.scenario_yaml import write_scenario_yaml
from pilotbase.data.sources.opening import read_table
from pilotbase.data.splits import split_cases
from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.contract import DataType
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import load_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import LANGUAGES

EXAMPLES = Path(__file__).parents[2] / "examples"


def table(labels=("no", "yes"), rows=900, share=0.3):
    random = np.random.default_rng(7)
    heat = random.normal(60, 10, rows)
    limit = np.quantile(heat, 1 - share)
    drifting = heat + random.normal(0, 6, rows) > limit
    return pl.DataFrame(
        {
            "heat": heat.round(3),
            "shift": ["是" if index % 2 else "否" for index in range(rows)],
            "flow": (heat * 2 + random.normal(0, 4, rows)).round(3),
            "kind": [("a", "b", "c")[index % 3] for index in range(rows)],
            "fault": [labels[bool(value)] for value in drifting],
        }
    )


@pytest.fixture
def draft(tmp_path):
    def make(cases=None, file="pumps.csv", **answers):
        (table() if cases is None else cases).write_csv(tmp_path / file)
        given = {"problem": "Pumps fail", "target": "fault", "group_or_time": None, "cost_of_miss": 100}
        given |= {"cost_of_false_alarm": 10, "contact": "River Water, ops@river.example"}
        found = draft_scenario(tmp_path / file, DraftAnswers(**(given | answers)))
        path = tmp_path / "scenario.yaml"
        path.write_text(write_scenario_yaml(found.scenario), "utf-8")
        assert load_document(Scenario, path) == found.scenario
        return found, path.read_text("utf-8")

    return make


def said(found, code):
    return [sentence for sentence in found.decided if sentence.code == code]


@pytest.mark.parametrize("labels", [("no", "yes"), ("否", "是"), ("good", "bad"), ("No", "Yes")])
def test_labels_stay_as_the_owner_writes_them(draft, tmp_path, labels):
    found, written = draft(table(labels))
    scenario = found.scenario
    assert scenario.field("fault").data_type is DataType.TEXT
    assert (scenario.positive, scenario.baseline.value) in [(labels[1], labels[0]), (labels[1], labels[1])]
    assert scenario.criteria[0].parsed().label == labels[1]
    split = split_cases(conform(read_table(tmp_path / "pumps.csv"), scenario), scenario)
    assert set(classes_of(split.public, scenario)) == set(labels)
    (sentence,) = said(found, "draft.decided.classes")
    assert all(label in sentence.render(language) for label in labels for language in LANGUAGES)
    assert f"recall({labels[1]})" in written


@pytest.mark.parametrize("labels", [("0", "1"), ("false", "true"), ("False", "True")])
def test_plain_truths_are_booleans_and_their_labels_are_said(draft, labels):
    found, _ = draft(table(labels))
    assert found.scenario.field("fault").data_type is DataType.BOOLEAN
    assert found.scenario.positive == "true"
    assert "false, true" in said(found, "draft.decided.classes")[0].render()
    assert len(said(found, "draft.decided.zero_one")) == (labels[0] == "0")


def test_a_group_keeps_its_words_too(draft):
    found, _ = draft(group_or_time="shift")
    assert found.scenario.field("shift").data_type is DataType.TEXT
    assert set(found.scenario.data.split.hidden) <= {"是", "否"}


def test_a_feature_of_yes_and_no_is_a_truth(draft):
    found, _ = draft()
    assert found.scenario.field("shift").data_type is DataType.BOOLEAN


def test_a_regression_speaks_of_no_classes(draft):
    found, written = draft(target="flow")
    assert "decision_threshold" not in written
    assert "recall" not in written
    assert "within(tolerance=" in written
    assert said(found, "draft.decided.costs_unused")
    _, classes = draft()
    assert "decision_threshold" in classes
    assert "gap(recall by" in classes


def test_a_threshold_that_was_set_is_never_lost(draft, tmp_path):
    scenario = draft(target="flow")[0].scenario.model_copy(update={"decision_threshold": 0.7})
    path = tmp_path / "other.yaml"
    path.write_text(write_scenario_yaml(scenario), "utf-8")
    assert load_document(Scenario, path) == scenario


@pytest.mark.parametrize("example", sorted(EXAMPLES.rglob("scenario.yaml")), ids=lambda one: one.parent.name)
def test_every_example_is_written_so_that_it_reads_the_same(example, tmp_path):
    scenario = load_document(Scenario, example)
    path = tmp_path / "other.yaml"
    path.write_text(write_scenario_yaml(scenario), "utf-8")
    assert load_document(Scenario, path) == scenario
    assert ("\ndata:" in path.read_text("utf-8")) is (scenario.world is None)


def test_costs_that_are_not_used_are_told(draft):
    few = table().with_columns(kind=pl.Series([f"k{index % 40}" for index in range(900)]))
    assert said(draft(few, target="kind")[0], "draft.decided.costs_unused")
    assert not said(draft()[0], "draft.decided.costs_unused")
    assert not said(draft(target="kind")[0], "draft.decided.costs_unused")


def test_placeholders_are_said(draft):
    found, _ = draft(contact="Водоканал, 12345", file="насосы.csv")
    assert found.scenario.owner.organisation == "owner"
    assert re.fullmatch(r"fault-\d{4}", found.scenario.name)
    for code, name in (("draft.decided.organisation", "owner"), ("draft.decided.name", found.scenario.name)):
        (sentence,) = said(found, code)
        assert all(name in sentence.render(language) for language in LANGUAGES)
    named, _ = draft()
    assert not said(named, "draft.decided.organisation")
    assert not said(named, "draft.decided.name")


def test_chinese_names_are_spelled_by_their_pinyin(draft):
    found, _ = draft(contact="重庆银行，值班电话 12345", file="水泵 2024.csv")
    assert (found.scenario.name, found.scenario.owner.organisation) == ("shui-beng-2024", "chong-qing-yin-hang")


def test_a_short_name_is_asked_for_or_derived_anew_for_each_file(draft):
    derived = {draft(file=file)[0].scenario.name for file in ("насосы.csv", "краны.csv", "水泵.csv")}
    assert len(derived) == 3
    chosen, _ = draft(file="水泵.csv", name="pump-failure")
    assert chosen.scenario.name == "pump-failure"
    assert not said(chosen, "draft.decided.name")
    with pytest.raises(InputError) as refused:
        draft(name="Pump Failure")
    assert [issue.path for issue in refused.value.issues] == ["name"]


@pytest.mark.parametrize(
    ("rows", "share", "target", "attempts"),
    [(900, 0.3, "fault", 3), (900, 0.03, "fault", 1), (200, 0.4, "fault", 1), (900, 0.05, "kind", 3)],
)
def test_attempts_leave_one_another_fresh_cases(draft, tmp_path, rows, share, target, attempts):
    found, _ = draft(table(rows=rows, share=share), target=target)
    terms = found.scenario.trial
    hidden = split_cases(conform(read_table(tmp_path / "pumps.csv"), found.scenario), found.scenario).hidden
    assert terms.attempts == attempts
    if attempts == 1:
        assert terms.cases_per_attempt is None
        assert str(hidden.height) in said(found, "draft.decided.one_attempt")[0].render()
        return
    assert terms.cases_per_attempt == hidden.height // 3 >= 60
    if target == "fault":
        assert (hidden["fault"] == found.scenario.positive).sum() >= 3 * 15
    assert str(terms.cases_per_attempt) in said(found, "draft.decided.attempts")[0].render()


def test_sentences_with_counts_suit_one():
    """Templates whose count is often one name it after a colon; errors with a hint stand in the docs and are left."""
    plural = r"\{(count|cases|found)\} (values of|rows|public cases|of \{cases\} hidden cases)"
    for domain in ("data", "draft"):
        found = catalogue(domain, "en")
        assert [
            code for code, sentence in found.items() if re.search(plural, sentence) and f"{code}.hint" not in found
        ] == []
