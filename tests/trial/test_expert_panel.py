"""A trial whose answers experts judge: it waits for their verdicts, which no one can change, leave out or steer."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pilotbase.data.labelling.final_labels import Decided, disagreements, final_labels, first_labels
from pilotbase.data.labelling.gathering import Annotation, Gathered, assign, first_annotators
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.protocols.array_cells import cell_of
from pilotbase.trial.phases.panel import ANSWER, WAITING, campaign_of, seed_of
from pilotbase.worker.trials.folder import judged_in
from pilotbase.worker.trials.proving import freeze_in, prove
from pilotbase.worker.trials.replaying import replay_trial
from tests.sandbox.endpoints.stubs_for_tests import Stub, chatting, serving
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
    - {{name: findings, dataType: sc:Text}}{picture}
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
  limits: {{load_seconds: 60, batch_seconds: 30, memory_bytes: 256 MiB}}
  panel: {{guideline: "{guideline}", version: "1.0", double: 0.4, fee: 12.5{more}}}
"""
WRITER = "def predict(batch):\n    return ['In short: ' + text for text in batch['findings']]\n"


def write_hospital(place: Path, cases=60, estimand="", more="", guideline="Good: nothing is made up.", scan="") -> Path:
    folder = place / "hospital"
    folder.mkdir(exist_ok=True)
    picture = "\n    - {name: scan, dataType: sc:ImageObject}" if scan else ""
    filled = SCENARIO.format(cases=cases, estimand=estimand, more=more, guideline=guideline, picture=picture)
    (folder / "scenario.yaml").write_text(filled)
    name, cell = (",scan", f",{scan}") if scan else ("", "")
    rows = "\n".join(f"c{number},finding {number}{cell}," for number in range(300))  # nobody has written a letter
    (folder / "cases.csv").write_text(f"case_id,findings{name},letter\n{rows}\n")
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


def finds_poor(item: str, expert: str) -> bool:
    """Agreed often enough that their verdicts are taken, whichever answers both judge."""
    return int(item) % 3 == 0 or int(item) % 10 == int(expert[1])


@pytest.mark.prove
def test_the_verdict_of_the_expert_who_was_drawn_counts_whatever_the_third_says(base, write_application, tmp_path):
    """The adjudicator finds every disputed answer poor; each expert alone finds one in ten poor, both one in three."""
    scenario, application, out = write_hospital(tmp_path), write_application(WRITER), tmp_path / "out"
    prove_waiting(base, scenario, application, out)
    judge_sheets(out / "panel", lambda expert, row: "poor" if finds_poor(row["item"], expert) else "good")
    (result,) = prove(base, scenario, application, out).report.criteria
    plan, names = freeze_in(base, scenario, application, out), [f"{place:06}" for place in range(1, 61)]
    first = first_annotators(campaign_of(plan), names, seed_of(plan))
    poor = sum(finds_poor(item, first[item]) for item in names[: result.scored])
    assert result.estimate == pytest.approx(1 - poor / result.scored)


def test_verdicts_that_count_are_those_of_an_expert_drawn_at_random(base, write_application, tmp_path):
    """Experts find .88 of the answers good; with a lenient third the panel's final verdicts would be .902."""
    plan = freeze_in(base, write_hospital(tmp_path), write_application(WRITER), tmp_path / "out")
    campaign, draw, counted, final = campaign_of(plan), np.random.default_rng(1), [], []
    names = [f"{place:06}" for place in range(200)]
    for seed in range(60):
        given = [
            Annotation(item, expert, "good" if draw.random() < 0.88 else "poor")
            for expert, items in assign(campaign, names, 0.2, seed).items()
            for item in items
        ]
        gathered = Gathered(tuple(given), Counter(), ())
        decided = {item: Decided("good", "lenient") for item in disagreements(campaign, gathered)}
        items = final_labels(campaign, gathered, decided)
        final += [one.label == "good" for one in items]
        counted += [label == "good" for label in first_labels(campaign, names, items, seed).values()]
    assert len(counted) == len(final) and np.mean(final) > 0.895
    assert np.mean(counted) == pytest.approx(0.88, abs=0.01)


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


@pytest.mark.prove
def test_a_random_sample_of_the_answers_speaks_for_the_population(base, write_application, tmp_path):
    scenario = write_hospital(tmp_path, cases=100, estimand=", estimand: population", more=", cases: 40")
    application, out = write_application(WRITER), tmp_path / "out"
    prove_waiting(base, scenario, application, out)
    judge_sheets(out / "panel", lambda expert, row: "good")
    (result,) = prove(base, scenario, application, out).report.criteria
    assert (result.outcome, result.available) == (Outcome.PASS, 40)


