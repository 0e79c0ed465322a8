"""SmolLM2 behind an OpenAI-compatible server on loopback: a plumbing test. It says nothing about what models can do."""

import csv
import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.peers.environments import peer_environment, peer_python
from pilotbase.documents.limits import EndReason
from pilotbase.sandbox.endpoints.operator import ALLOW
from pilotbase.worker.base import open_base
from pilotbase.worker.trials.proving import prove
from pilotbase.worker.trials.replaying import replay_trial
from tests.trial.endpoints_for_tests import writing_endpoint

SERVER = Path(__file__).resolve().parents[2] / "benchmarks" / "peers" / "programs" / "smollm2_server.py"
CAPITALS = {
    "France": "Paris", "Germany": "Berlin", "Japan": "Tokyo", "Italy": "Rome", "Spain": "Madrid", "China": "Beijing",
    "Russia": "Moscow", "Egypt": "Cairo", "Greece": "Athens", "Portugal": "Lisbon", "Austria": "Vienna",
    "Poland": "Warsaw", "Norway": "Oslo", "Sweden": "Stockholm",
}  # fmt: skip
SCENARIO = """
document: scenario/1
name: capitals
title: {en: Capitals, zh: 首都}
owner: {organisation: plant}
action: industry
problem: {en: A plumbing test., zh: 连通性测试。}
intended_use: {en: A plumbing test., zh: 连通性测试。}
data:
  file: cases.csv
  licence: CC0-1.0
  fields: [{name: country, dataType: sc:Text}, {name: capital, dataType: sc:Text}]
  target: capital
  split: {method: hash, hidden: 0.6}
task: answering
baseline: {kind: constant, value: Paris}
criteria: [{rule: contains >= 0.3}]
trial: {stop: full, attempts: 1, cases_per_attempt: 5, batch_rows: 4, limits: {load_seconds: 60, batch_seconds: 300}}
conditions: {data_may_leave: true}
"""


@contextmanager
def serving():
    command = [str(peer_python("smollm2")), str(SERVER)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, env=peer_environment(os.cpu_count() or 1), **pipes) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()
            server.wait(30)


@pytest.mark.prove
def test_a_small_model_behind_its_server_is_tried_and_the_trial_is_replayed(ready_stores, tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    scenario = tmp_path / "scenario"
    scenario.mkdir()
    (scenario / "scenario.yaml").write_text(SCENARIO)
    with (scenario / "cases.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("country", "capital"), *CAPITALS.items()])
    base = open_base(create=True, name="test-base")
    with serving() as url:
        prompt = {
            "template": "What is the capital of {country}? Answer with one word.",
            "sampling": {"temperature": 0, "max_tokens": 8},
        }
        period = {"since": "2020-01-01", "until": "2099-12-31"}
        kept = writing_endpoint(tmp_path)(
            {"protocol": "openai_chat", "url": f"{url}/v1", "model": "smollm2", "period": period, "prompt": prompt,
             "in_flight": 1, "timeout": 60, "calls_per_second": 100},
        )  # fmt: skip
        report = prove(base, scenario, kept, tmp_path / "out").report
    base.lab.close()
    assert report.isolation.end is EndReason.FINISHED, report.isolation.detail
    assert report.criteria[0].estimate >= 0.3
    assert replay_trial(tmp_path / "out").verdict == report.verdict
    said = json.dumps(report.to_json_value(), ensure_ascii=False)
    assert "smollm2" in said
