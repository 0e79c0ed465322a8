"""Open Data Contract Standard 3.0 and 3.1 (bitol.io): read and written as YAML, its rules of quality kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from pilotbase.data.bridges.definition import Bridge, Written
from pilotbase.data.croissant.findings import (
    STAND_IN,
    CroissantDescription,
    CroissantFindings,
    PlainFile,
    draft_dataset,
    stand_in_owner,
)
from pilotbase.data.croissant.json_ld import Node, NodeValue, all_texts, one_day, one_text, one_truth, read_plain
from pilotbase.data.croissant.vocabulary import short_name
from pilotbase.documents.base import localized
from pilotbase.documents.dataset import DataField, Dataset, FieldType, RecordSet
from pilotbase.documents.publication import require_public
from pilotbase.documents.texts import text
from pilotbase.documents.yaml_reader import Plain

VERSION, KIND, NAME = "v3.1.0", "DataContract", "odcs"
TYPES: Mapping[str, FieldType] = {
    "string": FieldType.TEXT,
    "date": FieldType.DATE,
    "timestamp": FieldType.DATETIME,
    "time": FieldType.TIME,
    "number": FieldType.FLOAT,
    "integer": FieldType.INTEGER,
    "boolean": FieldType.BOOLEAN,
}
"""``logicalType`` → type of ours; ``object`` and ``array`` hold others."""
_NUMERIC = (FieldType.FLOAT, FieldType.INTEGER)
_TERMS = ("price", "roles", "slaProperties", "support")
"""Terms that we keep as they are."""
_TABLE = "application/sql"
"""Format of a table in a database."""


def _recognises(value: Mapping[str, Plain]) -> bool:
    return value.get("kind") == KIND or ("apiVersion" in value and "schema" in value)


def _read(spelled: PlainFile) -> CroissantDescription:
    findings = CroissantFindings(spelled)
    root = read_plain(spelled.value, findings)
    version = (one_text(root, findings, "apiVersion") or "").lstrip("v")
    if not version.startswith("3."):
        findings.fault(root.place("apiVersion"), text("bridge.other_version", found=version or "–", known="3.0, 3.1"))
    root.read.add("kind")
    product, name = one_text(root, findings, "dataProduct"), one_text(root, findings, "name")
    schema = [value.node for value in root.values("schema") if value.node is not None]
    tables = _Tables(findings, {one_text(node, findings, "name") or "": node for node in schema})
    for node in schema:
        tables.read(node)
    found: dict[str, Plain] = {
        "name": short_name(name or product or "") or STAND_IN,
        "title": product or name or STAND_IN,
        "owner": stand_in_owner(findings, "/team", _candidates(root, findings)),
        "keywords": list(all_texts(root, findings, "tags")),
        "dateCreated": one_day(root, findings, "contractCreatedTs"),
        **_description(root, findings),
        **_version_of(root, findings),
        "keptTerms": _terms(root, spelled.value),
        "distribution": tables.files,
        "recordSet": tables.record_sets,
    }
    dataset = draft_dataset(found, tables.places, findings, {"recordSet": "schema"})
    for other, pointer in root.unread():
        if not findings.told_at(pointer):
            findings.not_held(pointer, text("croissant.not_held", name=other))
    return findings.describing(version, dataset)


def _candidates(root: Node, findings: CroissantFindings) -> list[str]:
    teams = [value.node for value in root.values("team") if value.node is not None]
    named = [one_text(node, findings, "name") for node in teams]
    return [one for one in (one_text(root, findings, "tenant"), *named) if one]


def _description(root: Node, findings: CroissantFindings) -> dict[str, Plain]:
    node = next((value.node for value in root.values("description") if value.node is not None), None)
    if node is None:
        return {"description": one_text(root, findings, "description")}
    said = {name: all_texts(node, findings, name) for name in ("limitations", "usage")}
    return {
        "description": one_text(node, findings, "purpose"),
        "responsible": {"limitations": list(said["limitations"]), "use_cases": list(said["usage"])},
    }


def _terms(root: Node, contract: Mapping[str, Plain]) -> list[Plain]:
    """Return the terms of a contract unchanged."""
    kept: list[Plain] = []
    for name in _TERMS:
        if contract.get(name) not in (None, [], {}):
            kept.append({"format": NAME, "name": name, "term": json.dumps(contract[name], ensure_ascii=False)})
            root.read.add(name)
            for value in root.properties.get(name, ()):
                if value.node is not None:
                    value.node.read_all()
    return kept


def _version_of(root: Node, findings: CroissantFindings) -> dict[str, Plain]:
    found = one_text(root, findings, "version")
    if found is None:
        return {}
    taken = found.lstrip("v")
    return {"version": taken}


@dataclass
class _Tables:
    """Reads objects of the schema: each is a record set, and a table of the database that contains it."""

    findings: CroissantFindings
    known: Mapping[str, Node]
    files: list[Plain] = field(default_factory=list)
    record_sets: list[Plain] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)

    def read(self, node: Node) -> None:
        findings = self.findings
        name = one_text(node, findings, "name")
        if not name:
            findings.fault(node.place("name"), text("croissant.no_id", name="name"))
            return
        physical = one_text(node, findings, "physicalName")
        file = physical if physical and physical != name else f"{name}.table"
        self.files.append({"kind": "file", "id": file, "encodingFormat": [_TABLE]})
        path = f"recordSet[{len(self.record_sets)}]"
        self.places[f"distribution[{len(self.files) - 1}]"] = self.places[path] = node.pointer
        fields = [_Property(self, name, file, *one) for one in _properties(node)]
        rules = _rules(node, None, findings)
        spelled: list[Plain] = []
        for number, one in enumerate(fields):
            self.places[f"{path}.field[{number}]"] = one.node.pointer
            spelled.append(one.read())
            rules += one.rules
        keys = sorted((one.position, one.name) for one in fields if one.is_key)
        self.record_sets.append(
            {
                "name": name,
                "title": one_text(node, findings, "businessName"),
                "description": one_text(node, findings, "description"),
                "key": [key for _, key in keys],
                "field": spelled,
                "keptRules": rules,
            }
        )


def _properties(node: Node, above: str | None = None) -> Iterator[tuple[Node, str | None]]:
    """Yield each property and the name of the one that contains it, parents first."""
    for value in node.values("properties"):
        if value.node is None:
            continue
        yield value.node, above
        own = next((one.text for one in value.node.values("name")), None) or ""
        here = f"{above}/{own}" if above else own
        yield from _properties(value.node, here)
        for item in value.node.values("items"):
            if item.node is not None:
                yield from _properties(item.node, here)


def _rules(node: Node, name: str | None, findings: CroissantFindings) -> list[Plain]:
    """Return rules of quality unchanged."""
    kept: list[Plain] = []
    for value in node.values("quality"):
        if value.node is not None:
            value.node.read_all()
            rule = json.dumps(value.plain, ensure_ascii=False)
            spelled: dict[str, Plain] = {"format": NAME, "rule": rule}
            kept.append(spelled if name is None else {**spelled, "field": name})
        else:
            findings.fault(value.pointer, text("croissant.no_object"))
    return kept


class _Property:
    """Reads one property of an object as a field."""

    def __init__(self, tables: _Tables, table: str, file: str, node: Node, above: str | None) -> None:
        self.tables, self.findings, self.table, self.file = tables, tables.findings, table, file
        self.node, self.above = node, above
        own = one_text(node, self.findings, "name") or ""
        if not own:
            self.findings.fault(node.place("name"), text("croissant.no_id", name="name"))
        self.name = f"{above}/{own}" if above else own
        self.own = own
        self.is_key = bool(one_truth(node, self.findings, "primaryKey"))
        position = one_text(node, self.findings, "primaryKeyPosition")
        self.position = int(position) if position is not None and position.isdecimal() else 0
        self.rules: list[Plain] = []

    def read(self) -> Plain:
        findings, node = self.findings, self.node
        logical = one_text(node, findings, "logicalType")
        items = next((value.node for value in node.values("items") if value.node is not None), None)
        inner = one_text(items, findings, "logicalType") if items is not None else None
        kind = TYPES.get((inner if logical == "array" else logical) or "string")
        if logical is not None and logical not in ("object", "array", *TYPES):
            findings.fault(
                node.place("logicalType"),
                text("croissant.unknown_type", found=logical, allowed=findings.offer(logical, [*TYPES, "object"])),
            )
        holds = bool(node.values("properties")) or (items is not None and bool(items.values("properties")))
        spelled: dict[str, Plain] = {
            "name": self.name,
            "title": one_text(node, findings, "businessName"),
            "description": one_text(node, findings, "description"),
            "dataType": None if holds else kind or FieldType.TEXT,
            "repeated": logical == "array",
            "parent": self.above,
            "required": bool(one_truth(node, findings, "required")),
            "unique": bool(one_truth(node, findings, "unique")),
            "references": self._reference(),
            **self._options(kind),
        }
        if not holds:
            column = one_text(node, findings, "physicalName") or self.own
            spelled["source"] = {"resource": self.file, "column": column}
        self.rules = _rules(node, self.name, findings)
        spelled |= _understood(node.values("quality"))
        unit = [value.node for value in node.values("customProperties") if value.node is not None]
        for one in unit:
            if [value.text for value in one.properties.get("property", ())] == ["unit"]:
                spelled["unit"] = one_text(one, findings, "value")
                one.read.add("property")
        return spelled

    def _options(self, kind: FieldType | None) -> dict[str, Plain]:
        found: dict[str, Plain] = {}
        for value in self.node.values("logicalTypeOptions"):
            if value.node is None:
                continue
            found["pattern"] = one_text(value.node, self.findings, "pattern")
            if kind in _NUMERIC:
                for name in ("minimum", "maximum"):
                    if name in value.node.properties:
                        found[name] = value.node.values(name)[0].plain
        return found

    def _reference(self) -> Plain:
        for value in self.node.values("relationships"):
            if value.node is None:
                continue
            to = (one_text(value.node, self.findings, "to") or "").split(".")
            value.node.read.add("type")
            there = self.tables.known.get(to[0])
            names = (
                [one.node.properties.get("name", ()) for one in there.values("properties") if one.node] if there else []
            )
            if len(to) == 2 and any(one.text == to[1] for found in names for one in found):
                return {"recordSet": to[0], "field": to[1]}
            self.findings.not_held(value.pointer, text("bridge.unknown_relation", found=".".join(to)[:200]))
            value.node.read_all()
        return None


def _understood(rules: tuple[NodeValue, ...]) -> dict[str, Plain]:
    """Return the rules that a field's own contract states too: no missing value, none twice, only these values."""
    found: dict[str, Plain] = {}
    for value in rules:
        rule = value.plain if isinstance(value.plain, dict) else {}
        arguments = rule.get("arguments")
        valid = arguments.get("validValues") if isinstance(arguments, dict) else None
        if rule.get("mustBe") != 0 or rule.get("unit") == "percent":
            continue
        if rule.get("metric") in ("nullValues", "missingValues"):
            found["required"] = True
        elif rule.get("metric") == "duplicateValues":
            found["unique"] = True
        elif rule.get("metric") == "invalidValues" and isinstance(valid, list) and all(map(_is_text, valid)):
            found["values"] = valid
    return found


