"""A trial whose answers experts judge: it waits for their verdicts, which no one can change, leave out or steer."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.trial.phases.judging import ANSWER, WAITING
from pilotbase.worker.trials.folder import judged_in
from pilotbase.worker.trials.proving import freeze_in, prove
from pilotbase.worker.trials.replaying import replay_trial
from tests.trial.test_deciding import run

SCENARIO = """
document: scenario/1
name: discharge-letters
title: {{en: Discharge letters, zh: 出院小结}}
owner: {{organisation: hospital, contact: ward@example.org}}
sector: healthcare
action: wellbeing
problem: Physicians write every discharge letter by hand.
intended_use: A draft that the physician corrects and signs.
data:
  file: cases.csv
  licence: CC0-1.0
  fields:
    - {{name: case_id, dataType: sc:Text}}
    - {{name: findings, dataType: sc:Text}}
    - {{name: letter, dataType: sc:Text}}
  target: letter
  key: case_id
  split: {{method: hash, hidden: 0.6}}
task: summarising
baseline: {{kind: constant, value: "-"}}
criteria:
  - {{rule: judged(by=panel) >= 0.8{estimand}}}
trial:
  attempts: 4
  cases_per_attempt: {cases}
  batch_rows: 20
  limits: {{load_seconds: 20, batch_seconds: 3, memory_bytes: 256 MiB}}
  panel: {{guideline: "{guideline}", version: "1.0", double: 0.4, fee: 12.5{more}}}
