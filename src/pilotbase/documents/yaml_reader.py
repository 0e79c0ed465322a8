"""YAML in, safely: plain data with the line of every value; no tags, no aliases, bounded size and depth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from pilotbase.documents.errors import InputError
from pilotbase.documents.files import decoded, read_bounded
from pilotbase.documents.texts import Text, text

MAXIMUM_BYTES = 1 << 20
MAXIMUM_DEPTH = 40
MAXIMUM_NODES = 50_000

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


@dataclass(frozen=True)
class YamlSource:
    """A YAML file read as plain data; ``lines`` maps a field path such as ``data.fields[2].name`` to its line."""

    file: str
    value: dict[str, Plain]
    lines: dict[str, int]


def read_yaml(path: Path, times: int = 1) -> YamlSource:
    """Return the mapping in the file; it may be ``times`` as large as others.

    Raises:
        InputError: the file is missing, too large, not UTF-8, not YAML, or uses tags, aliases or duplicate keys.
    """
    return parse_yaml(read_bounded(path, times * MAXIMUM_BYTES), str(path), times)


def parse_yaml(data: bytes, file: str, times: int = 1) -> YamlSource:
    """Return the mapping in ``data``; ``file`` is the name shown in problems. Raises as `read_yaml`."""
    content = decoded(data, file, times * MAXIMUM_BYTES)
    try:
        _check_events(content, file, times * MAXIMUM_NODES)
        node = yaml.compose(content, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _syntax_error(error, file) from None
    if not isinstance(node, yaml.MappingNode):
        raise InputError("input.not_a_mapping", file=file)
    lines: dict[str, int] = {}
    value = _construct(node, "", lines, file)
    return YamlSource(file, value if isinstance(value, dict) else {}, lines)


class _Loader(yaml.CSafeLoader):
    """The safe loader with the scalars of YAML 1.2's core schema: ``no`` and ``2026-01-01`` stay strings."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def _check_events(content: str, file: str, most_nodes: int) -> None:
    depth = nodes = 0
    for event in yaml.parse(content, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused(text("input.yaml_alias"), event, file)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _refused(text("input.yaml_tag", tag=tag), event, file)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        nodes += isinstance(event, yaml.NodeEvent)
        if depth > MAXIMUM_DEPTH or nodes > most_nodes:
            raise _refused(text("input.yaml_too_deep", depth=MAXIMUM_DEPTH, nodes=most_nodes), event, file)


def _construct(node: yaml.Node, path: str, lines: dict[str, int], file: str) -> Plain:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _construct_mapping(node, path, lines, file)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, f"{path}[{index}]", lines, file) for index, item in enumerate(node.value)]
    return _construct_scalar(node, path, file)


def _construct_mapping(node: yaml.MappingNode, path: str, lines: dict[str, int], file: str) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
        inner = f"{path}.{key}" if path else key
        if not key or key in found:
            problem = text("input.double_key", key=key) if key else text("input.no_plain_key")
            raise InputError.at(file, inner, problem, key_node.start_mark.line + 1)
        found[key] = _construct(value_node, inner, lines, file)
    return found


def _construct_scalar(node: yaml.Node, path: str, file: str) -> Plain:
    kind = str(node.tag).rpartition(":")[2]
    content = str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return content == "true"
    if kind not in ("int", "float"):
        return content
    try:
        return int(content) if kind == "int" else float(content)
    except ValueError:  # Python refuses integers of more than 4300 digits
        problem = text("input.bad_scalar", found=content[:80])
        raise InputError.at(file, path, problem, node.start_mark.line + 1) from None


def _refused(problem: Text, event: yaml.Event, file: str) -> InputError:
    return InputError.at(file, "", problem, event.start_mark.line + 1 if event.start_mark else None)


def _syntax_error(error: yaml.YAMLError, file: str) -> InputError:
    mark = getattr(error, "problem_mark", None)
    problem = text("input.yaml_syntax", reason=getattr(error, "problem", None) or "unreadable character")
    return InputError.at(file, "", problem, mark.line + 1 if mark else None)
