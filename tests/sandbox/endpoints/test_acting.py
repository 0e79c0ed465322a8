"""An agent behind OpenAI's API acts in an episode: tools are offered, calls carried out, their results go back."""

import json
import re

import numpy as np
import pytest

from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.endpoint import Endpoint
from pilotbase.documents.limits import Limits
from pilotbase.documents.transcript import end_of
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.protocols.guarded_http import GuardedHttp
from pilotbase.protocols.openai_wire import event_of
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.endpoints import asking
from pilotbase.sandbox.endpoints.calls import CallLog
from pilotbase.sandbox.endpoints.worker import EndpointAccess, EndpointWorker
from tests.sandbox.endpoints.model_servers_for_tests import (
    FORMS,
    response_of,
    speaking,
    streamed,
    streamed_response,
)
from tests.sandbox.endpoints.stubs_for_tests import Stub, serving
from tests.trial.arena.in_process import played

OBSERVED = Contract(
    features=(Field(name="observation", data_type=DataType.TEXT),), prediction=Prediction(kind="text", longest=1 << 20)
)
PROMPT = {"system": "You carry parcels.", "template": "[{language}] {task}", "sampling": {"temperature": 0}}


def calling(*calls, words=None):
    spelled = [
        {"id": f"c{place}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for place, (name, arguments) in enumerate(calls)
    ]
    message = {"role": "assistant", "content": words, **({"tool_calls": spelled} if spelled else {})}
    usage = {"prompt_tokens": 50, "completion_tokens": 5}
    return {"model": "carrier-2026", "choices": [{"message": message}], "usage": usage}


class Acting:
    """The endpoint as the player of one episode."""

    def __init__(self, stub, form="chat", seconds=20.0, version=None, **prompt):
        said = {"protocol": "a2a"} if form == "a2a" else {**FORMS[form], "prompt": {**PROMPT, **prompt}}
        endpoint = Endpoint.model_validate(stub.endpoint(**said, timeout=seconds, version=version))
        limits = Limits(batch_seconds=2 * seconds)
        access, settings = EndpointAccess(GuardedHttp(("127.0.0.1",))), BoxSettings(limits=limits, logs=LogPolicy.FULL)
        self.worker = EndpointWorker(endpoint, OBSERVED, settings, access, CallLog(None, b""))

    def answer(self, observation):
        given = FeatureBatch({"observation": np.array([json.dumps(observation)], dtype=object)}, 1)
        return self.worker.predict(given).values[0]


def carrier(body):
    """Do what the task says, one call after the other."""
    fee, goal = re.search(r"fee of (\d+).* the (\w+) room", body["messages"][1]["content"]).groups()
    done = sum(one["role"] == "tool" for one in body["messages"])
    pay, move = ("pay", json.dumps({"amount": int(fee)})), ("move", json.dumps({"room": goal}))
    return (calling(pay, words="First I pay."), calling(move), calling(words="bye"))[done]


def test_it_pays_moves_and_says_good_bye():
    with serving(Stub(carrier)) as stub:
        player = Acting(stub)
        end = end_of(played(player))
        use = player.worker.use()
        player.worker.close()
    assert end["outcomes"]["reached"] and end["end"] == "done" and end["turns"] == 3
    assert (use.calls, use.prompt_tokens, use.completion_tokens) == (3, 150, 15)
    first, second, _ = stub.asked
    assert first["messages"][0] == {"role": "system", "content": "You carry parcels."}
    assert first["messages"][1]["content"].startswith("[en] Pay the fee") and first["temperature"] == 0
    assert [one["function"]["name"] for one in first["tools"]] == ["look", "move", "pay", "burn"]
    assert first["tools"][2]["function"]["parameters"]["required"] == ["amount"]
    called, result = second["messages"][2:]
    assert called["content"] == "First I pay." and called["tool_calls"][0]["id"] == result["tool_call_id"] == "c0"
    assert result["role"] == "tool" and json.loads(result["content"])["paid"] > 0


def test_each_way_to_speak_with_it_has_the_same_transcript_and_the_same_use():
    transcripts, uses = set(), set()
    for form in FORMS:
        with serving(Stub(speaking(carrier))) as stub:
            player = Acting(stub, form)
            transcripts.add(played(player))
            use = player.worker.use()
            uses.add((use.calls, use.attempts, use.prompt_tokens, use.completion_tokens, use.estimated, use.served))
            player.worker.close()
            assert end_of(max(transcripts))["outcomes"]["reached"], form
    assert len(transcripts) == 1
    assert uses == {(3, 3, 150, 15, 0, ("carrier-2026",))}


def test_a_dialogue_by_responses_keeps_its_roles_and_nothing_at_the_endpoint():
    with serving(Stub(speaking(carrier))) as stub:
        player = Acting(stub, "responses")
        played(player)
        player.worker.close()
    first, second, _ = stub.asked
    assert set(stub.paths) == {"/responses"} and all(one["store"] is False for one in stub.asked)
    assert [one["role"] for one in first["input"]] == ["system", "user"]
    assert (first["temperature"], first["max_output_tokens"]) == (0, 256) and "max_tokens" not in first
    assert first["tools"][2]["name"] == "pay" and first["tools"][2]["parameters"]["required"] == ["amount"]
    assert not any(one["strict"] for one in first["tools"])
    words, called, result = second["input"][2:]
    assert words == {"role": "assistant", "content": "First I pay."} and called["type"] == "function_call"
    assert result["type"] == "function_call_output" and result["call_id"] == called["call_id"] == "c0"
    assert json.loads(result["output"])["paid"] > 0


def test_only_enciphered_reasoning_goes_back():
    def thinking(body):
        response = response_of(calling(("look", "{}")) if len(body["input"]) < 3 else calling(words="bye"))
        response["output"].insert(1, {**response["output"][0], "id": "kept", "encrypted_content": "gAAA"})
        return response

    with serving(Stub(thinking)) as stub:
        player = Acting(stub, "responses")
        played(player)
        player.worker.close()
    thoughts = [one for one in stub.asked[1]["input"] if one.get("type") == "reasoning"]
    assert [one["id"] for one in thoughts] == ["kept"]


def ended_with(response):
    return iter([event_of(json.dumps({"type": f"response.{response['status']}", "response": response}).encode())])


UNNAMED = {"status": "completed", "output": [{"type": "function_call", "name": "pay", "arguments": "{}"}]}
RESPONSES = {
    "failed": ("responses", {"status": "failed", "output": []}),
    "under way": ("responses", {"status": "in_progress", "output": []}),
    "no output": ("responses", {"status": "completed"}),
    "no identity": ("responses", UNNAMED),
    "no content": ("responses", {"status": "completed", "output": [{"type": "message", "content": 5}]}),
    "stream of no identity": ("streamed responses", UNNAMED),
    "failed stream": ("streamed responses", {"status": "failed", "output": []}),
    "stream without end": ("streamed responses", {"status": "in_progress", "output": []}),
}


@pytest.mark.parametrize(("form", "response"), RESPONSES.values(), ids=RESPONSES)
def test_a_response_that_is_no_answer_ends_the_episode_with_its_reason(form, response, monkeypatch):
    monkeypatch.setattr(asking, "FIRST_WAIT_SECONDS", 0.001)
    with serving(Stub(lambda body: ended_with(response) if "stream" in body else response)) as stub:
        player = Acting(stub, form)
        with pytest.raises(BoxEnded) as ended:
            player.answer({"task": "t", "language": "en", "tools": []})
        player.worker.close()
    assert ended.value.end.reason.value == "endpoint_broken_answer"


def test_items_of_a_stream_count_where_its_end_does_not_repeat_them():
    def once(body):
        for event in streamed_response(response_of(calling(("look", "{}")))):
            yield re.sub(rb'("output": \[).*?\](, "parallel)', rb"\1]\2", event)

    with serving(Stub(once)) as stub:
        player = Acting(stub, "streamed responses")
        acts = json.loads(player.answer({"task": "t", "language": "en", "tools": []}))
        player.worker.close()
    assert acts == [{"id": "c0", "tool": "look", "arguments": {}}]


def test_a_stream_is_asked_for_with_its_usage_and_without_one_tokens_are_estimated():
    def untold(body):
        yield from list(streamed(carrier(body)))[:-2]

    with serving(Stub(untold)) as stub:
        player = Acting(stub, "streamed chat")
        assert end_of(played(player))["outcomes"]["reached"]
        use = player.worker.use()
        player.worker.close()
    assert all(one["stream"] and one["stream_options"] == {"include_usage": True} for one in stub.asked)
    assert use.estimated == 3 and use.completion_tokens > 0


def delta(**of):
    return event_of(json.dumps({"choices": [{"index": 0, "delta": of}]}).encode())


def flood(_):
    piece = delta(tool_calls=[{"index": 0, "function": {"arguments": "x" * 10_000}}])
    return (piece for _ in range(1000))


def broken_off(_):
    yield delta(content="I will")
    raise EOFError


def endless(stopping):
    while not stopping.wait(0.05):
        yield delta(content="and ")


def events(*found):
    return lambda _: iter(found)


STREAMS = {
    "breaks off": (broken_off, "endpoint_broken_answer", "closed the connection early"),
    "ends early": (events(delta(content="I"), event_of(b"[DONE]")), "endpoint_broken_answer", "The stream ended"),
    "never ends": (endless, "endpoint_timeout", ""),
    "ten megabytes": (flood, "oversized_answer", ""),
    "an error": (events(event_of(b'{"error": {"message": "no"}}')), "endpoint_broken_answer", "choices"),
    "no event": (events(b"data: {\n\n"), "endpoint_broken_answer", "not JSON"),
    "no call": (events(delta(tool_calls=[{"index": "0"}])), "endpoint_broken_answer", "tool_calls"),
    "no words": (events(delta(content=5)), "endpoint_broken_answer", "delta"),
}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_that_is_no_answer_ends_the_episode_with_its_reason(stream, monkeypatch):
    monkeypatch.setattr(asking, "FIRST_WAIT_SECONDS", 0.001)
    answer, reason, told = STREAMS[stream]
    with serving(Stub(lambda body: answer(stub.stopping))) as stub:
        player = Acting(stub, "streamed chat", seconds=0.3 if reason == "endpoint_timeout" else 20)
        with pytest.raises(BoxEnded) as ended:
            player.answer({"task": "t", "language": "en", "tools": []})
        use = player.worker.use()
        player.worker.close()
    assert ended.value.end.reason.value == reason and told in ended.value.end.detail
    assert (use.calls, use.unanswered, use.attempts) == (1, 1, len(stub.asked))


def test_what_it_may_not_do_comes_back_as_a_result_of_each_call():
    answers = [
        calling(("burn", "{}"), ("pay", "five"), ("fly", "[1]"), ("look", "")),
        calling(words="bye"),
    ]
    with serving(Stub(lambda body: answers[len(body["messages"]) > 2])) as stub:
        player = Acting(stub)
        end = end_of(played(player))
        player.worker.close()
    assert end["tried"] == {"burn": 1, "forbidden": 1, "look": 1, "free": 1} and end["invalid_calls"] == 2
    told = [json.loads(one["content"]) for one in stub.asked[1]["messages"] if one["role"] == "tool"]
    assert [one.get("problem") for one in told] == ["forbidden", "arguments", "unknown_tool", None]


@pytest.mark.parametrize(
    "broken",
    [{"tool_calls": [{"id": 1, "function": {"name": "pay"}}]}, {"tool_calls": [{}]}, {"content": 5}],
    ids=["id", "empty", "content"],
)
def test_an_answer_that_is_none_ends_the_episode_with_its_reason(broken):
    answer = {"model": "m", "choices": [{"message": {"role": "assistant", "content": None, **broken}}]}
    with serving(Stub(lambda body: answer)) as stub:
        player = Acting(stub)
        with pytest.raises(BoxEnded) as ended:
            player.answer({"task": "t", "language": "en", "tools": []})
        player.worker.close()
    assert ended.value.end.reason.value == "endpoint_broken_answer"


def test_what_a_protocol_never_reads_is_told_with_its_field():
    sampling = {"sampling": {"seed": 1, "stop": ["."]}}
    known = Stub(carrier).endpoint(url="https://a.example/v1", stream=True, prompt={**PROMPT, **sampling})

    def told(protocol):
        return {path: problem.render() for path, problem in Endpoint(**{**known, "protocol": protocol}).problems()}

    assert told("openai_chat") == {"stream": "the protocol openai_chat does not use stream: omit it"}
    assert told("openai_responses").keys() == {"prompt.sampling.seed", "prompt.sampling.stop"}
    assert told("openai_tools") == {}


def test_what_does_not_fit_is_told_before_anything_is_sent():
    with serving(Stub(carrier)) as stub, pytest.raises(BoxEnded) as ended:
        Acting(stub, template="{task} {torque}")
    assert ended.value.end.detail == "the template names what no episode tells: torque"
    assert stub.asked == []
