"""HL7 FHIR R4 and R5, JSON: a Bundle of resources, or one resource.

Sources: FHIR R4 and R5, Observation (``value[x]``, ``component``, ``dataAbsentReason``, ``status``), Bundle, Quantity
(``comparator``), CodeableConcept; a token as searches spell it: ``system|code``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pilotbase.documents.exchanges import MessagePath
from pilotbase.documents.yaml_reader import Plain
from pilotbase.protocols.exchanges.trees import MessageFormat, Path, Tree, read_tree
from pilotbase.protocols.strict_json import WireError

_PATH = re.compile(r"^[A-Z][A-Za-z]+(\.[a-z][A-Za-z0-9]*)+$")
_NO_RESULT = frozenset({"cancelled", "entered-in-error"})
"""States of an Observation whose value says nothing."""
_PLAIN = ("valueString", "valueBoolean", "valueInteger", "valueDateTime")


def _read(body: bytes) -> Tree:
    tree = read_tree(body)
    if not isinstance(tree.get("resourceType"), str):
        raise WireError("exchange.no_resource")
    return tree


def _locate(tree: Tree, place: MessagePath) -> list[Path]:
    if _PATH.match(place.at):
        return list(_along(tree, place.at))
    system, _, code = place.at.rpartition("|")
    return list(_observed(tree, system, code))


def _along(tree: Tree, spelled: str) -> Iterator[Path]:
    """Yield where a path such as ``Patient.gender`` leads, through lists to each of their elements."""
    kind, *names = spelled.split(".")
    for start, resource in _resources(tree):
        if resource.get("resourceType") == kind:
            yield from _beneath(resource, start, names)


def _beneath(value: Plain, path: Path, names: list[str]) -> Iterator[Path]:
    if isinstance(value, list):
        for at, one in enumerate(value):
            yield from _beneath(one, (*path, at), names)
    elif not names:
        yield path
    elif isinstance(value, dict) and names[0] in value:
        yield from _beneath(value[names[0]], (*path, names[0]), names[1:])


def _observed(tree: Tree, system: str, code: str) -> Iterator[Path]:
    """Yield the Observations, and components of them, that are of a code and say something."""
    for path, resource in _resources(tree):
        if resource.get("resourceType") != "Observation" or resource.get("status") in _NO_RESULT:
            continue
        components = resource.get("component")
        parts = [(path, resource)]
        for at, one in enumerate(components if isinstance(components, list) else ()):
            if isinstance(one, dict):
                parts.append(((*path, "component", at), one))
        yield from (where for where, part in parts if _is_coded(part.get("code"), system, code))


def _resources(tree: Tree) -> Iterator[tuple[Path, Tree]]:
    if tree.get("resourceType") != "Bundle":
        yield (), tree
        return
    entries = tree.get("entry")
    for at, entry in enumerate(entries if isinstance(entries, list) else ()):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            yield ("entry", at, "resource"), resource


def _is_coded(concept: Plain, system: str, code: str) -> bool:
    return any(
        coding.get("code") == code and (not system or coding.get("system") == system) for coding in _codings(concept)
    )


def _codings(concept: Plain) -> list[dict[str, Plain]]:
    found = concept.get("coding") if isinstance(concept, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _value(found: Plain, place: MessagePath) -> Plain:
    """Return ``value[x]`` of an Observation, or a plain element; None where it is absent."""
    if not isinstance(found, dict):
        return found
    if "code" not in found:
        raise WireError("exchange.wrong_type", place.at, found="…")
    quantity, concept = found.get("valueQuantity"), found.get("valueCodeableConcept")
    if isinstance(quantity, dict):
        return _amount(quantity, place)
    if isinstance(concept, dict):
        coded = next((one["code"] for one in _codings(concept) if isinstance(one.get("code"), str)), None)
        return coded if coded is not None else concept.get("text")
    return next((found[name] for name in _PLAIN if name in found), None)


def _amount(quantity: dict[str, Plain], place: MessagePath) -> Plain:
    if "comparator" in quantity:
        raise WireError("exchange.inexact", place.at, found=quantity["comparator"])
    said = {quantity.get("code"), quantity.get("unit")}
    if place.unit is not None and place.unit not in said:
        found = ", ".join(sorted(str(one) for one in said if one is not None)) or "–"
        raise WireError("exchange.unit", place.at, found=found, wanted=place.unit)
    return quantity.get("value")


def _identifier(tree: Tree) -> Plain:
    named = tree.get("identifier")
    return named["value"] if isinstance(named, dict) and "value" in named else tree.get("id")


def _time(tree: Tree) -> Plain:
    """Return when a Bundle was assembled, else when the newest of its Observations was made."""
    if "timestamp" in tree:
        return tree["timestamp"]
    times = [resource.get("effectiveDateTime") for _, resource in _resources(tree)]
    return max((one for one in times if isinstance(one, str)), default=None)


FHIR = MessageFormat(_read, _locate, _value, _identifier, _time)
