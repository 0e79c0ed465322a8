"""Services called by MCP and A2A: the same key, fence, consents and record as by chat."""

import asyncio
import json
import sys
import urllib.error
import urllib.request

import httpx2
import pytest

from benchmarks.peers.environments import site_packages
from pilotbase.documents.transcript import end_of
from pilotbase.gateway import a2a_routes
from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.protocols.mcp_wire import VERSION
from pilotbase.service.draining import drain
from pilotbase.service.journal import journals_of
from pilotbase.service.terms import list_keys, revoke_key
from tests.gateway.agents_for_tests import live_over, proven_agent, task
from tests.gateway.gateways_for_tests import CASE, listening, proven
from tests.gateway.test_agents import BURN, DONE, LOOK, PAY, decide
from tests.sandbox.endpoints.stubs_for_tests import until

pytestmark = pytest.mark.prove


class McpClient:
    """A client of the revision that has no session, by hand."""

    def __init__(self, live, name, key):
        self.url, self.key, self.name = f"{live.url}/mcp/{name}", key, name

    def ask(self, method, **params):
        meta = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
        headers = {
            "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
            "Mcp-Protocol-Version": VERSION, "Mcp-Method": method, "Authorization": f"Bearer {self.key}",
        }  # fmt: skip
        request = urllib.request.Request(self.url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["result"]

    def call(self, tool, **arguments):
        found = self.ask("tools/call", name=tool, arguments=arguments)
        return found.get("structuredContent", found["content"][0]["text"]), found["isError"]


@pytest.fixture(scope="module")
def place():
    with proven_agent() as place:
        yield place


live = live_over()


@pytest.fixture
def client(place, live, name):
    place.serve(name, timeout_seconds=120, workers=2)
    return McpClient(live, name, place.key(name))


def test_an_agent_is_led_by_calls_of_two_tools_and_its_dialogue_is_on_record(place, client):
    assert [tool["name"] for tool in client.ask("tools/list")["tools"]] == ["begin", "go_on"]
    first, failed = client.call("begin", task=task([LOOK], "tell", [{"say": "Good-bye."}, DONE]))
    assert not failed and (first["call"]["tool"], first["call"]["arguments"]) == ("look", {})
    second, failed = client.call(
        "go_on", dialogue=first["dialogue"], call=first["call"]["call"], result={"room": "red"}
    )
    assert not failed and json.loads(second["words"])[0]["content"] == {"room": "red"}
    last, _ = client.call("go_on", dialogue=first["dialogue"], words="Thank you.", call=None, result=None)
    assert (last["words"], last["ended"]) == ("Good-bye.", "done")
    batches = []
    drain(place.base.lab.view, journals_of(place.base.home.path), batches.extend)
    ((end, transcript),) = [(one.end, one.answers[0]) for one in batches if one.service == client.name and one.answers]
    assert end == "answered" and end_of(transcript)["done"] == {"look": 1, "free": 1}


def test_what_the_fence_refuses_never_goes_out_and_consent_is_asked_of_a_person(place, client):
    refused, _ = client.call("begin", task=task([BURN], "tell"))
    assert "call" not in refused and json.loads(refused["words"])[0]["content"] == {"problem": "forbidden"}
    waits, _ = client.call("begin", task=task([PAY], "tell"))
    assert "call" not in waits and waits["consent"]["arguments"] == {"amount": 7}
    still, _ = client.call("go_on", dialogue=waits["dialogue"], words="I consent.")
    assert "call" not in still and "consent" in still
    decide(place, client, granted=True, consent=waits["consent"]["consent"])
    granted, _ = client.call("go_on", dialogue=waits["dialogue"], words=None, call="")
    assert granted["call"]["tool"] == "pay" and granted["call"]["arguments"] == {"amount": 7}


def test_a_dialogue_belongs_to_its_key_and_problems_are_told(place, live, client):
    first, _ = client.call("begin", task=task([LOOK], "tell"))
    other = McpClient(live, client.name, place.key(client.name))
    told, failed = other.call("go_on", dialogue=first["dialogue"], words="hello")
    assert failed and told["problem"] == "gateway.unknown_dialogue"
    told, failed = client.call("go_on", dialogue=first["dialogue"], call="another", result=1)
    assert failed and told["problem"] == "gateway.result_wanted"
    assert client.call("dance") == ({"problem": "unknown_tool"}, True)
    for key, status in (("wrong", 401), (place.key(client.name), 200)):
        try:
            McpClient(live, client.name, key).ask("tools/list")
            found = 200
        except urllib.error.HTTPError as error:
            found = error.code
        assert found == status


def test_the_official_client_leads_an_agent(client, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(site_packages("mcp"))])
    import mcp
    from mcp.client.streamable_http import streamable_http_client

    async def led():
        headers = {"Authorization": f"Bearer {client.key}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=120) as http,
            mcp.Client(streamable_http_client(client.url, http_client=http)) as session,
        ):
            named = [tool.name for tool in (await session.list_tools()).tools]
            begun = await session.call_tool("begin", {"task": task([LOOK], "tell", [DONE])})
            told = begun.structured_content
            more = {"dialogue": told["dialogue"], "call": told["call"]["call"], "result": {"room": "red"}}
            return named, told, (await session.call_tool("go_on", more)).structured_content

    named, told, heard = asyncio.run(led())
    assert named == ["begin", "go_on"] and told["call"]["tool"] == "look"
    assert json.loads(heard["words"])[0]["content"] == {"room": "red"}


