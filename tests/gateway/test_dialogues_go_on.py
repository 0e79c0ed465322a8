"""Dialogues whose gateway is killed or restarted: another process goes on, and no act goes out twice."""

import asyncio
import json

import openai
import pytest
from openai import OpenAI

from pilotbase.documents.texts import text
from pilotbase.documents.transcript import end_of, read_transcript
from pilotbase.gateway.app import make_app, open_gateway
from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.service.consents import consents_of
from pilotbase.service.dialogue_logs import dialogues_of
from pilotbase.service.standing import restore, take_offline
from tests.gateway.agents_for_tests import SCRIPTED, proven_agent, task
from tests.gateway.gateways_for_tests import Live, serving
from tests.gateway.test_agents import BURN, DONE, LOOK, PAY, Caller, act_of, decide, gone, told
from tests.gateway.test_kills import Gateway
from tests.gateway.test_mcp_and_a2a import A2aClient, McpClient, data_of
from tests.gateway.test_model_agents import ASKING, BUDGET, heard, models
from tests.sandbox.endpoints.stubs_for_tests import until
from tests.trial.arena.test_model_trials import open_the_door

__all__ = ["models"]
pytestmark = pytest.mark.prove
FORGETFUL = SCRIPTED.replace(
    '        if acts == "exit":',
    """        if acts == "chance":
            acts = [{"say": os.urandom(8).hex()}]
        if acts == "exit":""",
)


@pytest.fixture(scope="module")
def place():
    with proven_agent(FORGETFUL) as place:
        yield place


class Killed:
    """A gateway of a process of its own, and the next one once it was killed."""

    def __init__(self, place):
        self.home, self.gateway = place.base.home.path, None
        self.next()

    def next(self):
        if self.gateway is not None:
            self.gateway.kill()
        self.gateway = Gateway(self.home)
        return self.gateway

    @property
    def url(self):
        return self.gateway.url


@pytest.fixture
def killed(place):
    killed = Killed(place)
    yield killed
    killed.gateway.kill()


class Returning(Caller):
    """A caller that finds the next gateway where the last one was killed."""

    def next(self, killed):
        self.client = self.client.copy(base_url=f"{killed.next().url}/v1")


def logs(place, name):
    return sorted((dialogues_of(place.base.home.path) / name).glob("*.jsonl"))


def rulings(caller):
    """Return what the fence ruled in each dialogue that has ended."""
    return [
        [line["ruling"] for line in read_transcript(transcript) if line["kind"] == "call"]
        for _, transcript in caller.observed()
    ]


def test_between_turns_the_next_process_goes_on_with_the_same_dialogue(place, killed, name):
    caller = Returning(place, killed, name)
    first = caller.say(task([LOOK], "tell", [LOOK], [{"say": "Good-bye."}, DONE]))
    caller.next(killed)
    second = caller.result({"room": "red"})
    assert json.loads(second.choices[0].message.content)[0]["content"] == {"room": "red"}
    assert told(second)["dialogue"] == told(first)["dialogue"]
    caller.next(killed)
    assert act_of(caller.say("And again?")) == ("look", {})
    last = caller.result({"room": "blue"})
    caller.next(killed)
    caller.messages.pop()
    assert told(caller.send()) == told(last), "the last words are found again, too"
    assert told(last)["ended"] == "done"
    ((end, transcript),) = caller.observed()
    assert end == "answered" and end_of(transcript)["done"] == {"look": 2, "free": 2}


def test_a_call_that_went_out_keeps_its_name_and_is_carried_out_once(place, killed, name):
    caller = Returning(place, killed, name)
    caller.say(task([LOOK], [LOOK], [DONE]))
    (call,) = caller.messages.pop().tool_calls
    caller.next(killed)
    again = caller.again()  # the first request of all begins another dialogue
    assert act_of(again) == ("look", {})
    caller.messages.append(again.choices[0].message)
    caller.result({"room": "red"})
    (asked,) = caller.messages.pop().tool_calls
    caller.next(killed)
    caller.send()
    assert caller.messages[-1].tool_calls[0] == asked != call


