"""The door in a box: a Unix socket that speaks HTTP, and the agents that call the world's tools there by MCP.

``run(task, door)`` plays one episode with its own program and SDK, unmodified. ``door`` is the path of the socket, also
in the variable ``PILOTBASE_DOOR``. At ``/mcp`` each tool call is one act of the episode; the tool ``say_to_user`` talks
to the user and returns the reply. What ``run`` returns is said last, and ends the episode.

Where the application may use a model of the base, ``/v1/chat/completions`` and ``/v1/models`` are those of OpenAI's
API. A request is a message to the base, ``{"door": …}``, and the next observation is its answer; requests that come at
the same time wait for one another. Standard library only.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from queue import SimpleQueue
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

DOOR, WIRE = "PILOTBASE_DOOR", "mcp_wire"
"""The variable with the place of the socket, and the module beside this one that knows MCP."""
MOST_BYTES = 1 << 20
MOST_THREADS, IDLE_SECONDS = 32, 5.0
"""Connections that are answered at the same time, and after which time without a request one is closed."""
_OWNED = {"object": "model", "created": 0, "owned_by": "pilotbase"}
Answered = tuple[int, str, str]
"""Status, type and text of an answer."""
Route = Callable[[bytes, dict[str, str]], Answered]
SAY = {
    "name": "say_to_user",
    "description": "Say something to the user, and return the reply. 对用户说话，并返回其答复。",
    "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
}


def load(given: Any) -> Callable[[Mapping[str, Any]], list[str]]:
    """Return a function that answers one observation, a JSON text, with acts, another."""
    sys.path.insert(0, given.folder)
    module, _, function = given.form["entry_point"].partition(":")
    episode = AgentEpisode(getattr(importlib.import_module(module), function), given.neighbour(WIRE).answer)
    return lambda batch: [episode.act(json.loads(text)) for text in batch["observation"]]


class AgentEpisode:
    """One episode: the program runs in a thread of its own, and waits at the door while the world answers."""

    name, version = "pilotbase", "1"

    def __init__(self, run: Callable[[str, str], Any], answer: Callable[..., Any]) -> None:
        """``answer``: that of `mcp_wire`."""
        self._run, self._answer = run, answer
        self._messages = Messages()
        self._turn = threading.Lock()
        self._tools: list[Any] = []
        self._begun = False

    def act(self, observation: Any) -> str:
        """Return what the program does next, as JSON; raises what it raised."""
        if self._begun:
            self._messages.take(observation)
        else:
            self._begun, self._tools, path = True, [*observation["tools"], SAY], place()
            open_server(path, self._messages, observation.get("model"), self._mcp)
            threading.Thread(target=self._play, args=(observation["task"], path), daemon=True).start()
        return self._messages.next()

    def tools(self) -> list[Any]:
        return self._tools

    def call(self, name: str, arguments: Any) -> tuple[Any, bool]:
        """Act once, and return what comes back; one call at a time, in the order of their arrival."""
        with self._turn:
            if name == SAY["name"]:
                self._messages.send([{"say": str(arguments.get("text", ""))}])
                return self._messages.see().get("user") or "", False
            self._messages.send([{"tool": name, "arguments": arguments}])
            (result,) = self._messages.see()["results"]
            return result["content"], result["error"]

    def _mcp(self, body: bytes, headers: dict[str, str]) -> Answered:
        found = self._answer(body, self, headers)
        return found.status, "application/json", "" if found.message is None else json.dumps(found.message)

    def _play(self, task: str, door: str) -> None:
        try:
            said = self._run(task, door)
        except BaseException as problem:  # noqa: BLE001 - whatever ends the program, an exit too, ends the episode
            self._messages.send(problem)
            return
        self._messages.send([*([{"say": said}] if isinstance(said, str) and said else []), {"done": True}])


class Messages:
    """Messages between the program's threads and the base: one out, one in."""

    def __init__(self) -> None:
        self._seen: SimpleQueue[Any] = SimpleQueue()
        self._replies: SimpleQueue[Any] = SimpleQueue()
        self._out: SimpleQueue[Any] = SimpleQueue()
        self._asking = threading.Lock()

    def take(self, observation: Any) -> None:
        """Hand in what the base shows; the answer of a model goes to who asked."""
        if "door" in observation:
            self._replies.put(observation["door"])
        else:
            self._seen.put(observation)

    def send(self, message: Any) -> None:
        """Put a message to the base, or the exception that ends the program."""
        self._out.put(message)

    def see(self) -> Any:
        """Wait for the next observation."""
        return self._seen.get()

    def next(self) -> str:
        """Return the program's next message, spelled; raises what it raised."""
        found = self._out.get()
        if isinstance(found, BaseException):
            raise found
        return found if isinstance(found, str) else spelled(found)

    def ask_model(self, request: Any) -> Answered:
        """Return what the base answers to a chat request."""
        message = spelled({"door": request})
        if len(message.encode()) > MOST_BYTES:
            return 413, "application/json", ""
        with self._asking:
            self._out.put(message)
            reply = self._replies.get()
        return reply["status"], reply["type"], reply["body"]


