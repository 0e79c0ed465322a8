"""Record sets of a Croissant file: what they hold, how records are named, which files they bring together."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import combinations

from pilotbase.data.croissant.ids import Ids, IdTarget, fields_of
from pilotbase.data.croissant.json_ld import Node, description_of, one_text, one_truth, ours, title_of
from pilotbase.data.croissant.measurements import FieldStatistics, Measurement
from pilotbase.data.croissant.reading_fields import ReadField, read_field
from pilotbase.data.croissant.reading_measurements import leave_out, read_measurements
from pilotbase.data.croissant.vocabulary import ROW_COUNT
from pilotbase.documents.dataset import circles
from pilotbase.documents.json_reader import join_pointer
from pilotbase.documents.texts import text
from pilotbase.documents.yaml_reader import Plain


@dataclass
class RecordSets:
    """Record sets as `RecordSet` spells them, path in the dataset → pointer in the file, and what was measured."""

    spelled: list[Plain] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    statistics: list[FieldStatistics] = field(default_factory=list)


def enter_record_sets(root: Node, ids: Ids) -> list[tuple[Node, str]]:
    """Return each record set with its id, entered with its fields; what is none is told as a fault."""
    entered = []
    for value in root.values("cr:recordSet"):
        node = value.node
        if node is None:
            ids.findings.fault(value.pointer, text("croissant.no_object"))
        elif "cr:RecordSet" not in node.types:
            found = ", ".join(node.types)[:200] or "–"
            ids.findings.fault(node.place("@type"), text("croissant.no_record_set", found=found))
            node.read_all()
        elif (identity := ids.enter_record_set(node)) is not None:
            entered.append((node, identity))
    return entered


def read_record_sets(entered: list[tuple[Node, str]], ids: Ids) -> RecordSets:
    """Return the record sets; a field that is brought from itself, or refers to itself, is told as a fault."""
    found = RecordSets()
    everything: dict[IdTarget, ReadField] = {}
    for index, (node, identity) in enumerate(entered):
        path = f"recordSet[{index}]"
        found.places[path] = node.pointer
        fields = _read_fields(node, identity, ids)
        found.spelled.append({**_read_record_set(node, identity, ids), "field": [one.spelled for one in fields]})
        found.places |= {f"{path}.field[{number}]": one.node.pointer for number, one in enumerate(fields)}
        everything |= {one.target: one for one in fields}
        found.measurements += read_measurements(node, ids.record_sets[identity])
        for one in fields:
            found.measurements += one.measurements
            found.statistics += one.statistics
    for leads_to in (
        {target: one.brought_from for target, one in everything.items()},
        {target: one.refers_to for target, one in everything.items()},
    ):
        for target in circles(leads_to):
            at = everything[target].node
            ids.findings.fault(at.pointer, text("croissant.circle", found=(at.id or "")[:200]))
    return found


def _read_fields(node: Node, identity: str, ids: Ids) -> list[ReadField]:
    inline = bool(node.values("cr:data"))
    fields = []
    for inner, above, _ in fields_of(node):
        if "cr:Field" not in inner.types:
            found = ", ".join(inner.types)[:200] or "–"
            ids.findings.fault(inner.place("@type"), text("croissant.no_field", found=found))
        if inner.id in ids.fields:
            fields.append(read_field(inner, above, ids, inline))
    _check_joins(node, identity, [one for one in fields if "parent" not in one.spelled], ids)
    return fields


def _check_joins(node: Node, identity: str, fields: list[ReadField], ids: Ids) -> None:
    """Tell where fields come from several files that no reference brings together (as mlcroissant reads it)."""
    sources = dict.fromkeys(one.source.target.holder for one in fields if one.source is not None)
    joined = {
        frozenset((one.source.target.holder, reference.target.holder))
        for one in fields
        if one.source is not None
        for reference in one.references
    }
    apart = (pair for pair in combinations(sources, 2) if frozenset(pair) not in joined)
    first = next(apart, None)
    if first is not None:
        problem = text("croissant.not_joined", name=identity[:200], one=first[0], other=first[1])
        ids.findings.fault(node.place("cr:field"), problem)


def _read_record_set(node: Node, identity: str, ids: Ids) -> dict[str, Plain]:
    findings = ids.findings
    types = [value.plain for value in node.values("cr:dataType") if isinstance(value.plain, str)]
    if one_truth(node, findings, "cr:isEnumeration", "sc:isEnumeration") and "sc:Enumeration" not in types:
        types.append("sc:Enumeration")
    return {
        "name": ids.record_sets[identity],
        "title": title_of(node, findings, identity, ids.record_sets[identity]),
        "description": description_of(node, findings),
        "key": _key(node, identity, ids),
        "dataType": list(dict.fromkeys(types)),
        "rows": _rows(node, ids),
        "inline": _inline(node, identity, ids),
        "time": ours(node, "time"),
        "group": ours(node, "group"),
        "rules": ours(node, "rules") or [],
        "keptRules": ours(node, "keptRules") or [],
        "split": ours(node, "split"),
    }


def _key(node: Node, identity: str, ids: Ids) -> list[Plain]:
    names: list[Plain] = []
    for value in node.values("cr:key", "sc:key"):
        named = value.reference or ""
        target = ids.fields.get(named) or ids.fields.get(f"{identity}/{named}")
        if target is None or target.holder != ids.record_sets[identity]:
            known = (one.field for one in ids.fields.values() if one.holder == ids.record_sets[identity] and one.field)
            allowed = ids.findings.offer(named, known)
            ids.findings.lacking(value.pointer, text("croissant.unknown_key", found=named[:200], allowed=allowed))
        else:
            names.append(target.field)
    return names


def _rows(node: Node, ids: Ids) -> Plain:
    rows: Plain = None
    for value in node.values("cr:annotation", "sc:annotation"):
        inner = value.node
        counts = inner is not None and any(one.plain == ROW_COUNT for one in inner.values("cr:dataType"))
        if inner is not None and counts and rows is None:
            counted = one_text(inner, ids.findings, "sc:value", "cr:value")
            inner.read.add("sc:name")
            rows = int(counted) if counted is not None and counted.isdecimal() and len(counted) < 19 else None
        else:
            leave_out(value, ids.findings)
    return rows


def _inline(node: Node, identity: str, ids: Ids) -> str | None:
    """Return the records that the file itself holds, by the names of their fields, as JSON text."""
    values = node.values("cr:data")
    if not values:
        return None
    held = values[0].plain
    records = held if isinstance(held, list) else [held]
    named: list[Plain] = []
    for index, record in enumerate(records):
        place = join_pointer(values[0].pointer, index) if isinstance(held, list) else values[0].pointer
        if isinstance(record, dict):
            row = {_field_name(key, identity, place, ids): one for key, one in record.items()}
            if len(row) != len(record):
                ids.findings.fault(place, text("croissant.double_id", found=", ".join(record)[:200]))
            named.append(row)
        else:
            ids.findings.fault(place, text("croissant.no_object"))
    if not records:
        ids.findings.fault(values[0].pointer, text("croissant.no_records"))
    return json.dumps(named, ensure_ascii=False)


def _field_name(key: str, identity: str, place: str, ids: Ids) -> str:
    target = ids.fields.get(key) or ids.fields.get(f"{identity}/{key}")
    if target is None or target.field is None or target.holder != ids.record_sets[identity]:
        known = (one for one in ids.fields if one.startswith(f"{identity}/"))
        problem = text("croissant.unknown_id", found=key[:200], allowed=ids.findings.offer(key, known))
        ids.findings.fault(join_pointer(place, key), problem)
        return key
    return target.field
