"""The program inside a box that reads a table of whomever: what its columns are called, or a scenario drafted from it.

It is started as a stand-alone script; our own packages are mounted beside it and loaded only once the box is shut.
Speaks the frames of `pilotbase.protocols.frames`; what it found is a file, for it may be larger than a frame.
"""

from __future__ import annotations

import io
import json
import os
import struct
import sys
from pathlib import Path
from typing import Any

HEADER = struct.Struct("<4sB3xIIQ")
MAGIC = b"PBX1"
STARTED, HELLO, READY = range(1, 4)


def main() -> None:
    """Do what the greeting asks for and write the result."""
    requests, answers = io.FileIO(int(sys.argv[1])), int(sys.argv[2])
    send(answers, STARTED)
    _, _, _, _, length = HEADER.unpack(requests.read(HEADER.size))
    greeting = json.loads(requests.read(length))
    sys.path[:0] = greeting["packages"]
    from pilotbase.documents.errors import InputError

    try:
        found = draft(greeting) if greeting["answers"] else describe(greeting)
    except InputError as error:
        issues = [issue.model_dump(mode="json") for issue in error.issues]
        found = {"error": error.text.model_dump(mode="json"), "issues": issues}
    Path(greeting["result"]).write_text(json.dumps(found), "utf-8")
    send(answers, READY)


def describe(greeting: dict[str, Any]) -> dict[str, Any]:
    """Return the names of the columns and the number of rows."""
    from pilotbase.data.tables import read_table

    table = read_table(Path(greeting["table"]))
    return {"columns": table.columns, "rows": table.height}


def draft(greeting: dict[str, Any]) -> dict[str, Any]:
    """Return a draft of a scenario."""
    from pilotbase.data.drafting import DraftAnswers, draft_scenario

    found = draft_scenario(Path(greeting["table"]), DraftAnswers(**greeting["answers"]))
    decided = [sentence.model_dump(mode="json") for sentence in found.decided]
    return {"scenario": found.scenario.to_json_value(), "decided": decided, "missing": list(found.missing)}


def send(descriptor: int, kind: int) -> None:
    """Write one empty frame."""
    os.write(descriptor, HEADER.pack(MAGIC, kind, 0, 0, 0))


if __name__ == "__main__":
    main()