def test_a_stream_goes_on_like_a_whole_answer(place, killed, name):
    caller = Returning(place, killed, name)
    caller.say(task([LOOK], [{"say": "Red."}, LOOK]))
    (asked,) = caller.messages[-1].tool_calls
    caller.next(killed)
    caller.messages.append({"role": "tool", "tool_call_id": asked.id, "content": "{}"})
    chunks = list(caller.again(stream=True))
    (delta,) = [one.choices[0].delta for one in chunks if one.choices[0].delta.tool_calls]
    assert delta.content == "Red." and delta.tool_calls[0].function.name == "look"


def test_in_the_middle_of_a_turn_the_same_request_finds_its_answer(place, killed, name):
    caller = Returning(place, killed, name)
    caller.say(task([LOOK], "sleep", [LOOK], [DONE]))
    (asked,) = caller.messages[-1].tool_calls
    caller.messages.append({"role": "tool", "tool_call_id": asked.id, "content": '{"room": "red"}'})
    with pytest.raises(openai.APITimeoutError):
        caller.client.with_options(timeout=0.5).chat.completions.create(model=name, messages=caller.messages)
    caller.next(killed)
    assert caller.send().choices[0].message.content == "awake"
    assert act_of(caller.say("?")) == ("look", {})


def test_a_consent_waits_across_the_kill_is_asked_once_and_given_for_one_act(place, killed, name):
    caller = Returning(place, killed, name)
    waits = told(caller.say(task([PAY, PAY], [DONE])))["consent"]
    caller.next(killed)
    assert told(caller.say("?"))["consent"] == waits
    decide(place, caller, True)
    caller.next(killed)
    assert act_of(caller.say("?")) == ("pay", {"amount": 7})
    (asked,) = caller.messages[-1].tool_calls
    caller.next(killed)
    caller.messages.pop()
    caller.send()
    assert caller.messages[-1].tool_calls[0] == asked
    again = told(caller.result({"paid": 7}))["consent"]
    assert again["consent"] != waits["consent"] and len(consents_of(place.base.lab.view, name)) == 2
    decide(place, caller, False, consent=again["consent"])
    caller.next(killed)
    assert told(caller.say("?"))["ended"] == "done"
    assert rulings(caller) == [["consented", "declined"]]


def test_an_agent_that_says_something_else_when_played_again_is_ended(place, killed, name):
    caller = Returning(place, killed, name)
    caller.say(task("chance", [LOOK]))
    caller.next(killed)
    last = caller.say("Go on.")
    assert told(last)["ended"] == "said_otherwise" and last.choices[0].message.tool_calls is None
    ((end, transcript),) = caller.observed()
    assert (end, end_of(transcript)["end"], end_of(transcript)["tried"]) == ("cancelled", "said_otherwise", {})


def test_what_nobody_goes_on_with_is_recorded_as_left_and_its_log_goes(place, killed, name):
    caller = Returning(place, killed, name, idle_seconds=20)
    caller.say(task([BURN, LOOK]))
    assert [path.stat().st_mode & 0o777 for path in logs(place, name)] == [0o600]
    caller.next(killed)
    ended = []
    assert until(lambda: ended.extend(caller.observed()) or bool(ended))
    assert [(end, end_of(transcript)["end"]) for end, transcript in ended] == [("cancelled", "caller_left")]
    assert end_of(ended[0][1])["tried"]["burn"] == 1
    assert until(lambda: not logs(place, name))


def test_a_stop_that_came_while_no_process_led_it_holds(place, killed, name):
    caller = Returning(place, killed, name)
    caller.say(task([LOOK], [PAY]))
    killed.gateway.kill()
    for order in (take_offline, restore):
        order(place.base.lab.view, name, text("service.reason.by_hand", reason="a test"))
    caller.next(killed)
    (asked,) = caller.messages[-1].tool_calls
    caller.messages.append({"role": "tool", "tool_call_id": asked.id, "content": "{}"})
    gone(caller)
    ended = []
    assert until(lambda: ended.extend(caller.observed()) or bool(ended))
    assert [end_of(transcript)["end"] for _, transcript in ended] == ["stopped"]


