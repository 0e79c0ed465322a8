"""The program inside a box that calls one of our own functions about anyone's files.

It starts as a stand-alone script; our own packages are mounted beside it and loaded only once the box is closed. Speaks
the frames of `pilotbase.protocols.frames`; the function's result is a file, for it may be larger than a frame.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

HEADER = struct.Struct("<4sB3xIIQ")
MAGIC = b"PBX1"
STARTED, HELLO, READY = range(1, 4)
FOUND = "found.json"


def main() -> None:
    """Call the function that the greeting names and write its result."""
    requests, answers = open(int(sys.argv[1]), "rb"), int(sys.argv[2])  # noqa: SIM115
    send(answers, STARTED)
    _, _, _, _, length = HEADER.unpack(requests.read(HEADER.size))
    greeting = json.loads(requests.read(length))
    sys.path[:0] = greeting["packages"]
    os.chdir(greeting["folder"])  # so that problems name files as their sender does
    Path(greeting["result"], FOUND).write_text(json.dumps(found_by(greeting)), "utf-8")
    send(answers, READY)


def found_by(greeting: dict[str, Any]) -> dict[str, Any]:
    """Return the function's result, or every problem that it reported."""
    errors = import_module("pilotbase.documents.errors")
    module, _, name = greeting["function"].partition(":")
    try:
        return {"found": getattr(import_module(module), name)(greeting["given"])}
    except errors.InputError as error:
        issues = [issue.model_dump(mode="json") for issue in error.issues]
        return {"error": error.text.model_dump(mode="json"), "issues": issues}


def send(descriptor: int, kind: int) -> None:
    """Write one empty frame."""
    os.write(descriptor, HEADER.pack(MAGIC, kind, 0, 0, 0))


if __name__ == "__main__":
    main()
