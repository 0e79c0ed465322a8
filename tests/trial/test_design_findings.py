"""What a report says of use, risk, papers and licences: silence is no pass, and a high risk asks for more."""

import pytest
import yaml

from pilotbase.documents.application import Application
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import LANGUAGES
from pilotbase.documents.vocabularies import Outcome, RiskLevel
from pilotbase.trial.design_findings import DesignInputs, design_findings
from pilotbase.worker.trials.proving import rehearse_in
from tests.trial.conftest import MANIFEST

SCENARIO = {
    "name": "pets",
    "title": "Pets",
    "owner": {"organisation": "clinic"},
    "problem": "Which animal is it?",
    "intended_use": "Sort pictures.",
    "task": "classification",
    "data": {
        "file": "cases.csv",
        "licence": "CC0-1.0",
        "fields": [{"name": "weight", "dataType": "sc:Float"}, {"name": "pet", "dataType": "sc:Text"}],
        "target": "pet",
    },
}
CARD = {"summary": "s", "training_data": "t", "limitations": "l", "human_oversight": "A vet decides."}
HIGH = {"risk": {"level": "high", "why": "An animal may be hurt."}}


def found(scenario=(), application=(), reviewed=False, day="2026-11-27"):
    """Return check → finding of a scenario and an application with these parts."""
    manifest = yaml.safe_load(MANIFEST.format(name="sorter", supplier="acme"))
    design = DesignInputs(
        scenario=Scenario.model_validate(SCENARIO | dict(scenario)),
        application=Application.model_validate(manifest | {"model_card": CARD} | dict(application)),
        reviewed=reviewed, leakage=None, baseline=(), labels=None, day=day,
    )  # fmt: skip
    findings = design_findings(design)
    assert all(one.sentence.render(language) for one in findings for language in LANGUAGES)
    return {one.check: one for one in findings}


def outcomes(findings, *checks):
    return [findings[check].outcome if check in findings else None for check in checks]


def test_what_nobody_has_stated_is_not_measured():
    findings = found({"intended_use": None}, {"model_card": {"summary": "s"}})
    unstated = outcomes(findings, "intended_use", "risk_level", "filings", "baseline", "labels")
    assert set(unstated) == {Outcome.NOT_MEASURED}
    assert findings["model_card"].outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("level", [RiskLevel.MINIMAL, RiskLevel.LIMITED])
def test_below_a_high_risk_the_owners_word_is_enough(level):
    findings = found({"risk": {"level": level.value, "why": "w"}}, {"model_card": {"summary": "s"}})
    assert findings["risk_level"].outcome is Outcome.PASS and level.value in findings["risk_level"].sentence.render(
        "en"
    )
    assert outcomes(findings, "risk_oversight", "risk_review") == [None, None]


@pytest.mark.parametrize(
    ("card", "reviewed", "expected"),
    [
        (CARD, True, [Outcome.PASS, Outcome.PASS]),
        (CARD, False, [Outcome.PASS, Outcome.INCONCLUSIVE]),
        ({"summary": "s"}, True, [Outcome.INCONCLUSIVE, Outcome.PASS]),
    ],
)
def test_a_high_risk_asks_for_a_person_who_steps_in_and_is_counted(card, reviewed, expected):
    findings = found(HIGH, {"model_card": card}, reviewed)
    assert outcomes(findings, "risk_oversight", "risk_review") == expected


@pytest.mark.parametrize(
    ("allowed", "outcome"),
    [(None, Outcome.PASS), (["apache-2.0", "MIT"], Outcome.PASS), (["MIT"], Outcome.FAIL)],
)
def test_a_licence_that_the_scenario_does_not_allow_fails(allowed, outcome):
    findings = found({"conditions": {"licences": allowed}}, {"licence": "Apache-2.0"})
    assert findings["licences"].outcome is outcome and "Apache-2.0" in findings["licences"].sentence.render("en")


def test_a_paper_holds_until_its_last_day():
    shown = {"evidence": [{"kind": "algorithm-filing", "reference": "no. 7", "until": "2026-11-27"}]}
    asked = {"trial": {"approvals": [{"kind": "ethics", "reference": "E-1", "until": "2027-01-01"}]}}
    assert "1 from the scenario, 1 from the supplier" in found(asked, shown)["filings"].sentence.render("en")
    late = found(asked, shown, day="2026-11-28")["filings"]
    assert late.outcome is Outcome.INCONCLUSIVE and "algorithm-filing" in late.sentence.render("zh")
    assert "ethics" not in late.sentence.render("zh")


def test_a_run_says_it_in_its_design_section_and_the_suppliers_view_does_too(base, write_scenario, write_application):
    stated = "task: classification\nrisk: {level: high, why: Somebody may be hurt.}\n"
    folder = write_scenario(change=lambda content: content.replace("task: classification\n", stated))
    report = rehearse_in(base, folder, write_application()).report
    for view in (report, report.supplier_view()):
        said = {finding.check: finding.outcome for finding in view.sections[0].findings}
        assert said["risk_level"] is Outcome.PASS and said["risk_review"] is Outcome.INCONCLUSIVE
