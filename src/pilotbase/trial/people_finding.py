"""What a report says of how well people do on the same cases; silence is not taken for a figure."""

from __future__ import annotations

from collections.abc import Sequence

from pilotbase.documents.report import Finding
from pilotbase.documents.scenario import ColumnBaseline, Scenario
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome

Scores = Sequence[tuple[str, float | None]]


def people_finding(scenario: Scenario, baseline: Scores, people: Scores) -> Finding:
    """Return the finding on human performance; ``baseline``, ``people``: (rule, their own score) of each criterion.

    A baseline that is a column is a column of past decisions: where the scenario names no other, people are measured as
    the baseline.
    """
    of_baseline = scenario.people is None and isinstance(scenario.baseline, ColumnBaseline)
    count = sum(score is not None for _, score in (baseline if of_baseline else people))
    if not count:
        code = "trial.finding.no_people" if scenario.people is None else "trial.finding.people_unmeasured"
        return Finding(check="people", outcome=Outcome.NOT_MEASURED, sentence=text(code))
    code = "trial.finding.people_are_baseline" if of_baseline else "trial.finding.people"
    return Finding(check="people", outcome=Outcome.PASS, sentence=text(code, count=count))
