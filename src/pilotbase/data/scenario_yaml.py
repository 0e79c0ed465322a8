"""YAML that people read and our reader reads back: short mappings on one line, quotes where a reader would err.

A drafted scenario is written so for its owner to edit: comments in both languages, sizes and lists in short.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from pilotbase.documents.quantities import write_bytes
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import LANGUAGES, Text, text

WIDTH = 116
_QUOTED_TYPE = re.compile(r"dataType: '(sc:\w+)'")
_NUMBERS = frozenset({"wall_seconds", "load_seconds", "batch_seconds", "miss", "false_alarm"})
_COMMENTED = frozenset(
    {
        *("name", "owner", "sector", "action", "problem", "intended_use", "data", "world", "task", "positive"),
        *("decision_threshold", "baseline", "costs", "criteria"),
        *("trial", "trial.isolation", "trial.limits", "trial.accept_from"),
        *(f"data.{name}" for name in ("licence", "fields", "target", "withheld", "split", "missing", "readers")),
        "data.cases_need",
    }
)
"""Paths whose last name is that of the text ``draft.comment.<name>``."""
_SIZES = frozenset({"memory_bytes", "scratch_bytes", "file_bytes", "log_bytes"})


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


def dump_document(value: dict[str, Any]) -> str:
    """Return a document's JSON value as a file that our reader reads back."""
    return "".join(f"{line}\n" for name, part in value.items() for line in dump_plain(name, part, ""))


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


def write_scenario_yaml(scenario: Scenario) -> str:
    """Return YAML that `load_document` reads back to the same document."""
    lines = [*_comment(text("draft.comment.head"), ""), ""]
    for name, value in scenario.to_json_value().items():
        if (name == "decision_threshold" and _answers_numbers(scenario)) or (name == "data" and scenario.world):
            continue
        comment = _comment_on(name, scenario)
        lines += ["", *_comment(comment, "")] if comment else []
        if name in ("data", "trial"):
            lines.append(f"{name}:")
            lines += _members(name, value, scenario)
        else:
            lines += dump_plain(name, _readable(name, value), "")
    lines += [""] + [f"# {name}: …" for name in ("value", "workforce") if getattr(scenario, name) is None]
    return join_lines(lines)


def _answers_numbers(scenario: Scenario) -> bool:
    """Return whether no probability is ever compared with the threshold, which then keeps its default."""
    default = Scenario.model_fields["decision_threshold"].default
    return scenario.target_form != "labels" and scenario.decision_threshold == default


def _comment_on(name: str, scenario: Scenario) -> Text | None:
    if scenario.world is not None and name in ("criteria", "baseline"):
        return text(f"draft.comment.{name}_of_episodes")
    if name == "criteria" and scenario.target_form != "labels":
        return text("draft.comment.criteria_of_numbers")
    return text(f"draft.comment.{name.rpartition('.')[2]}") if name in _COMMENTED else None


def _members(part: str, value: dict[str, Any], scenario: Scenario) -> list[str]:
    lines: list[str] = []
    for name, inner in value.items():
        comment = _comment_on(f"{part}.{name}", scenario)
        lines += _comment(comment, "  ") if comment else []
        lines += dump_plain(name, _readable(name, inner), "  ")
    return lines


def _comment(sentence: Text, indent: str) -> list[str]:
    return [f"{indent}# {line}" for language in LANGUAGES for line in sentence.render(language).splitlines()]


def _in_line(value: Any) -> Any:
    return Flow(value) if isinstance(value, dict) else FlowList(value) if isinstance(value, list) else value


def _readable(name: str, value: Any) -> Any:
    if name == "readers":
        return [Flow({key: _in_line(inner) for key, inner in reader.items()}) for reader in value]
    if name == "fields" and all(isinstance(field, dict) for field in value):
        return [Flow(field) if is_short(field) else field for field in value]
    if isinstance(value, dict):
        return {inner: _readable(inner, content) for inner, content in value.items()}
    if isinstance(value, list):
        plain = all(not isinstance(item, dict | list) for item in value)
        return FlowList(value) if plain else [_readable("", item) for item in value]
    if name in _SIZES and isinstance(value, int):
        return write_bytes(value)
    if name in _NUMBERS and isinstance(value, float) and value.is_integer():
        return int(value)
    return value
