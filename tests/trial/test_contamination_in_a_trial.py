"""A trial looks for contamination once all is committed, with public cases only; no verdict waits for it."""

import csv
import re

import pytest

from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError
from pilotbase.documents.vocabularies import Outcome, Verdict, Verification
from pilotbase.sandbox.endpoints.operator import ALLOW
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.sealed import read_public_sample
from pilotbase.trial.sealing import seal_scenario
from pilotbase.worker.trials.proving import freeze_in, prove
from pilotbase.worker.trials.replaying import replay_trial
from tests.sandbox.endpoints.stubs_for_tests import Stub, chatting, serving
from tests.trial.endpoints_for_tests import alarm, may_leave, writing_endpoint
from tests.trial.test_contamination import texts

FIELDS = "    - {name: note, dataType: sc:Text}\n    - {name: rewritten, dataType: sc:Text}\n    - {name: failure"
ASKED = "trial:\n  contamination: {column: note, control: rewritten, most: 20}\n"
PROMPT = {"template": "Pressure {pressure} bar. Broken or fine?", "sampling": {"temperature": 0, "max_tokens": 2}}


def asking(content):
    content = content.replace("    - {name: failure", FIELDS).replace("  target:", "  withheld: [rewritten]\n  target:")
    return may_leave(content).replace("trial:\n", ASKED)


@pytest.fixture
def scenario(write_scenario):
    folder = write_scenario(change=asking)
    rows = list(csv.DictReader((folder / "cases.csv").open()))
    notes, others = texts(11, "en", len(rows)), texts(12, "en", len(rows))
    written = [{**row, "note": note, "rewritten": other} for row, note, other in zip(rows, notes, others, strict=True)]
    with (folder / "cases.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(written[0]))
        table.writeheader()
        table.writerows(written)
    return folder


class Model:
    """Answers as the small application does, and goes on with what it has met."""

    def __init__(self):
        self.met, self.begun, self.asked = [], [], 0

    def __call__(self, words):
        pressure = re.search(r"Pressure ([0-9.]+)", words)
        if pressure:
            assert not self.begun, "all cases are answered before it is asked to go on with any"
            self.asked += 1
            return alarm(float(pressure[1]))
        beginning = words.rpartition("\n\n")[2]
        self.begun.append(beginning)
        return next((one[len(beginning) :] for one in self.met if one.startswith(beginning)), "I do not know.")


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    model = Model()
    with serving(Stub(chatting(model))) as stub:
        yield model, writing_endpoint(tmp_path)(stub.endpoint("openai_chat", prompt=PROMPT))


def design(report):
    (section,) = [one for one in report.sections if one.verification is Verification.DESIGN]
    return {finding.check: finding for finding in section.findings}


@pytest.mark.prove
def test_a_model_that_recites_public_cases_is_found_out_and_its_verdict_stands(base, scenario, model, tmp_path):
    told, application = model
    document, folder = load_scenario(scenario, Step.DRAFT)
    public = read_public_sample(base.lab, seal_scenario(base.lab, document, folder))
    told.met += public["note"].to_list()
    report = prove(base, scenario, application, tmp_path / "out").report
    found = report.probes["contamination"]["recited"]
    assert (found["cases"], found["recited"], found["control_recited"]) == (20, 20, 0)
    assert report.verdict is Verdict.ACCEPT and design(report)["contamination"].outcome is Outcome.FAIL
    assert "20" in design(report)["contamination"].sentence.render("zh")
    halves = [one for column in ("note", "rewritten") for one in public[column].to_list()]
    assert len(told.begun) == 40 and all(any(case.startswith(one) for case in halves) for one in told.begun)
    assert replay_trial(tmp_path / "out").verdict is Verdict.ACCEPT


def test_what_runs_in_a_box_cannot_be_asked_and_the_report_says_so(base, scenario, write_application):
    report = prove(base, scenario, write_application()).report
    assert design(report)["contamination"].outcome is Outcome.NOT_MEASURED
    assert "openai_chat" in design(report)["contamination"].sentence.render("en")


@pytest.mark.parametrize("wrong", ["{column: pressure}", "{column: note, control: rewriten}"])
def test_columns_that_cannot_be_asked_about_are_named(base, scenario, write_application, wrong):
    file = scenario / "scenario.yaml"
    file.write_text(file.read_text().replace("{column: note, control: rewritten, most: 20}", wrong))
    with pytest.raises(InputError) as refused:
        freeze_in(base, scenario, write_application())
    assert "trial.contamination" in refused.value.render("zh")