def test_a_dialogue_is_its_keys_after_the_kill_too_and_led_by_one_process(place, killed, name):
    caller = Returning(place, killed, name)
    caller.say(task([LOOK], "tell"))
    honest, other = list(caller.messages), Gateway(place.base.home.path)
    try:
        (asked,) = honest[-1].tool_calls
        caller.messages = [*honest, {"role": "tool", "tool_call_id": asked.id, "content": "{}"}]
        mine, caller.client = caller.client, caller.client.copy(base_url=f"{other.url}/v1")
        gone(caller)
        killed.gateway.kill()
        caller.client = OpenAI(base_url=f"{other.url}/v1", api_key=place.key(name), max_retries=0)
        gone(caller)
        caller.client = mine.copy(base_url=f"{other.url}/v1")
        assert json.loads(caller.again().choices[0].message.content)[0]["content"] == {}
    finally:
        other.kill()


def test_a_restart_in_good_order_leaves_dialogues_to_the_next_process(place, name):
    def run(use):
        gateway = open_gateway(place.base.lab, GatewayConfiguration())
        with serving(make_app(gateway, place.base.lab)) as url:
            return use(Live(url, gateway))

    def goes_on(live):
        caller.client = caller.client.copy(base_url=f"{live.url}/v1")
        return json.loads(caller.result({"room": "red"}).choices[0].message.content)

    def begun(caller):
        caller.say(task([LOOK], "tell"))
        return caller

    caller = run(lambda live: begun(Caller(place, live, name)))
    assert caller.observed() == []
    assert run(goes_on)[0]["content"] == {"room": "red"}


def test_by_mcp_a_dialogue_goes_on_between_and_in_the_middle_of_turns(place, killed, name):
    place.serve(name, timeout_seconds=120, workers=2)
    client = McpClient(killed, name, place.key(name))

    def after_kill():
        client.url = f"{killed.next().url}/mcp/{name}"

    first, _ = client.call("begin", task=task([LOOK], "tell", "sleep", [PAY], [DONE]))
    after_kill()
    given = {"dialogue": first["dialogue"], "call": first["call"]["call"], "result": {"room": "red"}}
    second, failed = client.call("go_on", **given)
    assert not failed and json.loads(second["words"])[0]["content"] == {"room": "red"}
    after_kill()
    assert client.call("go_on", **given)[0] == second, "the same result again is the same answer"
    breaks_off(client, first["dialogue"])
    after_kill()
    assert client.call("go_on", dialogue=first["dialogue"])[0]["words"] == "awake"
    waits, _ = client.call("go_on", dialogue=first["dialogue"], words="Pay.")
    after_kill()
    decide(place, client, granted=True, consent=waits["consent"]["consent"])
    paid, _ = client.call("go_on", dialogue=first["dialogue"])
    after_kill()
    assert client.call("go_on", dialogue=first["dialogue"])[0]["call"] == paid["call"]
    stranger = McpClient(killed, name, place.key(name))
    assert stranger.call("go_on", dialogue=first["dialogue"])[0]["problem"] == "gateway.unknown_dialogue"
    assert client.call("go_on", dialogue="../" + first["dialogue"])[0]["problem"] == "gateway.unknown_dialogue"
    last, _ = client.call("go_on", dialogue=first["dialogue"], call=paid["call"]["call"], result="paid")
    assert last["ended"] == "done"


