"""Every application does in plain view what its model card says: on the public sample, and on cases it never saw."""

import re
import socket
from fractions import Fraction

import numpy as np
import pytest

from pilotbase.data.batches import feature_columns, truth_codes
from pilotbase.data.column_types import classes_of
from pilotbase.documents.loading import load_document
from pilotbase.documents.scenario import Scenario
from pilotbase.evidence import CriterionPlan, attempt_levels, decide, draw_order
from pilotbase.measures import Cases, is_resource, observe
from pilotbase.sandbox.box.runner import Batch, Encoder, ReasonedError
from tests.examples.examples_for_tests import EXAMPLES, FOLDERS, SECTORS, WALK, load_module, split_of

REFUSED = {"cloud-alarm", "table-hoarder"}
TOLD = (EXAMPLES / "README.md").read_text()
EXPECTED = dict(re.findall(r"^\| [\w ]+ \| ([\w-]+) \| (accept|reject|inconclusive|refused) \|", TOLD, re.MULTILINE))
ANSWERING = [folder for folder in FOLDERS if folder.name not in REFUSED]
LARGE = ("transport", WALK)
"""Their table takes longer to read than those of all others together; `make demo` runs them whole."""


def each(folders):
    """Return a parameter for each folder; those of large tables are run by the long proofs."""
    return [
        pytest.param(folder, id=folder.name, marks=[pytest.mark.prove] if set(LARGE) & set(folder.parts) else [])
        for folder in folders
    ]


def named(*wanted):
    return each(folder for folder in FOLDERS if folder.name in wanted)


def scenario_of(folder):
    return load_document(Scenario, EXAMPLES / folder.relative_to(EXAMPLES).parts[0] / "scenario.yaml")


@pytest.fixture
def predict(monkeypatch):
    """Return an application's function, kept from searching the machine, from the network and from filling memory."""

    def load(folder):
        module = load_module(folder / "app.py")
        for name, harmless in (("PLACES", []), ("TABLE_BYTES", 1 << 20), ("PIECE_BYTES", 1 << 10)):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, harmless)
        return module.predict

    def refuse(*_args, **_kwargs):
        raise OSError("no network here")

    monkeypatch.setattr(socket, "create_connection", refuse)
    return load


def answers_of(folder, function, frame, classes):
    """Return the coded answers to ``frame`` in batches as a trial makes them, decoded and checked as the box does."""
    scenario = scenario_of(folder)
    contract = scenario.contract(classes)
    columns = feature_columns(frame, contract)
    numpy = np if (folder / "requirements.lock").stat().st_size else None
    encode = Encoder(contract.prediction.kind, contract.prediction.classes, numpy).encode
    dtype = "<i4" if contract.prediction.kind == "label" else "<f8"
    found = []
    for start in range(0, frame.height, scenario.trial.batch_rows):
        part = [column[start : start + scenario.trial.batch_rows] for column in columns.values()]
        rows = len(part[0])
        given = part if numpy is not None else [column.tolist() for column in part]
        block = np.column_stack(part) if numpy is not None and all(c.dtype == float for c in part) else None
        batch = Batch(list(columns), given, rows, block, numpy)
        found.append(np.frombuffer(bytes(memoryview(encode(function(batch), rows)).cast("B")), dtype=dtype))
    return np.concatenate(found)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("folder", each(ANSWERING))
def test_an_application_answers_every_public_case(folder, predict):
    public = split_of(folder.parent.parent.name).public.head(3000)
    classes = classes_of(public, scenario_of(folder))
    assert len(answers_of(folder, predict(folder), public, classes)) == public.height


@pytest.mark.parametrize("folder", named("cloud-alarm"))
def test_the_cloud_alarm_breaks_without_a_network(folder, predict):
    public = split_of("manufacturing").public.head(10)
    with pytest.raises(OSError, match="no network here"):
        answers_of(folder, predict(folder), public, classes_of(public, scenario_of(folder)))


