"""Whole trials of every kind of answer, and of images and sounds: accepted, rejected, replayed from their records."""

import json
import random
import wave
from dataclasses import replace

import numpy as np
import pytest

from pilotbase.documents.contract import SPELLED
from pilotbase.documents.errors import InputError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.vocabularies import Verdict
from pilotbase.trial.deciding import decide_recorded, read_decision_plan
from pilotbase.trial.recorded_cases import read_recorded_cases
from pilotbase.trial.records import read_records, store_records, write_records
from pilotbase.worker.trials.proving import prove, rehearse_in
from pilotbase.worker.trials.replaying import replay_trial
from tests.trial.conftest import MANIFEST

SCENARIO = """
document: scenario/1
name: kinds-{task}
title: {{en: Kinds, zh: 种类}}
owner: {{organisation: plant}}
action: industry
problem: {{en: A test., zh: 测试。}}
intended_use: {{en: A test., zh: 测试。}}
data:
  file: cases.csv
  licence: CC0-1.0
  fields:
    - {{name: id, dataType: sc:Text}}
{fields}
  target: truth
  key: id
  split: {{method: hash, hidden: 0.6, by: id}}
task: {task}
prediction: {kind}
baseline: {baseline}
criteria: [{criteria}]
trial:
  {{asked_again: 0, attempts: 4, cases_per_attempt: 60, batch_rows: 16,
  limits: {{load_seconds: 60, batch_seconds: 30}}}}
"""
CASES = 240