def breaks_off(client, dialogue):
    """Send words to which the answer takes a while, and go."""

    async def sent():
        _, writer = await asyncio.open_connection(*client.url.removeprefix("http://").partition("/")[0].split(":"))
        params = {"name": "go_on", "arguments": {"dialogue": dialogue, "words": "Go on."}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        head = f"POST /mcp/{client.name} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.key}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        await asyncio.sleep(0.5)
        writer.close()

    asyncio.run(sent())


def test_by_a2a_a_task_goes_on_and_is_found_by_its_name_and_its_messages(place, killed, name):
    place.serve(name, timeout_seconds=120, workers=2)
    a2a, words = A2aClient(killed, name, place.key(name)), task([LOOK], "sleep", [PAY], [{"say": "Bye."}, DONE])

    def after_kill():
        a2a.url = f"{killed.next().url}/a2a/{name}"

    begun = a2a.send({"text": words})
    call = data_of(begun)["call"]
    after_kill()
    found = a2a.send({"text": words}, again=True)
    assert (found["id"], found["status"]["state"]) == (begun["id"], "TASK_STATE_INPUT_REQUIRED")
    assert data_of(found)["call"] == call, "the first message again begins no second dialogue"
    works = a2a.stream({"data": {"call": call["call"], "result": {}}}, task=begun)
    assert next(works)["task"]["status"]["state"] == "TASK_STATE_WORKING"
    (log,) = logs(place, name)
    assert until(lambda: b'"heard"' in log.read_bytes())
    after_kill()
    works.close()
    *_, update = a2a.streamed("SubscribeToTask", id=begun["id"])
    assert update["statusUpdate"]["status"]["message"]["parts"] == [{"text": "awake"}]
    waits = a2a.send({"text": "Pay."}, task=begun)
    assert waits["status"]["state"] == "TASK_STATE_AUTH_REQUIRED"
    after_kill()
    assert data_of(a2a.ask("GetTask", id=begun["id"])) == data_of(waits)
    assert data_of(a2a.send({"text": "Pay."}, task=begun, again=True)) == data_of(waits)
    place_of = type("Named", (), {"name": name})
    decide(place, place_of, granted=True, consent=data_of(waits)["consent"]["consent"])
    paid = a2a.send({"text": ""}, task=begun)
    after_kill()
    assert data_of(a2a.ask("GetTask", id=begun["id"])) == data_of(paid)
    other = A2aClient(killed, name, place.key(name))
    assert other.ask("GetTask", id=begun["id"])["code"] == -32001
    assert a2a.send({"data": {"call": data_of(paid)["call"]["call"], "result": 1}}, task=begun)["status"]["state"] == (
        "TASK_STATE_COMPLETED"
    )
    after_kill()
    ended = a2a.ask("GetTask", id=begun["id"])
    assert (
        ended["artifacts"][0]["parts"] == [{"text": "Bye."}] and a2a.send({"text": "?"}, task=begun)["code"] == -32004
    )


def test_by_a2a_a_task_whose_process_is_gone_can_be_cancelled(place, killed, name):
    place.serve(name, timeout_seconds=120, workers=1)
    a2a = A2aClient(killed, name, place.key(name))
    begun = a2a.send({"text": task([LOOK], [PAY])})
    a2a.url = f"{killed.next().url}/a2a/{name}"
    assert a2a.ask("CancelTask", id=begun["id"])["status"]["state"] == "TASK_STATE_CANCELED"
    assert until(lambda: a2a.send({"text": task([DONE])}).get("status", {}).get("state") == "TASK_STATE_COMPLETED")


def test_what_the_model_answered_is_neither_asked_nor_paid_for_again(models, name, monkeypatch):
    with proven_agent(ASKING, change=lambda scenario: open_the_door(scenario, models.there, **BUDGET)) as place:
        killed = Killed(place)
        caller, before = Returning(place, killed, name), len(models.there.asked)
        assert heard(caller.say(task({"ask": ["a", "b"]}, {"ask": ["c", "d"]}, [DONE]))) == ["heard a", "heard b"]
        caller.next(killed)
        second = caller.say("More.")
        assert heard(second) == ["heard c", 429] and second.usage.total_tokens == 55, "the budget is the dialogue's"
        assert told(caller.say("Bye."))["ended"] == "done"
        asked = [one["messages"][0]["content"] for one in models.there.asked[before:]]
        assert asked == ["a", "b", "c"]
        ((_, transcript),) = caller.observed()
        assert (end_of(transcript)["model_calls"], end_of(transcript)["tokens"]) == (3, 165)
        killed.gateway.kill()
