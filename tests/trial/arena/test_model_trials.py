"""Whole trials of applications that ask a model through the door: in real boxes, replayed without it, attacked."""

import json
import re

import polars
import pytest

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.transcript import end_of
from pilotbase.documents.vocabularies import Verdict
from pilotbase.sandbox.endpoints.operator import ALLOW
from pilotbase.worker.trials.proving import prove
from pilotbase.worker.trials.replaying import replay_trial
from tests.sandbox.door_client_for_tests import CLIENT
from tests.sandbox.endpoints.stubs_for_tests import Stub, serving
from tests.sandbox.endpoints.test_acting import calling
from tests.trial.arena.agents import MANIFEST, write_agent, write_scenario
from tests.trial.arena.test_model_door import PERIOD, PRICES, SAMPLING

ASKING = f"""{CLIENT}
import os


class Carrier:
    def __init__(self):
        self.task, self.step = "", 0

    def act(self, observation):
        self.step += 1
        if self.step == 1:
            self.task = observation["task"]
            door = Door(os.environ["PILOTBASE_DOOR"])
            body = {{"model": observation["model"], "temperature": 2,
                     "messages": [{{"role": "user", "content": self.task}}]}}
            door.request("POST", "/v1/chat/completions", json.dumps(body))
            answered = json.loads(door.getresponse().read())
            self.room = answered["choices"][0]["message"]["content"]
            return [{{"tool": "look"}}]
        fee = int(re.search(r"\\d+", self.task).group())
        return [{{"tool": "pay", "arguments": {{"amount": fee}}}},
                {{"tool": "move", "arguments": {{"room": self.room}}}}, {{"done": True}}]


def agent():
    return Carrier()
"""
IN_SHELL = """\
import json, re, sys
for line in sys.stdin:
    asked = json.loads(line)
    answers = []
    for text in asked["columns"]["observation"]:
        seen = json.loads(text)
        if "task" in seen:
            task = seen["task"]
            answers.append(json.dumps({"door": {"messages": [{"role": "user", "content": task}]}}))
        else:
            room = json.loads(seen["door"]["body"])["choices"][0]["message"]["content"]
            fee = int(re.search(r"\\d+", task).group())
            answers.append(json.dumps([{"tool": "pay", "arguments": {"amount": fee}},
                                       {"tool": "move", "arguments": {"room": room}}, {"done": True}]))
    print(json.dumps(answers), flush=True)
"""


def room_of(body):
    task = body["messages"][0]["content"]
    return calling(words=re.search(r"(red|green|blue|white) (?:room|房间)", task).group(1))


def open_the_door(scenario, stub, **terms):
    model = {"url": stub.url, "model": "carrier-7b", "version": "3", "digest": "sha256:" + "7" * 64,
             "key": "CARRIER", "period": PERIOD, "prices": PRICES, "calls_per_second": 10_000}  # fmt: skip
    manifest = scenario / "scenario.yaml"
    door = json.dumps({"model": model, "sampling": SAMPLING, **terms})
    manifest.write_text(manifest.read_text().replace("{folder: world,", f"{{folder: world, door: {door},"))


