"""Frictionless Data Package 1.0 and 2.0 (datapackage.org): a table a resource, with its Table Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from pilotbase.data.bridges.definition import OF_CONTRACTS, Bridge
from pilotbase.data.croissant.findings import (
    STAND_IN,
    CroissantDescription,
    Measured,
    PlainFile,
    draft_dataset,
    stand_in_owner,
)
from pilotbase.data.croissant.json_ld import Node, read_plain
from pilotbase.data.croissant.vocabulary import present, short_name, without_nothing
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
    root = read_plain(spelled)
    findings = root.findings
    profile = root.text("$schema") or root.text("profile") or ""
    title = root.text("title") or root.text("name") or STAND_IN
    named = (node.text("title") or node.text("organization") for node in root.nodes("contributors"))
    makers = [name for name in named if name]
    sources: list[Plain] = [node.text("path") or node.text("title") for node in root.nodes("sources")]
    files, record_sets, places = _resources(root.nodes("resources"))
    found: dict[str, Plain] = {
        "name": short_name(root.text("name") or title) or STAND_IN,
        "title": title,
        "owner": stand_in_owner(findings, "/contributors", makers),
        "description": root.text("description"),
        "url": root.text("homepage"),
        "license": _licence(root),
        "creator": list(dict.fromkeys(makers)),
        "dateCreated": root.day("created"),
        "keywords": list(root.texts("keywords")),
        "provenance": {"wasDerivedFrom": [source for source in sources if source]},
        "version": root.text("version"),
        "distribution": files,
        "recordSet": record_sets,
    }
    names = {"url": "homepage", "license": "licenses", "creator": "contributors"}
    dataset = draft_dataset(found, places, findings, names)
    return findings.describing("2.0" if "2.0" in profile else "1.0", dataset, unread=root.unread())


def _licence(root: Node) -> str | None:
    nodes = root.nodes("licenses")
    for node in nodes[1:]:
        root.findings.not_held(node.pointer, text("croissant.several"))
        node.read_all()
    return (nodes[0].text("name") or nodes[0].text("path")) if nodes else None


def _resources(resources: list[Node]) -> tuple[list[Plain], list[Plain], dict[str, str]]:
    files: list[Plain] = []
    record_sets: list[Plain] = []
    places: dict[str, str] = {}
    for number, node in enumerate(resources):
        name = node.text("name") or f"resource-{number}"
        inline = "data" in node.properties
        paths = node.texts("path")
        if not inline and not paths:
            node.fault("path", text("croissant.no_address"))
        identity = paths[0] if paths and paths[0] != name else f"{name}.file"
        if not inline:
            places[f"distribution[{len(files)}]"] = node.pointer
            files.append(_file(node, identity, paths))
        schema = node.node("schema")
        if schema is not None:
            index = len(record_sets)
            places[f"recordSet[{index}]"] = schema.pointer
            fields = schema.nodes("fields")
            places |= {f"recordSet[{index}].field[{place}]": one.pointer for place, one in enumerate(fields)}
            record_sets.append(_record_set(node, schema, fields, (name, None if inline else identity)))
    return files, record_sets, places


def _file(node: Node, identity: str, paths: Sequence[str]) -> Plain:
    kind = node.text("mediatype") or _FORMATS.get(node.text("format") or "")
    ending = paths[0].rpartition(".")[2].lower() if paths else ""
    hashed = node.text("hash") or ""
    method, _, digits = hashed.rpartition(":")
    size = node.text("bytes")
    common: dict[str, Plain] = {
        "id": identity,
        "encodingFormat": [kind or _FORMATS.get(ending, "application/octet-stream")],
        "description": node.text("description"),
        "title": node.text("title"),
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


def _record_set(node: Node, schema: Node, fields: list[Node], stands: tuple[str, str | None]) -> Plain:
    name, file = stands
    keys = dict(_foreign_keys(schema, name))
    inline = [value.plain for value in node.values("data")]
    for one in node.nodes("data"):
        one.read_all()
    return {
        "name": name,
        "key": list(schema.texts("primaryKey")),
        "inline": json.dumps(inline, ensure_ascii=False) if inline else None,
        "field": [_field(one, file, keys, schema) for one in fields],
    }


def _foreign_keys(schema: Node, own: str) -> Iterator[tuple[str, Plain]]:
    for key in schema.nodes("foreignKeys"):
        there = key.node("reference")
        if there is None:
            continue
        fields, others = key.texts("fields"), there.texts("fields")
        if len(fields) == 1 and len(others) == 1:
            yield fields[0], {"recordSet": there.text("resource") or own, "field": others[0]}
        else:
            schema.findings.not_held(key.pointer, text("croissant.not_held", name="foreignKeys"))


def _field(node: Node, file: str | None, keys: Mapping[str, Plain], schema: Node) -> Plain:
    name = node.text("name") or ""
    kind = node.text("type") or "string"
    layout = node.text("format")
    own = FieldType.URL if (kind, layout) == ("string", "uri") else TYPES.get(kind)
    if own is None:
        node.not_held("type", text("bridge.other_type", found=kind))
    elif layout not in (None, "default", "uri"):
        node.not_held("format", text("croissant.not_held", name="format"))
    field: dict[str, Plain] = {
        "name": name,
        "title": node.text("title"),
        "description": node.text("description"),
        "dataType": own or FieldType.TEXT,
        "repeated": kind == "list",
        "semantic": list(node.texts("rdfType")),
        "source": {"resource": file, "column": name} if file is not None else None,
        "references": keys.get(name),
        "unit": node.text("unit"),
    }
    if "missingValues" in schema.properties or "missingValues" in node.properties:
        field["missing"] = _listed(node, "missingValues") or _listed(schema, "missingValues")
    for inner in node.nodes("constraints"):
        field |= _constraints(inner, own)
    return field


def _listed(node: Node, name: str) -> list[Plain]:
    """Return the texts of a property, also empty ones."""
    return [value.text for value in node.values(name) if value.text is not None]


def _constraints(node: Node, kind: FieldType | None) -> dict[str, Plain]:
    found: dict[str, Plain] = {"pattern": node.text("pattern")}
    values = _listed(node, "enum")
    if values:
        found["values"] = values
    return found | node.plain("required", "unique", *(("minimum", "maximum") if kind in _NUMERIC else ()))


def _spell(dataset: Dataset, _: Measured) -> dict[str, Plain]:
    """Return ``datapackage.json`` (2.0); raises `InputError` if it would hold records that are not open."""
    require_public(dataset)
    in_tables = {field.source.resource for one in dataset.record_sets for field in one.fields if field.source}
    resources: list[Plain] = [_table(one, dataset) for one in dataset.record_sets if _has_place(one, dataset)]
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
    return present(package)


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
    return present(stored)


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
    spelled: dict[str, Plain] = {
        "name": field.name,
        "title": localized(field.title) or None,
        "description": localized(field.description) or None,
        "type": "list" if field.repeated else types.get(field.data_type or FieldType.TEXT, "string"),
        "format": "uri" if field.data_type is FieldType.URL else None,
        "rdfType": field.semantic[0] if field.semantic else None,
        "unit": field.unit,
        "constraints": present(constraints) or None,
        "missingValues": list(field.missing) if field.missing != ("",) else None,
    }
    return present(spelled)


BRIDGE = Bridge(
    "frictionless",
    "Frictionless Data Package",
    "json",
    _spell,
    frozenset(
        {
            *("name", "title", "description", "version", "url", "keywords", "license", "creator", "dateCreated"),
            *("provenance.wasDerivedFrom", "distribution.id", "distribution.kind", "distribution.contentUrl"),
            *("distribution.encodingFormat", "distribution.contentSize", "distribution.sha256"),
            *("distribution.includes", "distribution.title", "distribution.description"),
            *("recordSet.name", "recordSet.key", "recordSet.inline", "recordSet.field.missing", *OF_CONTRACTS),
        }
    ),
    frozenset({*TYPES.values(), FieldType.URL}),
    recognises=_recognises,
    read=_read,
    not_placed=lambda dataset: (
        f"recordSet ({one.name})" for one in dataset.record_sets if not _has_place(one, dataset)
    ),
)
