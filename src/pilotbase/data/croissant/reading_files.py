"""Files and sets of files of a Croissant file (``distribution``)."""

from __future__ import annotations

import re

from pilotbase.data.croissant.ids import Ids, IdTarget
from pilotbase.data.croissant.json_ld import Node, NodeValue
from pilotbase.data.croissant.plain_values import all_texts, one_size, one_text, title_of
from pilotbase.data.croissant.vocabulary import WITHHELD
from pilotbase.documents.dataset import circles
from pilotbase.documents.texts import text
from pilotbase.documents.yaml_reader import Plain

FILE_TYPES = ("cr:FileObject", "sc:FileObject")
SET_TYPES = ("cr:FileSet", "sc:FileSet")
_HOLDERS = ("cr:containedIn", "sc:containedIn")
_HEX = {"sha256": re.compile(r"[0-9a-fA-F]{64}"), "md5": re.compile(r"[0-9a-fA-F]{32}")}
_UNKNOWN_FORMAT = "application/octet-stream"


def enter_files(root: Node, ids: Ids) -> list[tuple[Node, str]]:
    """Return each file or set of files with its id; what is neither is told as a fault."""
    entered = []
    for value in root.values("sc:distribution"):
        node = value.node
        if node is None:
            ids.findings.fault(value.pointer, text("croissant.no_object"))
        elif not set(node.types) & {*FILE_TYPES, *SET_TYPES}:
            found = ", ".join(node.types)[:200] or "–"
            ids.findings.fault(node.place("@type"), text("croissant.no_file_type", found=found))
            node.read_all()
        elif (identity := ids.enter_resource(node)) is not None:
            entered.append((node, identity))
    return entered


def read_files(entered: list[tuple[Node, str]], ids: Ids, closed: bool) -> list[Plain]:
    """Return the files and sets as `Resource` spells them; ``closed``: nobody may be told where they are."""
    files: list[Plain] = []
    holders: dict[str, list[str]] = {}
    for node, identity in entered:
        held_in = [target.holder for value in node.values(*_HOLDERS) for target in _holder(value, ids)]
        holders[ids.resources[identity]] = held_in
        read = _read_file if set(node.types) & set(FILE_TYPES) else _read_set
        common: dict[str, Plain] = {
            "id": ids.resources[identity],
            "title": title_of(node, ids.findings, identity, ids.resources[identity]),
            "containedIn": list(dict.fromkeys(held_in)),
            "encodingFormat": list(_formats(node, ids)),
            "description": one_text(node, ids.findings, "sc:description"),
        }
        files.append(common | read(node, ids, closed or bool(held_in)))
    circling = circles(holders)
    for node, identity in entered:
        if ids.resources[identity] in circling:
            ids.findings.fault(node.place(*_HOLDERS), text("croissant.circle", found=identity[:200]))
    return files


def _holder(value: NodeValue, ids: Ids) -> list[IdTarget]:
    """Return what a file is in: named by its id, or by a data source around it."""
    node = value.node
    if node is not None and node.properties:
        inner = node.values("cr:fileObject", "cr:fileSet")
        return [target for one in inner if (target := ids.target(one)) is not None]
    target = ids.target(value)
    if target is None or target.holder in ids.resources.values():
        return [target] if target is not None else []
    ids.findings.fault(value.pointer, text("croissant.no_holder", found=target.holder))
    return []


def _formats(node: Node, ids: Ids) -> tuple[str, ...]:
    formats = all_texts(node, ids.findings, "sc:encodingFormat")
    if not formats:
        ids.findings.fault(node.place("sc:encodingFormat"), text("croissant.no_format"))
    return () if formats == (_UNKNOWN_FORMAT,) else formats


def _read_file(node: Node, ids: Ids, held: bool) -> dict[str, Plain]:
    address = one_text(node, ids.findings, "sc:contentUrl")
    if not address and not held:
        ids.findings.fault(node.place("sc:contentUrl"), text("croissant.no_address"))
    return {
        "kind": "file",
        "contentUrl": None if address == WITHHELD else address or None,
        "contentSize": one_size(node, ids.findings, "sc:contentSize"),
        "sha256": _hash(node, ids, "sha256", "sc:sha256"),
        "md5": _hash(node, ids, "md5", "cr:md5", "sc:md5"),
        "commitment": one_text(node, ids.findings, "pb:commitment"),
    }


def _hash(node: Node, ids: Ids, kind: str, *names: str) -> str | None:
    found = one_text(node, ids.findings, *names)
    if found is None or _HEX[kind].fullmatch(found):
        return found and found.lower()
    ids.findings.lacking(node.place(*names), text("croissant.no_hash", found=found[:100], kind=kind))
    return None


def _read_set(node: Node, ids: Ids, held: bool) -> dict[str, Plain]:
    del held
    includes = all_texts(node, ids.findings, "cr:includes", "sc:includes")
    if not includes:
        ids.findings.fault(node.place("cr:includes"), text("croissant.no_includes"))
    return {
        "kind": "files",
        "includes": list(includes) or ["*"],
        "excludes": list(all_texts(node, ids.findings, "cr:excludes", "sc:excludes")),
    }
