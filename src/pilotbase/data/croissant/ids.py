"""The targets of the ids in a Croissant file: files, sets of files, record sets, fields; each once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from pilotbase.data.croissant.findings import CroissantFindings
from pilotbase.data.croissant.json_ld import Node, NodeValue
from pilotbase.data.croissant.vocabulary import name_of
from pilotbase.documents.texts import text


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
