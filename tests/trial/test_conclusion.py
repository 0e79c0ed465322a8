"""The verdict from outcomes: every combination that could be taken for a pass and is none."""

from dataclasses import dataclass, field

import pytest

from pilotbase.documents.limits import EndReason
from pilotbase.documents.report import CriterionResult
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Estimand, Outcome, Verdict
from pilotbase.trial.answering import End
from pilotbase.trial.reporting import conclude
from pilotbase.trial.sections import worst_outcome


@dataclass
class Run:
    end: End
    ending: object = field(default_factory=lambda: text("box.end.cpu_limit"))


@dataclass
class Observed:
    criteria: tuple[CriterionResult, ...]
    run: Run
    answered: int = 7


def result(outcome: str) -> CriterionResult:
    return CriterionResult(
        rule="accuracy >= 0.5", outcome=Outcome(outcome), threshold=0.5, estimate=0.6, estimand=Estimand.HIDDEN_SET,
        unit="case", confidence=0.95, guarantee="exact_anytime", claim=text("verdict.accept"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "end", "verdict"),
    [
        (["pass", "pass"], EndReason.FINISHED, Verdict.ACCEPT),
        (["pass", "pass"], EndReason.CPU_LIMIT, Verdict.REJECT),
        (["pass", "not_measured"], EndReason.FINISHED, Verdict.INCONCLUSIVE),
        (["pass", "inconclusive"], EndReason.FINISHED, Verdict.INCONCLUSIVE),
        (["inconclusive", "fail"], EndReason.FINISHED, Verdict.REJECT),
    ],
)
def test_only_everything_passed_by_a_run_that_finished_is_accepted(outcomes, end, verdict):
    observed = Observed(tuple(result(outcome) for outcome in outcomes), Run(End(end)))
    found, reasons = conclude(observed)
    assert found is verdict
    assert all(reason.render("zh") != reason.render("en") for reason in reasons)
    assert reasons


def test_a_section_without_a_single_measurement_is_not_measured():
    assert worst_outcome([]) is Outcome.NOT_MEASURED
    assert worst_outcome([Outcome.NOT_MEASURED]) is Outcome.NOT_MEASURED
    assert worst_outcome([Outcome.PASS, Outcome.NOT_MEASURED]) is Outcome.PASS
    assert worst_outcome([Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL]) is Outcome.FAIL