def spelled(message: Any) -> str:
    """Return a message as JSON; an unpaired surrogate becomes "?"."""
    return json.dumps(message, ensure_ascii=False).encode(errors="replace").decode()


def place() -> str:
    """Return where the socket will be; the variable `DOOR` says so from now on."""
    path = os.environ[DOOR] = str(Path(tempfile.mkdtemp(), "door.sock"))
    return path


def open_server(path: str, messages: Messages, model: str | None, mcp: Route | None = None) -> None:
    """Answer at ``path`` from now on: the ``model`` of the base under that name, and ``mcp``; None: not here."""
    routes: dict[tuple[str, str], Route] = {}
    if mcp is not None:
        routes["POST", "/mcp"] = mcp
    if model is not None:
        listed = json.dumps({"object": "list", "data": [{"id": model, **_OWNED}]})
        routes["GET", "/v1/models"] = lambda _, __: (200, "application/json", listed)
        routes["POST", "/v1/chat/completions"] = lambda body, _: _chat(body, messages)
    server = _Server(path, type("Door", (_Request,), {"routes": routes}))
    threading.Thread(target=server.serve_forever, daemon=True).start()


def _chat(body: bytes, messages: Messages) -> Answered:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict):
        error = {"message": "The body is no JSON object.", "type": "invalid_request_error", "code": "invalid_request"}
        return 400, "application/json", json.dumps({"error": error})
    return messages.ask_model(request)


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, path: str, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(path, handler)
        self._free = threading.BoundedSemaphore(MOST_THREADS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, once one is free: many calls at once wait, and end no box."""
        self._free.acquire()
        try:
            super().process_request(request, client_address)
        except RuntimeError:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is no error of the application."""


class _Request(BaseHTTPRequestHandler):
    protocol_version, timeout = "HTTP/1.1", IDLE_SECONDS
    wbufsize = -1  # head and body in one write, which wakes the client once
    routes: dict[tuple[str, str], Route]

    def do_POST(self) -> None:
        """Answer one request."""
        size, place = self.headers.get("content-length", ""), self.path.partition("?")[0]
        if self.command != "POST" and not size:
            size = "0"
        if "origin" in self.headers:
            return self._send(403, "text/plain", "")
        if not size.isdecimal():
            return self._send(411, "text/plain", "")
        if int(size) > MOST_BYTES:
            self._send(413, "text/plain", "")
            return self._drop(int(size))
        body, route = self.rfile.read(int(size)), self.routes.get((self.command, place))
        if route is None:
            known = any(place == path for _, path in self.routes)
            return self._send(405 if known else 404, "text/plain", "")
        return self._send(*route(body, {name.lower(): value for name, value in self.headers.items()}))

    do_GET = do_DELETE = do_POST  # noqa: N815 - as the library calls them

    def _send(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.close_connection = self.close_connection or status in (403, 411, 413)
        self.send_response_only(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-should-retry", "false")  # a client that tried again would spend its own time
        self.end_headers()
        self.wfile.write(body)

    def _drop(self, size: int) -> None:
        """Read what nobody wants: a client that is still sending it would not see the answer."""
        while size > 0 and (read := len(self.rfile.read(min(size, 1 << 16)))):
            size -= read

    def log_message(self, *_: Any) -> None:
        """Say nothing: what the box prints is the application's log."""

    def address_string(self) -> str:
        return "unix"
