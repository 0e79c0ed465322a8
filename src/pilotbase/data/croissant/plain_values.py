"""Plain values of a node: one text, several, a day, a size; what is of another form is told."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from pilotbase.data.croissant.findings import CroissantFindings
from pilotbase.data.croissant.json_ld import Node, NodeValue
from pilotbase.documents.texts import text
from pilotbase.documents.yaml_reader import Plain

_SIZE = re.compile(r"\s*([0-9][0-9,]{0,30}(?:\.[0-9]{1,9})?)\s*([KMGTP]?i?B|bytes)?\s*", re.IGNORECASE)
_STEPS = "kmgtp"
_LITERALS = (
    "owner",
    "title",
    "description",
    "required",
    "keptTerms",
    "rules",
    "keptRules",
    "split",
    "values",
    "missing",
)
"""Names of ours whose values are JSON literals."""


def one_text(node: Node, findings: CroissantFindings, *names: str) -> str | None:
    """Return the only text of a property; further ones are told as not held."""
    values = _texts(node.values(*names), findings)
    for value in values[1:]:
        findings.not_held(value.pointer, text("croissant.several"))
    return values[0].text if values else None


def all_texts(node: Node, findings: CroissantFindings, *names: str) -> tuple[str, ...]:
    """Return the texts of a property, each once."""
    return tuple(dict.fromkeys(value.text for value in _texts(node.values(*names), findings) if value.text))


def one_truth(node: Node, findings: CroissantFindings, *names: str) -> bool | None:
    """Return whether a property is true; None where it is not there."""
    spelled = one_text(node, findings, *names)
    if spelled is None:
        return None
    if spelled.lower() not in ("true", "false"):
        findings.fault(node.place(*names), text("croissant.no_truth", found=spelled[:80]))
    return spelled.lower() == "true"


def one_day(node: Node, findings: CroissantFindings, name: str) -> str | None:
    """Return the day of a date or of a moment; told as a fault where it is none."""
    spelled = one_text(node, findings, name)
    if spelled is None:
        return None
    try:
        return date.fromisoformat(spelled[:10]).isoformat()
    except ValueError:
        findings.fault(node.place(name), text("croissant.no_day", found=spelled[:80]))
        return None


def one_size(node: Node, findings: CroissantFindings, name: str) -> int | None:
    """Return a size in bytes (``117743 B``, ``4.7 MB``); told as lacking where it is none."""
    spelled = one_text(node, findings, name)
    if spelled is None:
        return None
    found = _SIZE.fullmatch(spelled)
    if found is None:
        findings.lacking(node.place(name), text("croissant.no_size", found=spelled[:80]))
        return None
    unit = (found[2] or "B").lower()
    base = 1024 if "i" in unit else 1000
    power = _STEPS.find(unit[0]) + 1 if unit != "bytes" else 0
    return round(float(found[1].replace(",", "")) * float(base**power))


def names_of(node: Node, findings: CroissantFindings, *names: str) -> tuple[str, ...]:
    """Return what persons, organisations or terms are called: as texts, or by the name, label or id of a node."""
    called = []
    for value in node.values(*names):
        if value.node is None:
            called.append(value.text)
        else:
            inner = value.node
            said = (one_text(inner, findings, name) for name in ("sc:name", "prov:label", "sc:termCode", "sc:url"))
            called.append(next(filter(None, said), inner.id))
    return tuple(dict.fromkeys(name for name in called if name))


def title_of(node: Node, findings: CroissantFindings, *known: str | None) -> Plain:
    """Return what people call a node, where that says more than its id or name."""
    found, said = ours(node, "title"), by_language(node, findings, "sc:name")
    if found is not None:
        return found
    return None if said in known else said


def description_of(node: Node, findings: CroissantFindings) -> Plain:
    """Return what is said of a node; in both languages where we wrote it so."""
    found, said = ours(node, "description"), by_language(node, findings, "sc:description")
    return said if found is None else found


def ours(node: Node, name: str) -> Plain:
    """Return what stands under a name of ours, as it stands; whether it fits is told by the dataset's own form.

    Tools that go by way of RDF, such as mlcroissant, write a JSON literal as its text.
    """
    values = node.values(f"pb:{name}")
    plain = values[0].plain if values else None
    if name in _LITERALS and isinstance(plain, str) and plain[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            found: Plain = json.loads(plain)
            return found
    return plain


def by_language(node: Node, findings: CroissantFindings, name: str) -> Plain:
    """Return a text, or the texts in English and Chinese; other languages are told as not held."""
    truths = [value for value in node.values(name) if isinstance(value.plain, bool)]
    for value in truths:
        findings.fault(value.pointer, text("croissant.no_text"))
    values = _texts(node.values(name), findings)
    if not values or truths:
        return None
    spoken = {value.language[:2].lower(): value for value in reversed(values) if value.language}
    if not spoken:
        return one_text(node, findings, name)
    held: dict[str, Plain] = {language: spoken[language].text or "" for language in ("en", "zh") if language in spoken}
    first = values[0]
    for value in values:
        if value.language and value.language[:2].lower() not in ("en", "zh") and (held or value is not first):
            findings.not_held(value.pointer, text("croissant.other_language", found=value.language))
    return held or first.text


def _texts(values: Sequence[NodeValue], findings: CroissantFindings) -> list[NodeValue]:
    found = []
    for value in values:
        if value.node is not None and value.node.id and not value.node.properties:
            found.append(NodeValue(value.pointer, value.node.id))
        elif value.text is None:
            findings.fault(value.pointer, text("croissant.no_text"))
        else:
            found.append(value)
    return found
