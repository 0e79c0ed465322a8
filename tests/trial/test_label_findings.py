"""What a report says of its labels, and that the bound it states is a bound."""

import json

import numpy as np
import pytest

from pilotbase.documents.quality import LabelAudit, LabelFigure, LabelStatement
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import LANGUAGES
from pilotbase.documents.vocabularies import Outcome
from pilotbase.trial.design_findings import label_findings
from pilotbase.worker.trials.proving import rehearse_in

FIELDS = [{"name": "weight", "dataType": "sc:Float"}, {"name": "pet", "dataType": "sc:Text"}]
ALPHA = LabelFigure(
    measure="krippendorff_alpha", items=80, value=0.7514, lower=0.5724, upper=0.8756, method="wider_of_two"
)


def scenario(labels=None, **parts):
    return Scenario.model_validate(
        {
            "name": "pets",
            "title": "Pets",
            "owner": {"organisation": "clinic"},
            "problem": "Which animal is it?",
            "task": "classification",
            "data": {"file": "cases.csv", "fields": FIELDS, "target": "pet", "labels": labels},
        }
        | parts
    )


def found(labels=None, **parts):
    return {finding.check: finding for finding in label_findings(scenario(labels, **parts))}


def test_a_scenario_that_states_nothing_is_said_to_state_nothing():
    (finding,) = label_findings(scenario())
    assert (finding.check, finding.outcome) == ("labels", Outcome.NOT_MEASURED)
    assert "not stated" in finding.sentence.render()
    assert "未说明" in finding.sentence.render("zh")


def test_agreement_is_told_with_its_interval_and_an_audit_with_what_it_means():
    stated = LabelStatement(guideline="1.2", agreement=ALPHA, audit=LabelAudit(audited=400, correct=388))
    findings = found(stated)
    assert {finding.outcome for finding in findings.values()} == {Outcome.PASS}
    agreement, error = (findings[check].sentence.render() for check in ("label_agreement", "label_error"))
    assert "guideline 1.2" in agreement
    assert "0.751 [0.572, 0.876]" in agreement
    assert "388 of 400" in error
    assert "at most 5.17 %" in error  # 1 − the lower bound of Wilson's interval of 388 of 400, 0.9483


def test_agreement_alone_does_not_say_how_many_labels_are_wrong():
    findings = found(LabelStatement(guideline="1.2", agreement=ALPHA))
    assert findings["label_agreement"].outcome is Outcome.PASS
    assert findings["label_error"].outcome is Outcome.NOT_MEASURED


def test_agreement_that_was_not_measured_is_no_pass():
    unmeasured = LabelFigure(measure="krippendorff_alpha", items=40, unmeasured="one_class")
    findings = found(LabelStatement(guideline="1.2", agreement=unmeasured))
    assert {finding.outcome for finding in findings.values()} == {Outcome.NOT_MEASURED}


def test_of_numbers_no_bound_is_claimed():
    fields = [FIELDS[0], {"name": "pet", "dataType": "sc:Float"}]
    stated = LabelStatement(guideline="1.2", agreement=ALPHA, audit=LabelAudit(audited=400, correct=388))
    data = {"file": "cases.csv", "fields": fields, "target": "pet", "labels": stated}
    said = found(task="regression", data=data)["label_error"].sentence
    assert said.code == "trial.finding.label_error_of_numbers"
    assert "does not limit" in said.render()


def test_the_report_of_a_run_says_it_in_its_design_section_and_so_does_the_suppliers(
    base, write_scenario, write_application
):
    labels = {"guideline": "1.2", "agreement": ALPHA.to_json_value(), "audit": {"audited": 400, "correct": 388}}
    stated = f"  target: failure\n  labels: {json.dumps(labels)}\n"
    folder = write_scenario(change=lambda content: content.replace("  target: failure\n", stated))
    report = rehearse_in(base, folder, write_application()).report
    for view in (report, report.supplier_view()):
        said = {finding.check: finding.sentence.render() for finding in view.sections[0].findings}
        assert "0.751 [0.572, 0.876]" in said["label_agreement"]
        assert "at most 5.17 %" in said["label_error"]
        assert "labels" not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_is_there_in_both_languages(language):
    stated = LabelStatement(guideline="1.2", agreement=ALPHA, audit=LabelAudit(audited=400, correct=388))
    assert all(
        finding.sentence.render(language)
        for finding in [*label_findings(scenario(stated)), *label_findings(scenario())]
    )


@pytest.mark.parametrize("seed", range(20))
def test_an_accuracy_is_never_further_off_than_the_share_of_wrong_labels(seed):
    generator = np.random.default_rng(seed)
    truth, answers = generator.integers(0, 3, 200), generator.integers(0, 3, 200)
    labels = np.where(generator.random(200) < generator.random(), generator.integers(0, 3, 200), truth)
    off = abs((answers == truth).mean() - (answers == labels).mean())
    assert off <= (labels != truth).mean() + 1e-12
    worst = np.where(labels != truth, labels, answers)  # right only where the label is wrong: the bound is reached
    reached = abs((worst == labels).mean() - (worst == truth).mean())
    assert reached == pytest.approx((labels != truth).mean())
