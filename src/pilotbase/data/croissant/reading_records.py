"""Record sets of a Croissant file: their content, how records are named and joined, and what each id in it names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import NamedTuple, get_args

from pilotbase.data.croissant.findings import CroissantFindings, FieldStatistics, Measurement
from pilotbase.data.croissant.json_ld import Node, NodeValue
from pilotbase.data.croissant.reading_terms import leave_out, read_measurements, read_statistics
from pilotbase.data.croissant.vocabulary import OTHER_TYPES, ROW_COUNT, name_of
from pilotbase.documents.dataset import FieldType, TransformName, circles
from pilotbase.documents.json_reader import join_pointer
from pilotbase.documents.texts import Text, text
from pilotbase.documents.yaml_reader import Plain

_STRUCTURES = {
    *("cr:BoundingBox", "cr:Enum", "cr:Label", "cr:RecordSet", "cr:SegmentationMask", "cr:Split"),
    *("cr:TestSplit", "cr:TrainingSplit", "cr:ValidationSplit"),
    *("sc:Enumeration", "sc:GeoCoordinates", "sc:GeoShape", "sc:StructuredValue", "sc:name"),
}
"""Types that state what values mean, not how they are spelled."""
_SHAPE = ("cr:arrayShape", "sc:arrayShape")
OURS = ("unit", "required", "unique", "minimum", "maximum", "pattern", "values", "missing", "sensitivity")
"""Parts of a field's contract beyond Croissant, under names of ours."""
_TARGETS = ("cr:field", "cr:fileObject", "cr:fileSet", "cr:recordSet", "sc:distribution")
_EXTRACTS = ("column", "jsonPath", "fileProperty")
_TRANSFORMS: tuple[str, ...] = get_args(TransformName)


class IdTarget(NamedTuple):
    """The target of an id: a resource or a record set, or a field of one."""

    holder: str
    """Id of a resource, or name of a record set."""
    field: str | None = None


@dataclass
class Ids:
    """Id → its target, and whether ids are names (Croissant 0.8)."""

    findings: CroissantFindings
    by_name: bool
    resources: dict[str, str] = field(default_factory=dict)
    record_sets: dict[str, str] = field(default_factory=dict)
    fields: dict[str, IdTarget] = field(default_factory=dict)

    def identity(self, node: Node) -> str | None:
        """Return what identifies a node: its id, in 0.8 its name; a missing one is reported as a fault."""
        name = next((value.text for value in node.values("sc:name") if value.text), None)
        found = name if self.by_name else node.id or name
        if not found:
            wanted = "name" if self.by_name else "@id"
            self.findings.fault(node.place("sc:name" if self.by_name else "@id"), text("croissant.no_id", name=wanted))
            node.read_all()
        elif not self.by_name and any(letter.isspace() for letter in found):
            self.findings.fault(node.place("@id"), text("croissant.space_in_id", found=found[:200]))
        return found or None

    def enter_resource(self, node: Node) -> str | None:
        """Enter a file or a set of files, and return its id."""
        found = self.identity(node)
        if found is None or self._is_double(node, found):
            return None
        self.resources[found] = name_of(found)
        return found

    def enter_record_set(self, node: Node) -> str | None:
        """Enter a record set with its fields, and return its id."""
        found = self.identity(node)
        if found is None or self._is_double(node, found):
            return None
        self.record_sets[found] = name_of(found)
        taken: set[str] = set()
        for inner, above, parent in fields_of(node):
            self._enter_field(inner, found, above, parent, taken)
        return found

    def _enter_field(self, node: Node, record_set: str, above: Node | None, parent: str, taken: set[str]) -> None:
        own = self.identity(node)
        if own is None:
            return
        whole = own if not self.by_name or own.startswith(f"{record_set}/") else f"{record_set}/{own}"
        if self.by_name and above is not None:
            whole = f"{parent}/{own}"
        node.id = whole
        if self._is_double(node, whole):
            return
        above_target = self.fields.get(parent) if above is not None else None
        local = _without(whole, parent if above is not None else record_set) or _without(whole, record_set) or whole
        name = name_of(local)
        if above_target is not None:
            name = f"{above_target.field}/{name}"
        if name in taken:
            name = f"{above_target.field}/{name_of(whole)}" if above_target is not None else name_of(whole)
        taken.add(name)
        self.fields[whole] = IdTarget(self.record_sets[record_set], name)

    def _is_double(self, node: Node, found: str) -> bool:
        double = found in self.resources or found in self.record_sets or found in self.fields
        if double:
            place = node.place("sc:name") if self.by_name else node.place("@id")
            self.findings.fault(place, text("croissant.double_id", found=found[:200]))
            node.read_all()
        return double

    def target(self, value: NodeValue) -> IdTarget | None:
        """Return the target of a value; reported as a fault if the file has no such target."""
        found = value.reference
        if found is None:
            self.findings.fault(value.pointer, text("croissant.no_reference"))
            return None
        if found in self.resources:
            return IdTarget(self.resources[found])
        if found in self.record_sets:
            return IdTarget(self.record_sets[found])
        if found not in self.fields:
            known = chain(self.resources, self.record_sets, self.fields)
            allowed = self.findings.offer(found, known)
            self.findings.fault(value.pointer, text("croissant.unknown_id", found=found[:200], allowed=allowed))
            return None
        return self.fields[found]


