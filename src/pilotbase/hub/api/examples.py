"""Examples of what the API takes, in ``examples.json`` here and in plug-ins. Each fits its model: a test sees to it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from pilotbase.documents.plugins import packages

_READ = [
    json.loads(file.read_text("utf-8"))
    for package in packages("hub.api")
    if (file := files(package).joinpath("examples.json")).is_file()
]
PARAMETERS: dict[str, Any] = {name: value for one in _READ for name, value in one["parameters"].items()}
"""Name of a parameter of an address → a value."""
EXAMPLES: dict[str, dict[str, Any]] = {name: value for one in _READ for name, value in one["bodies"].items()}
"""Name of a component of the schema → an example of it."""
