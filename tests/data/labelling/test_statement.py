"""What a scenario states of its labels; a scenario that states nothing keeps its digest."""

from pilotbase.data.labelling.quality import label_quality
from pilotbase.data.scenario_yaml import write_scenario_yaml
from pilotbase.documents.loading import build_document
from pilotbase.documents.quality import LabelAudit
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.yaml_reader import parse_yaml

SCENARIO = """
document: scenario/1
name: pets
title: Pets
owner: {organisation: clinic}
problem: Which animal is it?
data:
  file: cases.csv
  fields: [{name: weight, dataType: sc:Float}, {name: pet, dataType: sc:Text}]
  target: pet
task: classification
"""
DIGEST_BEFORE_LABELS_COULD_BE_STATED = "sha256:ec68c76209053ab57ecd005570fad62375b43b6e0aa156a6953dd926ab18c34a"


def load(content):
    return build_document(Scenario, parse_yaml(content.encode(), "scenario.yaml"))


def test_a_scenario_that_states_nothing_keeps_its_digest():
    assert load(SCENARIO).digest() == DIGEST_BEFORE_LABELS_COULD_BE_STATED


def test_a_statement_is_part_of_the_scenario_and_is_written_back_the_same(campaign, gathered):
    quality = label_quality(
        campaign(), gathered(["cat", "dog"] * 20, ["cat", "cat"] * 20), audit=LabelAudit(audited=50, correct=48)
    )
    scenario = load(SCENARIO)
    stated = scenario.model_copy(update={"data": scenario.data.model_copy(update={"labels": quality.statement()})})
    again = load(write_scenario_yaml(stated))
    assert again == stated
    assert again.data.labels.quality == quality.digest()
    assert again.digest() != scenario.digest()
