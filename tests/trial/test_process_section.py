"""A person in the loop: what is handed over and what is wrong after review are criteria of the process section."""

import pytest

from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.worker.trials.proving import prove
from pilotbase.worker.trials.replaying import replay_trial

LOOP = """criteria:
  - {rule: "hand_over(below=0.8) <= 0.4"}
  - {rule: "error_after_review(below=0.8, error=0.02, bias=0.3) <= 0.15"}
  - {rule: "review_hours(below=0.8, minutes=6, cases=1000) <= 40"}
"""
UNSURE_NEAR_SIX = "def predict(batch):\n    return [min(max((p - 5) / 2, 0.01), 0.99) for p in batch['pressure']]\n"
SURE = "def predict(batch):\n    return [0.99] * batch.rows\n"


def looped(content):
    return content.replace("criteria:\n", LOOP).replace(
        "task: classification\n", "task: classification\nprediction: probability\n"
    )


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("program", "outcome"), [(UNSURE_NEAR_SIX, Outcome.PASS), (SURE, Outcome.FAIL)])
def test_handing_over_and_what_is_wrong_after_review_are_of_the_process(
    program, outcome, base, write_scenario, write_application, tmp_path
):
    report = prove(base, write_scenario(change=looped), write_application(program), tmp_path / "out").report
    design, function, process, *_ = report.sections
    findings = {finding.check: finding.outcome for finding in process.findings}
    assert [rule for rule in findings if "(below" in rule] == [one.rule for one in report.criteria[:3]]
    assert process.outcome is outcome and "hand_over" not in findings
    assert all("below=" not in finding.check for finding in (*design.findings, *function.findings))
    share, error, hours = (one.estimate for one in report.criteria[:3])
    if outcome is Outcome.PASS:
        assert report.verdict is Verdict.ACCEPT and 0 < share < 0.4
        assert hours == pytest.approx(100 * share) and 0 < error < 0.1
    else:
        assert share == 0 and error > 0.4
    assert replay_trial(tmp_path / "out").verdict == report.verdict


def test_without_such_a_criterion_the_section_says_that_nothing_was_measured(base, write_scenario, write_application):
    report = prove(base, write_scenario(), write_application()).report
    assert {one.check: one.outcome for one in report.sections[2].findings}["hand_over"] is Outcome.NOT_MEASURED
