"""The DICOM JSON model: attributes of a data set by their tags, as DICOMweb answers queries for metadata.

Sources: DICOM PS3.18, Annex F (F.2.2: an attribute is named by its tag in eight hexadecimal digits, upper case, and has
``vr`` and ``Value``, ``BulkDataURI`` or ``InlineBinary``); PS3.5, 6.2 (AS, DA, TM and DT); PS3.6 (the tags).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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


def _locate(tree: Tree, place: MessagePath) -> list[Path]:
    tag = KEYWORDS.get(place.at, place.at.upper())
    return [(tag,)] if _TAG.match(tag) and tag in tree else []


def _value(found: Plain, place: MessagePath) -> Plain:
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
    return _value(tree[KEYWORDS[keyword]], place) if _locate(tree, place) else None


def _time(tree: Tree) -> Plain:
    acquired, day, time = (_of(tree, name) for name in ("AcquisitionDateTime", "StudyDate", "StudyTime"))
    return acquired or (f"{day}T{time}" if day and time else day)


DICOM = MessageFormat(read_tree, _locate, _value, lambda tree: _of(tree, "SOPInstanceUID"), _time, spells=True)
