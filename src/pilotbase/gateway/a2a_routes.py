"""Agent2Agent (A2A 1.0, binding JSON-RPC) at the gateway: a service has a card, and a dialogue with it is a task.

What an agent wants done is a task that waits for input, with the call as data; a consent that a person has to give is
one that waits for authorisation. A stream tells that the agent is at work, and then what it wants. The work belongs to
the task, not to the request that asked for it: a connection that breaks off ends nothing, and the same message again,
or a subscription, finds what came of it. A task whose process has ended is found by the log of its dialogue. Push
notifications are not offered.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pilotbase import __version__
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.texts import Language, text
from pilotbase.documents.transcript import DONE
from pilotbase.gateway.conversations import Caller, Conversations, ConversationTurn, received_from, told_of
from pilotbase.gateway.door import Door, Gateway, language_of, problem_of, secret_of
from pilotbase.gateway.mcp_routes import error_body
from pilotbase.gateway.upstreams.agents import UnknownDialogueError
from pilotbase.gateway.upstreams.dialogue import LEFT
from pilotbase.protocols.openai_wire import event_of
from pilotbase.protocols.strict_json import WireError, read_object, write_json
from pilotbase.protocols.upstream import EVENTS, JSON

VERSION, VERSION_HEADER = "1.0", "a2a-version"
NO_REQUEST, NO_METHOD, BAD_PARAMETERS, FAILED, NO_TASK, NOT_CANCELABLE, UNSUPPORTED, OTHER_VERSION = (
    -32600, -32601, -32602, -32603, -32001, -32002, -32004, -32009,
)  # fmt: skip
STREAM, SUBSCRIBE = "SendStreamingMessage", "SubscribeToTask"
WORKING, COMPLETED, CANCELED, LOST = (f"TASK_STATE_{name}" for name in ("WORKING", "COMPLETED", "CANCELED", "FAILED"))
_OVER = frozenset({COMPLETED, CANCELED, LOST})
MOST_TASKS = 64
"""Tasks of one key that are remembered; of more, its oldest is forgotten, so no key takes the room of another."""
_NOT_OFFERED = frozenset({
    "ListTasks", "GetExtendedAgentCard",
    "CreateTaskPushNotificationConfig", "GetTaskPushNotificationConfig", "ListTaskPushNotificationConfigs",
    "DeleteTaskPushNotificationConfig",
})  # fmt: skip
Json = dict[str, Any]


def a2a_routes(gateway: Gateway) -> list[Route]:
    """Return the routes of A2A."""
    door, path = _A2aDoor(gateway), "/a2a/{service}"
    return [door.route(f"{path}/.well-known/agent-card.json", door.card), door.route(path, door.answer, "POST")]


@dataclass
class _Kept:
    """A task as its last answer left it, and the messages that are not taken twice: the first one and the last."""

    first: str
    message: str
    task: Json
    work: asyncio.Task[Json] | None = None
    """What the agent does about the last message."""

    @property
    def over(self) -> bool:
        return self.task["status"]["state"] in _OVER

    @property
    def works(self) -> bool:
        return self.work is not None and not self.work.done()

    async def followed(self) -> AsyncIterator[Json]:
        """Yield the task: at work, and then as its answer leaves it; raises what the work raised."""
        if self.works and self.work is not None and not self.over:
            yield _task(self.task["id"], WORKING)
            yield await asyncio.shield(self.work)
        else:
            yield self.task


class _RpcError(Exception):
    def __init__(self, code: int, said: str, **data: object) -> None:
        super().__init__(said)
        self.code, self.data = code, data


class _A2aDoor(Door):
    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway, error_body)
        self._conversations = Conversations(gateway)
        self._tasks: dict[str, dict[str, _Kept]] = {}

    async def card(self, request: Request) -> Response:
        """Describe the agent to who holds a key."""
        service = await self.gateway.desk.service(secret_of(request), request.path_params["service"])
        url = f"{self.gateway.address(request)}/a2a/{service.name}"
        described = text("gateway.mcp_ask", service=service.name).render(language_of(request))
        skill = {"id": service.name, "name": service.name, "description": described, "tags": ["pilotbase"]}
        found = {
            "name": service.name,
            "description": described,
            "version": __version__,
            "provider": {"organization": service.organisation, "url": url},
            "supportedInterfaces": [{"url": url, "protocolBinding": "JSONRPC", "protocolVersion": VERSION}],
            "capabilities": {"streaming": True, "pushNotifications": False},
            "securitySchemes": {"key": {"httpAuthSecurityScheme": {"scheme": "Bearer"}}},
            "securityRequirements": [{"schemes": {"key": {"list": []}}}],
            "defaultInputModes": ["text/plain", JSON],
            "defaultOutputModes": ["text/plain", JSON],
            "skills": [skill],
        }
        return Response(write_json(found), media_type=JSON)

    async def answer(self, request: Request) -> Response:
        """Answer one request of JSON-RPC: by one message, or by a stream of them."""
        (caller, body), answer = await received_from(self, request), _Answer(language_of(request))
        try:
            asked = read_object(body)
            answer = replace(answer, identity=asked.get("id"))
            found = self._result(caller, asked)
            first = await anext(found)
            if asked.get("method") in (STREAM, SUBSCRIBE):
                return _EventResponse(answer.events(first, found))
            *_, last = [first, *[one async for one in found]]
        except (_RpcError, PilotbaseError) as refused:
            return Response(answer.refused(refused), media_type=JSON)
        return Response(answer.of(last), media_type=JSON)

    async def _result(self, caller: Caller, asked: Mapping[str, object]) -> AsyncIterator[Json]:
        """Yield the results of a request: of all but streams, only the last is asked for."""
        method, params = asked.get("method"), asked.get("params", {})
        if asked.get("jsonrpc") != "2.0" or not isinstance(method, str) or not isinstance(params, dict):
            raise _RpcError(NO_REQUEST, "The message is no JSON-RPC 2.0 request.")
        spoken = caller.request.headers.get(VERSION_HEADER, "0.3")
        if spoken != VERSION:
            raise _RpcError(OTHER_VERSION, "Unsupported protocol version", supported=[VERSION], requested=spoken)
        if method in _NOT_OFFERED:
            raise _RpcError(UNSUPPORTED, "This operation is not supported")
        if method == "GetTask":
            yield await anext((await self._known(caller, params.get("id"))).followed())
        elif method == "CancelTask":
            yield await self._cancelled(caller, params.get("id"))
        elif method == "SendMessage":
            async for task in self._sent(caller, params):
                yield {"task": task}
        elif method in (STREAM, SUBSCRIBE):
            tasks = self._sent(caller, params) if method == STREAM else (await self._unended(caller, params)).followed()
            async for event in _events(tasks):
                yield event
        else:
            raise _RpcError(NO_METHOD, "Method not found")

    async def _sent(self, caller: Caller, params: Json) -> AsyncIterator[Json]:
        """Yield the task that a message begins, or goes on with: at work, and then as its answer leaves it."""
        message = params.get("message")
        if not isinstance(message, dict) or not isinstance(message.get("messageId"), str):
            raise WireError("wire.field_type", field="message")
        words, data = _read_parts(message)
        named, name = message.get("taskId"), message["messageId"]
        known = await (self._known(caller, named) if named else self._begun_by(caller, name))
        called = replace(caller, message=name, waits=False)
        if known is None:
            known = self._begun(caller, name)
            self._set_to_work(caller, known, self._conversations.begin(called, words, known.task["id"]))
        elif name not in (known.first, known.message):
            if known.works or known.over:
                raise _RpcError(UNSUPPORTED, "The task is over" if known.over else "The task is at work")
            before, known.message = known.message, name
            turn = self._conversations.go_on(called, known.task["id"], words, data)
            self._set_to_work(caller, known, turn, before)
        async for task in known.followed():
            yield task

    def _set_to_work(
        self, caller: Caller, known: _Kept, turn: Coroutine[Any, Any, ConversationTurn], before: str | None = None
    ) -> None:
        known.work = asyncio.create_task(self._worked(caller, known, turn, before))
        known.work.add_done_callback(lambda work: work.cancelled() or work.exception())  # nobody may be waiting

    async def _worked(
        self, caller: Caller, known: _Kept, turn: Coroutine[Any, Any, ConversationTurn], before: str | None
    ) -> Json:
        """Return the task as the answer to a message leaves it; one that is refused can be sent again.

        ``before``: the last message that was answered; None: there is none, and a task that fails is forgotten.
        """
        identity = known.task["id"]
        try:
            found = await turn
        except BaseException:
            if before is None:
                self._tasks[caller.key].pop(identity, None)
            else:
                known.message = before
            raise
        if known.over:  # cancelled while the agent was about to begin
            self._conversations.leave(caller, identity)
        else:
            known.task = _answered(identity, found)
        self._keep(caller, known)
        return known.task

    async def _cancelled(self, caller: Caller, named: object) -> Json:
        """Return a task whose agent does nothing more."""
        known = await self._known(caller, named)
        if known.over:
            raise _RpcError(NOT_CANCELABLE, "Task cannot be canceled")
        self._conversations.leave(caller, known.task["id"])
        known.task = _task(known.task["id"], CANCELED)
        return known.task

    async def _unended(self, caller: Caller, params: Json) -> _Kept:
        known = await self._known(caller, params.get("id"))
        if known.over:
            raise _RpcError(UNSUPPORTED, "The task is over")
        return known

    def _begun(self, caller: Caller, message: str) -> _Kept:
        """Return a new task; what is remembered beside it is not forgotten before it has begun."""
        identity = secrets.token_hex(16)
        known = self._tasks.setdefault(caller.key, {})[identity] = _Kept(message, message, _task(identity, WORKING))
        return known

    async def _begun_by(self, caller: Caller, message: str) -> _Kept | None:
        """Return the task that a message began, where it is sent again."""
        own = self._tasks.get(caller.key, {}).values()
        known = next((known for known in own if known.first == message), None)
        return known or await self._found_again(caller, "", message)

    async def _known(self, caller: Caller, identity: object) -> _Kept:
        known = self._tasks.get(caller.key, {}).get(str(identity))
        known = known or await self._found_again(caller, str(identity))
        if known is None:
            raise UnknownDialogueError("gateway.unknown_dialogue")
        return known

    async def _found_again(self, caller: Caller, identity: str, first: str = "") -> _Kept | None:
        """Return the task of a dialogue that this process has not begun; its agent goes on where it was at work."""
        state = self._conversations.known(caller, identity, first)
        if state is None:
            return None
        known = _Kept(state.first, state.message, _task(state.identity, WORKING))
        self._tasks.setdefault(caller.key, {})[state.identity] = known
        called = replace(caller, message=state.message, waits=False)
        self._set_to_work(caller, known, self._conversations.go_on(called, state.identity, "", {}))
        if state.rests:
            async for _ in known.followed():
                pass
        return known

    def _keep(self, caller: Caller, known: _Kept) -> None:
        own = self._tasks.setdefault(caller.key, {})
        own.pop(known.task["id"], None)
        own[known.task["id"]] = known
        while len(own) > MOST_TASKS:
            del own[next(iter(own))]


@dataclass(frozen=True)
class _Answer:
    """How the results of one request are spelled."""

    language: Language
    identity: object = None

    def of(self, result: Json) -> bytes:
        return write_json({"jsonrpc": "2.0", "id": self.identity, "result": result})

    def refused(self, refused: _RpcError | PilotbaseError) -> bytes:
        if isinstance(refused, _RpcError):
            error = {"code": refused.code, "message": str(refused), "data": [refused.data]}
        else:
            problem = problem_of(refused, self.language)
            error = {"code": _code(refused), "message": problem.message, "data": [{"code": problem.code}]}
        return write_json({"jsonrpc": "2.0", "id": self.identity, "error": error})

    async def events(self, first: Json, others: AsyncIterator[Json]) -> AsyncIterator[bytes]:
        """Yield results as server-sent events; an error ends them."""
        try:
            yield event_of(self.of(first))
            async for one in others:
                yield event_of(self.of(one))
        except PilotbaseError as refused:
            yield event_of(self.refused(refused))


class _EventResponse(Response):
    """Sends events as they come, until the caller goes."""

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        super().__init__(None, 200, {"Cache-Control": "no-cache"}, EVENTS)
        del self.headers["content-length"]
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with suppress(ClientDisconnect):
            async for event in self._events:
                await send({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def _events(tasks: AsyncIterator[Json]) -> AsyncIterator[Json]:
    """Yield a task, and what becomes of it."""
    yield {"task": await anext(tasks)}
    async for task in tasks:
        named = {"taskId": task["id"], "contextId": task["contextId"]}
        for artifact in task.get("artifacts", ()):
            yield {"artifactUpdate": {**named, "artifact": artifact, "lastChunk": True}}
        yield {"statusUpdate": {**named, "status": task["status"]}}


def _task(identity: str, state: str, **status: object) -> Json:
    return {"id": identity, "contextId": identity, "status": {"state": state, **status}}


def _answered(identity: str, turn: ConversationTurn) -> Json:
    """Return a task as the answer of a dialogue leaves it."""
    told = told_of(turn)
    data = {name: told[name] for name in ("call", "consent", "ended") if name in told}
    parts = [*([{"text": turn.words}] if turn.words else []), *([{"data": data}] if data else [])]
    said = {"messageId": secrets.token_hex(16), "role": "ROLE_AGENT", "parts": parts}
    said |= {"taskId": identity, "contextId": identity}
    found = _task(identity, _state(told), message=said)
    if _state(told) == COMPLETED and turn.words:
        found["artifacts"] = [{"artifactId": "answer", "parts": [{"text": turn.words}]}]
    return found


def _state(told: Mapping[str, Any]) -> str:
    if "consent" in told:
        return "TASK_STATE_AUTH_REQUIRED"
    if "dialogue" not in told or told.get("ended") == DONE:
        return COMPLETED
    if told.get("ended") == LEFT:
        return CANCELED
    return LOST if "ended" in told else "TASK_STATE_INPUT_REQUIRED"


def _read_parts(message: Json) -> tuple[str, Json]:
    """Return the words and the data of a message; raises `WireError`."""
    words, data = list[str](), Json()
    parts = message.get("parts")
    if not isinstance(parts, list):
        raise WireError("wire.field_type", field="message.parts")
    for place, part in enumerate(parts):
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            words.append(part["text"])
        elif isinstance(part, dict) and isinstance(part.get("data"), dict):
            data |= part["data"]
        else:
            raise WireError("wire.field_type", field=f"message.parts[{place}]")
    if data and "call" not in data:  # cases of an application
        words.append(json.dumps(data.get("cases", data)))
    return "\n".join(words), data


def _code(error: PilotbaseError) -> int:
    if isinstance(error, UnknownDialogueError):
        return NO_TASK
    return BAD_PARAMETERS if isinstance(error, InputError) else FAILED
