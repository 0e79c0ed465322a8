"""Messages of the Model Context Protocol as a server of tools answers them: one request in, at most one answer out.

Revision 2026-07-28 ("Base protocol", "Discovery", "Tools", "Streamable HTTP"), where every request names its version;
clients of 2024-11-05 to 2025-11-25 begin with ``initialize``. Resources, prompts and subscriptions are not offered, and
a server asks its client for nothing. Standard library only: the same file answers inside a box.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

VERSION = "2026-07-28"
LEGACY = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Earlier revisions, which agree on a version once for a session; the newest first."""
NO_JSON, NO_REQUEST, NO_METHOD, NO_PARAMETERS = -32700, -32600, -32601, -32602
OTHER_HEADER, OTHER_VERSION = -32020, -32022
_META = "io.modelcontextprotocol/"
Json = dict[str, Any]


class ToolServer(Protocol):
    """What has tools to offer."""

    name: str
    version: str

    def tools(self) -> Sequence[Json]:
        """Return MCP ``Tool`` objects, in the same order each time."""
        ...

    def call(self, name: str, arguments: Json) -> tuple[Any, bool]:
        """Return what a tool answers, any JSON value, and whether that is an error of the call."""
        ...


class Answered(NamedTuple):
    """What goes back: a status of HTTP (RFC 9110), and a JSON-RPC message; none to a notification."""

    status: int
    message: Json | None = None


class _RefusedError(Exception):
    def __init__(self, code: int, said: str, status: int = 400, **data: Any) -> None:
        super().__init__(said)
        self.code, self.status, self.data = code, status, data


def answer(body: bytes, server: ToolServer, headers: Mapping[str, str] | None = None) -> Answered:
    """Return the answer to one message.

    ``headers``: of a request over HTTP, names in lower case; they have to agree with the message.
    """
    identity: Any = None
    try:
        asked = _read(body)
        if "id" not in asked:
            return Answered(202)
        identity = asked["id"]
        modern = _version(asked, headers)
        result = _METHODS.get(asked["method"], _unknown)(asked["params"], server)
    except _RefusedError as refused:
        error = {"code": refused.code, "message": str(refused), **({"data": refused.data} if refused.data else {})}
        return Answered(refused.status, _message(identity, error=error))
    return Answered(200, _message(identity, result={**({"resultType": "complete"} if modern else {}), **result}))


def call_in(body: bytes, headers: Mapping[str, str] | None = None) -> tuple[str, Json] | None:
    """Return the tool and the arguments that `answer` would call for a message; None: it calls none."""
    try:
        asked = _read(body)
        if "id" not in asked or asked["method"] != "tools/call":
            return None
        _version(asked, headers)
        return _named(asked["params"])
    except _RefusedError:
        return None


def _read(body: bytes) -> Json:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise _RefusedError(NO_JSON, "The message is not JSON.") from None
    if not isinstance(found, dict) or found.get("jsonrpc") != "2.0" or not isinstance(found.get("method"), str):
        raise _RefusedError(NO_REQUEST, "The message is no JSON-RPC 2.0 request.")
    if "id" in found and (not isinstance(found["id"], str | int) or isinstance(found["id"], bool)):
        raise _RefusedError(NO_REQUEST, "The id of a request is a text or a whole number.")
    found["params"] = {} if found.get("params") is None else found["params"]
    if not isinstance(found["params"], dict):
        raise _RefusedError(NO_PARAMETERS, "The parameters of a request are an object.")
    return found


def _version(asked: Json, headers: Mapping[str, str] | None) -> bool:
    """Return whether a request is of the revision that names its version each time; raises for one we don't speak."""
    meta = asked["params"].get("_meta")
    wanted = meta.get(f"{_META}protocolVersion") if isinstance(meta, dict) else None
    if wanted is None:
        return False
    if wanted != VERSION:
        raise _RefusedError(
            OTHER_VERSION, "Unsupported protocol version", supported=[VERSION, *LEGACY], requested=wanted
        )
    if headers is not None:
        _check(headers, {"mcp-protocol-version": wanted, "mcp-method": asked["method"]})
    return True


def _check(headers: Mapping[str, str], message: Mapping[str, str]) -> None:
    for name, value in message.items():
        if headers.get(name) != value:
            raise _RefusedError(OTHER_HEADER, f"The header {name} and the message differ.")


def _initialize(params: Json, server: ToolServer) -> Json:
    asked = params.get("protocolVersion")
    agreed = asked if asked in LEGACY else LEGACY[0]
    return {"protocolVersion": agreed, "capabilities": {"tools": {}}, "serverInfo": _about(server)}


def _discover(params: Json, server: ToolServer) -> Json:
    return {
        "supportedVersions": [VERSION, *LEGACY],
        "capabilities": {"tools": {}},
        "_meta": {f"{_META}serverInfo": _about(server)},
        **_NOT_KEPT,
    }


def _list(params: Json, server: ToolServer) -> Json:
    return {"tools": list(server.tools()), **_NOT_KEPT}


def _call(params: Json, server: ToolServer) -> Json:
    content, error = server.call(*_named(params))
    spelled = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    structured = {"structuredContent": content} if isinstance(content, dict) else {}
    return {"content": [{"type": "text", "text": spelled}], "isError": error, **structured}


def _named(params: Json) -> tuple[str, Json]:
    name, arguments = params.get("name"), params.get("arguments")
    arguments = {} if arguments is None else arguments
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise _RefusedError(NO_PARAMETERS, "A call names a tool, and its arguments are an object.")
    return name, arguments


def _ping(params: Json, server: ToolServer) -> Json:
    return {}


def _unknown(params: Json, server: ToolServer) -> Json:
    raise _RefusedError(NO_METHOD, "Method not found", status=404)


def _about(server: ToolServer) -> Json:
    return {"name": server.name, "version": server.version}


def _message(identity: Any, **outcome: Json) -> Json:
    return {"jsonrpc": "2.0", **({} if identity is None else {"id": identity}), **outcome}


_NOT_KEPT: Json = {"ttlMs": 0, "cacheScope": "private"}
_METHODS = {
    "initialize": _initialize,
    "ping": _ping,
    "server/discover": _discover,
    "tools/list": _list,
    "tools/call": _call,
}
