"""Recorded exchanges end to end: frozen, replayed in boxes once an attempt, told by the report, derived again."""

import json

import pytest

from pilotbase.documents.exchanges import Sending
from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.worker.trials.proving import prove
from pilotbase.worker.trials.replaying import replay_trial
from tests.trial.conftest import GOOD

EXCHANGES = """trial:
  exchanges:
    - name: plant-bus
      form: rest
      file: bus.jsonl
      identifier: /id
      time: /at
      fields: {pressure: /reading/pressure, age: /age, site: /where}
      faults: {late: 0.1, reordered: 0.1, duplicated: 0.1, missing: 0.1, malformed: 0.1}
"""
CRITERIA = """criteria:
  - {rule: exchanges.kept >= 100 %}
  - {rule: pipeline.kept >= 100 %}
  - {rule: stop.seconds <= 5 s}
"""


def messages(count=40):
    for number in range(count):
        reading = {"pressure": 0.25 * number, "flow": 1}
        at = f"2027-01-01T00:{number:02d}:00Z"
        yield {"id": f"m{number}", "at": at, "reading": reading, "age": number, "where": "north"}


def exchanging(content):
    return content.replace("criteria:\n", CRITERIA).replace("trial:\n", EXCHANGES)


@pytest.fixture
def write_exchanging(write_scenario):
    def write(change=lambda content: content, lines=None):
        folder = write_scenario(change=lambda content: change(exchanging(content)))
        (folder / "bus.jsonl").write_text("\n".join(lines or map(json.dumps, messages())) + "\n")
        return folder

    return write


def found(report, section):
    return {finding.check: finding.outcome for finding in report.sections[section].findings}


def test_an_application_that_keeps_to_the_form_passes_and_is_derived_again(
    base, write_exchanging, write_application, tmp_path
):
    report = prove(base, write_exchanging(), write_application(GOOD), tmp_path / "out").report
    assert report.verdict is Verdict.ACCEPT, report.reasons
    assert [one.estimate for one in report.criteria[:2]] == [1, 1]
    (told,) = report.exchanges
    assert {one.sending for one in told.sendings} == set(Sending) and all(one.all_kept for one in told.sendings)
    assert told.stop_holds and told.restarts == 0 and told.behind > 0
    assert found(report, 3)["exchange: plant-bus"] is Outcome.PASS
    process = found(report, 2)
    assert process["pipeline: plant-bus: malformed"] is process["stop: plant-bus"] is Outcome.PASS
    assert process["hand_over"] is Outcome.NOT_MEASURED, "a pipeline that holds says nothing of people"
    assert replay_trial(tmp_path / "out").verdict == Verdict.ACCEPT
