"""Scenarios and applications are complete, speak both languages, say what they are, and carry no data."""

import json
import re
import subprocess
from collections import Counter

import pytest

from pilotbase.documents.application import Application
from pilotbase.documents.base import Step
from pilotbase.documents.loading import load_document
from pilotbase.documents.scenario import Scenario
from pilotbase.measures import is_resource
from pilotbase.measures.rules import RuleContext, problems_of
from pilotbase.sandbox.box.locks import parse_lock
from tests.examples.examples_for_tests import EXAMPLES, FOLDERS, SECTORS, WALK

MANIFESTS = [*FOLDERS, EXAMPLES / "energy" / "baseline"]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
FOLDED = re.compile(r"[\u4e00-\u9fff，。；：、）”] [\u4e00-\u9fff（“]")


def scenario_of(sector):
    return load_document(Scenario, EXAMPLES / sector / "scenario.yaml", Step.FREEZE)


def names(folders):
    return [f"{folder.parent.parent.name}/{folder.name}" for folder in folders]


@pytest.mark.parametrize("sector", [*SECTORS, WALK])
def test_a_scenario_is_complete_and_its_rules_fit_it(sector):
    scenario = scenario_of(sector)
    assert scenario.sector == ("transport" if sector == WALK else sector)
    assert scenario.value is not None
    assert scenario.workforce is not None
    classes = {
        "manufacturing": ("failure", "normal"),
        "healthcare": ("disease", "healthy"),
        "transport": ("late", "on_time"),
        "walk": ("late", "on_time"),
        "finance": ("default", "repaid"),
        "energy": (),
    }[sector]
    columns = frozenset(field.name for field in scenario.data.fields)
    setting = RuleContext(scenario.prediction, classes, scenario.positive, columns, has_baseline=True)
    for criterion in scenario.criteria:
        assert problems_of(criterion.parsed(), setting) == (), criterion.rule
        assert criterion.why is not None, criterion.rule
    measured = {criterion.parsed().measure for criterion in scenario.criteria if is_resource(criterion.parsed())}
    assert "latency.p95" in measured


@pytest.mark.parametrize("folder", MANIFESTS, ids=names(MANIFESTS))
def test_an_application_is_complete_and_made_for_its_scenario(folder):
    application = load_document(Application, folder / "application.yaml", Step.FREEZE)
    sector = folder.relative_to(EXAMPLES).parts[0]
    versions = f"{application.name}-{application.version.partition('.')[0]}"
    assert folder.name == (versions if sector == WALK else application.name) or folder.name == "baseline"
    assert application.scenario == scenario_of(sector).name
    card = application.model_card
    assert card.training_data and card.limitations and card.human_oversight
    assert (folder / "app.py").is_file()


@pytest.mark.parametrize("sector", [*SECTORS, WALK])
def test_every_sentence_stands_in_both_languages(sector):
    files = [EXAMPLES / sector / "scenario.yaml", *(EXAMPLES / sector).rglob("application.yaml")]
    for file in files:
        model = Scenario if file.name == "scenario.yaml" else Application
        found = list(sentences(load_document(model, file, Step.FREEZE).to_json_value()))
        assert len(found) >= 5
        for sentence in found:
            assert set(sentence) == {"en", "zh"}, f"{file}: {sentence}"
            assert CHINESE.search(sentence["zh"]), f"{file}: {sentence}"
            assert not FOLDED.search(sentence["zh"]), f"{file}: a blank where a line was folded: {sentence}"
            assert not CHINESE.search(sentence["en"]), f"{file}: {sentence}"


def sentences(value):
    if isinstance(value, dict):
        if value and set(value) <= {"en", "zh"}:
            yield value
        else:
            for inner in value.values():
                yield from sentences(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from sentences(inner)


def test_free_texts_of_a_scenario_are_sentences_in_two_languages():
    for sector in SECTORS:
        value = scenario_of(sector).to_json_value()
        texts = [value["title"], value["problem"], value["intended_use"], value["value"]["note"]]
        texts += [value["workforce"]["note"], *(field["description"] for field in value["data"]["fields"])]
        texts += [criterion["why"] for criterion in value["criteria"]]
        assert all(isinstance(text, dict) for text in texts), sector


def test_simulated_data_are_called_simulated_wherever_they_are_named():
    scenario = scenario_of("manufacturing")
    assert scenario.data.nature == "simulated"
    assert "simulated" in scenario.title.en and "仿真" in scenario.title.zh
    assert "simulated" in scenario.problem.en and "仿真" in scenario.problem.zh
    assert "simulated" in scenario.data.source
    assert {scenario_of(sector).data.nature for sector in SECTORS if sector != "manufacturing"} == {"measured"}


def test_nothing_that_gives_the_answer_away_crosses_the_wall():
    assert "failure_type" in scenario_of("manufacturing").unseen
    assert "hospital" in scenario_of("healthcare").unseen
    assert "scheduled_departure" in scenario_of("transport").unseen
    assert not {"sex", "personal_status_and_sex"} & {field.name for field in scenario_of("finance").data.fields}


def test_locks_pin_wheels_for_every_supported_python_and_machine():
    needs = Counter()
    for folder in MANIFESTS:
        lock = folder / "requirements.lock"
        for requirement in parse_lock(lock.read_bytes(), str(lock)):
            needs[requirement.name] += 1
            pure = requirement.name in {"joblib", "threadpoolctl"}
            assert len(requirement.hashes) == (1 if pure else 6), f"{lock}: {requirement.name}"
    assert needs["numpy"] >= 5
    assert needs["scikit-learn"] == 1
    assert any((folder / "requirements.lock").read_bytes() == b"" for folder in FOLDERS)


def test_the_tree_holds_no_data_and_only_small_weights():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."],
        cwd=EXAMPLES, capture_output=True, text=True, check=False,
    )  # fmt: skip
    files = [EXAMPLES / name for name in listed.stdout.split()] if listed.returncode == 0 else EXAMPLES.rglob("*")
    files = [file for file in files if file.is_file() and not {"__pycache__", "run"} & set(file.parts)]
    assert {file.suffix for file in files} <= {".py", ".yaml", ".json", ".lock", ".md", ".ipynb", ".csv"}
    assert {file.name for file in files if file.suffix == ".csv"} == {"judgements.csv"}, (
        "what experts said, and no data"
    )
    told = {file for file in files if file.name == "expected.json"}
    weights = {file.name for file in files if file.suffix == ".json" and file not in told}
    assert weights == {"model.json", "usual.json", "glyphs.json"}
    for file in files:
        assert file.stat().st_size <= 200 * 1024, file
        if file.suffix == ".json":
            json.loads(file.read_text())


@pytest.mark.parametrize("sector", SECTORS)
def test_every_criterion_states_its_estimand_its_unit_and_its_claim(sector):
    written = (EXAMPLES / sector / "scenario.yaml").read_text()
    claims = (EXAMPLES / "README.md").read_text()
    for criterion in scenario_of(sector).criteria:
        if is_resource(criterion.parsed()):
            continue
        spelled = written.split(f"rule: {criterion.rule}\n", 1)[1].split("  - rule:", 1)[0]
        assert re.search(r"^    estimand: \w+\n    unit: \w+$", spelled, re.MULTILINE), criterion.rule
        row = next(line for line in claims.splitlines() if f"| `{criterion.rule}` |" in line)
        estimand, unit, claim = [cell.strip() for cell in row.split("|")[3:6]]
        assert (estimand.replace(" ", "_"), bool(unit), bool(claim)) == (criterion.estimand.value, True, True)