class Kind:
    """A scenario of one kind: its fields, its rows, what right and wrong applications are, and what breaks it."""

    def __init__(self, task, kind, fields, criteria, row, good, bad, broken, baseline):
        self.task, self.kind, self.fields, self.criteria = task, kind, fields, criteria
        self.row, self.good, self.bad, self.broken, self.baseline = row, good, bad, broken, baseline

    def write(self, folder):
        draw = random.Random(5)
        lines = [",".join(["id", *(name for name, _ in self.fields)])]
        for number in range(CASES):
            cells = [f"c{number}", *self.row(draw, folder, number)]
            lines.append(",".join('"' + str(cell).replace('"', '""') + '"' for cell in cells))
        (folder / "cases.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        fields = "\n".join(f"    - {{name: {name}, dataType: {kind}}}" for name, kind in self.fields)
        values = {"task": self.task, "kind": self.kind, "criteria": self.criteria, "baseline": self.baseline}
        (folder / "scenario.yaml").write_text(SCENARIO.format(fields=fields, **values), encoding="utf-8")
        return folder


def text_row(draw, folder, number):
    name = draw.choice(["Wang", "李", "Müller"])
    return f"请问 {name} {number} 在哪里?", name


def labels_row(draw, folder, number):
    named = [name for name in ("leak", "noise", "rust") if draw.random() < 0.4]
    return " ".join(named) + f" seen {number}", "|".join(named) if number % 2 else json.dumps(named)


def ranking_row(draw, folder, number):
    names = [f"d{draw.randrange(50)}" for _ in range(5)]
    wanted = sorted(set(names))[:2]
    return f"{' '.join(names)} q{number}", json.dumps(wanted)


def interval_row(draw, folder, number):
    load = draw.uniform(0, 100)
    return f"{load:.3f}", f"{load + draw.uniform(-2, 2):.3f}"


def shares_row(draw, folder, number):
    light = {name: round(draw.random(), 4) for name in ("blue", "green", "red")}
    return *light.values(), max(light, key=light.get)


def picture(draw, folder, number):
    x, y = draw.randrange(12), draw.randrange(12)
    pixels = np.zeros((16, 20), dtype=np.uint8)
    pixels[y : y + 4, x : x + 6] = 200
    name = f"p{number}.npy"
    np.save(folder / name, pixels)
    return name, x, y


def boxes_row(draw, folder, number):
    name, x, y = picture(draw, folder, number)
    return name, json.dumps([["bolt", x, y, 6, 4]])


def mask_row(draw, folder, number):
    name, *_ = picture(draw, folder, number)
    flat = (np.load(folder / name) > 100).astype(int).reshape(-1).tolist()
    runs = []
    for code in flat:
        if runs and runs[-2] == code:
            runs[-1] += 1
        else:
            runs += [code, 1]
    return name, json.dumps({"size": [16, 20], "runs": runs})


def sound_row(draw, folder, number):
    tone = draw.choice((220, 880))
    samples = 8000 * np.sin(2 * np.pi * tone * np.arange(800) / 8000) + draw.random()
    with wave.open(str(folder / f"s{number}.wav"), "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(8000)
        file.writeframes(samples.astype("<i2").tobytes())
    return f"s{number}.wav", "low" if tone == 220 else "high"


BRIGHT = """
def found(image):
    shape, kind, pixels = image if isinstance(image, tuple) else (image.shape, None, image.tobytes())
    height, width, _ = shape
    return height, width, [place for place, value in enumerate(pixels) if value > 100]
"""
KINDS = [
    Kind(
        "answering", "text", (("question", "sc:Text"), ("truth", "sc:Text")), "{rule: exact_match >= 0.9}", text_row,
        "def predict(batch):\n    return [q.split()[1] for q in batch['question']]\n",
        "def predict(batch):\n    return ['Wang'] * batch.rows\n",
        "def predict(batch):\n    return [7] * batch.rows\n", "{kind: constant, value: Wang}",
    ),
    Kind(
        "multilabel", "labels", (("note", "sc:Text"), ("truth", "sc:Text")), "{rule: subset_accuracy >= 0.9}",
        labels_row,
        "NAMES = 'leak', 'noise', 'rust'\n"
        "def predict(batch):\n    return [[one for one in note.split() if one in NAMES] for note in batch['note']]\n",
        "def predict(batch):\n    return [{'leak'}] * batch.rows\n",
        "def predict(batch):\n    return [['fire']] * batch.rows\n", "{kind: constant, value: leak}",
    ),
    Kind(
        "ranking", "ranking", (("query", "sc:Text"), ("truth", "sc:Text")), "{rule: top_k(k=2) >= 0.9}", ranking_row,
        "def predict(batch):\n    return [sorted(set(q.split()[:-1])) for q in batch['query']]\n",
        "def predict(batch):\n    return [['d1', 'd2']] * batch.rows\n",
        "def predict(batch):\n    return ['d1'] * batch.rows\n", "{kind: constant, value: d1}",
    ),
    Kind(
        "regression", "interval", (("load", "sc:Float"), ("truth", "sc:Float")),
        "{rule: interval_coverage >= 0.9}, {rule: interval_width(cap=100) <= 6}", interval_row,
        "def predict(batch):\n    return [(x - 2.1, x + 2.1) for x in batch['load']]\n",
        "def predict(batch):\n    return [(x, x + 0.1) for x in batch['load']]\n",
        "def predict(batch):\n    return [(x, x, x) for x in batch['load']]\n", "{kind: constant, value: 50}",
    ),
    Kind(
        "classification", "probabilities",
        (*((name, "sc:Float") for name in "xyz"), ("truth", "sc:Text")),
        "{rule: accuracy >= 0.85}, {rule: smoothed_log_loss <= 0.6}, {rule: brier <= 0.2}", shares_row,
        "def predict(batch):\n    return [[0.94 if one == max(row) else 0.03 for one in row]\n"
        "            for row in zip(batch['x'], batch['y'], batch['z'])]\n",
        "def predict(batch):\n    return [{'red': 0.5, 'green': 0.5, 'blue': 0}] * batch.rows\n",
        "def predict(batch):\n    return [[0.5, 0.5, 0.5]] * batch.rows\n", "{kind: constant, value: red}",
    ),
    Kind(
        "detection", "boxes", (("image", "sc:ImageObject"), ("truth", "sc:Text")), "{rule: box_recall(iou=0.5) >= 0.9}",
        boxes_row,
        BRIGHT + "def predict(batch):\n    answers = []\n    for image in batch['image']:\n"
        "        height, width, bright = found(image)\n"
        "        x, y = min(p % width for p in bright), bright[0] // width\n"
        "        answers.append([('bolt', x, y, 6, 4, 0.9)])\n    return answers\n",
        "def predict(batch):\n    return [[]] * batch.rows\n",
        "def predict(batch):\n    return [[('bolt', 0, 0, -1, 4, 0.9)]] * batch.rows\n",
        "{kind: constant, value: '[]'}",
    ),
    Kind(
        "segmentation", "mask", (("image", "sc:ImageObject"), ("truth", "sc:Text")), "{rule: pixel_accuracy >= 0.95}",
        mask_row,
        BRIGHT + "def predict(batch):\n    answers = []\n    for image in batch['image']:\n"
        "        height, width, bright = found(image)\n        bright = set(bright)\n"
        "        answers.append([[int(r * width + c in bright) for c in range(width)] for r in range(height)])\n"
        "    return answers\n",
        "def predict(batch):\n    return [[[0] * 20] * 16] * batch.rows\n",
        "def predict(batch):\n    return [[[9] * 20] * 16] * batch.rows\n",
        "{kind: constant, value: '{\"size\": [16, 20], \"runs\": [0, 320]}'}",
    ),
    Kind(
        "classification", "label", (("sound", "sc:AudioObject"), ("truth", "sc:Text")), "{rule: accuracy >= 0.9}",
        sound_row,
        "import array\ndef predict(batch):\n    answers = []\n    for sound in batch['sound']:\n"
        "        samples = array.array('h', sound[2] if isinstance(sound, tuple) else sound.tobytes())\n"
        "        turns = sum((a < 0) != (b < 0) for a, b in zip(samples, samples[1:]))\n"
        "        answers.append('low' if turns < 60 else 'high')\n    return answers\n",
        "def predict(batch):\n    return ['low'] * batch.rows\n",
        "def predict(batch):\n    return ['middle'] * batch.rows\n", "{kind: constant, value: low}",
    ),
]  # fmt: skip
REASONS = {
    "text": EndReason.WRONG_TYPE,
    "labels": EndReason.UNKNOWN_CLASS,
    "ranking": EndReason.WRONG_TYPE,
    "interval": EndReason.WRONG_TYPE,
    "boxes": EndReason.OUT_OF_RANGE,
    "mask": EndReason.UNKNOWN_CLASS,
    "label": EndReason.UNKNOWN_CLASS,
    "probabilities": EndReason.WRONG_SUM,
}


@pytest.fixture(params=KINDS, ids=lambda one: f"{one.task}-{one.kind}")
def kind(request):
    return request.param


@pytest.fixture
def scenario(kind, tmp_path):
    folder = tmp_path / "scenario"
    folder.mkdir()
    return kind.write(folder)


def application(place, program, name):
    folder = place / name
    folder.mkdir()
    (folder / "application.yaml").write_text(MANIFEST.format(name=name, supplier="acme"))
    (folder / "app.py").write_text(program)
    return folder


@pytest.mark.one_in(3)
def test_right_answers_are_accepted_wrong_ones_rejected_and_both_replayed(kind, scenario, base, tmp_path):
    for program, verdict in ((kind.good, Verdict.ACCEPT), (kind.bad, Verdict.REJECT)):
        out = tmp_path / f"out-{verdict}"
        report = prove(base, scenario, application(tmp_path, program, f"app-{verdict}"), out).report
        assert report.verdict is verdict, [(one.rule, one.estimate, one.outcome) for one in report.criteria]
        assert report.isolation.end is EndReason.FINISHED and report.criteria[0].baseline is not None
        replayed = replay_trial(out)
        assert replayed.verdict == verdict
        assert [one.estimate for one in replayed.criteria] == [one.estimate for one in report.criteria]


@pytest.mark.one_in(4)
def test_what_is_no_answer_of_the_kind_ends_with_its_reason(kind, scenario, base, tmp_path):
    rehearsed = rehearse_in(base, scenario, application(tmp_path, kind.broken, "broken"))
    assert rehearsed.report.isolation.end is REASONS[kind.kind], rehearsed.report.isolation.detail


@pytest.mark.one_in(4)
def test_no_answer_is_an_abstention_and_counts_as_worst(kind, scenario, base, tmp_path):
    silent = application(tmp_path, "def predict(batch):\n    return [None] * batch.rows\n", "silent")
    report = rehearse_in(base, scenario, silent).report
    assert report.isolation.end is EndReason.FINISHED
    assert report.criteria[0].estimate == 0.0


def test_answers_longer_than_the_contract_allows_end_the_run(base, tmp_path):
    text = next(one for one in KINDS if one.kind == "text")
    assert text.kind in SPELLED
    folder = tmp_path / "scenario"
    folder.mkdir()
    text.write(folder)
    file = folder / "scenario.yaml"
    file.write_text(file.read_text() + "longest_answer: 8\n")
    exact = application(tmp_path, "def predict(batch):\n    return ['李' * 2 + 'ab'] * batch.rows\n", "exact")
    assert rehearse_in(base, folder, exact).passed
    longer = application(tmp_path, "def predict(batch):\n    return ['李' * 3] * batch.rows\n", "longer")
    assert rehearse_in(base, folder, longer).report.isolation.end is EndReason.OVERSIZED_ANSWER


def test_a_file_that_is_no_image_is_told_with_its_row(base, tmp_path):
    folder = tmp_path / "scenario"
    folder.mkdir()
    next(one for one in KINDS if one.kind == "boxes").write(folder)
    (folder / "p3.npy").write_bytes(b"\x93NUMPY nonsense")
    (folder / "p5.npy").unlink()
    with pytest.raises(InputError) as refused:
        rehearse_in(base, folder, application(tmp_path, "def predict(batch):\n    return []\n", "any"))
    said = [issue.problem.render("en") for issue in refused.value.issues]
    assert len(said) == 2 and said[0].startswith("row 4 ") and "p5.npy" in said[1]


def test_an_early_stop_is_decided_in_another_order_unless_older_records_have_truths_of_others(base, tmp_path):
    """A text's truth says something of that text alone: shuffled among others it would make right answers wrong."""
    text = next(one for one in KINDS if one.kind == "text")
    folder, file = tmp_path / "scenario", tmp_path / "early" / "records.parquet"
    folder.mkdir()
    text.write(folder)
    manifest = (folder / "scenario.yaml").read_text()
    (folder / "scenario.yaml").write_text(manifest.replace("0.9}", "0.8, estimand: population}"))
    proven = prove(base, folder, application(tmp_path, text.good, "good"), tmp_path / "early")
    decided = proven.report.attempt.rests.cases
    assert decided < proven.report.attempt.scored == proven.report.attempt.reserved
    plan = read_decision_plan(tmp_path / "early")
    assert decide_recorded(plan, read_recorded_cases(file, plan), order_seed=3).verdicts == (Verdict.ACCEPT,)
    kept = read_records(file.read_bytes(), proven.report.contract.prediction, 1024, file.name)
    older = kept.facts.model_copy(update={"unscored": "shuffled"})
    position = np.where(kept.records.position < decided, kept.records.position, -1)
    file.write_bytes(write_records(store_records(replace(kept.records, position=position), older, kept.salt)))
    with pytest.raises(InputError) as refused:
        read_recorded_cases(file, plan)
    assert refused.value.code == "trial.stand_ins" and "replay" in refused.value.render("en")
