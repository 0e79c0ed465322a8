"""An agent that calls tools by MCP: its own program and SDK, unmodified; the world's tools behind a Unix socket.

``run(task, door)`` plays one episode. ``door`` is the path of a Unix socket that speaks MCP over HTTP at ``/mcp``, also
in the variable ``PILOTBASE_DOOR``. Each tool call is one act of the episode. The tool ``say_to_user`` talks to the user
and returns the reply. What ``run`` returns is said last, and ends the episode. Standard library only.
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
"""The variable with the place of the door, and the module beside this one that knows the protocol."""
MOST_BYTES = 1 << 20
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
    return lambda batch: [
        json.dumps(episode.act(json.loads(text)), ensure_ascii=False) for text in batch["observation"]
    ]


class AgentEpisode:
    """One episode: the program runs in a thread of its own, and waits at the door while the world answers."""

    name, version = "pilotbase", "1"

    def __init__(self, run: Callable[[str, str], Any], answer: Callable[..., Any]) -> None:
        """``answer``: that of `mcp_wire`."""
        self._run, self._answer = run, answer
        self._seen: SimpleQueue[Any] = SimpleQueue()
        self._acts: SimpleQueue[Any] = SimpleQueue()
        self._turn = threading.Lock()
        self._tools: list[Any] = []
        self._begun = False

    def act(self, observation: Any) -> Any:
        """Return what the program does next; raises what it raised."""
        if self._begun:
            self._seen.put(observation)
        else:
            self._begun, self._tools = True, [*observation["tools"], SAY]
            threading.Thread(target=self._play, args=(observation["task"], self._open()), daemon=True).start()
        found = self._acts.get()
        if isinstance(found, BaseException):
            raise found
        return found

    def tools(self) -> list[Any]:
        return self._tools

    def call(self, name: str, arguments: Any) -> tuple[Any, bool]:
        """Act once, and return what comes back; one call at a time, in the order of their arrival."""
        with self._turn:
            if name == SAY["name"]:
                self._acts.put([{"say": str(arguments.get("text", ""))}])
                return self._seen.get().get("user") or "", False
            self._acts.put([{"tool": name, "arguments": arguments}])
            seen = self._seen.get()
            (result,) = seen["results"]
            return result["content"], result["error"]

    def _play(self, task: str, door: str) -> None:
        try:
            said = self._run(task, door)
        except BaseException as problem:  # noqa: BLE001 - whatever ends the program, an exit too, ends the episode
            self._acts.put(problem)
            return
        self._acts.put([*([{"say": said}] if isinstance(said, str) and said else []), {"done": True}])

    def _open(self) -> str:
        path = os.environ[DOOR] = str(Path(tempfile.mkdtemp(), "door.sock"))
        server = _Server(path, type("Door", (_Request,), {"episode": self, "answer": staticmethod(self._answer)}))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return path


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is no error of the application."""


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    episode: Any
    answer: Callable[..., Any]

    def do_POST(self) -> None:
        """Answer one message of MCP (streamable HTTP)."""
        size = self.headers.get("content-length", "")
        if self.path.partition("?")[0] != "/mcp" or "origin" in self.headers:
            return self._send(404 if "origin" not in self.headers else 403, b"")
        if not size.isdigit() or int(size) > MOST_BYTES:
            return self._send(413 if size.isdigit() else 411, b"")
        headers = {name.lower(): value for name, value in self.headers.items()}
        found = self.answer(self.rfile.read(int(size)), self.episode, headers)
        return self._send(found.status, b"" if found.message is None else json.dumps(found.message).encode())

    def do_GET(self) -> None:
        """There is nothing to listen to."""
        self._send(405, b"")

    do_DELETE = do_GET  # noqa: N815 - as the library calls it

    def _send(self, status: int, body: bytes) -> None:
        self.close_connection = self.close_connection or status in (411, 413)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: what the box prints is the application's log."""

    def address_string(self) -> str:
        return "unix"
