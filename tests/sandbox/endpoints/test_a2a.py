"""An agent behind A2A acts in an episode; one that the official SDK serves has the transcript of every other form."""

import json
import re
import threading
from contextlib import contextmanager

import pytest

from pilotbase.documents.endpoint import Endpoint
from pilotbase.documents.transcript import end_of
from pilotbase.gateway import a2a_routes
from pilotbase.gateway.conversations import CALL, RESULT, ConversationTurn
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.sandbox.endpoints import asking
from tests.sandbox.endpoints.stubs_for_tests import Stub, serving, until
from tests.sandbox.endpoints.test_acting import Acting, carrier
from tests.trial.arena.in_process import played

TASK = {"task": "t", "language": "en", "tools": []}


class Agent(Stub):
    """A stub of an agent by hand: ``answer`` takes a message and returns the result of a request."""

    def __init__(self, answer, **card):
        super().__init__(lambda body: {"jsonrpc": "2.0", "id": body["id"], **answer(body["params"]["message"])})
        self.changed = card

    @property
    def card(self):
        offered = [{"url": f"{self.url}/ask", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}]
        return {"name": "carrier", "version": "7", "supportedInterfaces": offered, **self.changed}

    def found(self, path):
        return self.card if path == "/.well-known/agent-card.json" else {}


def result(state, *parts, **more):
    message = {"messageId": "a", "role": "ROLE_AGENT", "parts": list(parts)}
    status = {"state": f"TASK_STATE_{state}", "message": message}
    return {"result": {"task": {"id": "t1", "contextId": "c1", "status": status, **more}}}


def call(tool, identity="c0", **arguments):
    return {"data": {"call": {"call": identity, "tool": tool, "arguments": arguments}}}


def first_acts(answer, **card):
    """Return what the base makes of the first answer of an agent, and what the agent was asked."""
    with serving(Agent(answer, **card)) as agent:
        player = Acting(agent, "a2a")
        try:
            return json.loads(player.answer(TASK)), agent
        finally:
            player.worker.close()


@contextmanager
def served_by_the_sdk():
    """Serve the carrier of parcels with the official SDK, as its guide shows."""
    import uvicorn
    from a2a.server.agent_execution import AgentExecutor
    from a2a.server.request_handlers import DefaultRequestHandler
    from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
    from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
    from a2a.types import AgentCapabilities, AgentCard, AgentInterface, Part, Task, TaskState, TaskStatus
    from google.protobuf.json_format import MessageToDict, ParseDict
    from starlette.applications import Starlette

    class Carrier(AgentExecutor):
        def __init__(self):
            self.known = {}

        async def execute(self, context, queue):
            """Pay the fee, carry the parcel, say good-bye."""
            parts = [MessageToDict(part) for part in context.message.parts]
            updater = TaskUpdater(queue, context.task_id, context.context_id)
            if context.current_task is None:
                status = TaskStatus(state=TaskState.TASK_STATE_SUBMITTED)
                await queue.enqueue_event(Task(id=context.task_id, context_id=context.context_id, status=status))
            if context.context_id not in self.known:
                self.known[context.context_id] = [parts[0]["text"], 0]
                assert [tool["name"] for tool in parts[1]["data"]["tools"]] == ["look", "move", "pay", "burn"]
            said, done = self.known[context.context_id]
            self.known[context.context_id][1] += 1
            fee, room = (
                re.search(r"\d+", said).group(),
                re.search(r"(red|green|blue|white) (?:room|房间)", said).group(1),
            )
            acts = [call("pay", amount=int(fee)), call("move", room=room)]
            answer = updater.new_agent_message([ParseDict(acts[done] if done < 2 else {"text": "bye"}, Part())])
            await (updater.complete(answer) if done == 2 else updater.requires_input(answer))

        async def cancel(self, context, queue):
            raise NotImplementedError("the base cancels no task of an episode")

    server = uvicorn.Server(uvicorn.Config(Starlette(), port=0, log_level="error"))
    bound = server.config.bind_socket()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    card = AgentCard(
        name="carrier", description="carries parcels", version="2026",
        supported_interfaces=[AgentInterface(url=f"{url}/", protocol_binding="JSONRPC", protocol_version="1.0")],
        capabilities=AgentCapabilities(), default_input_modes=["text/plain"], default_output_modes=["text/plain"],
        skills=[],
    )  # fmt: skip
    handler = DefaultRequestHandler(Carrier(), InMemoryTaskStore(), card)
    routes = [*create_agent_card_routes(card), *create_jsonrpc_routes(handler, "/")]
    server.config.app.router.routes.extend(routes)
    thread = threading.Thread(target=lambda: server.run([bound]), daemon=True)
    thread.start()
    assert until(lambda: server.started)
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join()


def test_an_agent_of_the_official_sdk_has_the_transcript_of_an_agent_by_chat():
    with serving(Stub(carrier)) as stub:
        player = Acting(stub)
        by_chat = played(player)
        player.worker.close()
    with served_by_the_sdk() as url:
        stub.url = url
        player = Acting(stub, "a2a")
        by_a2a = played(player)
        use = player.worker.use()
        player.worker.close()
    assert by_a2a == by_chat and end_of(by_a2a)["outcomes"]["reached"]
    assert (use.calls, use.attempts, use.prompt_tokens, use.served) == (3, 3, None, ("carrier 2026",))


