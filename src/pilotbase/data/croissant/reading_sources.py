"""Where the values of a field are (``source``, ``references``): in a file, a set of files or another field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from pilotbase.data.croissant.ids import Ids, IdTarget
from pilotbase.data.croissant.json_ld import Node, NodeValue
from pilotbase.data.croissant.plain_values import one_text
from pilotbase.documents.dataset import TransformName
from pilotbase.documents.texts import text
from pilotbase.documents.yaml_reader import Plain

_TARGETS = ("cr:field", "cr:fileObject", "cr:fileSet", "cr:recordSet", "sc:distribution")
_EXTRACTS = ("column", "jsonPath", "fileProperty")
TRANSFORMS: tuple[str, ...] = get_args(TransformName)


@dataclass(frozen=True)
class SourceLocation:
    """What a source or a reference names, and how values are taken from it as `Source` spells it."""

    target: IdTarget
    spelled: dict[str, Plain]


def read_place(value: NodeValue, ids: Ids) -> SourceLocation | None:
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
            TRANSFORMS
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
