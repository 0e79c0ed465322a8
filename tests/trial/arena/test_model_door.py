"""Through the door an application asks a model of the base: metered, recorded, and nothing reaches further."""

import http.client
import json
import socket
import threading
import time
from contextlib import suppress
from types import SimpleNamespace

import httpx2
import numpy as np
import pytest

from pilotbase.documents.door import ModelDoor
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.transcript import end_of, read_transcript
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.protocols.frames import AnswerBatch
from pilotbase.protocols.guarded_http import GuardedHttp
from pilotbase.protocols.mcp_wire import answer as answer_mcp
from pilotbase.sandbox.adapters import agent_door
from pilotbase.sandbox.adapters.acting import ActingEpisode
from pilotbase.sandbox.adapters.agent_door import AgentEpisode
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.endpoints import asking
from pilotbase.sandbox.endpoints.calls import CallLog
from pilotbase.trial.arena import model_door
from pilotbase.trial.arena import stage as stages
from pilotbase.trial.arena.model_door import OpenDoor, RelayedModel
from pilotbase.trial.arena.references import RecordedPlayer
from pilotbase.trial.arena.stage import EpisodeStage
from tests.sandbox.endpoints.stubs_for_tests import Stub, nobody, serving, until
from tests.sandbox.endpoints.test_acting import calling
from tests.trial.arena.in_process import key, played
from tests.trial.arena.test_stage import Player, World, batch

PERIOD = {"since": "2020-01-01", "until": "2099-12-31"}
PRICES = {"currency": "CNY", "prompt": "0.1", "completion": "1"}
"""A call of `calling`, 50 tokens and 5, costs 0.01."""
SAMPLING = {"temperature": 0, "max_tokens": 20}
QUESTION = {"model": "base", "messages": [{"role": "user", "content": "Which room?"}]}


class Unhurried(World):
    """An episode has more of the application's own time than a busy machine uses up."""

    def __init__(self):
        self.kept = SimpleNamespace(world=SimpleNamespace(episode=SimpleNamespace(seconds=600.0)))


class Thinking(Player):
    """Stands for the box of an application: its adapter and its door, in this process."""

    def __init__(self, episode):
        super().__init__()
        self.answer = episode.act if isinstance(episode, AgentEpisode) else episode.answer

    def predict(self, given):
        (observation,) = given.columns["observation"]
        return AnswerBatch(np.array([self.answer(json.loads(observation))], dtype=object))


def acting(act):
    return lambda: Thinking(ActingEpisode(act, lambda: agent_door))


def speaking_mcp(run):
    return lambda: Thinking(AgentEpisode(run, answer_mcp))


def door_to(stub, allowed=("127.0.0.1",), **terms):
    model = {"url": stub.url, "model": "carrier-7b", "period": PERIOD, "prices": PRICES, "calls_per_second": 10_000}
    given = {"model": model | terms.pop("model", {}), "sampling": SAMPLING, **terms}
    terms = ModelDoor.model_validate(given)
    return OpenDoor(terms, RelayedModel(terms.endpoint, GuardedHttp(allowed), None, CallLog(None, b"")))


def transcripts(start, stub, count=1, **terms):
    """Return transcripts of episodes in which an application may ask ``stub``, played on a stage."""
    with EpisodeStage(lambda contract, settings: start(), Unhurried(), BoxSettings(), door_to(stub, **terms)) as stage:
        return list(stage.predict(batch(count)).values)


def post(body, path="/v1/chat/completions", **headers):
    """Send one request to the door as an ordinary client; return status and what came back."""
    with httpx2.Client(transport=httpx2.HTTPTransport(uds=agent_door.os.environ[agent_door.DOOR])) as client:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        found = client.post(f"http://door{path}", content=content, headers=headers, timeout=120)
    return found.status_code, found.json() if found.headers["content-type"] == "application/json" else found.text


def once(ask):
    """Act once: ask what ``ask`` does, and end the episode."""

    def act(observation):
        ask()
        return [{"done": True}]

    return act


def lines_of(transcript):
    return [line for line in read_transcript(transcript) if line["kind"] == "model"]


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch):
    monkeypatch.setattr(asking, "FIRST_WAIT_SECONDS", 0.001)