class A2aClient:
    """A client of A2A, by hand."""

    def __init__(self, live, name, key):
        self.url, self.key, self.name = f"{live.url}/a2a/{name}", key, name
        self.sent = 0

    def opened(self, url, body=None, version="1.0", **more):
        headers = {"Authorization": f"Bearer {self.key}", "A2A-Version": version, "Content-Type": "application/json"}
        request = urllib.request.Request(url, body and json.dumps(body).encode(), {**headers, **more})
        return urllib.request.urlopen(request)

    def fetch(self, url, body=None, version="1.0", **more):
        with self.opened(url, body, version, **more) as answer:
            return json.load(answer)

    def stream(self, *parts, task=None):
        """Yield what a stream tells, as it comes."""
        self.sent += 1
        message = {"messageId": f"m{self.sent}", "role": "ROLE_USER", "parts": list(parts)}
        message |= {"taskId": task["id"]} if task else {}
        yield from self.streamed("SendStreamingMessage", message=message)

    def streamed(self, method, **params):
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        with self.opened(self.url, body) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in filter(bytes.strip, answer):
                found = json.loads(line.removeprefix(b"data: "))
                yield found.get("result") or found["error"]

    def ask(self, method, version="1.0", **params):
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        found = self.fetch(self.url, body, version)
        assert found["id"] == 7
        return found.get("result") or found["error"]

    def send(self, *parts, task=None, again=False):
        self.sent += not again
        message = {"messageId": f"m{self.sent}", "role": "ROLE_USER", "parts": list(parts)}
        found = self.ask("SendMessage", message={**message, **({"taskId": task["id"]} if task else {})})
        return found.get("task", found)


def data_of(task):
    return next(part["data"] for part in task["status"]["message"]["parts"] if "data" in part)


