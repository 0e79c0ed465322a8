"""Anyone's JSON-LD as nodes with canonical names and their plain values: texts, days, sizes; nothing is fetched.

Not all of JSON-LD, only what Croissant files use. A name is expanded to its address by the file's own context and then
compacted with `vocabulary.PREFIXES`, so that ``ml:field``, ``field`` and ``cr:field`` are the same, and a name that the
context does not define is different.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from pilotbase.data.croissant.findings import CroissantFindings, PlainFile
from pilotbase.data.croissant.vocabulary import CONTEXT, PREFIXES, SPELLINGS
from pilotbase.documents.json_reader import join_pointer
from pilotbase.documents.texts import Text, text
from pilotbase.documents.yaml_reader import Plain

_KNOWN_CONTEXTS = ("mlcommons.org/croissant", "schema.org")
_PLAIN_JSON = ("cr:data", "cr:examples", "sc:value", "cr:value")
"""Properties whose values are JSON, not nodes."""
_BY_LANGUAGE = ("sc:name", "sc:description", "pb:title", "pb:description", "pb:why")
_NAMES = (
    "cr:dataType",
    "cr:equivalentProperty",
    "sc:equivalentProperty",
    "odrl:action",
    "odrl:leftOperand",
    "odrl:operator",
    "odrl:conflict",
)
"""Properties whose values are names of a vocabulary."""
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_MOST_STEPS = 8
"""How many steps of definition by another term are followed."""
_SIZE = re.compile(r"\s*([0-9][0-9,]{0,30}(?:\.[0-9]{1,9})?)\s*([KMGTP]?i?B|bytes)?\s*", re.IGNORECASE)
_STEPS = "kmgtp"
_LITERALS = (
    "owner",
    "title",
    "description",
    "required",
    "keptTerms",
    "rules",
    "keptRules",
    "split",
    "values",
    "missing",
)
"""Names of ours whose values are JSON literals."""


@dataclass
class NodeValue:
    """One value of a property: plain, or a node."""

    pointer: str
    plain: Plain
    node: Node | None = None
    language: str | None = None

    @property
    def text(self) -> str | None:
        """Return a text or a number as text; None for anything else."""
        if isinstance(self.plain, bool):
            return "true" if self.plain else "false"
        return str(self.plain) if isinstance(self.plain, str | int | float) else None

    @property
    def reference(self) -> str | None:
        """Return the id that the value names, written as a text or as ``{"@id": …}``."""
        if self.node is not None:
            return self.node.id
        return self.plain if isinstance(self.plain, str) else None


@dataclass
class Node:
    """An object of JSON-LD: its id, its types and, by canonical name, the values of its properties."""

    pointer: str
    id: str | None
    types: tuple[str, ...]
    properties: Mapping[str, tuple[NodeValue, ...]]
    places: Mapping[str, str]
    """Canonical name → pointer of the property."""
    findings: CroissantFindings
    read: set[str] = field(default_factory=set)
    """Properties that have been read."""

    def values(self, *names: str) -> tuple[NodeValue, ...]:
        """Return all values of a property, under any of its canonical names."""
        self.read.update(names)
        return tuple(value for name in names for value in self.properties.get(name, ()))

    def place(self, *names: str) -> str:
        """Return the pointer of a property, or where it would be."""
        known = (self.places[name] for name in names if name in self.places)
        return next(known, join_pointer(self.pointer, _short(names[0])))

    def read_all(self) -> None:
        """Mark everything here and below as read."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            node.read.update(node.properties)
            waiting += [value.node for values in node.properties.values() for value in values if value.node]

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield canonical name and pointer of every unread property, here and below."""
        for name, values in self.properties.items():
            if name not in self.read:
                yield name, self.places[name]
                continue
            for value in values:
                if value.node is not None:
                    yield from value.node.unread()

    def fault(self, name: str, problem: Text) -> None:
        """Report a fault of a property."""
        self.findings.fault(self.place(name), problem)

    def lacking(self, name: str, problem: Text) -> None:
        """Report that a property, or something in it, is lacking."""
        self.findings.lacking(self.place(name), problem)

    def not_held(self, name: str, problem: Text) -> None:
        """Report that something in a property has no place in our dataset."""
        self.findings.not_held(self.place(name), problem)

    def nodes(self, *names: str) -> list[Node]:
        """Return the values of a property that are nodes."""
        return [value.node for value in self.values(*names) if value.node is not None]

    def node(self, *names: str) -> Node | None:
        """Return the first value of a property that is a node."""
        return next(iter(self.nodes(*names)), None)

    def text(self, *names: str) -> str | None:
        """Return the only text of a property; further ones are reported as not held."""
        values = self._texts(*names)
        for value in values[1:]:
            self.findings.not_held(value.pointer, text("croissant.several"))
        return values[0].text if values else None

    def plain(self, *names: str) -> dict[str, Plain]:
        """Return those of the properties that are there, each with its first value unchanged."""
        return {name: self.values(name)[0].plain for name in names if name in self.properties}

    def texts(self, *names: str) -> tuple[str, ...]:
        """Return the texts of a property, each once."""
        return tuple(dict.fromkeys(value.text for value in self._texts(*names) if value.text))

    def truth(self, *names: str) -> bool | None:
        """Return whether a property is true; None if it is absent."""
        spelled = self.text(*names)
        if spelled is None:
            return None
        if spelled.lower() not in ("true", "false"):
            self.findings.fault(self.place(*names), text("croissant.no_truth", found=spelled[:80]))
        return spelled.lower() == "true"

    def day(self, name: str) -> str | None:
        """Return the day of a date or of a moment; reported as a fault if it is neither."""
        spelled = self.text(name)
        if spelled is None:
            return None
        try:
            return date.fromisoformat(spelled[:10]).isoformat()
        except ValueError:
            self.findings.fault(self.place(name), text("croissant.no_day", found=spelled[:80]))
            return None

    def size(self, name: str) -> int | None:
        """Return a size in bytes (``117743 B``, ``4.7 MB``); reported as lacking if it is none."""
        spelled = self.text(name)
        if spelled is None:
            return None
        found = _SIZE.fullmatch(spelled)
        if found is None:
            self.findings.lacking(self.place(name), text("croissant.no_size", found=spelled[:80]))
            return None
        unit = (found[2] or "B").lower()
        base = 1024 if "i" in unit else 1000
        power = _STEPS.find(unit[0]) + 1 if unit != "bytes" else 0
        return round(float(found[1].replace(",", "")) * float(base**power))

    def names(self, *names: str) -> tuple[str, ...]:
        """Return what persons, organisations or terms are called: as texts, or by the name, label or id of a node."""
        called = []
        for value in self.values(*names):
            if value.node is None:
                called.append(value.text)
            else:
                said = map(value.node.text, ("sc:name", "prov:label", "sc:termCode", "sc:url"))
                called.append(next(filter(None, said), value.node.id))
        return tuple(dict.fromkeys(name for name in called if name))

    def title(self, *known: str | None) -> Plain:
        """Return its title, if it says more than its id or name."""
        found, said = self.ours("title"), self.localized("sc:name")
        if found is not None:
            return found
        return None if said in known else said

    def description(self) -> Plain:
        """Return its description, in both languages if we wrote it so."""
        found, said = self.ours("description"), self.localized("sc:description")
        return said if found is None else found

    def ours(self, name: str) -> Plain:
        """Return the value of a name of ours unchanged; the dataset's own form checks it.

        Tools that go through RDF, such as mlcroissant, write a JSON literal as its text.
        """
        values = self.values(f"pb:{name}")
        plain = values[0].plain if values else None
        if name in _LITERALS and isinstance(plain, str) and plain[:1] in ("{", "["):
            with suppress(ValueError, RecursionError):
                found: Plain = json.loads(plain)
                return found
        return plain

    def localized(self, name: str) -> Plain:
        """Return a text, or the texts in English and Chinese; other languages are reported as not held."""
        truths = [value for value in self.values(name) if isinstance(value.plain, bool)]
        for value in truths:
            self.findings.fault(value.pointer, text("croissant.no_text"))
        values = self._texts(name)
        if not values or truths:
            return None
        spoken = {value.language[:2].lower(): value for value in reversed(values) if value.language}
        if not spoken:
            return self.text(name)
        held: dict[str, Plain] = {
            language: spoken[language].text or "" for language in ("en", "zh") if language in spoken
        }
        first = values[0]
        for value in values:
            if value.language and value.language[:2].lower() not in ("en", "zh") and (held or value is not first):
                self.findings.not_held(value.pointer, text("croissant.other_language", found=value.language))
        return held or first.text

    def _texts(self, *names: str) -> list[NodeValue]:
        found = []
        for value in self.values(*names):
            if value.node is not None and value.node.id and not value.node.properties:
                found.append(NodeValue(value.pointer, value.node.id))
            elif value.text is None:
                self.findings.fault(value.pointer, text("croissant.no_text"))
            else:
                found.append(value)
        return found


def read_node(source: PlainFile) -> Node:
    """Return the file's outermost node; a context that would have to be fetched is reported as not held."""
    findings = CroissantFindings(source)
    return _Reader(_terms(source.value.get("@context"), findings), findings).node(source.value, "")


