"""The program inside a box that reads a table of whomever: columns, a draft made of it, sample, cases, texts.

It is started as a stand-alone script; our own packages are mounted beside it and loaded only once the box is shut.
Speaks the frames of `pilotbase.protocols.frames`; what it found is a file, for it may be larger than a frame.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

HEADER = struct.Struct("<4sB3xIIQ")
MAGIC = b"PBX1"
STARTED, HELLO, READY = range(1, 4)
FOUND, SAMPLE, CASES, TEXTS, DRAFTED = "found.json", "sample.csv", "cases.bin", "texts.bin", "drafted.bin"


def main() -> None:
    """Do what the greeting asks for and write the result."""
    requests, answers = open(int(sys.argv[1]), "rb"), int(sys.argv[2])  # noqa: SIM115
    send(answers, STARTED)
    _, _, _, _, length = HEADER.unpack(requests.read(HEADER.size))
    greeting = json.loads(requests.read(length))
    sys.path[:0] = greeting["packages"]
    tempfile.tempdir = greeting["result"]  # what is kept to scan a table takes no memory
    os.chdir(greeting["folder"])  # so that what is wrong names files as whoever sent them does
    from pilotbase.documents.errors import InputError

    try:
        found = TASKS[greeting["task"]](greeting)
    except InputError as error:
        issues = [issue.model_dump(mode="json") for issue in error.issues]
        found = {"error": error.text.model_dump(mode="json"), "issues": issues}
    Path(greeting["result"], FOUND).write_text(json.dumps(found), "utf-8")
    send(answers, READY)


def describe(greeting: dict[str, Any]) -> dict[str, Any]:
    """Return the names of the columns and the number of rows."""
    from pilotbase.data.source_cases import columns_of

    columns, rows = columns_of(Path(greeting["table"]), Path(greeting["result"]))
    return {"columns": columns, "rows": rows}


def draft(greeting: dict[str, Any]) -> dict[str, Any]:
    """Return a draft of a scenario; one that lacks nothing holds. The copied cases, if any, are a file of their own."""
    from pilotbase.data.drafting import DraftAnswers, draft_scenario
    from pilotbase.documents.moments import DateOrder
    from pilotbase.worker.intake.scenario_tables import check_cases

    result = Path(greeting["result"])
    given = greeting["given"]
    answers = DraftAnswers(**{**given, "dates": given["dates"] and DateOrder(given["dates"])})
    found = draft_scenario(Path(greeting["table"]), answers, result)
    written = result / found.scenario.data.file
    written.write_bytes(found.cases or b"")
    if not found.missing:
        check_cases(found.scenario, Path() if found.cases is None else result)
    written.rename(result / DRAFTED)
    decided = [sentence.model_dump(mode="json") for sentence in found.decided]
    return {"scenario": found.scenario.to_json_value(), "decided": decided, "missing": list(found.missing)}


def check(greeting: dict[str, Any]) -> dict[str, Any]:
    """Return how the cases of a scenario fall apart."""
    from pilotbase.documents.scenario import Scenario
    from pilotbase.worker.intake.scenario_tables import check_cases

    counts = check_cases(Scenario.model_validate(greeting["given"]), Path())
    return {"counts": {**vars(counts), "blind": counts.blind and counts.blind.model_dump(mode="json")}}


def sample(greeting: dict[str, Any]) -> dict[str, Any]:
    """Return the contract of a scenario; its public sample is a file of its own."""
    from pilotbase.documents.scenario import Scenario
    from pilotbase.worker.intake.scenario_tables import read_sample

    found = read_sample(Scenario.model_validate(greeting["given"]), Path())
    Path(greeting["result"], SAMPLE).write_bytes(found.csv)
    return {"contract": found.contract.model_dump(mode="json", by_alias=True)}


def cases(greeting: dict[str, Any]) -> dict[str, Any]:
    """Return how many cases there are; they are a file of their own."""
    from pilotbase.data.plain_columns import encode_columns
    from pilotbase.documents.scenario import Scenario
    from pilotbase.trial.scenario_folder import read_cases

    frame = read_cases(Scenario.model_validate(greeting["given"]), Path())
    with Path(greeting["result"], CASES).open("xb") as written:
        written.writelines(encode_columns(frame))
    return {"rows": frame.height}


def texts(greeting: dict[str, Any]) -> dict[str, Any]:
    """Return the names of the columns and the number of rows; every value, as text, is a file of its own."""
    import polars as pl

    from pilotbase.data.plain_columns import encode_columns
    from pilotbase.data.sources.opening import read_table

    stored = read_table(Path(greeting["table"]))
    plain = [name for name, kind in stored.schema.items() if not (kind.is_nested() or kind == pl.Binary)]
    frame = stored.select(pl.col(plain).cast(pl.String))
    with Path(greeting["result"], TEXTS).open("xb") as written:
        written.writelines(encode_columns(frame))
    return {"columns": frame.columns, "rows": frame.height}


def send(descriptor: int, kind: int) -> None:
    """Write one empty frame."""
    os.write(descriptor, HEADER.pack(MAGIC, kind, 0, 0, 0))


TASKS = {task.__name__: task for task in (describe, draft, check, sample, cases, texts)}

if __name__ == "__main__":
    main()