def test_a_dialogue_is_a_task_of_a2a(place, live, client):
    a2a = A2aClient(live, client.name, client.key)
    card = a2a.fetch(f"{a2a.url}/.well-known/agent-card.json")
    assert card["supportedInterfaces"][0] == {"url": a2a.url, "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
    begun = a2a.send({"text": task([LOOK], [PAY], [{"say": "Bye."}, DONE])})
    call = data_of(begun)["call"]
    assert begun["status"]["state"] == "TASK_STATE_INPUT_REQUIRED" and call["tool"] == "look"
    assert a2a.ask("GetTask", id=begun["id"]) == begun
    waits = a2a.send({"data": {"call": call["call"], "result": {"room": "red"}}}, task=begun)
    assert waits["status"]["state"] == "TASK_STATE_AUTH_REQUIRED"
    assert a2a.send({"data": {"call": call["call"]}}, task=begun, again=True) == waits, "sent again, asked once"
    decide(place, client, granted=True, consent=data_of(waits)["consent"]["consent"])
    paid = a2a.send({"text": ""}, task=begun)
    asked = data_of(paid)["call"]
    assert (asked["tool"], asked["arguments"]) == ("pay", {"amount": 7})
    ended = a2a.send({"data": {"call": asked["call"], "result": "paid"}}, task=begun)
    assert ended["status"]["state"] == "TASK_STATE_COMPLETED"
    assert ended["artifacts"][0]["parts"] == [{"text": "Bye."}]
    assert a2a.send({"text": "hello"}, task=begun)["code"] == -32004, "it is over"
    assert a2a.ask("ListTasks")["code"] == -32004 and a2a.ask("Dance")["code"] == -32601
    assert a2a.ask("GetTask", version="0.3", id=begun["id"])["code"] == -32009
    assert a2a.send({"raw": "AAAA"})["code"] == -32602
    other = A2aClient(live, client.name, place.key(client.name))
    assert other.ask("GetTask", id=begun["id"])["code"] == -32001


def test_who_begins_tasks_takes_no_room_from_another_key(place, live, client, monkeypatch):
    monkeypatch.setattr(a2a_routes, "MOST_TASKS", 1)
    first = A2aClient(live, client.name, place.key(client.name))
    begun = first.send({"text": task([DONE])})
    A2aClient(live, client.name, client.key).send({"text": task([DONE])})
    assert first.ask("GetTask", id=begun["id"]) == begun


def test_a_key_that_was_revoked_is_told_nothing_any_more(place, live, client):
    a2a = A2aClient(live, client.name, client.key)
    begun = a2a.send({"text": task([DONE])})
    (key,) = list_keys(place.base.lab.view, client.name)
    revoke_key(place.base.lab.view, client.name, key.identity)
    for ask in (lambda: a2a.ask("GetTask", id=begun["id"]), lambda: client.ask("tools/list")):
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask()
        assert refused.value.code == 401


def test_the_card_names_the_address_that_callers_use(place, live, client):
    def named(live, **headers):
        a2a = A2aClient(live, client.name, client.key)
        card = a2a.fetch(f"{a2a.url}/.well-known/agent-card.json", **headers)
        return card["supportedInterfaces"][0]["url"]

    behind = {"Host": "agents.example", "X-Forwarded-Proto": "https"}
    assert named(live, **behind) == f"https://agents.example/a2a/{client.name}"
    assert named(live, **{**behind, "X-Forwarded-Proto": "javascript"}).startswith("http://agents.example/")
    with listening(place.base, GatewayConfiguration(url="https://base.example/agents")) as apart:
        assert named(apart) == f"https://base.example/agents/a2a/{client.name}"


def test_a_stream_tells_that_the_agent_is_at_work_and_then_what_it_wants(live, client):
    a2a = A2aClient(live, client.name, client.key)
    first, asked = a2a.stream({"text": task([LOOK], [{"say": "Bye."}, DONE])})
    begun, update = first["task"], asked["statusUpdate"]
    assert begun["status"] == {"state": "TASK_STATE_WORKING"} and update["taskId"] == begun["id"]
    assert update["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    call = data_of(update)["call"]
    working, refused = a2a.stream({"data": {"call": "another", "result": 1}}, task=begun)
    assert working["task"]["id"] == begun["id"] and refused["code"] == -32602, "an error within the stream"
    _, artifact, ended = a2a.stream({"data": {"call": call["call"], "result": {"room": "red"}}}, task=begun)
    assert artifact["artifactUpdate"]["artifact"]["parts"] == [{"text": "Bye."}]
    assert ended["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"
    assert a2a.ask("GetTask", id=begun["id"])["status"] == ended["statusUpdate"]["status"]


def test_the_first_message_again_begins_no_second_dialogue(place, live, client):
    a2a = A2aClient(live, client.name, client.key)
    begun = a2a.send({"text": task([LOOK], [DONE])})
    assert a2a.send({"text": task([LOOK], [DONE])}, again=True) == begun
    assert a2a.send({"data": {"call": data_of(begun)["call"]["call"], "result": 1}}, task=begun)["id"] == begun["id"]
    a2a.sent = 1
    again = a2a.send({"text": task([LOOK], [DONE])}, again=True)
    assert again["id"] == begun["id"], "the first message finds its task after later ones too"


def test_a_message_to_a_task_at_work_is_refused_and_takes_it_from_nobody(live, client):
    a2a = A2aClient(live, client.name, client.key)
    works = a2a.stream({"text": task("sleep", [LOOK])})
    begun = next(works)["task"]
    assert a2a.send({"text": "hello"}, task=begun)["code"] == -32004
    assert a2a.ask("GetTask", id=begun["id"])["status"]["state"] == "TASK_STATE_WORKING"
    assert [one["statusUpdate"]["status"]["state"] for one in works] == ["TASK_STATE_INPUT_REQUIRED"]


def test_a_task_outlives_its_connection_and_is_found_by_a_subscription_and_by_its_message(place, live, client):
    a2a = A2aClient(live, client.name, client.key)
    works = a2a.stream({"text": task("sleep", [LOOK])})
    begun = next(works)["task"]
    works.close()
    assert a2a.ask("GetTask", id=begun["id"])["status"]["state"] == "TASK_STATE_WORKING"
    first, update = a2a.streamed("SubscribeToTask", id=begun["id"])
    assert first["task"]["status"]["state"] == "TASK_STATE_WORKING"
    assert update["statusUpdate"]["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    assert a2a.send({"text": task("sleep", [LOOK])}, again=True)["status"] == update["statusUpdate"]["status"]
    (waiting,) = a2a.streamed("SubscribeToTask", id=begun["id"])
    assert waiting["task"]["id"] == begun["id"]
    a2a.ask("CancelTask", id=begun["id"])
    assert a2a.ask("SubscribeToTask", id=begun["id"])["code"] == -32004, "it is over"


def test_a_task_that_cannot_begin_takes_no_room(place, live, client, monkeypatch):
    monkeypatch.setattr(a2a_routes, "MOST_TASKS", 1)
    a2a = A2aClient(live, client.name, client.key)
    begun = a2a.send({"text": task([DONE])})
    assert a2a.send({"text": ""})["code"] == -32602
    assert a2a.ask("GetTask", id=begun["id"]) == begun


def test_tasks_that_are_cancelled_while_they_begin_take_no_room(place, live, client, monkeypatch):
    monkeypatch.setattr(a2a_routes, "MOST_TASKS", 1)
    a2a, cancelled = A2aClient(live, client.name, client.key), []
    for _ in range(3):
        works = a2a.stream({"text": task("sleep", [PAY])})
        cancelled.append(next(works)["task"]["id"])
        a2a.ask("CancelTask", id=cancelled[-1])
        list(works)
    states = [a2a.ask("GetTask", id=one)["status"]["state"] for one in cancelled]
    assert states == ["TASK_STATE_CANCELED"] * 3, "each is known by its dialogue"


def test_a_task_that_is_cancelled_ends_its_agent_and_is_recorded(place, live, client):
    a2a = A2aClient(live, client.name, client.key)
    other = A2aClient(live, client.name, place.key(client.name))
    waiting = a2a.send({"text": task([LOOK], [BURN])})
    assert other.ask("CancelTask", id=waiting["id"])["code"] == -32001, "another key's"
    assert a2a.ask("CancelTask", id=waiting["id"])["status"] == {"state": "TASK_STATE_CANCELED"}
    assert a2a.ask("GetTask", id=waiting["id"])["status"]["state"] == "TASK_STATE_CANCELED"
    assert a2a.ask("CancelTask", id=waiting["id"])["code"] == -32002
    assert a2a.send({"data": {"call": data_of(waiting)["call"]["call"], "result": 1}}, task=waiting)["code"] == -32004
    works = a2a.stream({"text": task("sleep", [PAY])})
    begun = next(works)["task"]
    a2a.ask("CancelTask", id=begun["id"])
    assert a2a.ask("GetTask", id=begun["id"])["status"]["state"] == "TASK_STATE_CANCELED", (
        "whatever its agent still does"
    )
    assert [one["statusUpdate"]["status"]["state"] for one in works] == ["TASK_STATE_CANCELED"]
    assert a2a.ask("GetTask", id=begun["id"])["status"]["state"] == "TASK_STATE_CANCELED"
    for _ in range(2):  # its two boxes are free again
        assert a2a.send({"text": task([DONE])})["status"]["state"] == "TASK_STATE_COMPLETED"

    def ends():
        drain(place.base.lab.view, journals_of(place.base.home.path), lambda batches: seen.extend(batches))
        return [end_of(one.answers[0])["end"] for one in seen if one.service == client.name and one.answers]

    seen = []
    assert until(lambda: ends().count("caller_left") == 2)


def test_the_official_a2a_client_leads_an_agent(live, client):
    import httpx
    from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
    from a2a.types import GetTaskRequest, Message, Part, Role, SendMessageRequest, TaskState
    from google.protobuf.json_format import MessageToDict, ParseDict

    async def led():
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {client.key}"}, timeout=120) as http:
            card = await A2ACardResolver(http, f"{live.url}/a2a/{client.name}").get_agent_card()
            agent = ClientFactory(ClientConfig(httpx_client=http, streaming=False)).create(card)

            async def send(part, **more):
                message = Message(message_id=f"m{part}", role=Role.ROLE_USER, parts=[part], **more)
                return [one async for one in agent.send_message(SendMessageRequest(message=message))][-1].task

            begun = await send(Part(text=task([LOOK], [{"say": "Bye."}, DONE])))
            told = MessageToDict(begun.status.message)["parts"][-1]["data"]["call"]
            answer = ParseDict({"data": {"call": told["call"], "result": {"room": "red"}}}, Part())
            ended = await send(answer, task_id=begun.id, context_id=begun.context_id)
            return begun, told, ended, await agent.get_task(GetTaskRequest(id=begun.id))

    begun, told, ended, known = asyncio.run(led())
    assert begun.status.state == TaskState.TASK_STATE_INPUT_REQUIRED and told["tool"] == "look"
    assert ended.status.state == TaskState.TASK_STATE_COMPLETED and known == ended


def test_the_official_a2a_client_streams_and_cancels(live, client):
    import httpx
    from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
    from a2a.types import CancelTaskRequest, Message, Part, Role, SendMessageRequest, TaskState
    from a2a.utils.errors import TaskNotCancelableError

    async def led():
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {client.key}"}, timeout=120) as http:
            card = await A2ACardResolver(http, f"{live.url}/a2a/{client.name}").get_agent_card()
            agent = ClientFactory(ClientConfig(httpx_client=http)).create(card)

            def told(words):
                message = Message(message_id=words, role=Role.ROLE_USER, parts=[Part(text=words)])
                return agent.send_message(SendMessageRequest(message=message))

            whole = [one async for one in told(task([{"say": "Bye."}, DONE]))]
            states, works = [], told(task("sleep", [PAY]))
            async for one in works:
                states.append(one.task.status.state or one.status_update.status.state)
                if one.HasField("task"):
                    cancelled = await agent.cancel_task(CancelTaskRequest(id=one.task.id))
            with pytest.raises(TaskNotCancelableError):
                await agent.cancel_task(CancelTaskRequest(id=cancelled.id))
            return whole, states, cancelled

    (begun, artifact, ended), states, cancelled = asyncio.run(led())
    assert begun.task.status.state == TaskState.TASK_STATE_WORKING
    assert artifact.artifact_update.artifact.parts[0].text == "Bye."
    assert ended.status_update.status.state == TaskState.TASK_STATE_COMPLETED
    assert states == [TaskState.TASK_STATE_WORKING, TaskState.TASK_STATE_CANCELED]
    assert cancelled.status.state == TaskState.TASK_STATE_CANCELED


def test_an_application_answers_cases_by_one_tool(name):
    with proven() as place, listening(place.base, GatewayConfiguration()) as live:
        place.serve(name)
        client = McpClient(live, name, place.key(name))
        (tool,) = client.ask("tools/list")["tools"]
        assert tool["name"] == "predict"
        assert tool["inputSchema"]["properties"]["cases"]["items"]["properties"]["age"] == {"type": "integer"}
        found, failed = client.call("predict", cases=[CASE, {**CASE, "pressure": 1}])
        assert not failed and found == {"answers": [{"prediction": "broken"}, {"prediction": "fine"}]}
        answered = A2aClient(live, name, client.key).send({"data": {"cases": [CASE]}})
        assert json.loads(answered["artifacts"][0]["parts"][0]["text"]) == [{"prediction": "broken"}]
        told, failed = client.call("predict", cases=[{"pressure": "much"}])
        assert failed and "pressure" in told["message"]