def read_plain(source: PlainFile) -> Node:
    """Return the plain object in a file of another format as a node whose properties keep their own names."""
    return _Reader({"@vocab": ""}, CroissantFindings(source)).node(source.value, "")


def _short(name: str) -> str:
    prefix, _, rest = name.partition(":")
    return rest if prefix in ("sc", "cr", "dct") else name


def _terms(context: Plain, findings: CroissantFindings) -> dict[str, Plain]:
    """Return term → definition of a context: an object, a known address, or several of them."""
    terms: dict[str, Plain] = {}
    for index, part in enumerate(context if isinstance(context, list) else [context]):
        pointer = join_pointer("/@context", index) if isinstance(context, list) else "/@context"
        if isinstance(part, dict):
            terms |= part
        elif isinstance(part, str) and any(known in part for known in _KNOWN_CONTEXTS):
            terms |= {name: dict(term) if isinstance(term, Mapping) else term for name, term in CONTEXT.items()}
        elif part is None:
            findings.fault("/@context", text("croissant.no_context"))
        else:
            findings.not_held(pointer, text("croissant.context_not_fetched", found=str(part)[:200]))
    return terms


@dataclass
class _Reader:
    terms: Mapping[str, Plain]
    findings: CroissantFindings
    known: dict[str, str | None] = field(default_factory=dict)

    def node(self, found: Mapping[str, Plain], pointer: str) -> Node:
        properties: dict[str, tuple[NodeValue, ...]] = {}
        places: dict[str, str] = {}
        for key, plain in found.items():
            if key.startswith("@"):
                continue
            place = join_pointer(pointer, key)
            name = self._canonical(key)
            if name is None:
                self.findings.not_held(place, text("croissant.undefined_name", name=key[:200]))
            else:
                properties[name] = (*properties.get(name, ()), *self._values(plain, place, name))
                places.setdefault(name, place)
        id_ = found.get("@id")
        identity = id_ if isinstance(id_, str) else None
        return Node(pointer, identity, self._types(found), properties, places, self.findings)

    def _types(self, found: Mapping[str, Plain]) -> tuple[str, ...]:
        types = found.get("@type")
        listed = types if isinstance(types, list) else [types]
        return tuple(self.type_name(one) for one in listed if isinstance(one, str))

    def type_name(self, name: str) -> str:
        return self._canonical(name) or name

    def _values(self, plain: Plain, pointer: str, name: str) -> Iterator[NodeValue]:
        if name in _PLAIN_JSON:
            yield NodeValue(pointer, plain.get("@value", plain) if isinstance(plain, dict) else plain)
        elif isinstance(plain, list):
            for index, one in enumerate(plain):
                yield from self._values(one, join_pointer(pointer, index), name)
        elif isinstance(plain, dict) and "@value" in plain:
            language = plain.get("@language")
            yield NodeValue(pointer, plain["@value"], language=language if isinstance(language, str) else None)
        elif isinstance(plain, dict) and ("@list" in plain or "@set" in plain):
            yield from self._values(plain.get("@list", plain.get("@set")), pointer, name)
        elif isinstance(plain, dict) and name in _BY_LANGUAGE and all(map(_LANGUAGE.fullmatch, plain)):
            for language, one in plain.items():
                yield NodeValue(join_pointer(pointer, language), one, language=language)
        elif isinstance(plain, dict):
            node = self.node(plain, pointer)
            named = self.type_name(node.id) if name in _NAMES and node.id else None
            yield NodeValue(pointer, named or plain, node)
        elif plain is not None:
            yield NodeValue(pointer, self.type_name(plain) if name in _NAMES and isinstance(plain, str) else plain)

    def _canonical(self, name: str) -> str | None:
        if name not in self.known:
            address = self._address(name, _MOST_STEPS)
            self.known[name] = None if address is None else _compact(address)
        return self.known[name]

    def _address(self, name: str, steps: int) -> str | None:
        """Return the address of a name by the file's context; None if the context gives it none."""
        if steps == 0:
            return None
        term = self.terms.get(name)
        defined = term.get("@id") if isinstance(term, dict) else term
        if isinstance(defined, str) and defined != name:
            return self._address(defined, steps - 1)
        prefix, colon, rest = name.partition(":")
        if colon:
            space = self.terms.get(prefix)
            if rest.startswith("//") or not isinstance(space, str):
                return name
            return (self._address(space, steps - 1) or space) + rest
        vocabulary = self.terms.get("@vocab")
        return vocabulary + name if isinstance(vocabulary, str) else None


def _compact(address: str) -> str:
    for space, prefix in SPELLINGS.items():
        if address.startswith(space):
            return f"{prefix}:{address[len(space) :]}"
    for prefix, space in PREFIXES.items():
        if address.startswith(space) and not (prefix == "cr" and address.startswith(PREFIXES["rai"])):
            return f"{prefix}:{address[len(space) :]}"
    return address
