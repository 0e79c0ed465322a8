"""Reasons of reports from before scores had as many digits as their threshold needs: they are replayed as stated."""

from pilotbase.documents.report import CriterionResult
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Estimand, Outcome
from pilotbase.worker.trials.replaying import derived_reasons


def test_a_reason_in_two_digits_is_that_of_an_older_report_and_no_other_figure_is():
    missed = CriterionResult(
        rule="accuracy >= 0.9", outcome=Outcome.FAIL, threshold=0.9, estimate=0.897, estimand=Estimand.HIDDEN_SET,
        unit="case", confidence=0.95, guarantee="exact_census", claim=text("verdict.accept"),
    )  # fmt: skip

    def replayed(figure: str) -> object:
        stated = text("trial.reason.missed", rule=missed.rule, estimate=figure).model_dump(mode="json")
        return derived_reasons((missed,), None, False, {"reasons": [stated]})[0]["params"]["estimate"]

    assert [replayed(figure) for figure in ("0.9", "0.897", "0.95")] == ["0.9", "0.897", "0.897"]
