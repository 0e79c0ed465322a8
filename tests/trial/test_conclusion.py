"""The verdict from outcomes: every combination that could be taken for a pass and is none."""

import pytest

from pilotbase.documents.report import CriterionResult
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Estimand, Outcome, Verdict
from pilotbase.trial.reporting import conclude, worst_outcome


def result(outcome: str) -> CriterionResult:
    return CriterionResult(
        rule="accuracy >= 0.5", outcome=Outcome(outcome), threshold=0.5, estimate=0.6, estimand=Estimand.HIDDEN_SET,
        unit="case", confidence=0.95, guarantee="exact_anytime", claim=text("verdict.accept"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "ended", "verdict"),
    [
        (["pass", "pass"], None, Verdict.ACCEPT),
        (["pass", "pass"], text("box.end.cpu_limit"), Verdict.REJECT),
        (["pass", "not_measured"], None, Verdict.INCONCLUSIVE),
        (["pass", "inconclusive"], None, Verdict.INCONCLUSIVE),
        (["inconclusive", "fail"], None, Verdict.REJECT),
    ],
)
def test_only_everything_passed_by_a_run_that_finished_is_accepted(outcomes, ended, verdict):
    found, reasons = conclude([result(outcome) for outcome in outcomes], ended)
    assert found is verdict
    assert all(reason.render("zh") != reason.render("en") for reason in reasons)
    assert reasons


def test_a_section_without_a_single_measurement_is_not_measured():
    assert worst_outcome([]) is Outcome.NOT_MEASURED
    assert worst_outcome([Outcome.NOT_MEASURED]) is Outcome.NOT_MEASURED
    assert worst_outcome([Outcome.PASS, Outcome.NOT_MEASURED]) is Outcome.PASS
    assert worst_outcome([Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL]) is Outcome.FAIL


def test_a_reason_never_states_a_score_that_reads_as_the_threshold():
    missed = result("fail").model_copy(update={"rule": "accuracy >= 0.9", "threshold": 0.9, "estimate": 0.897})
    assert conclude([missed], None)[1][0].params["estimate"] == "0.897"