def fields_of(record_set: Node) -> Iterator[tuple[Node, Node | None, str]]:
    """Yield each field, its parent field and that one's id, parents first; the id is read when it is requested."""
    outer = record_set.nodes("cr:field")
    waiting: list[tuple[Node, Node | None]] = [(node, None) for node in reversed(outer)]
    while waiting:
        node, above = waiting.pop()
        yield node, above, (above.id or "") if above is not None else ""
        below = node.nodes("cr:subField")
        waiting += [(inner, node) for inner in reversed(below)]


def _without(whole: str, start: str) -> str | None:
    return whole[len(start) + 1 :] or None if whole.startswith(f"{start}/") else None


@dataclass
class RecordSets:
    """Record sets as `RecordSet` spells them, path in the dataset → pointer in the file, and what was measured."""

    spelled: list[Plain] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    statistics: list[FieldStatistics] = field(default_factory=list)


def entered(
    root: Node, name: str, types: set[str], problem: Callable[[str], Text], enter: Callable[[Node], str | None]
) -> list[tuple[Node, str]]:
    """Return each node of one of these types with its id; any other node is a fault, with its types as ``problem``."""
    found = []
    for value in root.values(name):
        node = value.node
        if node is None:
            root.findings.fault(value.pointer, text("croissant.no_object"))
        elif not types & {*node.types}:
            node.fault("@type", problem(", ".join(node.types)[:200] or "–"))
            node.read_all()
        elif (identity := enter(node)) is not None:
            found.append((node, identity))
    return found


def read_record_sets(nodes: list[tuple[Node, str]], ids: Ids) -> RecordSets:
    """Return the record sets; a field that takes values from itself, or refers to itself, is reported as a fault."""
    found = RecordSets()
    everything: dict[IdTarget, ReadField] = {}
    for index, (node, identity) in enumerate(nodes):
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
            inner.fault("@type", text("croissant.no_field", found=found))
        if inner.id in ids.fields:
            fields.append(_read_field(inner, above, ids, inline))
    _check_joins(node, identity, [one for one in fields if "parent" not in one.spelled], ids)
    return fields


def _check_joins(node: Node, identity: str, fields: list[ReadField], ids: Ids) -> None:
    """Report fields from several files that no reference connects (as mlcroissant reads it)."""
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
        node.fault("cr:field", problem)


