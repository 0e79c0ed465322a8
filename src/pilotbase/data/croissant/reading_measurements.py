"""Measurements in a description, as `measurements` writes them; other measures are reported as not held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pilotbase.data.croissant.findings import CroissantFindings
from pilotbase.data.croissant.json_ld import Node, NodeValue
from pilotbase.data.croissant.measurements import FIGURES, KINDS, MEASURE, WORDS, FieldStatistics, Measurement
from pilotbase.documents.texts import text


def read_measurements(node: Node, record_set: str | None, field: str | None = None) -> Iterator[Measurement]:
    """Yield the measurements of one target; in a catalogue each may name its record set."""
    for value in node.values("dqv:hasQualityMeasurement"):
        found = value.node
        measure = next((one.reference or "" for one in _peek(found, "dqv:isMeasurementOf")), "")
        figure = _number(found, "dqv:value") if measure.startswith(MEASURE) else None
        if found is None or figure is None:
            continue
        found.values("dqv:isMeasurementOf")
        figures: dict[str, Any] = {part: _number(found, name) for part, name in FIGURES.items()}
        yield Measurement(
            measure.removeprefix(MEASURE),
            figure,
            _said(found, "pb:recordSet") or record_set,
            field,
            **figures | {part: _said(found, name) for part, name in WORDS.items()},
        )


def read_statistics(node: Node, record_set: str, field: str, findings: CroissantFindings) -> FieldStatistics | None:
    """Return the statistics of a field's values in its annotations, None if they contain none that we know."""
    found: dict[str, float] = {}
    for value in node.values("cr:annotation", "sc:annotation"):
        name, inner = _statistic(value), value.node
        figure = _number(inner, "sc:value") if name is not None else None
        if name is None or inner is None or figure is None or name in found:
            leave_out(value, findings)
        else:
            inner.read_all()
            found[name] = figure
    return FieldStatistics(record_set, field, **found) if found else None


def leave_out(annotation: NodeValue, findings: CroissantFindings) -> None:
    """Report that an annotation has no place in our dataset."""
    findings.not_held(annotation.pointer, text("croissant.not_held", name="cr:annotation"))
    if annotation.node is not None:
        annotation.node.read_all()


def _statistic(value: NodeValue) -> str | None:
    """Return which statistic an annotation is, from its name and its type together."""
    name = next((one.text for one in _peek(value.node, "sc:name")), None)
    kinds = {one.plain for one in _peek(value.node, "cr:dataType")}
    return name if name is not None and KINDS.get(name) in kinds else None


def _peek(node: Node | None, name: str) -> tuple[NodeValue, ...]:
    """Return the values of a property without marking it as read."""
    return node.properties.get(name, ()) if node is not None else ()


def _number(node: Node | None, name: str) -> float | None:
    plain = next((one.plain for one in _peek(node, name)), None)
    if node is None or isinstance(plain, bool) or not isinstance(plain, int | float):
        return None
    node.read.add(name)
    return plain


def _said(node: Node, name: str) -> str | None:
    return next((one.text for one in node.values(name)), None)