@pytest.mark.parametrize("form", [acting, speaking_mcp])
def test_a_request_is_asked_with_the_plans_sampling_and_recorded_without_its_words(form):
    told = []

    def ask(*_):
        wishes = {"temperature": 1.5, "seed": 4, "n": 3, "store": True}
        told.append(post({**QUESTION, **wishes, "tools": [tool("move")], "max_tokens": 9999}))
        return [{"done": True}]

    with serving(Stub(lambda body: calling(("move", '{"room": "red"}'), words="There."))) as stub:
        (transcript,) = transcripts(form(ask), stub)
    (asked,) = stub.asked
    assert asked == {"model": "carrier-7b", "messages": QUESTION["messages"], "tools": [tool("move")], **SAMPLING}
    ((status, answered),) = told
    assert status == 200 and answered["model"] == "base" and answered["usage"]["total_tokens"] == 55
    (choice,) = answered["choices"]
    assert choice["finish_reason"] == "tool_calls" and choice["message"]["content"] == "There."
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "move", "arguments": '{"room": "red"}'}
    (line,) = lines_of(transcript)
    assert (line["turn"], line["dropped"], line["cost"], line["answered"]) == (1, 5, "0.01", True)
    assert line["prompt_tokens"] + line["completion_tokens"] == 55 and "There." not in json.dumps(line)
    end = end_of(transcript)
    assert (end["model_calls"], end["tokens"], end["cost"], end["model_refused"]) == (1, 55, "0.01", 0)


def test_a_replay_derives_the_transcript_again_without_the_model():
    def ask():
        post(QUESTION)
        assert post({"messages": []})[0] == 400
        assert post(QUESTION)[0] == 429

    with serving(Stub(lambda body: calling(words="Red."))) as stub:
        (transcript,) = transcripts(acting(once(ask)), stub, calls=1)
    assert lines_of(transcript)[1]["refused"] == {"invalid_request": 1, "budget_exhausted": 1}
    seed = f"{0:064x}"
    assert played(RecordedPlayer(read_transcript(transcript)), seed=seed) == transcript
    assert key(seed).name == read_transcript(transcript)[0]["episode"]


@pytest.mark.parametrize(
    ("budget", "answered"),
    [({"calls": 2}, 2), ({"tokens": 200}, 1), ({"cost": "0.05"}, 2)],
    ids=["calls", "tokens", "cost"],
)
def test_what_would_exceed_the_budget_is_not_asked_and_the_next_episode_has_its_own(budget, answered):
    statuses = []
    with serving(Stub(lambda body: calling(words="x"))) as stub:
        found = transcripts(
            acting(once(lambda: statuses.append([post(QUESTION)[0] for _ in range(4)]))), stub, 2, **budget
        )
    assert statuses == 2 * [answered * [200] + (4 - answered) * [429]]
    assert len(stub.asked) == 2 * answered
    for end in map(end_of, found):
        assert (end["end"], end["model_calls"], end["model_refused"]) == ("done", answered, 4 - answered)


def test_a_stream_is_one_chunk_and_a_list_of_models_has_one_name():
    told = []

    def ask():
        told.append(post({**QUESTION, "stream": True, "stream_options": {"include_usage": True}})[1])
        with httpx2.Client(transport=httpx2.HTTPTransport(uds=agent_door.os.environ[agent_door.DOOR])) as client:
            told.append(client.get("http://door/v1/models").json())

    with serving(Stub(lambda body: calling(("look", "{}")))) as stub:
        transcripts(acting(once(ask)), stub)
    assert "stream" not in stub.asked[0]
    events = [json.loads(one[6:]) for one in told[0].split("\n\n") if one.startswith("data: {")]
    assert told[0].endswith("data: [DONE]\n\n") and len(events) == 3
    assert events[0]["choices"][0]["delta"]["tool_calls"][0]["index"] == 0
    assert events[2]["usage"]["total_tokens"] == 55
    assert [one["id"] for one in told[1]["data"]] == ["base"]


def raw(data):
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(5)
        plain.connect(agent_door.os.environ[agent_door.DOOR])
        plain.sendall(data)
        plain.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while plain.recv(65536):
                pass


def tool(name, kind="function"):
    return {"type": kind, "function": {"name": name, "parameters": {"type": "object"}}}


