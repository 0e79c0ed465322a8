"""Open Data Contract Standard 3.0 and 3.1 (bitol.io): read and written as YAML, its rules of quality kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from pilotbase.data.bridges.definition import OF_CONTRACTS, Bridge
from pilotbase.data.croissant.findings import (
    STAND_IN,
    CroissantDescription,
    Measured,
    PlainFile,
    draft_dataset,
    stand_in_owner,
)
from pilotbase.data.croissant.json_ld import Node, NodeValue, read_plain
from pilotbase.data.croissant.vocabulary import present, short_name
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


def _read(spelled: PlainFile) -> CroissantDescription:
    root = read_plain(spelled)
    version = (root.text("apiVersion") or "").lstrip("v")
    if not version.startswith("3."):
        root.fault("apiVersion", text("bridge.other_version", found=version or "–", known="3.0, 3.1"))
    root.read.add("kind")
    product, name, version_of = root.text("dataProduct"), root.text("name"), root.text("version")
    schema = root.nodes("schema")
    tables = _Tables({node.text("name") or "": node for node in schema})
    for node in schema:
        tables.read(node)
    found: dict[str, Plain] = {
        "name": short_name(name or product or "") or STAND_IN,
        "title": product or name or STAND_IN,
        "owner": stand_in_owner(root.findings, "/team", _candidates(root)),
        "keywords": list(root.texts("tags")),
        "dateCreated": root.day("contractCreatedTs"),
        **_description(root),
        "version": version_of and version_of.lstrip("v"),
        "keptTerms": _terms(root, spelled.value),
        "distribution": tables.files,
        "recordSet": tables.record_sets,
    }
    dataset = draft_dataset(found, tables.places, root.findings, {"recordSet": "schema"})
    return root.findings.describing(version, dataset, unread=root.unread())


def _candidates(root: Node) -> list[str]:
    named = [node.text("name") for node in root.nodes("team")]
    return [one for one in (root.text("tenant"), *named) if one]


def _description(root: Node) -> dict[str, Plain]:
    node = root.node("description")
    if node is None:
        return {"description": root.text("description")}
    responsible: Plain = {"limitations": list(node.texts("limitations")), "use_cases": list(node.texts("usage"))}
    return {"description": node.text("purpose"), "responsible": responsible}


def _terms(root: Node, contract: Mapping[str, Plain]) -> list[Plain]:
    """Return the terms of a contract unchanged."""
    kept: list[Plain] = []
    for name in _TERMS:
        if contract.get(name) not in (None, [], {}):
            kept.append({"format": NAME, "name": name, "term": json.dumps(contract[name], ensure_ascii=False)})
            for node in root.nodes(name):
                node.read_all()
    return kept


@dataclass
class _Tables:
    """Reads objects of the schema: each is a record set, and a table of the database that contains it."""

    known: Mapping[str, Node]
    files: list[Plain] = field(default_factory=list)
    record_sets: list[Plain] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)

    def read(self, node: Node) -> None:
        name = node.text("name")
        if not name:
            node.fault("name", text("croissant.no_id", name="name"))
            return
        physical = node.text("physicalName")
        file = physical if physical and physical != name else f"{name}.table"
        self.files.append({"kind": "file", "id": file, "encodingFormat": [_TABLE]})
        path = f"recordSet[{len(self.record_sets)}]"
        self.places[f"distribution[{len(self.files) - 1}]"] = self.places[path] = node.pointer
        fields = [_Property(self, file, *one) for one in _properties(node)]
        rules = _rules(node)
        spelled: list[Plain] = []
        for number, one in enumerate(fields):
            self.places[f"{path}.field[{number}]"] = one.node.pointer
            spelled.append(one.read())
            rules += _rules(one.node, one.name)
        keys = sorted((one.position, one.name) for one in fields if one.is_key)
        self.record_sets.append(
            {
                "name": name,
                "title": node.text("businessName"),
                "description": node.text("description"),
                "key": [key for _, key in keys],
                "field": spelled,
                "keptRules": rules,
            }
        )


def _properties(node: Node, above: str | None = None) -> Iterator[tuple[Node, str | None]]:
    """Yield each property and the name of the one that contains it, parents first."""
    for inner in node.nodes("properties"):
        yield inner, above
        own = next((one.text for one in inner.values("name")), None) or ""
        here = f"{above}/{own}" if above else own
        for holder in (inner, *inner.nodes("items")):
            yield from _properties(holder, here)


def _rules(node: Node, name: str | None = None) -> list[Plain]:
    """Return rules of quality unchanged."""
    kept: list[Plain] = []
    for value in node.values("quality"):
        if value.node is not None:
            value.node.read_all()
            rule = json.dumps(value.plain, ensure_ascii=False)
            spelled: dict[str, Plain] = {"format": NAME, "rule": rule}
            kept.append(spelled if name is None else {**spelled, "field": name})
        else:
            node.findings.fault(value.pointer, text("croissant.no_object"))
    return kept


class _Property:
    """Reads one property of an object as a field."""

    def __init__(self, tables: _Tables, file: str, node: Node, above: str | None) -> None:
        self.tables, self.file, self.node, self.above = tables, file, node, above
        self.own = node.text("name") or ""
        if not self.own:
            node.fault("name", text("croissant.no_id", name="name"))
        self.name = f"{above}/{self.own}" if above else self.own
        self.is_key = bool(node.truth("primaryKey"))
        position = node.text("primaryKeyPosition")
        self.position = int(position) if position is not None and position.isdecimal() else 0

    def read(self) -> Plain:
        node = self.node
        logical = node.text("logicalType")
        items = node.node("items")
        inner = items.text("logicalType") if items is not None else None
        kind = TYPES.get((inner if logical == "array" else logical) or "string")
        if logical is not None and logical not in ("object", "array", *TYPES):
            allowed = node.findings.offer(logical, [*TYPES, "object"])
            node.fault("logicalType", text("croissant.unknown_type", found=logical, allowed=allowed))
        holds = bool(node.values("properties")) or (items is not None and bool(items.values("properties")))
        spelled: dict[str, Plain] = {
            "name": self.name,
            "title": node.text("businessName"),
            "description": node.text("description"),
            "dataType": None if holds else kind or FieldType.TEXT,
            "repeated": logical == "array",
            "parent": self.above,
            "required": bool(node.truth("required")),
            "unique": bool(node.truth("unique")),
            "references": self._reference(),
            **self._options(kind),
        }
        if not holds:
            spelled["source"] = {"resource": self.file, "column": node.text("physicalName") or self.own}
        spelled |= _understood(node.values("quality"))
        for one in node.nodes("customProperties"):
            if [value.text for value in one.properties.get("property", ())] == ["unit"]:
                spelled["unit"] = one.text("value")
                one.read.add("property")
        return spelled

    def _options(self, kind: FieldType | None) -> dict[str, Plain]:
        found: dict[str, Plain] = {}
        for options in self.node.nodes("logicalTypeOptions"):
            found["pattern"] = options.text("pattern")
            found |= options.plain("minimum", "maximum") if kind in _NUMERIC else {}
        return found

    def _reference(self) -> Plain:
        for relation in self.node.nodes("relationships"):
            to = (relation.text("to") or "").split(".")
            relation.read.add("type")
            there = self.tables.known.get(to[0])
            names = [one.properties.get("name", ()) for one in there.nodes("properties")] if there else []
            if len(to) == 2 and any(one.text == to[1] for found in names for one in found):
                return {"recordSet": to[0], "field": to[1]}
            relation.findings.not_held(relation.pointer, text("bridge.unknown_relation", found=".".join(to)[:200]))
            relation.read_all()
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
        elif rule.get("metric") == "invalidValues" and isinstance(valid, list) and {*map(type, valid)} <= {str}:
            found["values"] = valid
    return found


def _spell(dataset: Dataset, _: Measured) -> str:
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
        "description": present(said) or None,
        "tags": list(dataset.keywords) or None,
        "contractCreatedTs": f"{dataset.date_created}T00:00:00Z" if dataset.date_created else None,
        "schema": objects,
        **{one.name: json.loads(one.term) for one in dataset.kept_terms if one.format == NAME},
    }
    content: str = yaml.safe_dump(present(contract), sort_keys=False, allow_unicode=True, width=110)
    return content


def _object(record_set: RecordSet) -> Plain:
    below: dict[str | None, list[DataField]] = {}
    for one in record_set.fields:
        below.setdefault(one.parent, []).append(one)
    resources = [one.source.resource for one in record_set.fields if one.source is not None]
    physical = resources[0] if resources and resources[0] != f"{record_set.name}.table" else None
    fields: list[Plain] = [_property(one, record_set, below) for one in below.get(None, ())]
    return present(
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
        "logicalTypeOptions": present(options) or None,
        "properties": inner or None,
        "quality": [*_kept(record_set, one.name), *_values(one, record_set)] or None,
        "customProperties": [{"property": "unit", "value": one.unit}] if one.unit else None,
    }
    if one.references is not None:
        to = f"{one.references.record_set}.{one.references.field}"
        spelled["relationships"] = [{"type": "foreignKey", "to": to}]
    if one.repeated:
        spelled |= {"logicalType": "array", "items": present({"logicalType": logical, "properties": inner or None})}
        spelled["properties"] = None
    return present(spelled)


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
    _spell,
    frozenset(
        {
            *("name", "title", "owner.organisation", "description", "version", "keywords", "dateCreated"),
            *("keptTerms", "responsible.limitations", "responsible.use_cases", "distribution.id", "distribution.kind"),
            *("recordSet.name", "recordSet.title", "recordSet.description", "recordSet.key", "recordSet.keptRules"),
            *("recordSet.field.parent", *OF_CONTRACTS),
        }
    ),
    frozenset(TYPES.values()),
    recognises=lambda value: value.get("kind") == KIND or ("apiVersion" in value and "schema" in value),
    read=_read,
)
