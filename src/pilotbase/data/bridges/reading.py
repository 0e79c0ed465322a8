"""Reads a description from anyone, in any of the formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pilotbase.data.bridges import bridges
from pilotbase.data.bridges.definition import Bridge
from pilotbase.data.bridges.tc609 import LINES
from pilotbase.data.croissant.findings import CroissantDescription, PlainFile
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import read_bounded
from pilotbase.documents.json_reader import MAXIMUM_BYTES, parse_json, read_json
from pilotbase.documents.yaml_reader import Plain, YamlSource, read_yaml

YAML = (".yaml", ".yml")


class BridgedFile(NamedTuple):
    """The content of a file, and its format."""

    bridge: Bridge
    description: CroissantDescription


def load_description(path: Path) -> BridgedFile:
    """Return what the file says of a dataset.

    Raises:
        InputError: it cannot be read within bounds, or is in none of the formats.
    """
    spelled = _spelled(path)
    for bridge in bridges().values():
        if bridge.recognises is not None and bridge.read is not None and bridge.recognises(spelled.value):
            return BridgedFile(bridge, bridge.read(spelled))
    known = [bridge.title for bridge in bridges().values() if bridge.read is not None]
    raise InputError("bridge.unknown_format", file=path, known=", ".join(known))


def _spelled(path: Path) -> PlainFile:
    if path.suffix.lower() in YAML:
        return YamlFile(**vars(read_yaml(path)))
    return _read_lines(path) if path.suffix.lower() == ".jsonl" else read_json(path)


def _read_lines(path: Path) -> LinesFile:
    """Return a file of one JSON object a line; raises `InputError` as `read_json`."""
    data = read_bounded(path, MAXIMUM_BYTES)
    found: list[Plain] = []
    numbers: list[int] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            found.append(parse_json(line, f"{path}:{number}").value)
            numbers.append(number)
    return LinesFile(str(path), {LINES: found}, tuple(numbers))


@dataclass(frozen=True)
class LinesFile:
    """A file of one JSON object a line."""

    file: str
    value: Mapping[str, Plain]
    numbers: tuple[int, ...]
    """Of the lines that hold an object."""

    def line(self, pointer: str) -> int | None:
        """Return the line of the object that the pointer leads into."""
        steps = pointer.split("/")
        return self.numbers[int(steps[2])] if len(steps) > 2 and steps[1] == LINES else None


@dataclass(frozen=True)
class YamlFile(YamlSource):
    """A YAML file whose places are looked up by JSON pointers."""

    def line(self, pointer: str) -> int | None:
        """Return the line of what the pointer names, or of its nearest existing parent."""
        at: Plain = self.value
        path, line = "", self.lines.get("")
        for step in pointer.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            inside: Plain = None
            if isinstance(at, list) and name.isdecimal() and int(name) < len(at):
                path, inside = f"{path}[{name}]", at[int(name)]
            elif isinstance(at, dict) and name in at:
                path, inside = f"{path}.{name}" if path else name, at[name]
            else:
                break
            at, line = inside, self.lines.get(path, line)
        return line