def test_a_dialogue_goes_on_in_its_task_while_that_waits_and_in_its_context_after_it():
    answers = iter([
        result("INPUT_REQUIRED", call("look")),
        result("COMPLETED", {"text": "What now?"}),
        result("COMPLETED"),
    ])  # fmt: skip
    with serving(Agent(lambda message: next(answers))) as agent:
        player = Acting(agent, "a2a")
        assert json.loads(player.answer(TASK)) == [{"id": "c0", "tool": "look", "arguments": {}}]
        looked = {"results": [{"id": "c0", "tool": "look", "content": {"room": "red"}}], "user": None}
        assert json.loads(player.answer(looked)) == [{"say": "What now?"}]
        assert json.loads(player.answer({"results": [], "user": "Nothing."})) == [{"done": True}]
        player.worker.close()
    first, second, third = (one["params"]["message"] for one in agent.asked)
    assert first["parts"] == [{"text": "t"}, {"data": {"tools": [], "language": "en"}}] and "contextId" not in first
    assert second["parts"] == [{"data": {"call": "c0", "result": {"room": "red"}}}]
    assert (second["contextId"], second["taskId"]) == ("c1", "t1")
    assert third["parts"] == [{"text": "Nothing."}] and third["contextId"] == "c1" and "taskId" not in third
    assert len({one["messageId"] for one in (first, second, third)}) == 3
    assert set(agent.paths) == {"/ask"} and agent.headers[0]["a2a-version"] == "1.0"


def test_calls_and_results_are_spelled_as_the_gateway_spells_those_of_an_agent_in_service():
    asked = {"id": "c0", "function": {"name": "pay", "arguments": '{"amount": 7}'}}
    task = a2a_routes._answered("t1", ConversationTurn({"tool_calls": [asked]}, {"dialogue": "t1"}))
    with serving(Agent(lambda message: {"result": {"task": task}})) as agent:
        player = Acting(agent, "a2a")
        assert json.loads(player.answer(TASK)) == [{"id": "c0", "tool": "pay", "arguments": {"amount": 7}}]
        player.answer({"results": [{"id": "c0", "tool": "pay", "content": "paid"}], "user": None})
        player.worker.close()
    told = a2a_routes._read_parts(agent.asked[1]["params"]["message"])
    assert told == ("", {CALL: "c0", RESULT: "paid"})


ANSWERS = {
    "a message": ({"result": {"message": {"messageId": "a", "parts": [{"text": "Hi"}]}}}, [{"say": "Hi"}]),
    "an artifact": (result("COMPLETED", artifacts=[{"artifactId": "a", "parts": [{"text": "Hi"}]}]), [{"say": "Hi"}]),
    "text beside a call": (
        result("INPUT_REQUIRED", {"text": "I look."}, call("look")),
        [{"id": "c0", "tool": "look", "arguments": {}}],
    ),
    "a question for access": (result("AUTH_REQUIRED", {"text": "Sign in"}), [{"say": "Sign in"}]),
    "it gives up": (result("FAILED", {"text": "No"}), [{"say": "No"}, {"done": True}]),
    "other data": (result("INPUT_REQUIRED", {"data": {"mood": "good"}}), []),
}


@pytest.mark.parametrize(("answer", "acts"), ANSWERS.values(), ids=ANSWERS)
def test_what_an_agent_says_and_wants_is_read_from_its_message(answer, acts):
    assert first_acts(lambda message: answer)[0] == acts


BROKEN = {
    "an error": ({"error": {"code": -32603, "message": "out of order"}}, "error -32603: out of order"),
    "at work": (result("WORKING"), "no task that waits"),
    "nothing": ({"result": {}}, "result"),
    "a state that is none": ({"result": {"task": {"id": "t", "contextId": "c", "status": {"state": {}}}}}, "result"),
    "no parts": ({"result": {"message": {"parts": "Hi"}}}, "message.parts"),
    "a call of no tool": (result("INPUT_REQUIRED", {"data": {"call": {"call": "c0"}}}), "call"),
}


@pytest.mark.parametrize(("answer", "told"), BROKEN.values(), ids=BROKEN)
def test_an_answer_that_is_none_ends_the_episode_with_its_reason(answer, told, monkeypatch):
    monkeypatch.setattr(asking, "FIRST_WAIT_SECONDS", 0.001)
    with pytest.raises(BoxEnded) as ended:
        first_acts(lambda message: answer)
    assert ended.value.end.reason.value == "endpoint_broken_answer" and told in ended.value.end.detail


ELSEWHERE = [{"url": "https://elsewhere.example/", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}]
CARDS = {
    "elsewhere": ({"supportedInterfaces": ELSEWHERE}, "at the host of the card"),
    "no interface": ({"supportedInterfaces": None}, "offers no A2A 1.0"),
    "another version": ({"version": "8"}, "says version 8, not 7"),
}


@pytest.mark.parametrize(("card", "told"), CARDS.values(), ids=CARDS)
def test_a_card_that_does_not_fit_is_told_before_a_task_is_sent(card, told):
    with serving(Agent(lambda message: result("COMPLETED"), **card)) as agent, pytest.raises(BoxEnded) as ended:
        Acting(agent, "a2a", version="7")
    assert ended.value.end.reason.value == "model_misfit" and told in ended.value.end.detail
    assert agent.asked == []


def test_an_agent_has_no_prompt_and_no_stream():
    known = Stub(carrier).endpoint("a2a", url="https://a.example", stream=True, prompt={"template": "{task}"})
    told = dict(Endpoint(**known).problems())
    assert told.keys() == {"prompt", "stream"}
    assert told["prompt"].render() == "the protocol a2a does not use prompt: omit it"