def test_hostile_requests_get_an_error_and_reach_no_model():
    image = [{"type": "image_url", "image_url": {"url": "http://169.254.169.254/"}}]
    expected = {
        b"[" * 200_000: 400,
        b'{"messages": ' + b"[" * 200 + b"]" * 200 + b"}": 400,
        b'{"messages": [{"role": "user", "content": "x"}], "tool_choice": NaN}': 400,
        b"\xff\xfe": 400,
        b"[]": 400,
        json.dumps({**QUESTION, "messages": [{"role": "user", "content": image}]}).encode(): 400,
        json.dumps({**QUESTION, "tools": [{"type": "web_search"}]}).encode(): 400,
        json.dumps({**QUESTION, "tool_choice": {"type": "mcp"}}).encode(): 400,
        json.dumps({**QUESTION, "messages": [{"role": "root", "content": "x"}]}).encode(): 400,
        json.dumps({**QUESTION, "messages": [{"role": "user", "content": "x" * 2_000_000}]}).encode(): 413,
    }
    found = []

    def ask():
        found.extend(post(body)[0] for body in expected)
        found.append(post(b"{}", path="/v1/embeddings")[0])
        found.append(post(b"{}", path="/mcp")[0])
        door = http.client.HTTPConnection("door")
        door.sock = socket.socket(socket.AF_UNIX)
        door.sock.connect(agent_door.os.environ[agent_door.DOOR])
        door.putrequest("POST", "/v1/chat/completions")
        door.putheader("Content-Length", "10000000")
        door.endheaders()
        found.append(door.getresponse().status)
        raw(b"\x00\x01\x02 these are no words of HTTP\r\n\r\n")
        raw(b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n")
        assert post({**QUESTION, "messages": [{"role": "user", "content": "\ud800"}]})[0] == 200

    with serving(Stub(lambda body: calling(words="\ud800 still there"))) as stub:
        (transcript,) = transcripts(acting(once(ask)), stub)
    assert found == [*expected.values(), 404, 404, 413]
    assert len(stub.asked) == 1 and stub.asked[0]["messages"][0]["content"] == "?"
    assert end_of(transcript)["end"] == "done" and end_of(transcript)["model_calls"] == 1


def test_without_a_door_in_the_scenario_there_is_no_model():
    seen = []

    def run(task, door):
        seen.append(post(QUESTION)[0])

    stage = EpisodeStage(lambda contract, settings: speaking_mcp(run)(), Unhurried(), BoxSettings())
    with stage:
        (transcript,) = stage.predict(batch()).values
    assert seen == [404] and "model_calls" not in end_of(transcript)


def test_many_calls_at_once_are_asked_one_after_the_other_within_the_budget():
    statuses = []

    def ask():
        threads = [threading.Thread(target=lambda: statuses.append(post(QUESTION)[0])) for _ in range(40)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    with serving(Stub(lambda body: calling(words="x"))) as stub:
        (transcript,) = transcripts(acting(once(ask)), stub, calls=5)
    assert sorted(statuses) == 5 * [200] + 35 * [429] and len(stub.asked) == 5
    assert end_of(transcript)["model_refused"] == 35


def test_requests_without_end_and_a_call_after_the_end_cost_nobody_anything(monkeypatch):
    monkeypatch.setattr(model_door, "MOST_REFUSED", 20)

    def flood(observation):
        while True:
            post({"messages": []})

    def ask_late():
        with suppress(httpx2.ReadTimeout):
            post(QUESTION)

    def linger(observation):
        threading.Thread(target=ask_late, daemon=True).start()
        return [{"done": True}]

    with serving(Stub(lambda body: calling(words="x"))) as stub:
        (flooded,) = transcripts(acting(flood), stub)
        assert end_of(flooded)["end"] == "model_requests"
        # Whether the late call comes before the end is the application's own race; afterwards nothing is asked.
        (ended,) = transcripts(acting(linger), stub)
        asked = len(stub.asked)
        time.sleep(0.05)
        assert len(stub.asked) == asked == end_of(ended).get("model_calls", 0) and end_of(ended)["end"] == "done"


@pytest.mark.parametrize("fault", ["status:500", "html", "schema", "reset", "busy:0"])
def test_a_model_that_fails_is_retried_told_and_asked_again_next_time(fault):
    statuses = []
    with serving(Stub(lambda body: calling(words="x"), lambda number: fault if 0 <= number < 5 else "")) as stub:
        (transcript,) = transcripts(acting(once(lambda: statuses.extend(post(QUESTION)[0] for _ in range(2)))), stub)
    assert statuses == [503, 200] and len(stub.asked) == 6
    assert [line["answered"] for line in lines_of(transcript)] == [False, True]
    assert end_of(transcript)["model_calls"] == 2


def test_a_request_that_the_model_refuses_is_told_at_once():
    statuses = []
    with serving(Stub(lambda body: calling(words="x"), lambda number: "status:400" if number >= 0 else "")) as stub:
        transcripts(acting(once(lambda: statuses.extend(post(QUESTION)[0] for _ in range(7)))), stub)
    assert statuses == 7 * [400] and len(stub.asked) == 7


def test_a_model_that_is_gone_stops_the_run_and_is_no_end_of_the_application():
    with serving(Stub(lambda body: {}, lambda number: "status:404")) as stub, pytest.raises(PilotbaseError) as lost:
        transcripts(acting(once(lambda: [post(QUESTION) for _ in range(9)])), stub)
    assert lost.value.code == "world.model_lost" and len(stub.asked) == model_door.MOST_UNANSWERED
    with pytest.raises(PilotbaseError):
        door_to(SimpleNamespace(url=nobody()))


def test_time_of_the_model_is_not_the_applications_own(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(stages, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def take_long(_=None):
        now[0] += 1000
        return calling(words="x")

    with serving(Stub(take_long)) as stub:
        (waited,) = transcripts(acting(once(lambda: post(QUESTION))), stub)
        (worked,) = transcripts(acting(once(take_long)), stub)
    assert (end_of(waited)["end"], end_of(worked)["end"]) == ("done", "seconds")


def test_a_stop_reaches_an_application_that_waits_for_a_model():
    with serving(Stub(lambda body: calling(words="x"), lambda number: "hang" if number >= 0 else "")) as stub:
        door = door_to(stub, model={"timeout": 600})
        stage = EpisodeStage(lambda *_: acting(once(lambda: post(QUESTION)))(), Unhurried(), BoxSettings(), door)
        stopping = threading.Thread(target=lambda: until(lambda: stub.asked) and stage.cancel())
        stopping.start()
        with pytest.raises(BoxEnded) as ended, stage:
            stage.predict(batch())
        stopping.join()
    assert ended.value.reason is EndReason.CANCELLED, "long before the model's time is over"


def test_a_cost_without_prices_is_told_when_the_scenario_is_read():
    model = {"url": "http://127.0.0.1:1/v1", "model": "m", "period": PERIOD}
    given = {
        "document": "scenario/1", "name": "s", "title": "s", "owner": {"organisation": "o"}, "problem": "p",
        "task": "agent", "world": {"name": "office", "hidden": 4, "door": {"model": model, "cost": 1}},
    }  # fmt: skip
    with pytest.raises(PilotbaseError) as refused:
        build_document(Scenario, parse_yaml(json.dumps(given).encode(), "scenario.yaml"))
    assert "world.door.cost" in refused.value.render("en")


@pytest.mark.prove
@pytest.mark.parametrize("form", [acting, speaking_mcp])
def test_the_official_client_asks_unmodified(form):
    import openai

    told = []

    def ask(*_):
        transport = httpx2.HTTPTransport(uds=agent_door.os.environ[agent_door.DOOR])
        with httpx2.Client(transport=transport) as http_client:
            client = openai.OpenAI(base_url="http://door/v1", api_key="none", http_client=http_client)
            told.append([one.id for one in client.models.list()])
            first = client.chat.completions.create(
                model="base", messages=QUESTION["messages"], tools=[tool("move")], temperature=1
            )
            told.append(first.choices[0].message.tool_calls[0].function.name)
            stream = client.chat.completions.create(model="base", messages=QUESTION["messages"], stream=True)
            told.append([one.choices[0].delta for one in stream])
            with pytest.raises(openai.RateLimitError) as over:
                client.chat.completions.create(model="base", messages=QUESTION["messages"])
            told.append(over.value.code)
        return [{"done": True}]

    with serving(Stub(lambda body: calling(("move", "{}")))) as stub:
        (transcript,) = transcripts(form(ask), stub, calls=2)
    assert told[:2] == [["base"], "move"] and told[2][0].tool_calls[0].function.name == "move"
    assert told[3] == "budget_exhausted" and end_of(transcript)["model_refused"] == 1, "the client does not try again"
    assert end_of(transcript)["model_calls"] == 2