def _read_record_set(node: Node, identity: str, ids: Ids) -> dict[str, Plain]:
    types = [value.plain for value in node.values("cr:dataType") if isinstance(value.plain, str)]
    if node.truth("cr:isEnumeration", "sc:isEnumeration") and "sc:Enumeration" not in types:
        types.append("sc:Enumeration")
    return {
        "name": ids.record_sets[identity],
        "title": node.title(identity, ids.record_sets[identity]),
        "description": node.description(),
        "key": _key(node, identity, ids),
        "dataType": list(dict.fromkeys(types)),
        "rows": _rows(node, ids),
        "inline": _inline(node, identity, ids),
        "time": node.ours("time"),
        "group": node.ours("group"),
        "rules": node.ours("rules") or [],
        "keptRules": node.ours("keptRules") or [],
        "split": node.ours("split"),
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
            counted = inner.text("sc:value", "cr:value")
            inner.read.add("sc:name")
            rows = int(counted) if counted is not None and counted.isdecimal() and len(counted) < 19 else None
        else:
            leave_out(value, ids.findings)
    return rows


def _inline(node: Node, identity: str, ids: Ids) -> str | None:
    """Return the records that the file itself holds, keyed by field names, as JSON text."""
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


@dataclass(frozen=True)
class ReadField:
    """A field as `DataField` spells it, and where it leads."""

    node: Node
    target: IdTarget
    spelled: dict[str, Plain]
    source: SourceLocation | None
    references: tuple[SourceLocation, ...]
    measurements: tuple[Measurement, ...]
    statistics: tuple[FieldStatistics, ...]

    @property
    def brought_from(self) -> tuple[IdTarget, ...]:
        """Return the field from which its values come."""
        return (self.source.target,) if self.source is not None and self.source.target.field is not None else ()

    @property
    def refers_to(self) -> tuple[IdTarget, ...]:
        """Return the fields to which its values refer."""
        return tuple(place.target for place in self.references if place.target.field is not None)


def _read_field(node: Node, above: Node | None, ids: Ids, inline: bool) -> ReadField:
    """Return a field; ``inline``: the file itself holds its values."""
    findings, target = ids.findings, ids.fields[node.id or ""]
    is_leaf = not node.values("cr:subField")
    sources = [place for value in node.values("cr:source") if (place := _read_place(value, ids)) is not None]
    references = [place for value in node.values("cr:references") if (place := _read_place(value, ids)) is not None]
    constant = node.values("sc:value", "cr:value")
    if is_leaf and not inline and not node.values("cr:source") and not constant:
        tell = findings.lacking if references else findings.fault
        tell(node.place("cr:source"), text("croissant.no_source"))
    for value in node.values("cr:source")[1:]:
        findings.not_held(value.pointer, text("croissant.several"))
    brought = bool(sources) and sources[0].target.field is not None
    last = (target.field or "").rpartition("/")[2]
    repeated = bool(node.truth("cr:repeated", "sc:repeated", "cr:isArray", "sc:isArray"))
    shape = node.text(*_SHAPE)
    if shape is not None and not repeated:
        findings.lacking(node.place(*_SHAPE), text("croissant.shape_alone", found=shape[:80]))
    spelled: dict[str, Plain] = {
        "name": target.field,
        "title": node.title(node.id, target.field, last),
        **_types(node, ids, is_leaf and not brought),
        "equivalentProperty": _terms(node, "cr:equivalentProperty", "sc:equivalentProperty"),
        "description": node.description(),
        "source": sources[0].spelled if sources else None,
        **_references(node, references, ids),
        "repeated": repeated,
        "arrayShape": shape,
        "value": json.dumps(constant[0].plain, ensure_ascii=False) if constant else None,
    }
    if above is not None and above.id in ids.fields:
        spelled["parent"] = ids.fields[above.id].field
    spelled |= {name: node.ours(name) for name in OURS if f"pb:{name}" in node.properties}
    measurements = tuple(read_measurements(node, target.holder, target.field))
    statistics = read_statistics(node, target.holder, target.field or "", findings)
    told = () if statistics is None else (statistics,)
    return ReadField(node, target, spelled, sources[0] if sources else None, tuple(references), measurements, told)


def _references(node: Node, references: list[SourceLocation], ids: Ids) -> dict[str, Plain]:
    """Return the first reference to another field, and the first to a file."""
    fields = [place for place in references if place.target.field is not None]
    files = [place for place in references if place.target.field is None]
    for _ in (*fields[1:], *files[1:]):
        node.not_held("cr:references", text("croissant.several"))
    found: dict[str, Plain] = {}
    if fields:
        found["references"] = {"recordSet": fields[0].target.holder, "field": fields[0].target.field}
    if files:
        found["joins"] = files[0].spelled
    return found


def _terms(node: Node, *names: str) -> list[Plain]:
    return list(dict.fromkeys(value.plain for value in node.values(*names) if isinstance(value.plain, str)))


def _types(node: Node, ids: Ids, needs_one: bool) -> dict[str, Plain]:
    """Return the type of a field's values and the further ones; of several, the first that is one of ours counts."""
    types = [one for one in _terms(node, "cr:dataType") if isinstance(one, str)]
    own = next((one for one in types if one in set(FieldType)), None)
    if own is not None:
        return {"dataType": own, "semantic": [one for one in types if one != own]}
    other = next((OTHER_TYPES[one] for one in types if one in OTHER_TYPES), None)
    if other is None and needs_one:
        _tell_no_type(node, types, ids)
    return {"dataType": other, "semantic": list(types)}


def _tell_no_type(node: Node, types: list[str], ids: Ids) -> None:
    place = node.place("cr:dataType")
    unknown = [one for one in types if one.startswith(("sc:", "cr:")) and one not in _STRUCTURES]
    if not types:
        ids.findings.fault(place, text("croissant.no_type"))
    elif unknown:
        allowed = ids.findings.offer(unknown[0], [*FieldType, *OTHER_TYPES])
        ids.findings.fault(place, text("croissant.unknown_type", found=unknown[0][:200], allowed=allowed))
    else:
        ids.findings.lacking(place, text("croissant.only_semantic", found=", ".join(types)[:200]))


@dataclass(frozen=True)
class SourceLocation:
    """The target of a source or a reference, and how values are taken from it as `Source` spells it."""

    target: IdTarget
    spelled: dict[str, Plain]


def _read_place(value: NodeValue, ids: Ids) -> SourceLocation | None:
    """Return the place that ``value`` describes; reported as a fault if its target does not exist."""
    node = value.node
    named = [one for name in _TARGETS for one in node.values(name)] if node is not None else []
    if node is not None and not named and node.id is None:
        ids.findings.fault(value.pointer, text("croissant.no_reference"))
        return None
    target = ids.target(named[0] if named else value)
    if target is None:
        if node is not None:
            node.read_all()
        return None
    spelled: dict[str, Plain] = {"resource": target.holder}
    if node is not None:
        spelled |= _extract(node, ids)
    if target.field is not None:
        spelled["column"] = target.field
    return SourceLocation(target, spelled)


def _extract(node: Node, ids: Ids) -> dict[str, Plain]:
    extracts = node.nodes("cr:extract")
    transforms = node.nodes("cr:transform")
    found: dict[str, Plain] = {name: inner.text(f"cr:{name}") for inner in extracts for name in _EXTRACTS}
    done: list[Plain] = []
    for inner in (*transforms, *extracts, node):
        names = (
            _TRANSFORMS
            if inner in transforms
            else ("regex", "separator")
            if inner in extracts
            else ("format", "samplingRate")
        )
        for name in names:
            argument = inner.text(f"cr:{name}")
            if argument is not None:
                done.append([name, argument])
    return {**found, "transforms": done}
