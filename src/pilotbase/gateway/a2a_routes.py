"""Agent2Agent (A2A 1.0, binding JSON-RPC) at the gateway: a service has a card, and a dialogue with it is a task.

What an agent wants done is a task that waits for input, with the call as data; a consent that a person has to give is
one that waits for authorisation. Streams and push notifications are not offered.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pilotbase import __version__
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.texts import text
from pilotbase.documents.transcript import DONE
from pilotbase.gateway.conversations import MOST_OPEN, Caller, Conversations, ConversationTurn, received_from, told_of
from pilotbase.gateway.door import Door, Gateway, language_of, secret_of
from pilotbase.gateway.mcp_routes import error_body
from pilotbase.gateway.problems import problem_of
from pilotbase.gateway.upstreams.agents import UnknownDialogueError
from pilotbase.protocols.strict_json import WireError, read_object, write_json
from pilotbase.protocols.upstream import JSON

VERSION, VERSION_HEADER = "1.0", "a2a-version"
NO_REQUEST, NO_METHOD, BAD_PARAMETERS, FAILED, NO_TASK, UNSUPPORTED, OTHER_VERSION = (
    -32600, -32601, -32602, -32603, -32001, -32004, -32009,
)  # fmt: skip
MOST_TASKS = MOST_OPEN
"""Tasks of one key that are remembered; of more, its oldest is forgotten, so no key takes the room of another."""
_NOT_OFFERED = frozenset({
    "SendStreamingMessage", "CancelTask", "ListTasks", "SubscribeToTask", "GetExtendedAgentCard",
    "CreateTaskPushNotificationConfig", "GetTaskPushNotificationConfig", "ListTaskPushNotificationConfigs",
    "DeleteTaskPushNotificationConfig",
})  # fmt: skip
Json = dict[str, Any]


def a2a_routes(gateway: Gateway) -> list[Route]:
    """Return the routes of A2A."""
    door, path = _A2aDoor(gateway), "/a2a/{service}"
    return [door.route(f"{path}/.well-known/agent-card.json", door.card), door.route(path, door.answer, "POST")]


@dataclass(frozen=True)
class _Kept:
    """A task as it stands, and the message that brought it there: sent again, it has the same answer."""

    message: str
    task: Json


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
        url = f"{request.url.scheme}://{request.url.netloc}/a2a/{service.name}"
        described = text("gateway.mcp_ask", service=service.name).render(language_of(request))
        skill = {"id": service.name, "name": service.name, "description": described, "tags": ["pilotbase"]}
        found = {
            "name": service.name,
            "description": described,
            "version": __version__,
            "provider": {"organization": service.organisation, "url": url},
            "supportedInterfaces": [{"url": url, "protocolBinding": "JSONRPC", "protocolVersion": VERSION}],
            "capabilities": {"streaming": False, "pushNotifications": False},
            "securitySchemes": {"key": {"httpAuthSecurityScheme": {"scheme": "Bearer"}}},
            "securityRequirements": [{"schemes": {"key": {"list": []}}}],
            "defaultInputModes": ["text/plain", JSON],
            "defaultOutputModes": ["text/plain", JSON],
            "skills": [skill],
        }
        return Response(write_json(found), media_type=JSON)

    async def answer(self, request: Request) -> Response:
        """Answer one request of JSON-RPC."""
        (caller, body), identity = await received_from(self, request), None
        try:
            asked = read_object(body)
            identity = asked.get("id")
            found = {"result": await self._result(caller, asked)}
        except _RpcError as refused:
            found = {"error": {"code": refused.code, "message": str(refused), "data": [refused.data]}}
        except PilotbaseError as error:
            problem = problem_of(error, language_of(request))
            found = {"error": {"code": _code(error), "message": problem.message, "data": [{"code": problem.code}]}}
        return Response(write_json({"jsonrpc": "2.0", "id": identity, **found}), media_type=JSON)

    async def _result(self, caller: Caller, asked: Mapping[str, object]) -> Json:
        method, params = asked.get("method"), asked.get("params", {})
        if asked.get("jsonrpc") != "2.0" or not isinstance(method, str) or not isinstance(params, dict):
            raise _RpcError(NO_REQUEST, "The message is no JSON-RPC 2.0 request.")
        spoken = caller.request.headers.get(VERSION_HEADER, "0.3")
        if spoken != VERSION:
            raise _RpcError(OTHER_VERSION, "Unsupported protocol version", supported=[VERSION], requested=spoken)
        if method == "SendMessage":
            return {"task": await self._sent(caller, params)}
        if method == "GetTask":
            return self._known(caller, params.get("id")).task
        if method in _NOT_OFFERED:
            raise _RpcError(UNSUPPORTED, "This operation is not supported")
        raise _RpcError(NO_METHOD, "Method not found")

    async def _sent(self, caller: Caller, params: Json) -> Json:
        """Return the task that a message begins, or goes on with."""
        message = params.get("message")
        if not isinstance(message, dict) or not isinstance(message.get("messageId"), str):
            raise WireError("wire.field_type", field="message")
        words, data = _read_parts(message)
        named = message.get("taskId")
        if not named:
            return self._keep(caller, message, await self._conversations.begin(caller, words))
        known = self._known(caller, named)
        if known.message == message["messageId"]:
            return known.task
        return self._keep(caller, message, await self._conversations.go_on(caller, str(named), words, data))

    def _known(self, caller: Caller, identity: object) -> _Kept:
        found = self._tasks.get(caller.key, {}).get(str(identity))
        if found is None:
            raise UnknownDialogueError("gateway.unknown_dialogue")
        return found

    def _keep(self, caller: Caller, message: Json, turn: ConversationTurn) -> Json:
        identity = str(turn.told.get("dialogue") or secrets.token_hex(16))
        task, own = _task(identity, turn), self._tasks.setdefault(caller.key, {})
        own.pop(identity, None)
        own[identity] = _Kept(message["messageId"], task)
        while len(own) > MOST_TASKS:
            del own[next(iter(own))]
        return task


def _task(identity: str, turn: ConversationTurn) -> Json:
    """Return a dialogue as a task."""
    told = told_of(turn)
    data = {name: told[name] for name in ("call", "consent", "ended") if name in told}
    parts = [*([{"text": turn.words}] if turn.words else []), *([{"data": data}] if data else [])]
    said = {"messageId": secrets.token_hex(16), "role": "ROLE_AGENT", "parts": parts}
    said |= {"taskId": identity, "contextId": identity}
    found: Json = {"id": identity, "contextId": identity, "status": {"state": _state(told), "message": said}}
    if _state(told) == "TASK_STATE_COMPLETED" and turn.words:
        found["artifacts"] = [{"artifactId": "answer", "parts": [{"text": turn.words}]}]
    return found


def _state(told: Mapping[str, Any]) -> str:
    if "consent" in told:
        return "TASK_STATE_AUTH_REQUIRED"
    if "dialogue" not in told or told.get("ended") == DONE:
        return "TASK_STATE_COMPLETED"
    return "TASK_STATE_FAILED" if "ended" in told else "TASK_STATE_INPUT_REQUIRED"


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
