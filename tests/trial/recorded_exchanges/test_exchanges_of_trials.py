"""Recorded exchanges end to end: frozen, replayed in boxes once an attempt, told by the report, derived again."""

import io
import json
import zipfile

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.exchanges import Sending
from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.worker.archives import zip_scenario
from pilotbase.worker.intake.boxed_tables import check_in_box
from pilotbase.worker.intake.checking import check_scenario
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
    page = (tmp_path / "out" / "report.html").read_text()
    assert "18 / 18" in page and "Arrive out of order" in page and "损坏" in page
    assert json.loads((tmp_path / "out" / "supplier" / "report.json").read_text())["exchanges"]
    kept = (tmp_path / "out" / "report.json").read_text()
    fewer, more = json.loads(kept), json.loads(kept)
    fewer["exchanges"][0]["sendings"][2]["kept"] -= 1
    more["exchanges"].append({**more["exchanges"][0], "name": "another"})
    for altered in (fewer, more):
        (tmp_path / "out" / "report.json").write_text(json.dumps(altered))
        with pytest.raises(InvalidProofError, match="exchanges"):
            replay_trial(tmp_path / "out")


DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
FAILS = DEAF + GOOD.replace("    return", "    assert batch.rows > 1 or batch['age'][0] != 5\n    return")
MATRIX = """trial:
  matrix:
    cells: [{name: ascend, accelerator: ascend-910b}]
    cases: 20
"""


def run(*arguments):
    return CliRunner(env={"PILOTBASE_LANGUAGE": "en"}).invoke(app, [str(part) for part in arguments])


def test_a_supplier_tries_the_same_messages_alone(home, write_exchanging, write_application):
    scenario = write_exchanging(lambda content: content.replace("trial:\n", MATRIX))
    kept = run("application", "conform", scenario, write_application())
    assert kept.exit_code == 0, kept.output
    assert "cell: ascend" in kept.stdout and "not measured" in kept.stdout and "18 of 18" in kept.stdout
    lost = run("application", "conform", scenario, write_application(FAILS, "fails"), "--json")
    assert lost.exit_code == 3
    told = json.loads(lost.stdout)
    outcomes = {finding["check"]: finding["outcome"] for finding in told["findings"]}
    assert {name for name, outcome in outcomes.items() if outcome == "fail"} == {"exchange: plant-bus"}
    assert told["exchanges"][0]["sendings"][0]["kept"] == 17


def refused(base, scenario, application):
    with pytest.raises(InputError) as error:
        prove(base, scenario, application)
    assert error.value.render("zh") != error.value.render("en")
    return error.value.render("en")


def test_what_cannot_be_replayed_is_said_with_its_place(base, write_exchanging, write_application, write_scenario):
    application = write_application()
    lines = [json.dumps(message) for message in messages()]
    faulty = [json.dumps({**next(messages()), "age": "old"}), lines[1], lines[1]]
    folder = write_exchanging(lines=faulty)
    said = refused(base, folder, application)
    assert (
        "message 1 is not a case of the contract: age" in said
        and "messages 2 and 3 have the same identifier m1" in said
    )
    assert "scenario.yaml:" in said and "trial.exchanges[0].file" in said
    with pytest.raises(InputError) as error:
        check_scenario(folder)
    assert "message 1 is not a case" in error.value.render("en")
    (folder / "bus.jsonl").unlink()
    assert "bus.jsonl" in refused(base, folder, application)


def test_what_a_scenario_records_goes_with_it(write_exchanging):
    folder, packed = write_exchanging(), io.BytesIO()
    assert zip_scenario(folder, packed) == "small-alarm"
    assert set(zipfile.ZipFile(packed).namelist()) == {"scenario.yaml", "cases.csv", "bus.jsonl"}
    (folder / "bus.jsonl").chmod(0o600)
    with pytest.raises(InputError) as error:
        check_in_box(load_scenario(folder, Step.FREEZE)[0], write_twice(folder))
    assert "messages 40 and 41 have the same identifier m39" in error.value.render("en")


def write_twice(folder):
    """Let the last message stand twice in the record."""
    file = folder / "bus.jsonl"
    content = file.read_text()
    file.write_text(content + content.splitlines()[-1])
    return folder


def test_a_criterion_on_exchanges_needs_some_and_they_need_features(base, write_scenario, write_application):
    without = lambda content: content.replace("criteria:\n", CRITERIA)  # noqa: E731
    assert "trial.exchanges" in refused(base, write_scenario(change=without), write_application())
    other = lambda content: exchanging(content).replace("age: /age", "failure: /age")  # noqa: E731
    assert "failure is not a feature" in refused(
        base, write_scenario(change=other, name="two"), write_application(name="b")
    )


def test_messages_of_hidden_cases_are_refused(base, write_exchanging, write_application):
    """Whoever gets the messages to try would know the hidden cases."""
    folder = write_exchanging()
    rows = [line.split(",") for line in (folder / "cases.csv").read_text().splitlines()[1:]]
    lines = [
        json.dumps({"id": name, "at": "2027-01-01", "reading": {"pressure": float(p)}, "age": int(age), "where": site})
        for name, p, age, site, _ in rows[:50]
    ]
    (folder / "bus.jsonl").write_text("\n".join(lines))
    assert "Hidden cases in plant-bus" in refused(base, folder, write_application())
