"""A field of a Croissant file: its types, where its values are, which others they refer to, what our contract adds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import get_args

from pilotbase.data.croissant.ids import Ids, IdTarget
from pilotbase.data.croissant.json_ld import Node, NodeValue, description_of, one_text, one_truth, ours, title_of
from pilotbase.data.croissant.measurements import FieldStatistics, Measurement
from pilotbase.data.croissant.reading_measurements import read_measurements, read_statistics
from pilotbase.data.croissant.vocabulary import OTHER_TYPES
from pilotbase.documents.dataset import FieldType, TransformName
from pilotbase.documents.texts import text
from pilotbase.documents.yaml_reader import Plain

_STRUCTURES = {
    *("cr:BoundingBox", "cr:Enum", "cr:Label", "cr:RecordSet", "cr:SegmentationMask", "cr:Split"),
    *("cr:TestSplit", "cr:TrainingSplit", "cr:ValidationSplit"),
    *("sc:Enumeration", "sc:GeoCoordinates", "sc:GeoShape", "sc:StructuredValue", "sc:name"),
}
"""Types that say what values mean, not how they are spelled."""
_SHAPE = ("cr:arrayShape", "sc:arrayShape")
OURS = ("unit", "required", "unique", "minimum", "maximum", "pattern", "values", "missing", "sensitivity")
"""What the contract says of a field beyond Croissant, under names of ours."""
_TARGETS = ("cr:field", "cr:fileObject", "cr:fileSet", "cr:recordSet", "sc:distribution")
_EXTRACTS = ("column", "jsonPath", "fileProperty")
_TRANSFORMS: tuple[str, ...] = get_args(TransformName)


@dataclass(frozen=True)
class ReadField:
    """A field as `DataField` spells it, and where it leads to."""

    node: Node
    target: IdTarget
    spelled: dict[str, Plain]
    source: SourceLocation | None
    references: tuple[SourceLocation, ...]
    measurements: tuple[Measurement, ...]
    statistics: tuple[FieldStatistics, ...]

    @property
    def brought_from(self) -> tuple[IdTarget, ...]:
        """Return the field from which its values are brought."""
        return (self.source.target,) if self.source is not None and self.source.target.field is not None else ()

    @property
    def refers_to(self) -> tuple[IdTarget, ...]:
        """Return the fields to which its values refer."""
        return tuple(place.target for place in self.references if place.target.field is not None)


def read_field(node: Node, above: Node | None, ids: Ids, inline: bool) -> ReadField:
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
    repeated = bool(one_truth(node, findings, "cr:repeated", "sc:repeated", "cr:isArray", "sc:isArray"))
    shape = one_text(node, findings, *_SHAPE)
    if shape is not None and not repeated:
        findings.lacking(node.place(*_SHAPE), text("croissant.shape_alone", found=shape[:80]))
    spelled: dict[str, Plain] = {
        "name": target.field,
        "title": title_of(node, findings, node.id, target.field, last),
        **_types(node, ids, is_leaf and not brought),
        "equivalentProperty": _terms(node, "cr:equivalentProperty", "sc:equivalentProperty"),
        "description": description_of(node, findings),
        "source": sources[0].spelled if sources else None,
        **_references(node, references, ids),
        "repeated": repeated,
        "arrayShape": shape,
        "value": json.dumps(constant[0].plain, ensure_ascii=False) if constant else None,
    }
    if above is not None and above.id in ids.fields:
        spelled["parent"] = ids.fields[above.id].field
    spelled |= {name: ours(node, name) for name in OURS if f"pb:{name}" in node.properties}
    measurements = tuple(read_measurements(node, target.holder, target.field))
    statistics = read_statistics(node, target.holder, target.field or "", findings)
    told = () if statistics is None else (statistics,)
    return ReadField(node, target, spelled, sources[0] if sources else None, tuple(references), measurements, told)


def _references(node: Node, references: list[SourceLocation], ids: Ids) -> dict[str, Plain]:
    """Return the first reference to another field, and the first to a file."""
    fields = [place for place in references if place.target.field is not None]
    files = [place for place in references if place.target.field is None]
    for _ in (*fields[1:], *files[1:]):
        ids.findings.not_held(node.place("cr:references"), text("croissant.several"))
    found: dict[str, Plain] = {}
    if fields:
        found["references"] = {"recordSet": fields[0].target.holder, "field": fields[0].target.field}
    if files:
        found["joins"] = files[0].spelled
    return found


def _terms(node: Node, *names: str) -> list[Plain]:
    return list(dict.fromkeys(value.plain for value in node.values(*names) if isinstance(value.plain, str)))


def _types(node: Node, ids: Ids, needs_one: bool) -> dict[str, Plain]:
    """Return the type of a field's values and the further ones; of several the first that is one of ours counts."""
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
    """What a source or a reference names, and how values are taken from it as `Source` spells it."""

    target: IdTarget
    spelled: dict[str, Plain]


def _read_place(value: NodeValue, ids: Ids) -> SourceLocation | None:
    """Return the place that ``value`` describes; told as a fault where it names nothing that is there."""
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
    extracts = [value.node for value in node.values("cr:extract") if value.node is not None]
    transforms = [value.node for value in node.values("cr:transform") if value.node is not None]
    found: dict[str, Plain] = {
        name: one_text(inner, ids.findings, f"cr:{name}") for inner in extracts for name in _EXTRACTS
    }
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
            argument = one_text(inner, ids.findings, f"cr:{name}")
            if argument is not None:
                done.append([name, argument])
    return {**found, "transforms": done}
