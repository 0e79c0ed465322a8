"""YAML that people read and our reader reads back: short mappings on one line, quotes where a reader would err."""

from __future__ import annotations

import re
from typing import Any

import yaml

WIDTH = 116
_QUOTED_TYPE = re.compile(r"dataType: '(sc:\w+)'")


class Flow(dict[str, Any]):
    """A mapping on one line."""


class FlowList(list[Any]):
    """A list on one line."""


def dump_plain(name: str, value: Any, indent: str) -> list[str]:
    """Return the lines that spell ``name: value``, each after ``indent``."""
    spelled = yaml.dump(
        {name: value},
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        width=WIDTH - len(indent),
        default_flow_style=False,
    )
    plain = _QUOTED_TYPE.sub(r"dataType: \1", spelled)
    return [indent + line if line else line for line in plain.rstrip("\n").split("\n")]


def join_lines(lines: list[str]) -> str:
    """Return a file of these lines, with single blank lines in place of several, and none at its end."""
    return "\n".join(line for index, line in enumerate(lines) if line or (index and lines[index - 1])).rstrip() + "\n"


def is_short(value: dict[str, Any]) -> bool:
    """Return whether a mapping of plain values fits on one line."""
    return all(not isinstance(inner, dict) for inner in value.values()) and len(str(value)) < WIDTH - 20


class _Dumper(yaml.SafeDumper):
    """Quotes everything that our reader or a YAML 1.1 reader would take for a number, a truth or a date."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


_Dumper.add_representer(
    Flow, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)
)
_Dumper.add_representer(
    FlowList, lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)
)
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
