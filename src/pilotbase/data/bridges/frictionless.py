"""Frictionless Data Package 1.0 and 2.0 (datapackage.org): a table a resource, with its Table Schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pilotbase.data.bridges.definition import Bridge, Written
from pilotbase.data.croissant.findings import (
    STAND_IN,
    CroissantDescription,
    CroissantFindings,
    PlainFile,
    draft_dataset,
    stand_in_owner,
)
from pilotbase.data.croissant.json_ld import Node, all_texts, one_day, one_text, read_plain
from pilotbase.data.croissant.vocabulary import short_name, without_nothing
from pilotbase.documents.base import localized
from pilotbase.documents.dataset import DataField, Dataset, FieldType, FileObject, FileSet, RecordSet
from pilotbase.documents.publication import is_closed, require_public
from pilotbase.documents.texts import text
from pilotbase.documents.yaml_reader import Plain

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
TYPES: Mapping[str, FieldType] = {
    "string": FieldType.TEXT,
    "number": FieldType.FLOAT,
    "integer": FieldType.INTEGER,
    "boolean": FieldType.BOOLEAN,
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
    "time": FieldType.TIME,
    "year": FieldType.INTEGER,
    "list": FieldType.TEXT,
}
"""Type of Table Schema → ours; the others are kept as texts."""
_NUMERIC = (FieldType.FLOAT, FieldType.INTEGER)
_FORMATS = {"csv": "text/csv", "tsv": "text/tab-separated-values", "json": "application/json"}


def _recognises(value: Mapping[str, Plain]) -> bool:
    resources = value.get("resources")
    return isinstance(resources, list) and "apiVersion" not in value and "@type" not in value


def _read(spelled: PlainFile) -> CroissantDescription:
    """Return what a ``datapackage.json`` says; `CroissantDescription.not_held` lists what is not kept of it."""
    findings = CroissantFindings(spelled)
    root = read_plain(spelled.value, findings)
    profile = one_text(root, findings, "$schema") or one_text(root, findings, "profile") or ""
    title = one_text(root, findings, "title") or one_text(root, findings, "name") or STAND_IN
    makers = [name for name in (_maker(value.node, findings) for value in root.values("contributors")) if name]
    resources = [value.node for value in root.values("resources") if value.node is not None]
    names = [one_text(node, findings, "name") or f"resource-{index}" for index, node in enumerate(resources)]
    files, record_sets, places = _resources(resources, names, findings)
    found: dict[str, Plain] = {
        "name": short_name(one_text(root, findings, "name") or title) or STAND_IN,
        "title": title,
        "owner": stand_in_owner(findings, "/contributors", makers),
        "description": one_text(root, findings, "description"),
        "url": one_text(root, findings, "homepage"),
        "license": _licence(root, findings),
        "creator": list(dict.fromkeys(makers)),
        "dateCreated": one_day(root, findings, "created"),
        "keywords": list(all_texts(root, findings, "keywords")),
        "provenance": {"wasDerivedFrom": list(_sources(root, findings))},
        "distribution": list(files),
        "recordSet": list(record_sets),
    }
    version = one_text(root, findings, "version")
    if version is not None:
        found["version"] = version
    dataset = draft_dataset(
        found, places, findings, {"url": "homepage", "license": "licenses", "creator": "contributors"}
    )
    for name, pointer in root.unread():
        if not findings.told_at(pointer):
            findings.not_held(pointer, text("croissant.not_held", name=name))
    return findings.describing("2.0" if "2.0" in profile else "1.0", dataset)


def _maker(node: Node | None, findings: CroissantFindings) -> str | None:
    if node is None:
        return None
    return one_text(node, findings, "title") or one_text(node, findings, "organization")


def _licence(root: Node, findings: CroissantFindings) -> str | None:
    nodes = [value.node for value in root.values("licenses") if value.node is not None]
    for node in nodes[1:]:
        findings.not_held(node.pointer, text("croissant.several"))
        node.read_all()
    return (one_text(nodes[0], findings, "name") or one_text(nodes[0], findings, "path")) if nodes else None


def _sources(root: Node, findings: CroissantFindings) -> Sequence[str]:
    nodes = [value.node for value in root.values("sources") if value.node is not None]
    found = [one_text(node, findings, "path") or one_text(node, findings, "title") for node in nodes]
    return [source for source in found if source]


def _resources(
    resources: list[Node], names: list[str], findings: CroissantFindings
) -> tuple[list[Plain], list[Plain], dict[str, str]]:
    files: list[Plain] = []
    record_sets: list[Plain] = []
    places: dict[str, str] = {}
    for node, name in zip(resources, names, strict=True):
        inline = "data" in node.properties
        paths = all_texts(node, findings, "path")
        if not inline and not paths:
            findings.fault(node.place("path"), text("croissant.no_address"))
        identity = paths[0] if paths and paths[0] != name else f"{name}.file"
        if not inline:
            places[f"distribution[{len(files)}]"] = node.pointer
            files.append(_file(node, identity, paths, findings))
        schema = next((value.node for value in node.values("schema") if value.node is not None), None)
        if schema is not None:
            index = len(record_sets)
            places[f"recordSet[{index}]"] = schema.pointer
            fields = [value.node for value in schema.values("fields") if value.node is not None]
            places |= {f"recordSet[{index}].field[{number}]": one.pointer for number, one in enumerate(fields)}
            record_sets.append(_record_set(node, schema, fields, (name, None if inline else identity), findings))
    return files, record_sets, places


def _file(node: Node, identity: str, paths: Sequence[str], findings: CroissantFindings) -> Plain:
    kind = one_text(node, findings, "mediatype") or _FORMATS.get(one_text(node, findings, "format") or "")
    ending = paths[0].rpartition(".")[2].lower() if paths else ""
    hashed = one_text(node, findings, "hash") or ""
    method, _, digits = hashed.rpartition(":")
    size = one_text(node, findings, "bytes")
    common: dict[str, Plain] = {
        "id": identity,
        "encodingFormat": [kind or _FORMATS.get(ending, "application/octet-stream")],
        "description": one_text(node, findings, "description"),
        "title": one_text(node, findings, "title"),
    }
    if len(paths) > 1:
        return {**common, "kind": "files", "includes": list(paths)}
    return {
        **common,
        "kind": "file",
        "contentUrl": paths[0] if paths else None,
        "contentSize": int(size) if size is not None and size.isdecimal() else None,
        "sha256": digits.lower() if method == "sha256" else None,
        "md5": digits.lower() if method in ("", "md5") and hashed else None,
    }


def _record_set(
    node: Node, schema: Node, fields: list[Node], stands: tuple[str, str | None], findings: CroissantFindings
) -> Plain:
    name, file = stands
    keys = {target: other for target, other in _foreign_keys(schema, name, findings)}
    missing = [value.text for value in schema.values("missingValues") if value.text is not None]
    inline = [value.plain for value in node.values("data")]
    for value in node.values("data"):
        if value.node is not None:
            value.node.read_all()
    return {
        "name": name,
        "key": list(all_texts(schema, findings, "primaryKey")),
        "inline": json.dumps(inline, ensure_ascii=False) if inline else None,
        "field": [
            _field(one, file, keys, missing if "missingValues" in schema.properties else None, findings)
            for one in fields
        ],
    }


def _foreign_keys(schema: Node, own: str, findings: CroissantFindings) -> list[tuple[str, Plain]]:
    found: list[tuple[str, Plain]] = []
    for value in schema.values("foreignKeys"):
        key = value.node
        there = next((one.node for one in key.values("reference") if one.node is not None), None) if key else None
        if key is None or there is None:
            continue
        fields, others = all_texts(key, findings, "fields"), all_texts(there, findings, "fields")
        if len(fields) == 1 and len(others) == 1:
            resource = one_text(there, findings, "resource") or own
            found.append((fields[0], {"recordSet": resource, "field": others[0]}))
        else:
            findings.not_held(value.pointer, text("croissant.not_held", name="foreignKeys"))
    return found


def _field(
    node: Node, file: str | None, keys: Mapping[str, Plain], missing: list[str] | None, findings: CroissantFindings
) -> Plain:
    name = one_text(node, findings, "name") or ""
    kind = one_text(node, findings, "type") or "string"
    layout = one_text(node, findings, "format")
    own = FieldType.URL if (kind, layout) == ("string", "uri") else TYPES.get(kind)
    if own is None:
        findings.not_held(node.place("type"), text("bridge.other_type", found=kind))
    elif layout not in (None, "default", "uri"):
        findings.not_held(node.place("format"), text("croissant.not_held", name="format"))
    field: dict[str, Plain] = {
        "name": name,
        "title": one_text(node, findings, "title"),
        "description": one_text(node, findings, "description"),
        "dataType": own or FieldType.TEXT,
        "repeated": kind == "list",
        "semantic": list(all_texts(node, findings, "rdfType")),
        "source": {"resource": file, "column": name} if file is not None else None,
        "references": keys.get(name),
        "unit": one_text(node, findings, "unit"),
    }
    if missing is not None or "missingValues" in node.properties:
        own_missing = [value.text for value in node.values("missingValues") if value.text is not None]
        field["missing"] = list(own_missing or missing or [])
    for value in node.values("constraints"):
        if value.node is not None:
            field |= _constraints(value.node, own, findings)
    return field


def _constraints(node: Node, kind: FieldType | None, findings: CroissantFindings) -> dict[str, Plain]:
    found: dict[str, Plain] = {"pattern": one_text(node, findings, "pattern")}
    values = [value.text for value in node.values("enum") if value.text is not None]
    if values:
        found["values"] = list(values)
    for name in ("required", "unique", *(("minimum", "maximum") if kind in _NUMERIC else ())):
        if name in node.properties:
            found[name] = node.values(name)[0].plain
    return found


def _write(dataset: Dataset) -> Written:
    """Return ``datapackage.json`` (2.0); raises `InputError` if it would hold records that are not open."""
    require_public(dataset)
    in_tables = {field.source.resource for one in dataset.record_sets for field in one.fields if field.source}
    placed = {one.name for one in dataset.record_sets if _has_place(one, dataset)}
    resources: list[Plain] = [_table(one, dataset) for one in dataset.record_sets if one.name in placed]
    for file in dataset.distribution:
        if file.id not in in_tables:
            resources.append(without_nothing({"name": file.id, **_stored(file, is_closed(dataset))}))
    contributors: list[Plain] = [{"title": name, "roles": ["creator"]} for name in dataset.creator]
    sources: list[Plain] = [{"title": source, "path": source} for source in dataset.provenance.derived_from]
    package: dict[str, Plain] = {
        "$schema": PROFILE,
        "name": dataset.name,
        "title": localized(dataset.title),
        "description": localized(dataset.description) or None,
        "version": dataset.version,
        "homepage": dataset.url,
        "keywords": list(dataset.keywords) or None,
        "created": f"{dataset.date_created}T00:00:00Z" if dataset.date_created else None,
        "contributors": contributors or None,
        "sources": sources or None,
        "licenses": [{"path" if ":" in dataset.license else "name": dataset.license}] if dataset.license else None,
        "resources": resources,
    }
    said = {name: value for name, value in package.items() if value is not None}
    left_out = BRIDGE.left_out(dataset, (*TYPES.values(), FieldType.URL))
    joined = tuple(f"recordSet ({one.name})" for one in dataset.record_sets if one.name not in placed)
    return Written(json.dumps(said, ensure_ascii=False, indent=2) + "\n", (*left_out, *joined))


def _has_place(record_set: RecordSet, dataset: Dataset) -> bool:
    """Return whether the records are in a file or in the description; a table that is only joined has no place."""
    files = {one.id for one in dataset.distribution}
    return record_set.inline is not None or any(
        one.source and one.source.resource in files for one in record_set.fields
    )


def _table(record_set: RecordSet, dataset: Dataset) -> Plain:
    sources = [field.source.resource for field in record_set.fields if field.source is not None]
    file = next((one for one in dataset.distribution if one.id in sources), None)
    stored = _stored(file, is_closed(dataset)) if file is not None else {}
    if record_set.inline is not None:
        stored = {"data": json.loads(record_set.inline)}
    schema: dict[str, Plain] = {"fields": [_written_field(field) for field in record_set.fields]}
    if record_set.key:
        schema["primaryKey"] = list(record_set.key)
    keys: list[Plain] = [
        {
            "fields": [field.name],
            "reference": {"resource": field.references.record_set, "fields": [field.references.field]},
        }
        for field in record_set.fields
        if field.references is not None
    ]
    if keys:
        schema["foreignKeys"] = keys
    return {"name": record_set.name, "type": "table", **stored, "schema": schema}


def _stored(file: FileObject | FileSet, closed: bool) -> dict[str, Plain]:
    stored: dict[str, Plain] = {
        "title": localized(file.title) or None,
        "description": file.description,
        "mediatype": file.encoding_format[0] if file.encoding_format else None,
    }
    if isinstance(file, FileSet):
        stored["path"] = list(file.includes) if len(file.includes) > 1 else file.includes[0]
    else:
        address = None if closed else file.content_url
        stored |= {"path": address or file.id, "bytes": file.content_size}
        if not closed and file.sha256 is not None:
            stored["hash"] = f"sha256:{file.sha256}"
    return {name: value for name, value in stored.items() if value is not None}


def _written_field(field: DataField) -> Plain:
    types = {own: kind for kind, own in reversed(list(TYPES.items()))}
    constraints: dict[str, Plain] = {
        "required": field.required or None,
        "unique": field.unique or None,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "pattern": field.pattern,
        "enum": list(field.values) or None,
    }
    kept: dict[str, Plain] = {name: value for name, value in constraints.items() if value is not None}
    spelled: dict[str, Plain] = {
        "name": field.name,
        "title": localized(field.title) or None,
        "description": localized(field.description) or None,
        "type": "list" if field.repeated else types.get(field.data_type or FieldType.TEXT, "string"),
        "format": "uri" if field.data_type is FieldType.URL else None,
        "rdfType": field.semantic[0] if field.semantic else None,
        "unit": field.unit,
        "constraints": kept or None,
        "missingValues": list(field.missing) if field.missing != ("",) else None,
    }
    return {name: value for name, value in spelled.items() if value is not None}


BRIDGE = Bridge(
    "frictionless",
    "Frictionless Data Package",
    "json",
    _recognises,
    _read,
    _write,
    frozenset(
        {
            *("name", "title", "description", "version", "url", "keywords", "license", "creator", "dateCreated"),
            *("provenance.wasDerivedFrom", "distribution.id", "distribution.kind", "distribution.contentUrl"),
            *("distribution.encodingFormat", "distribution.contentSize", "distribution.sha256"),
            *("distribution.includes", "distribution.title", "distribution.description"),
            *("recordSet.name", "recordSet.key", "recordSet.inline", "recordSet.field.references"),
            *(
                f"recordSet.field.{name}"
                for name in (
                    *("name", "title", "description", "dataType", "unit", "required", "unique", "minimum", "maximum"),
                    *("pattern", "values", "missing", "repeated", "source.resource", "source.column"),
                )
            ),
        }
    ),
)
