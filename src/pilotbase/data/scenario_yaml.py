"""A drafted scenario as YAML that an owner reads and edits: comments in both languages, sizes and lists in short."""

from __future__ import annotations

from typing import Any

from pilotbase.data.plain_yaml import Flow, FlowList, dump_plain, is_short, join_lines
from pilotbase.documents.quantities import write_bytes
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import LANGUAGES, Text, text

_NUMBERS = frozenset({"wall_seconds", "load_seconds", "batch_seconds", "miss", "false_alarm"})
_COMMENTED = frozenset(
    {
        *("name", "owner", "sector", "action", "problem", "intended_use", "data", "task", "positive"),
        *("decision_threshold", "baseline", "costs", "criteria"),
        *("trial", "trial.isolation", "trial.limits", "trial.accept_from"),
        *(f"data.{name}" for name in ("licence", "fields", "target", "withheld", "split", "missing", "readers")),
        "data.cases_need",
    }
)
"""Paths whose last name is that of the text ``draft.comment.<name>``."""
_SIZES = frozenset({"memory_bytes", "scratch_bytes", "file_bytes", "log_bytes"})


def write_scenario_yaml(scenario: Scenario) -> str:
    """Return YAML that `load_document` reads back to the same document."""
    lines = [*_comment(text("draft.comment.head"), ""), ""]
    for name, value in scenario.to_json_value().items():
        if name == "decision_threshold" and _answers_numbers(scenario):
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
    if name == "fields":
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
