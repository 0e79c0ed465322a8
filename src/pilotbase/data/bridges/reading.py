"""A description of whomever, in whichever of the formats it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pilotbase.data.bridges import bridges
from pilotbase.data.bridges.definition import Bridge
from pilotbase.data.croissant.findings import Description, Spelled
from pilotbase.documents.errors import InputError
from pilotbase.documents.json_reader import read_json
from pilotbase.documents.nearest import offer
from pilotbase.documents.yaml_reader import Plain, Source, read_yaml

YAML = (".yaml", ".yml")


class Loaded(NamedTuple):
    """What a file says, and in which format."""

    bridge: Bridge
    description: Description


def load_description(path: Path) -> Loaded:
    """Return what the file says of a dataset.

    Raises:
        InputError: it cannot be read within bounds, or is in none of the formats.
    """
    spelled: Spelled = YamlFile(read_yaml(path)) if path.suffix.lower() in YAML else read_json(path)
    for bridge in bridges().values():
        if bridge.recognises is not None and bridge.read is not None and bridge.recognises(spelled.value):
            return Loaded(bridge, bridge.read(spelled))
    known = [bridge.title for bridge in bridges().values() if bridge.read is not None]
    raise InputError("bridge.unknown_format", file=path, known=", ".join(known))


def bridge_to(name: str) -> Bridge:
    """Return the bridge of that name that can be written to; raises `InputError` where there is none."""
    known = {bridge.name: bridge for bridge in bridges().values() if bridge.write is not None}
    if name not in known:
        raise InputError("bridge.no_such_format", found=name, allowed=offer(name, known))
    return known[name]


@dataclass(frozen=True)
class YamlFile:
    """A YAML file whose places are asked for by JSON pointers."""

    source: Source

    @property
    def file(self) -> str:
        return self.source.file

    @property
    def value(self) -> Mapping[str, Plain]:
        return self.source.value

    def line(self, pointer: str) -> int | None:
        """Return the line of what the pointer names, or of the nearest above it that is there."""
        at: Plain = self.source.value
        path, line = "", self.source.lines.get("")
        for step in pointer.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            inside: Plain = None
            if isinstance(at, list) and name.isdecimal() and int(name) < len(at):
                path, inside = f"{path}[{name}]", at[int(name)]
            elif isinstance(at, dict) and name in at:
                path, inside = f"{path}.{name}" if path else name, at[name]
            else:
                break
            at, line = inside, self.source.lines.get(path, line)
        return line