def _is_text(value: Plain) -> bool:
    return isinstance(value, str)


def _write(dataset: Dataset) -> Written:
    require_public(dataset)
    title = localized(dataset.title)
    said = {
        "purpose": localized(dataset.description) or None,
        "limitations": "\n".join(dataset.responsible.limitations) or None,
        "usage": "\n".join(dataset.responsible.use_cases) or None,
    }
    objects: list[Plain] = [_object(one) for one in dataset.record_sets]
    contract: dict[str, Plain] = {
        "apiVersion": VERSION,
        "kind": KIND,
        "id": f"urn:pilotbase:{dataset.subject}",
        "name": dataset.name,
        "version": dataset.version,
        "status": "active",
        "dataProduct": title if title != dataset.name else None,
        "tenant": dataset.owner.organisation,
        "description": _present(said) or None,
        "tags": list(dataset.keywords) or None,
        "contractCreatedTs": f"{dataset.date_created}T00:00:00Z" if dataset.date_created else None,
        "schema": objects,
        **{one.name: json.loads(one.term) for one in dataset.kept_terms if one.format == NAME},
    }
    content = yaml.safe_dump(_present(contract), sort_keys=False, allow_unicode=True, width=110)
    return Written(content, BRIDGE.left_out(dataset, TYPES.values()))


