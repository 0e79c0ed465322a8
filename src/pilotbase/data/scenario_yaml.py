"""A scenario as YAML for people: every part with a comment that says what it is and what the owner must confirm."""

from __future__ import annotations

from typing import Any

from pilotbase.data.plain_yaml import Flow, FlowList, dump_plain, is_short, join_lines
from pilotbase.documents.quantities import write_bytes
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import LANGUAGES, Text, text

_NUMBERS = frozenset({"wall_seconds", "load_seconds", "batch_seconds", "miss", "false_alarm"})
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
            lines += _members(name, value)
        else:
            lines += _dump(name, value, "")
    lines += [""] + [f"# {name}: …" for name in ("value", "workforce") if getattr(scenario, name) is None]
    return join_lines(lines)


def _answers_numbers(scenario: Scenario) -> bool:
    """Return whether no probability is ever compared with the threshold, which then keeps its default."""
    default = Scenario.model_fields["decision_threshold"].default
    return scenario.target_form != "labels" and scenario.decision_threshold == default


def _comment_on(name: str, scenario: Scenario) -> Text | None:
    if name == "criteria" and scenario.target_form != "labels":
        return text("draft.comment.criteria_of_numbers")
    return _COMMENTS.get(name)


def _members(part: str, value: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, inner in value.items():
        comment = _COMMENTS.get(f"{part}.{name}")
        lines += _comment(comment, "  ") if comment else []
        lines += _dump(name, inner, "  ")
    return lines


def _comment(sentence: Text, indent: str) -> list[str]:
    return [f"{indent}# {line}" for language in LANGUAGES for line in sentence.render(language).splitlines()]


def _dump(name: str, value: Any, indent: str) -> list[str]:
    return dump_plain(name, _readable(name, value), indent)


def _readable(name: str, value: Any) -> Any:
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


_COMMENTS = {
    "name": text("draft.comment.name"),
    "owner": text("draft.comment.owner"),
    "sector": text("draft.comment.sector"),
    "action": text("draft.comment.action"),
    "problem": text("draft.comment.problem"),
    "intended_use": text("draft.comment.intended_use"),
    "data": text("draft.comment.data"),
    "data.licence": text("draft.comment.licence"),
    "data.fields": text("draft.comment.fields"),
    "data.target": text("draft.comment.target"),
    "data.withheld": text("draft.comment.withheld"),
    "data.split": text("draft.comment.split"),
    "data.missing": text("draft.comment.missing"),
    "task": text("draft.comment.task"),
    "positive": text("draft.comment.positive"),
    "decision_threshold": text("draft.comment.decision_threshold"),
    "baseline": text("draft.comment.baseline"),
    "costs": text("draft.comment.costs"),
    "criteria": text("draft.comment.criteria"),
    "trial": text("draft.comment.trial"),
    "trial.isolation": text("draft.comment.isolation"),
    "trial.limits": text("draft.comment.limits"),
}
