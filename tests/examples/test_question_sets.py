"""Real question sets, where they are at hand beside the project: the measures read what their authors wrote as truth.

Nothing of them is kept here, and no product code knows them. GSM8K: MIT, Cobbe et al. 2021. TAT-QA: CC BY 4.0, Zhu et
al. 2021. The applications are a guess, a look-up of words, and one that has seen the answers: no claim about any model.
"""

import csv
import json
from pathlib import Path

import pytest

from pilotbase.documents.vocabularies import Verdict
from pilotbase.measures.stated_answers import last_number
from pilotbase.worker.base import open_base
from pilotbase.worker.trials.proving import prove
from tests.trial.conftest import MANIFEST

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
GSM8K = DATA / "llm_eval" / "gsm8k_test" / "test.jsonl"
TATQA = DATA / "finance" / "tatqa_dev" / "tatqa_dataset_dev.json"
SCENARIO = """
document: scenario/1
name: {name}
title: {{en: Questions of others, zh: 他人题目}}
owner: {{organisation: plant}}
action: industry
problem: {{en: Held against questions that others wrote., zh: 用他人编写的题目检验。}}
intended_use: {{en: A test of this software., zh: 用于测试本软件。}}
data:
  file: cases.csv
  licence: {licence}
  fields:
{fields}
  target: answer
  key: id
  withheld: [{withheld}]
  split: {{method: hash, hidden: 0.6, by: {by}}}
task: {task}
baseline: {{kind: constant, value: "0"}}
criteria:
{criteria}
trial: {{stop: full, attempts: 2, cases_per_attempt: {cases}, batch_rows: 128}}
"""
GUESS = """
import re
def predict(batch):
    return [guess([float(n.replace(',', '')) for n in re.findall(r'[0-9][0-9,]*', q)]) for q in batch['question']]
def guess(numbers):
    return f"I guess it is {numbers[0] * numbers[-1]:g}." if numbers else "I cannot tell."
"""
SEEN = """
import json, pathlib
KNOWN = json.loads(pathlib.Path(__file__).with_name('seen.json').read_text())
def predict(batch):
    return [KNOWN[question] for question in batch['question']]
"""
LOOKED_UP = """
import re
def words(text):
    return set(re.findall(r'[a-z0-9]+', text.lower()))
def predict(batch):
    return [look(*case) for case in zip(batch['question'], batch['passages'])]
def look(question, passages):
    lines = passages.split('\\n')
    best = max(lines, key=lambda line: len(words(line) & words(question)))
    cells = [cell for cell in best.split(' | ') if cell]
    year = re.search(r'20[0-9]{2}', question)
    head = next((line.split(' | ') for line in lines if year and year[0] in line.split(' | ')), [])
    row = best.split(' | ')
    if year and year[0] in head and head.index(year[0]) < len(row):
        return row[head.index(year[0])] or best
    return cells[1] if len(cells) > 1 else best
"""


@pytest.fixture
def base(tmp_path, ready_stores, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    opened = open_base(create=True, name="test-base")
    yield opened
    opened.lab.close()


def write_scenario(folder, rows, criteria, **said):
    """Return a scenario's folder: rows are mappings of which the first names the columns."""
    folder.mkdir()
    names = list(rows[0])
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, names)
        table.writeheader()
        table.writerows(rows)
    fields = "\n".join(f"    - {{name: {name}, dataType: sc:Text}}" for name in names)
    rules = "\n".join(f"  - {{rule: {rule}}}" for rule in criteria)
    said = {"withheld": "", "by": "id", "cases": 300, **said}
    (folder / "scenario.yaml").write_text(SCENARIO.format(fields=fields, criteria=rules, **said))
    return folder


def write_application(folder, program, seen=None):
    folder.mkdir()
    (folder / "application.yaml").write_text(MANIFEST.format(name=folder.name, supplier="acme"))
    (folder / "app.py").write_text(program)
    if seen is not None:
        (folder / "seen.json").write_text(json.dumps(seen))
    return folder


def figures(report):
    return {one.rule: one.estimate for one in report.criteria}


@pytest.mark.prove
@pytest.mark.skipif(not GSM8K.exists(), reason="GSM8K is not at hand")
def test_gsm8k_a_guess_is_rejected_and_whoever_has_seen_the_solutions_is_accepted(base, tmp_path):
    """The solutions are as their authors wrote them, at length: the last number is what is answered."""
    items = [json.loads(line) for line in GSM8K.read_text("utf-8").splitlines()]
    solutions = {item["question"]: item["answer"] for item in items}
    answers = {question: solution.rpartition("####")[2].strip() for question, solution in solutions.items()}
    assert len(answers) == 1319 and all(last_number(answer) is not None for answer in answers.values())
    rows = [{"id": f"g{n}", "question": q, "answer": a} for n, (q, a) in enumerate(answers.items())]
    rule = "numeric_match >= 0.9"
    asked = write_scenario(tmp_path / "gsm8k", rows, [rule], name="gsm8k", licence="MIT", task="answering")
    guessed = prove(base, asked, write_application(tmp_path / "guess", GUESS), tmp_path / "out-guess").report
    assert guessed.verdict is Verdict.REJECT and 0 < figures(guessed)[rule] < 0.2
    told = prove(base, asked, write_application(tmp_path / "seen", SEEN, solutions), tmp_path / "out-seen").report
    assert told.verdict is Verdict.ACCEPT and figures(told)[rule] == 1.0


@pytest.mark.prove
@pytest.mark.skipif(not TATQA.exists(), reason="TAT-QA is not at hand")
def test_tatqa_whoever_looks_up_words_is_supported_by_the_report_and_mostly_wrong(base, tmp_path):
    """Questions about the tables and texts of financial reports; those of one report stay on one side of the split."""
    rows, numbers = [], 0
    for report in json.loads(TATQA.read_text("utf-8")):
        table = [" | ".join(row) for row in report["table"]["table"]]
        passages = "\n".join([*table, *(one["text"].replace("\n", " ") for one in report["paragraphs"])])
        for one in report["questions"]:
            answer = one["answer"] if isinstance(one["answer"], list) else [str(one["answer"])]
            numbers += one["answer_type"] == "arithmetic"
            rows.append(
                {
                    "id": one["uid"],
                    "question": one["question"],
                    "passages": passages,
                    "report": report["table"]["uid"],
                    "kind": one["answer_type"],
                    "answer": " ".join(answer),
                }
            )
    assert len(rows) == 1668 and numbers == 718
    rules = ["token_f1 >= 0.7", "supported(context=passages) >= 0.9", "worst(token_f1 by kind) >= 0.5"]
    said = {"name": "tatqa", "licence": "CC-BY-4.0", "task": "grounded", "withheld": "report, kind", "by": "report"}
    asked = write_scenario(tmp_path / "tatqa", rows, rules, **said)
    looked = prove(base, asked, write_application(tmp_path / "look-up", LOOKED_UP), tmp_path / "out").report
    found = {one.rule: (str(one.outcome), one.estimate) for one in looked.criteria}
    assert looked.verdict is Verdict.REJECT, found
    assert found[rules[0]][1] < 0.5 and found[rules[1]] == ("pass", 1.0), found
