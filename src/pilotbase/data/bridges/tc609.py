"""Records in the format of TC609-5-2025-02: one JSON object a line, with content, annotation and origin.

Known from a public summary of the document, not from its own text: property names are taken as they appear there, and
the allowed words of ``annotation_method`` and ``source`` are not checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from pilotbase.data.bridges.definition import Bridge
from pilotbase.data.croissant.findings import (
    STAND_IN,
    CroissantDescription,
    CroissantFindings,
    Measured,
    PlainFile,
    draft_dataset,
    stand_in_owner,
)
from pilotbase.documents.base import localized
from pilotbase.documents.dataset import Dataset, RecordSet
from pilotbase.documents.errors import InputError
from pilotbase.documents.json_reader import join_pointer
from pilotbase.documents.publication import require_public
from pilotbase.documents.texts import text
from pilotbase.documents.yaml_reader import Plain

LINES = "lines"
"""The key of the objects in a file of lines."""
_JSON, _LABEL = "application/json", "label"
_HELD = frozenset({"id", "data_content", "annotation", "version", "license", "source", "generated_data_indicator"})


def _recognises(value: Mapping[str, Plain]) -> bool:
    lines = value.get(LINES)
    first = lines[0] if isinstance(lines, list) and lines else None
    return isinstance(first, dict) and "data_content" in first


def write_records(dataset: Dataset, record_set: RecordSet, rows: Iterable[Mapping[str, Plain]]) -> Iterator[str]:
    """Yield one line for each row of ``record_set``; values are keyed by the names of their fields."""
    labels = [field.name for field in record_set.labels]
    method = dataset.responsible.annotation_protocol
    for number, row in enumerate(rows, 1):
        content = {name: value for name, value in row.items() if name not in labels and name not in record_set.key}
        key = [str(row.get(name)) for name in record_set.key]
        record: dict[str, Plain] = {
            "id": "/".join(key) if key else str(number),
            "rid": [],
            "data_content": [{"media_type": _JSON, "content": content}],
            "annotation": {
                "label": [row.get(name) for name in labels],
                "annotation_method": method,
                "annotator": None,
            },
            "original_time": row.get(record_set.time) if record_set.time is not None else None,
            "last_modified_time": dataset.date_modified,
            "version": dataset.version,
            "license": dataset.license,
            "source": next(iter(dataset.provenance.derived_from), None),
            "source_details": dataset.url or localized(dataset.title),
            "generated_data_indicator": int(dataset.synthetic),
        }
        yield json.dumps(record, ensure_ascii=False)


def _spell(dataset: Dataset, _: Measured) -> str:
    """Return the records that the description itself holds; raises `InputError` if it holds none."""
    require_public(dataset)
    held = next((one for one in dataset.record_sets if one.inline is not None), None)
    if held is None:
        raise InputError("bridge.no_records", name=dataset.name)
    rows: list[Mapping[str, Plain]] = json.loads(held.inline or "[]")
    return "".join(f"{line}\n" for line in write_records(dataset, held, rows))


def _read(spelled: PlainFile) -> CroissantDescription:
    """Return the records as a record set held in the description itself, with what is said about all of them."""
    findings = CroissantFindings(spelled)
    lines = spelled.value.get(LINES)
    rows = [_row(line, index, findings) for index, line in enumerate(lines if isinstance(lines, list) else [])]
    first: Mapping[str, Plain] = (
        next((one for one in lines if isinstance(one, dict)), {}) if isinstance(lines, list) else {}
    )
    names = list(dict.fromkeys(name for row in rows for name in row))
    fields: list[Plain] = [
        {
            "name": name,
            "dataType": _type_of(row.get(name) for row in rows),
            "semantic": ["cr:Label"] if name.startswith(_LABEL) and name not in _contents(lines) else [],
        }
        for name in names
    ]
    source = first.get("source")
    found: dict[str, Plain] = {
        "name": STAND_IN,
        "title": STAND_IN,
        "owner": stand_in_owner(findings, join_pointer(join_pointer("", LINES), 0), [str(source)] if source else []),
        "version": first.get("version"),
        "license": first.get("license"),
        "synthetic": first.get("generated_data_indicator") == 1,
        "provenance": {"wasDerivedFrom": [source] if isinstance(source, str) else []},
        "recordSet": [
            {"name": "records", "key": ["id"], "field": fields, "inline": json.dumps(rows, ensure_ascii=False)}
        ],
    }
    dataset = draft_dataset(found, {}, findings, {})
    return findings.describing("TC609-5-2025-02", dataset)


def _contents(lines: Plain) -> frozenset[str]:
    contents = (
        part.get("content")
        for line in (lines if isinstance(lines, list) else [])
        if isinstance(line, dict) and isinstance(parts := line.get("data_content"), list)
        for part in parts
        if isinstance(part, dict)
    )
    return frozenset(name for content in contents if isinstance(content, dict) for name in content)


def _row(line: Plain, index: int, findings: CroissantFindings) -> dict[str, Plain]:
    place = join_pointer(join_pointer("", LINES), index)
    parts = line.get("data_content") if isinstance(line, dict) else None
    if not isinstance(line, dict) or not isinstance(parts, list) or "id" not in line:
        findings.fault(place, text("bridge.no_record"))
        return {}
    row: dict[str, Plain] = {"id": str(line["id"])}
    for number, part in enumerate(parts):
        content = part.get("content") if isinstance(part, dict) else None
        if isinstance(content, dict):
            row |= content
        else:
            row["content" if number == 0 else f"content_{number + 1}"] = content
    annotation = line.get("annotation")
    labels = annotation.get("label") if isinstance(annotation, dict) else None
    for number, label in enumerate(labels if isinstance(labels, list) else []):
        row[_LABEL if number == 0 else f"{_LABEL}_{number + 1}"] = label
    for name, value in line.items():
        if name not in _HELD and value not in (None, [], ""):
            findings.not_held(join_pointer(place, name), text("croissant.not_held", name=name))
    return row


def _type_of(values: Iterable[Plain]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "sc:Boolean"
    if kinds == {int}:
        return "sc:Integer"
    return "sc:Float" if kinds and kinds <= {int, float} else "sc:Text"


BRIDGE = Bridge(
    "tc609",
    "TC609-5-2025-02",
    "jsonl",
    _spell,
    frozenset({"version", "license", "synthetic", "provenance.wasDerivedFrom", "recordSet.inline"}),
    recognises=_recognises,
    read=_read,
)