@pytest.mark.prove
def test_a_trial_with_a_model_is_decided_certified_and_replayed_without_it(base, tmp_path, monkeypatch):
    rules = ("reached >= 0.5", "model_calls <= 2", "tokens <= 100", "model_cost(cap=2) <= 1.5",
             "tokens.per_case <= 60 tokens", "cost.cny <= 20 CNY", "reached under injected >= 0.3")  # fmt: skip
    with serving(Stub(room_of)) as stub:
        scenario, application = write_scenario(tmp_path, *rules), write_agent(tmp_path, ASKING)
        open_the_door(scenario, stub)
        with pytest.raises(PilotbaseError) as refused:
            prove(base, scenario, application, tmp_path / "none")
        assert refused.value.code in ("endpoint.no_key", "protocol.address_denied"), refused.value.render("en")
        assert stub.asked == []
        keys = tmp_path / "keys.json"
        keys.touch(mode=0o600)
        keys.write_text(json.dumps({"@door/CARRIER": {"url": stub.url, "key": "s3cret"}}))
        monkeypatch.setenv("PILOTBASE_GATEWAY_ENDPOINT_KEYS_FILE", str(keys))
        monkeypatch.setenv(ALLOW, "127.0.0.1")
        proven = prove(base, scenario, application, tmp_path / "out")
    report = proven.report
    assert report.verdict is Verdict.ACCEPT, [(one.rule, one.estimate, one.outcome) for one in report.criteria]
    estimates = {one.rule: one.estimate for one in report.criteria}
    assert estimates["model_calls <= 2"] == 1 and estimates["tokens <= 100"] == 55
    assert estimates["tokens.per_case <= 60 tokens"] == 55 and estimates["cost.cny <= 20 CNY"] == pytest.approx(10)
    assert report.endpoint is None and report.door.use.calls == 6 * 2 and report.door.use.unanswered == 0
    assert {(asked["temperature"], asked["model"]) for asked in stub.asked} == {(0.0, "carrier-7b")}
    assert {headers["authorization"] for headers in stub.headers} == {"Bearer s3cret"}
    named = proven.certificate.model
    assert (named.model, named.version, named.digest[-1], named.sampling.temperature) == ("carrier-7b", "3", "7", 0)
    assert "certificate.remark.model" in [remark.code for remark in proven.certificate.remarks]
    assert replay_trial(tmp_path / "out").verdict is Verdict.ACCEPT, "the stub is gone"
    written = {path: path.read_text(errors="ignore") for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert not any("s3cret" in words for words in written.values())
    pages = [words for path, words in written.items() if path.name.startswith("report") and path.suffix == ".html"]
    assert pages and all("carrier-7b" in page and "temperature 0.0, max_tokens 20" in page for page in pages)
    assert "picture.step" not in "".join(pages) and "report.door" not in "".join(pages)


@pytest.mark.prove
def test_a_program_in_another_language_asks_by_its_answers(base, tmp_path, monkeypatch):
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    with serving(Stub(room_of)) as stub:
        scenario, application = write_scenario(tmp_path), write_agent(tmp_path, IN_SHELL)
        (application / "application.yaml").write_text(
            MANIFEST.format(name="shell") + "runtime: command\ncommand: [python, app.py]\n"
        )
        open_the_door(scenario, stub)
        manifest = scenario / "scenario.yaml"
        manifest.write_text(manifest.read_text().replace('"key": "CARRIER", ', ""))
        report = prove(base, scenario, application, tmp_path / "out").report
    assert report.verdict is Verdict.ACCEPT and report.door.use.calls == 6


HOSTILE = f"""{CLIENT}
import os, threading


def asked(body):
    door = Door(os.environ["PILOTBASE_DOOR"])
    door.request("POST", "/v1/chat/completions", body)
    return door.getresponse().status


def connected(sends=b""):
    plain = socket.socket(socket.AF_UNIX)
    plain.connect(os.environ["PILOTBASE_DOOR"])
    plain.sendall(sends)
    return plain


def agent():
    return act


def act(seen):
    question = json.dumps({{"messages": [{{"role": "user", "content": "a red room"}}]}})
    room = re.search(r"(red|green|blue|white) (?:room|房间)", seen["task"]).group(1)
    if room == "red":
        held = [connected(b"POST /v1/chat/completions HTTP/1.1\\r\\n") for _ in range(1000)]
    if room == "green":
        assert asked(b"x" * 10_000_000) == 413 and asked(b"[" * 500_000) == 400
    if room == "blue":
        assert connected(b"\\x00\\xff no words of HTTP \\r\\n\\r\\n").recv(100) is not None
    if room == "white":
        threading.Thread(target=asked, args=(question,), daemon=True).start()
    elif room != "red":
        assert asked(question) == 200
    return [{{"done": True}}]
"""


@pytest.mark.prove
def test_what_floods_or_garbles_the_door_ends_its_own_episode_at_most(base, tmp_path, monkeypatch):
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    with serving(Stub(room_of)) as stub:
        scenario = write_scenario(tmp_path, hidden=24, cases=24)
        open_the_door(scenario, stub)
        manifest = scenario / "scenario.yaml"
        manifest.write_text(manifest.read_text().replace('"key": "CARRIER", ', ""))
        report = prove(base, scenario, write_agent(tmp_path, HOSTILE), tmp_path / "out").report
    assert report.counts["answered"] == 24
    ends = {room: [] for room in ("red", "green", "blue", "white")}
    for transcript in polars.read_parquet(tmp_path / "out" / "records.parquet")["prediction"]:
        task = json.loads(transcript.split("\n")[0])["task"]
        ends[re.search(r"(red|green|blue|white) (?:room|房间)", task).group(1)].append(end_of(transcript))
    assert {end["end"] for room in ("green", "blue", "white") for end in ends[room]} == {"done"}, ends
    assert all(end["model_calls"] == 1 for room in ("green", "blue") for end in ends[room])
