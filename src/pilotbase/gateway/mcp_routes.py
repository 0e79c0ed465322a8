"""The Model Context Protocol at the gateway: a service is a server whose tools ask it.

An application is one tool that answers cases, or words; an agent is two: one begins a dialogue with a task, one goes on
with it. What the agent wants done comes back as a call for the caller to carry out, behind the fence of the trial.
Streamable HTTP without sessions: each request is answered by one JSON message.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pilotbase import __version__
from pilotbase.documents.contract import Contract, DataType
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.texts import Language, text
from pilotbase.gateway.conversations import CALL, RESULT, Caller, Conversations, received_from, told_of
from pilotbase.gateway.door import Door, Gateway, ProblemMessage, language_of, problem_of
from pilotbase.gateway.upstreams.agents import AgentUpstream
from pilotbase.gateway.upstreams.certified import CertifiedUpstream
from pilotbase.protocols import mcp_wire
from pilotbase.protocols.contract_tensors import spoken_field
from pilotbase.protocols.strict_json import WireError, write_json
from pilotbase.protocols.upstream import JSON

BEGIN, GO_ON, PREDICT, ASK = "begin", "go_on", "predict", "ask"
_REFUSED = -32000
_TYPES = {DataType.FLOAT: "number", DataType.INTEGER: "integer", DataType.BOOLEAN: "boolean"}
_TEXT = {"type": "string"}
Json = dict[str, Any]


def mcp_routes(gateway: Gateway) -> list[Route]:
    """Return the routes of MCP."""
    door, path = _McpDoor(gateway), "/mcp/{service}"
    return [
        door.route(path, door.answer, "POST"),
        door.route(path, door.no_stream),
        door.route(path, door.no_stream, "DELETE"),
    ]


def error_body(problem: ProblemMessage) -> bytes:
    """Return a problem as clients of JSON-RPC read it."""
    error = {"code": _REFUSED, "message": problem.message, "data": {"code": problem.code}}
    return write_json({"jsonrpc": "2.0", "id": None, "error": error})


class _McpDoor(Door):
    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway, error_body)
        self._conversations = Conversations(gateway)

    async def no_stream(self, _: Request) -> Response:
        """Answer that there are neither streams nor sessions."""
        return Response(status_code=405, headers={"Allow": "POST"})

    async def answer(self, request: Request) -> Response:
        """Answer one message."""
        caller, body = await received_from(self, request)
        headers, server = dict(request.headers), _Server(caller.service.name, self._tools(caller))
        called = mcp_wire.call_in(body, headers)
        if called is not None and any(tool["name"] == called[0] for tool in server.offered):
            server.outcome = await self._called(caller, *called)
        found = mcp_wire.answer(body, server, headers)
        return Response(b"" if found.message is None else write_json(found.message), found.status, media_type=JSON)

    def _tools(self, caller: Caller) -> Sequence[Json]:
        service, language = caller.service, language_of(caller.request)
        upstream = self.gateway.upstreams.of(service, service.routes[0])
        if isinstance(upstream, AgentUpstream):
            world = upstream.world.world
            names = ", ".join(tool.name for tool in world.tools)
            again = {"dialogue": _TEXT, "words": _TEXT, CALL: _TEXT, RESULT: {}}
            return [
                _tool(BEGIN, {"task": _TEXT}, ["task"], language, service=service.name, tools=names),
                _tool(GO_ON, again, ["dialogue"], language),
            ]
        if isinstance(upstream, CertifiedUpstream) and spoken_field(upstream.model.contract) is None:
            cases = {"type": "array", "items": _case(upstream.model.contract)}
            return [_tool(PREDICT, {"cases": cases}, ["cases"], language, service=service.name)]
        return [_tool(ASK, {"text": _TEXT}, ["text"], language, service=service.name)]

    async def _called(self, caller: Caller, tool: str, arguments: Json) -> tuple[Any, bool]:
        """Return the result of a call, and whether it is an error: of the call, not of the protocol."""
        try:
            if tool == GO_ON:
                words = _words(arguments, "words") if arguments.get("words") else ""
                found = await self._conversations.go_on(caller, _words(arguments, "dialogue"), words, arguments)
                return told_of(found), False
            words = json.dumps(arguments.get("cases")) if tool == PREDICT else ""
            words = words or _words(arguments, "task" if tool == BEGIN else "text")
            found = await self._conversations.begin(caller, words)
        except PilotbaseError as error:
            problem = problem_of(error, language_of(caller.request))
            return {"problem": problem.code, "message": problem.message}, True
        if tool == PREDICT and found.message.get("content"):
            return {"answers": json.loads(found.message["content"])}, False
        return (told_of(found) if tool == BEGIN else found.words), False


@dataclass
class _Server:
    """What `mcp_wire` answers from."""

    name: str
    offered: Sequence[Json]
    outcome: tuple[Any, bool] = ({"problem": "unknown_tool"}, True)
    version: str = __version__

    def tools(self) -> Sequence[Json]:
        return self.offered

    def call(self, name: str, arguments: Json) -> tuple[Any, bool]:
        return self.outcome


def _tool(name: str, properties: Json, required: list[str], language: Language, **values: str) -> Json:
    described = text(f"gateway.mcp_{name}", **values).render(language)
    schema = {"type": "object", "properties": properties, "required": required}
    return {"name": name, "description": described, "inputSchema": schema}


def _case(contract: Contract) -> Json:
    """Return the schema of a case."""
    types = {field.name: {"type": _TYPES.get(field.data_type, "string")} for field in contract.features}
    return {"type": "object", "properties": types}


def _words(arguments: Json, name: str) -> str:
    found = arguments.get(name)
    if not isinstance(found, str):
        raise WireError("wire.field_type", field=name)
    return found