"""
WRITER = "def predict(batch):\n    return ['In short: ' + text for text in batch['findings']]\n"


def write_hospital(place: Path, cases=60, estimand="", more="", guideline="Good: nothing is made up.") -> Path:
    folder = place / "hospital"
    folder.mkdir(exist_ok=True)
    filled = SCENARIO.format(cases=cases, estimand=estimand, more=more, guideline=guideline)
    (folder / "scenario.yaml").write_text(filled)
    rows = "\n".join(f"c{number},finding {number}," for number in range(300))  # nobody has written a letter
    (folder / "cases.csv").write_text(f"case_id,findings,letter\n{rows}\n")
    return folder


def judge_sheets(folder: Path, say) -> None:
    """Fill in the sheets of both experts by ``say(expert, row)``; the adjudicator says poor."""
    sheets = [folder / "a1.csv", folder / "a2.csv"]
    for sheet in sheets:
        rows = list(csv.DictReader(sheet.open(encoding="utf-8-sig")))
        for row in rows:
            row["label"] = say(sheet.stem, row)
        with sheet.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    told = run("data", "labels", "disagreements", folder / "campaign.json", *sheets, "--out", folder / "differ.csv")
    assert told.exit_code == 0, told.output
    differ = list(csv.DictReader((folder / "differ.csv").open(encoding="utf-8-sig")))
    lines = [f"{row['item']},poor,by the guideline" for row in differ]
    (folder / "decided.csv").write_text("\n".join(["item,decision,reason", *lines]) + "\n")
    decided = ["--decided", folder / "decided.csv"] if lines else []
    told = run("data", "labels", "adjudicate", folder / "campaign.json", *sheets, *decided, "--out", folder)
    assert told.exit_code == 0, told.output


def prove_waiting(base, scenario, application, out) -> None:
    with pytest.raises(RefusedError) as caught:
        prove(base, scenario, application, out)
    assert caught.value.code == WAITING


def test_a_trial_waits_for_blind_experts_and_their_verdicts_decide_it(base, write_application, tmp_path):
    scenario, application, out = write_hospital(tmp_path), write_application(WRITER), tmp_path / "out"
    prove_waiting(base, scenario, application, out)
    shown = (out / "panel" / "a1.csv").read_text() + (out / "panel" / "a2.csv").read_text()
    assert "In short: finding" in shown
    assert (out / "panel" / "guideline.md").read_text() == "Good: nothing is made up."
    assert not any(word in shown for word in ("alarm", "acme", ",c1", "letter"))
    items = [line.split(",")[0] for line in shown.splitlines() if line.startswith("0")]
    assert len(set(items)) == 60 and len(items) == 60 + 24, "two in five are judged by both"
    prove_waiting(base, scenario, application, out)
    judge_sheets(out / "panel", lambda expert, row: "poor" if int(row["item"]) % 30 == 0 else "good")
    proven = prove(base, scenario, application, out)
    assert proven.report.verdict is Verdict.ACCEPT
    (result,) = proven.report.criteria
    assert (result.rule, result.outcome) == ("judged(by=panel) >= 0.8", Outcome.PASS)
    function = next(one for one in proven.report.sections if one.verification.value == "function")
    finding = next(one for one in function.findings if one.check == "panel")
    assert finding.sentence.params["double"] == 24
    assert finding.sentence.params["cost"] == "1,050.0 CNY"
    assert replay_trial(out).verdict is Verdict.ACCEPT
    assert prove(base, scenario, application, out).report.digest() == proven.report.digest()


def test_poor_answers_are_rejected_and_silence_is_poor_without_asking(base, write_application, tmp_path):
    writer = "def predict(batch):\n    return [None if int(t.split()[1]) % 2 else t for t in batch['findings']]\n"
    out = tmp_path / "out"
    scenario, application = write_hospital(tmp_path), write_application(writer)
    prove_waiting(base, scenario, application, out)
    judge_sheets(out / "panel", lambda expert, row: "good")
    assert prove(base, scenario, application, out).report.verdict is Verdict.REJECT


def test_experts_who_disagree_throughout_decide_nothing(base, write_application, tmp_path):
    scenario, application, out = write_hospital(tmp_path), write_application(WRITER), tmp_path / "out"
    prove_waiting(base, scenario, application, out)
    judge_sheets(
        out / "panel", lambda expert, row: "good" if (expert == "a1") == (int(row["item"]) % 2 == 0) else "poor"
    )
    report = prove(base, scenario, application, out).report
    assert report.verdict is Verdict.INCONCLUSIVE
    assert [reason.code for reason in report.reasons] == ["trial.reason.not_judged"]
    findings = [one for section in report.sections for one in section.findings if one.check == "panel"]
    assert [one.sentence.code for one in findings] == ["trial.finding.panel_disputed"]
    assert replay_trial(out).verdict is Verdict.INCONCLUSIVE


def test_another_guideline_and_verdicts_left_out_are_refused(base, write_application, tmp_path):
    scenario, application, out = write_hospital(tmp_path), write_application(WRITER), tmp_path / "out"
    prove_waiting(base, scenario, application, out)
    judge_sheets(out / "panel", lambda expert, row: "good")
    file, plan = out / "panel" / "labelled-items.json", freeze_in(base, scenario, application, out)
    whole = json.loads(file.read_text())
    changed = {**whole, "guideline": {**whole["guideline"], "digest": "sha256:" + "0" * 64}}
    single = [{**one, "given": one["given"][:1]} for one in whole["items"]]
    for wrong, code in (
        (changed, "trial.panel_guideline"),
        ({**whole, "items": whole["items"][1:]}, "trial.panel_incomplete"),
        ({**whole, "items": single}, "trial.panel_too_few_twice"),
    ):
        file.write_text(json.dumps(wrong))
        with pytest.raises(PilotbaseError) as caught, judged_in(base.lab, plan, out / "panel"):
            pass
        assert caught.value.code == code
    file.write_text(json.dumps(whole))
    assert prove(base, scenario, application, out).report.verdict is Verdict.ACCEPT


def test_what_cannot_be_judged_is_said_at_freeze(base, write_application, tmp_path):
    application = write_application(WRITER)
    with pytest.raises(InputError) as caught:
        prove(base, write_hospital(tmp_path, more=", cases: 40"), application)
    assert "estimand" in caught.value.render("en")
    with pytest.raises(InputError) as caught:
        prove(base, write_hospital(tmp_path, cases=6, estimand=", estimand: population"), application)
    assert "6" in caught.value.render("en")


def test_a_random_sample_of_the_answers_speaks_for_the_population(base, write_application, tmp_path):
    scenario = write_hospital(tmp_path, cases=100, estimand=", estimand: population", more=", cases: 40")
    application, out = write_application(WRITER), tmp_path / "out"
    prove_waiting(base, scenario, application, out)
    judge_sheets(out / "panel", lambda expert, row: "good")
    (result,) = prove(base, scenario, application, out).report.criteria
    assert (result.outcome, result.available) == (Outcome.PASS, 40)


@pytest.mark.parametrize(
    ("task", "written", "shown"),
    [
        ("summarising", """{"steps": ["rinse", "dress"]}""", '{\n  "steps": [\n    "rinse",\n    "dress"\n  ]\n}'),
        ("summarising", "A: Where?\nB: Here.", "A: Where?\nB: Here."),
        ("regression", 0.5, "0.5"),
    ],
)
def test_plans_dialogues_and_numbers_are_shown_as_they_are(base, write_application, tmp_path, task, written, shown):
    scenario, out = write_hospital(tmp_path), tmp_path / "out"
    if task == "regression":
        _measured(scenario)
    writer = f"def predict(batch):\n    return [{written!r}] * (len(batch['findings']) - 1) + [None]\n"
    prove_waiting(base, scenario, write_application(writer), out)
    rows = [
        row
        for file in ("a1.csv", "a2.csv")
        for row in csv.DictReader((out / "panel" / file).open(encoding="utf-8-sig"))
    ]
    assert {row[f"case: {ANSWER}"] for row in rows} == {shown}
    assert len({row["item"] for row in rows}) < 60, "no expert judges a missing answer"


def _measured(scenario: Path) -> None:
    """Let the answers be numbers, as of a pain score."""
    file, cases = scenario / "scenario.yaml", scenario / "cases.csv"
    fields = {"letter, dataType: sc:Text": "letter, dataType: sc:Float", 'value: "-"': "value: 0"}
    numbers = {**fields, "task: summarising": "task: regression"}
    text = file.read_text()
    for old, new in numbers.items():
        text = text.replace(old, new)
    file.write_text(text)
    cases.write_text(cases.read_text().replace(",\n", ",0.5\n"))
