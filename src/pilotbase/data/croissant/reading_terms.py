"""Measurements in a Croissant file, and terms of use (``usageInfo``): an offer in our subset of ODRL, or none at all.

Any part of an offer that is not understood denies: there is then no offer, and every such place is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

import pydantic

from pilotbase.data.croissant.findings import (
    FIGURES,
    KINDS,
    MEASURE,
    WORDS,
    CroissantFindings,
    FieldStatistics,
    Measurement,
)
from pilotbase.data.croissant.json_ld import Node, NodeValue
from pilotbase.documents.loading import issues_of
from pilotbase.documents.terms import PROFILE, Action, LeftOperand, Offer, Operator
from pilotbase.documents.texts import text
from pilotbase.documents.yaml_reader import Plain

_OFFER = "odrl:Offer"


def read_offer(root: Node, name: str = "sc:usageInfo") -> Plain:
    """Return the offer as `Offer` spells it; None if there is none, or if a part of it is not understood."""
    offers, findings = [], root.findings
    for value in root.values(name):
        if value.node is not None and _OFFER in value.node.types:
            offers.append(value.node)
        else:
            findings.lacking(value.pointer, text("croissant.no_offer"))
            if value.node is not None:
                value.node.read_all()
    for node in offers[1:]:
        findings.lacking(node.pointer, text("croissant.several_offers"))
        node.read_all()
    spelled = _Terms(findings).offer(offers[0]) if offers else None
    try:
        if spelled is not None:
            Offer.model_validate(spelled)
    except pydantic.ValidationError as error:
        for issue in issues_of("", error, Offer):
            findings.lacking(offers[0].pointer, text("croissant.no_fit", reason=issue.problem))
        return None
    return spelled


class _Terms:
    """Reads an offer; remembers whether all of it was understood."""

    def __init__(self, findings: CroissantFindings) -> None:
        self.findings = findings
        self.understood = True

    def offer(self, node: Node) -> Plain:
        if node.types != (_OFFER,):
            self._refuse_several(node.place("@type"), ", ".join(node.types), _OFFER)
        profile = node.text("odrl:profile")
        if profile != PROFILE:
            self._refuse(node.place("odrl:profile"), profile or "–", (PROFILE,))
        conflict = self._name(node, "odrl:conflict")
        if conflict != "odrl:prohibit":
            self._refuse(node.place("odrl:conflict"), conflict or "–", ("odrl:prohibit",))
        spelled: dict[str, Plain] = {
            "uid": node.id or self._missing(node, "@id"),
            "assigner": node.text("odrl:assigner") or self._missing(node, "odrl:assigner"),
            "target": node.text("odrl:target") or self._missing(node, "odrl:target"),
            "permission": [self._rule(inner, True) for inner in self._nodes(node, "odrl:permission")],
            "prohibition": [self._rule(inner, False) for inner in self._nodes(node, "odrl:prohibition")],
        }
        self._refuse_unread(node)
        return spelled if self.understood else None

    def _rule(self, node: Node, permits: bool) -> Plain:
        spelled: dict[str, Plain] = {
            "action": self._term(node, "odrl:action", Action),
            "constraint": [self._constraint(inner) for inner in self._nodes(node, "odrl:constraint")],
        }
        if permits:
            spelled["duty"] = [
                {"action": self._term(inner, "odrl:action", Action)} for inner in self._nodes(node, "odrl:duty")
            ]
        return spelled

    def _constraint(self, node: Node) -> Plain:
        operands: list[Plain] = [
            value.node.id if value.node is not None and value.node.id else value.text
            for value in node.values("odrl:rightOperand")
        ]
        if not operands or None in operands:
            self._missing(node, "odrl:rightOperand")
        return {
            "leftOperand": self._term(node, "odrl:leftOperand", LeftOperand),
            "operator": self._term(node, "odrl:operator", Operator),
            "rightOperand": operands,
        }

    def _term(self, node: Node, name: str, known: type[StrEnum]) -> str | None:
        found = self._name(node, name)
        if found is None:
            return self._missing(node, name)
        if found not in set(known):
            self._refuse(node.place(name), found, known)
        return found

    def _name(self, node: Node, name: str) -> str | None:
        values = node.values(name)
        if len(values) > 1:
            self._refuse_several(node.place(name), name, name)
        return values[0].plain if values and isinstance(values[0].plain, str) else None

    def _nodes(self, node: Node, name: str) -> list[Node]:
        found = []
        for value in node.values(name):
            if value.node is None or not value.node.properties:
                self._refuse(value.pointer, value.reference or "–", ())
            else:
                found.append(value.node)
        return found

    def _missing(self, node: Node, name: str) -> str:
        self.understood = False
        self.findings.lacking(node.place(name), text("croissant.no_term", name=name))
        return ""

    def _refuse(self, pointer: str, found: str, allowed: Iterable[str]) -> None:
        self.understood = False
        known = self.findings.offer(found, allowed)
        self.findings.lacking(pointer, text("croissant.unknown_term", found=found[:200], allowed=known))

    def _refuse_several(self, pointer: str, found: str, wanted: str) -> None:
        self.understood = False
        self.findings.lacking(pointer, text("croissant.several_types", found=found[:200], allowed=wanted))

    def _refuse_unread(self, node: Node) -> None:
        """Refuse everything unread: ignoring a constraint would permit more than the offer does."""
        for name, pointer in list(node.unread()):
            self._refuse(pointer, name, ())
        node.read_all()


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