def _present(properties: Mapping[str, Plain]) -> dict[str, Plain]:
    return {name: value for name, value in properties.items() if value is not None}


def _object(record_set: RecordSet) -> Plain:
    below: dict[str | None, list[DataField]] = {}
    for one in record_set.fields:
        below.setdefault(one.parent, []).append(one)
    resources = [one.source.resource for one in record_set.fields if one.source is not None]
    physical = resources[0] if resources and resources[0] != f"{record_set.name}.table" else None
    fields: list[Plain] = [_property(one, record_set, below) for one in below.get(None, ())]
    return _present(
        {
            "name": record_set.name,
            "physicalName": physical,
            "logicalType": "object",
            "businessName": localized(record_set.title) or None,
            "description": localized(record_set.description) or None,
            "quality": _kept(record_set, None) or None,
            "properties": fields,
        }
    )


def _kept(record_set: RecordSet, name: str | None) -> list[Plain]:
    return [json.loads(one.rule) for one in record_set.kept_rules if (one.format, one.field) == (NAME, name)]


def _property(one: DataField, record_set: RecordSet, below: Mapping[str | None, list[DataField]]) -> Plain:
    types = {own: kind for kind, own in TYPES.items()}
    inner: list[Plain] = [_property(other, record_set, below) for other in below.get(one.name, ())]
    logical = "object" if inner else types.get(one.data_type or FieldType.TEXT, "string")
    own = one.name.rpartition("/")[2] if one.parent is not None else one.name
    column = one.source.column if one.source is not None else None
    position = record_set.key.index(one.name) + 1 if one.name in record_set.key else None
    options: dict[str, Plain] = {"minimum": one.minimum, "maximum": one.maximum, "pattern": one.pattern}
    spelled: dict[str, Plain] = {
        "name": own,
        "physicalName": column if column != own else None,
        "businessName": localized(one.title) or None,
        "description": localized(one.description) or None,
        "logicalType": logical,
        "primaryKey": True if position else None,
        "primaryKeyPosition": position,
        "required": one.required or None,
        "unique": one.unique or None,
        "logicalTypeOptions": _present(options) or None,
        "properties": inner or None,
        "quality": [*_kept(record_set, one.name), *_values(one, record_set)] or None,
        "customProperties": [{"property": "unit", "value": one.unit}] if one.unit else None,
    }
    if one.references is not None:
        to = f"{one.references.record_set}.{one.references.field}"
        spelled["relationships"] = [{"type": "foreignKey", "to": to}]
    if one.repeated:
        spelled |= {"logicalType": "array", "items": _present({"logicalType": logical, "properties": inner or None})}
        spelled["properties"] = None
    return _present(spelled)


def _values(one: DataField, record_set: RecordSet) -> list[Plain]:
    """Return the rule that only these values occur, unless it is among the kept ones."""
    rule: Plain = {
        "type": "library",
        "metric": "invalidValues",
        "mustBe": 0,
        "arguments": {"validValues": list(one.values)},
    }
    kept = any(
        isinstance(other, dict) and "validValues" in str(other.get("arguments"))
        for other in _kept(record_set, one.name)
    )
    return [rule] if one.values and not kept else []


BRIDGE = Bridge(
    NAME,
    "Open Data Contract Standard",
    "yaml",
    _recognises,
    _read,
    _write,
    frozenset(
        {
            *("name", "title", "owner.organisation", "description", "version", "keywords", "dateCreated"),
            "keptTerms",
            *("responsible.limitations", "responsible.use_cases", "distribution.id", "distribution.kind"),
            *("recordSet.name", "recordSet.title", "recordSet.description", "recordSet.key", "recordSet.keptRules"),
            *(
                f"recordSet.field.{name}"
                for name in (
                    *("name", "title", "description", "dataType", "unit", "required", "unique", "minimum", "maximum"),
                    *("pattern", "values", "repeated", "parent", "source.resource", "source.column", "references"),
                )
            ),
        }
    ),
)