@pytest.mark.parametrize("folder", named("table-hoarder"))
def test_the_hoarder_asks_for_more_memory_than_its_scenario_grants(folder, predict):
    module = load_module(folder / "app.py")
    assert scenario_of(folder).trial.limits.memory_bytes < module.TABLE_BYTES
    public = split_of("transport").public.head(10)
    assert len(answers_of(folder, predict(folder), public, classes_of(public, scenario_of(folder)))) == 10


@pytest.mark.parametrize("folder", named("known-customers"))
def test_known_customers_answers_too_few_strangers(folder, predict):
    split = split_of("finance")
    classes = classes_of(split.public, scenario_of(folder))
    with pytest.raises(ReasonedError) as wrong:
        answers_of(folder, predict(folder), split.hidden, classes)
    assert wrong.value.reason == "wrong_count"


@pytest.mark.parametrize("folder", named("sample-memory"))
def test_the_memory_is_perfect_on_the_public_sample_only(folder, predict):
    split, scenario = split_of("healthcare"), scenario_of(folder)
    classes = classes_of(split.public, scenario)
    right = [
        float((answers_of(folder, predict(folder), frame, classes) == truth_codes(frame, scenario, classes)).mean())
        for frame in (split.public, split.hidden)
    ]
    assert right[0] == 1.0
    assert right[1] < 0.6


@pytest.mark.parametrize(
    "sector", [pytest.param(one, marks=[pytest.mark.prove] if one in LARGE else []) for one in (*SECTORS, WALK)]
)
def test_the_hidden_set_holds_fresh_cases_for_every_attempt(sector):
    scenario = load_document(Scenario, EXAMPLES / sector / "scenario.yaml")
    hidden = split_of(sector).hidden.height
    assert scenario.trial.attempts * scenario.trial.cases_per_attempt <= hidden <= 20_000
    handed_in = [folder for folder in FOLDERS if folder.parent.parent.name == sector and folder.name not in REFUSED]
    assert len(handed_in) <= scenario.trial.attempts
    row = re.search(rf"^\| {sector} \| ([\d,]+) \| ([\d,]+) \| (\d+) \| (\d+) \|$", TOLD, re.MULTILINE)
    told = [int(figure.replace(",", "")) for figure in row.groups()]
    assert told == [hidden, scenario.trial.cases_per_attempt, scenario.trial.attempts, len(handed_in)]


def test_the_table_expects_something_of_every_application():
    assert EXPECTED.keys() == {folder.name for folder in FOLDERS}
    assert set(EXPECTED.values()) == {"accept", "reject", "inconclusive", "refused"}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("folder", each(folder for folder in ANSWERING if folder.name != "known-customers"))
def test_the_evidence_reaches_the_expected_verdict_at_the_last_attempt(folder, predict):
    scenario = scenario_of(folder)
    split = split_of(folder.parent.parent.name)
    classes = classes_of(split.public, scenario)
    function = predict(folder)
    rows = np.random.default_rng(7).permutation(split.hidden.height)[: scenario.trial.cases_per_attempt]
    hidden = split.hidden[rows.tolist()]
    answers = answers_of(folder, function, hidden, classes)
    assert verdict(scenario, hidden, answers, classes, scenario.trial.attempts) == EXPECTED[folder.name]


def verdict(scenario, frame, answers, classes, attempt):
    rules = [criterion for criterion in scenario.criteria if not is_resource(criterion.parsed())]
    cases = Cases(
        truth=truth_codes(frame, scenario, classes),
        answers=answers,
        groups={rule.by: np.array(frame[rule.by].to_list()) for rule in (c.parsed() for c in rules) if rule.by},
        classes=classes,
        positive=scenario.positive,
        kind=scenario.prediction,
    )
    order = draw_order(len(cases), b"seven")
    plans = [
        CriterionPlan(
            criterion.rule,
            observe(criterion.parsed(), cases, order, criterion.estimand.value),
            criterion.parsed().comparison,
            Fraction(criterion.parsed().threshold),
            criterion.estimand.value,
        )
        for criterion in rules
    ]
    return decide(plans, order, attempt_levels(Fraction(1, 20), attempt)).verdict