def judged_by_model(place, stub, rule="scores=judge, weight=0.6", cases=150, template="{findings} {answer}", **more):
    """Write a scenario whose panel has a judge model, of 50 verdicts."""
    endpoint = stub.endpoint("openai_chat", prompt={"template": template, "answer": {"read": "last_number"}})
    judge = json.dumps({"endpoint": endpoint, "scale": [0, 10]})
    more = {"estimand": ", estimand: population", **more}
    folder = write_hospital(place, cases, more=f", cases: 50, disagreement: 0.9, judge: {judge}", **more)
    file = folder / "scenario.yaml"
    named = file.read_text().replace("judged(by=panel) >= 0.8", f"'judged(by=panel, {rule}) >= 0.6'")
    file.write_text(named)
    return folder


def poor(words: str) -> bool:
    """What experts call poor; a judge that errs in some cases sees it, too."""
    return int(words.split()[1]) % 15 == 0


def test_a_judge_model_scores_all_answers_before_the_sample_is_known(base, write_application, tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_ENDPOINT_ALLOW", "127.0.0.1")
    application, out = write_application(WRITER), tmp_path / "out"
    with serving(Stub(chatting(lambda words: "0" if poor(words) or words.split()[1] == "7" else "10"))) as stub:
        scenario = judged_by_model(tmp_path, stub)
        prove_waiting(base, scenario, application, out)
        assert len(stub.asked) == 150, "every answer, not only those of the sample"
        assert not any(word in json.dumps(stub.asked) for word in ("acme", "discharge"))
    judge_sheets(out / "panel", lambda expert, row: "poor" if poor(row["case: findings"]) else "good")
    proven = prove(base, scenario, application, out)
    (result,) = proven.report.criteria
    assert (result.outcome, result.available) == (Outcome.PASS, 50)
    (finding,) = (one for section in proven.report.sections for one in section.findings if one.check == "panel_judge")
    said = finding.sentence.params
    assert (said["scored"], said["judged"]) == (150, 50), said
    assert "agrees with the experts on" in finding.sentence.render("en") and "一致率" in finding.sentence.render("zh")
    assert replay_trial(out).verdict is Verdict.ACCEPT


@pytest.mark.prove
def test_a_silent_judge_costs_no_trial_and_altered_scores_are_refused(base, write_application, tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_ENDPOINT_ALLOW", "127.0.0.1")
    application, out = write_application(WRITER), tmp_path / "out"
    with serving(Stub(chatting(lambda words: "10"), lambda number: "status:403")) as stub:
        scenario = judged_by_model(tmp_path, stub)
        prove_waiting(base, scenario, application, out)
    judge_sheets(out / "panel", lambda expert, row: "good")
    (scores,) = base.home.path.rglob("judge/scores.csv")
    kept = scores.read_bytes()
    scores.write_bytes(kept.replace(b",0.0,", b",1.0,"))
    with pytest.raises(InvalidProofError):
        prove(base, scenario, application, out)
    scores.write_bytes(kept)
    (result,) = prove(base, scenario, application, out).report.criteria
    assert (result.outcome, result.estimate, result.upper) == (Outcome.PASS, 1, 1)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cases": 90}, "45 or less"),
        ({"template": "{letter} {answer}"}, "“letter”"),
        ({"template": "{findings}"}, "{answer}"),
        ({"template": "{scan} {answer}", "scan": cell_of(np.zeros((4, 4, 3), dtype=np.uint8))}, "holds images"),
        ({"rule": "scores=findings"}, "scores of the judge model"),
        ({"estimand": ", estimand: population, unit: findings"}, "neither groups nor units"),
        ({"estimand": ""}, "estimand"),
        ({}, "does not list the address"),
    ],
)
def test_a_judge_model_that_cannot_be_used_is_refused_before_anything_is_spent(
    base, write_application, tmp_path, monkeypatch, changed, said
):
    monkeypatch.delenv("PILOTBASE_ENDPOINT_ALLOW", raising=False)
    stub = Stub(chatting(lambda words: "10"))
    stub.url = "https://8.8.8.8/v1"
    with pytest.raises(PilotbaseError) as caught:
        prove(base, judged_by_model(tmp_path, stub, **changed), write_application(WRITER))
    assert said in caught.value.render("en")


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("task", "written", "shown"),
    [
        ("summarising", """{"steps": ["rinse", "dress"]}""", '{\n  "steps": [\n    "rinse",\n    "dress"\n  ]\n}'),
        ("summarising", "A: Where?\nB: Here.", "A: Where?\nB: Here."),
        pytest.param("regression", 0.5, "0.5", marks=pytest.mark.prove),
    ],
)
def test_plans_dialogues_and_numbers_are_shown_as_they_are(base, write_application, tmp_path, task, written, shown):
    scenario, out = write_hospital(tmp_path), tmp_path / "out"
    if task == "regression":
        _measured(scenario)
    answers = f"[{written!r} if int(t.split()[1]) % 9 else None for t in batch['findings']]"
    writer = f"def predict(batch):\n    return {answers}\n"
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
