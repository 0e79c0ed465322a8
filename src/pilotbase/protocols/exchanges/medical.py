"""Messages of hospitals: attributes of the DICOM JSON model, and resources of HL7 FHIR R4 and R5.

Sources: DICOM PS3.18, Annex F (F.2.2: an attribute is named by its tag in eight hexadecimal digits, upper case, and has
``vr`` and ``Value``, ``BulkDataURI`` or ``InlineBinary``); PS3.5, 6.2 (AS, DA, TM and DT); PS3.6 (the tags). FHIR R4
and R5, Observation (``value[x]``, ``component``, ``dataAbsentReason``, ``status``), Bundle, Quantity (``comparator``),
CodeableConcept; a token as searches spell it: ``system|code``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pilotbase.documents.exchanges import MessagePath
from pilotbase.documents.yaml_reader import Plain
from pilotbase.protocols.exchanges.trees import MessageFormat, Path, Tree, read_tree
from pilotbase.protocols.strict_json import WireError

KEYWORDS: Mapping[str, str] = MappingProxyType(
    {
        "SOPInstanceUID": "00080018",
        "StudyDate": "00080020",
        "AcquisitionDateTime": "0008002A",
        "StudyTime": "00080030",
        "Modality": "00080060",
        "Manufacturer": "00080070",
        "PatientName": "00100010",
        "PatientID": "00100020",
        "PatientBirthDate": "00100030",
        "PatientSex": "00100040",
        "PatientAge": "00101010",
        "PatientSize": "00101020",
        "PatientWeight": "00101030",
        "BodyPartExamined": "00180015",
        "SliceThickness": "00180050",
        "KVP": "00180060",
        "StudyInstanceUID": "0020000D",
        "SeriesInstanceUID": "0020000E",
        "Rows": "00280010",
        "Columns": "00280011",
    }
)
"""Attributes that may be named by their keyword; others by their tag."""
_TAG = re.compile(r"^[0-9A-F]{8}$")
_YEARS = re.compile(r"^(\d{3})Y$")
_MOMENT = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})(\.\d{1,6})?([+-]\d{4})?)?$")
_TIME = re.compile(r"^(\d{2})(\d{2})(\d{2})(\.\d{1,6})?$")
_PATH = re.compile(r"^[A-Z][A-Za-z]+(\.[a-z][A-Za-z0-9]*)+$")
_NO_RESULT = frozenset({"cancelled", "entered-in-error"})
"""States in which an Observation's value means nothing."""
_PLAIN = ("valueString", "valueBoolean", "valueInteger", "valueDateTime")


def _dicom_locate(tree: Tree, place: MessagePath) -> list[Path]:
    tag = KEYWORDS.get(place.at, place.at.upper())
    return [(tag,)] if _TAG.match(tag) and tag in tree else []


def _dicom_value(found: Plain, place: MessagePath) -> Plain:
    """Return the one value of an attribute: a name as it is written, an age in years, times as ISO 8601."""
    if not isinstance(found, dict) or not isinstance(found.get("vr"), str):
        raise WireError("exchange.no_attribute", place.at)
    if "BulkDataURI" in found or "InlineBinary" in found:
        raise WireError("exchange.not_inline", place.at)
    values = found.get("Value", [])
    if not isinstance(values, list):
        raise WireError("exchange.no_attribute", place.at)
    if len(values) > 1:
        raise WireError("exchange.stands_twice", place.at)
    value = values[0] if values else None
    if isinstance(value, dict):
        return value.get("Alphabetic")
    return _spelled(str(found["vr"]), value, place) if isinstance(value, str) else value


def _spelled(representation: str, value: str, place: MessagePath) -> Plain:
    value = value.strip()
    if representation == "AS":
        years = _YEARS.match(value)
        if years is None:
            raise WireError("exchange.age", place.at, found=value)
        return int(years[1])
    if representation in ("DA", "DT") and (moment := _MOMENT.match(value)):
        year, month, day, hour, minute, second, fraction, zone = moment.groups()
        date = f"{year}-{month}-{day}"
        return date if hour is None else f"{date}T{hour}:{minute}:{second}{fraction or ''}{zone or ''}"
    if representation == "TM" and (time := _TIME.match(value)):
        return f"{time[1]}:{time[2]}:{time[3]}{time[4] or ''}"
    return value or None


def _of(tree: Tree, keyword: str) -> Plain:
    place = MessagePath(at=keyword)
    return _dicom_value(tree[KEYWORDS[keyword]], place) if _dicom_locate(tree, place) else None


def _dicom_time(tree: Tree) -> Plain:
    acquired, day, time = (_of(tree, name) for name in ("AcquisitionDateTime", "StudyDate", "StudyTime"))
    return acquired or (f"{day}T{time}" if day and time else day)


DICOM = MessageFormat(
    read_tree, _dicom_locate, _dicom_value, lambda tree: _of(tree, "SOPInstanceUID"), _dicom_time, spells=True
)


def _read(body: bytes) -> Tree:
    tree = read_tree(body)
    if not isinstance(tree.get("resourceType"), str):
        raise WireError("exchange.no_resource")
    return tree


def _fhir_locate(tree: Tree, place: MessagePath) -> list[Path]:
    if _PATH.match(place.at):
        return list(_along(tree, place.at))
    system, _, code = place.at.rpartition("|")
    return list(_observed(tree, system, code))


def _along(tree: Tree, spelled: str) -> Iterator[Path]:
    """Yield the targets of a path such as ``Patient.gender``, through lists to each of their elements."""
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


def _fhir_value(found: Plain, place: MessagePath) -> Plain:
    """Return ``value[x]`` of an Observation, or a plain element; None if it is absent."""
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


def _fhir_time(tree: Tree) -> Plain:
    """Return when a Bundle was assembled, else when the newest of its Observations was made."""
    if "timestamp" in tree:
        return tree["timestamp"]
    times = [resource.get("effectiveDateTime") for _, resource in _resources(tree)]
    return max((one for one in times if isinstance(one, str)), default=None)


FHIR = MessageFormat(_read, _fhir_locate, _fhir_value, _identifier, _fhir_time)
