"""The work of `work_program` that calls one of our own functions about anyone's files.

Our packages are mounted beside it, and loaded only once the box is closed. The function's result is a file, for it may
be larger than a frame.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

FOUND = "found.json"
REFUSED = ()
"""What the function refuses stands in its result."""


def run(greeting: dict[str, Any]) -> dict[str, Any]:
    """Call the function that the greeting names and write its result."""
    sys.path[:0] = greeting["packages"]
    os.chdir(greeting["folder"])  # so that problems name files as their sender does
    Path(greeting["result"], FOUND).write_text(json.dumps(found_by(greeting)), "utf-8")
    return {}


def found_by(greeting: dict[str, Any]) -> dict[str, Any]:
    """Return the function's result, or every problem that it reported."""
    errors = import_module("pilotbase.documents.errors")
    module, _, name = greeting["function"].partition(":")
    try:
        return {"found": getattr(import_module(module), name)(greeting["given"])}
    except errors.InputError as error:
        issues = [issue.model_dump(mode="json") for issue in error.issues]
        return {"error": error.text.model_dump(mode="json"), "issues": issues}
