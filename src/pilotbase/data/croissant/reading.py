"""Anyone's Croissant file (0.8, 1.0, 1.1) as a draft of a dataset, with all findings in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pilotbase.data.croissant.findings import (
    NOTHING,
    STAND_IN,
    CroissantDescription,
    FindingKind,
    Measured,
    PlainFile,
    draft_dataset,
    stand_in_owner,
)
from pilotbase.data.croissant.json_ld import Node, NodeValue, read_node
from pilotbase.data.croissant.reading_records import Ids, IdTarget, entered, read_record_sets
from pilotbase.data.croissant.reading_terms import read_measurements, read_offer
from pilotbase.data.croissant.vocabulary import (
    PROFILE,
    RESPONSIBLE_USE,
    RESPONSIBLE_USE_SPELLINGS,
    RESPONSIBLE_USE_TERMS,
    VERSIONS,
    WITHHELD,
    short_name,
)
from pilotbase.documents.dataset import Dataset, ResponsibleUse, circles
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Opening
from pilotbase.documents.yaml_reader import Plain

_VERSION = re.compile(r"https?://mlcommons\.org/croissant/(\d+\.\d+)")
_CONFORMS = ("dct:conformsTo", "sc:conformsTo")
_PATCHES = re.compile(r"(0|[1-9]\d{0,8})(?:\.(0|[1-9]\d{0,8}))?(?:\.(0|[1-9]\d{0,8}))?")
_LANGUAGE = re.compile(r"([a-z]{2,3})(-.{1,30})?", re.IGNORECASE)
_OF_THE_FILE = {f"responsible.{name}": f"rai:{term}" for name, term in RESPONSIBLE_USE_TERMS.items()}
"""Path in a dataset → name in the file, if that differs."""
_FILE_TYPES = {"cr:FileObject", "sc:FileObject"}
_SET_TYPES = {"cr:FileSet", "sc:FileSet"}
_HOLDERS = ("cr:containedIn", "sc:containedIn")
_HEX = {"sha256": re.compile(r"[0-9a-fA-F]{64}"), "md5": re.compile(r"[0-9a-fA-F]{32}")}
_UNKNOWN_FORMAT = "application/octet-stream"


def read_croissant(source: PlainFile) -> CroissantDescription:
    """Return what ``source`` says; nothing is fetched.

    What our profile lacks is a fault if the file itself claims to conform to the profile.
    """
    root = read_node(source)
    conforms = _conforms(root)
    version = _version(root, conforms)
    dataset, measured = _read(root, version) if _is_dataset(root) else (None, NOTHING)
    if PROFILE in conforms:
        root.findings.move(FindingKind.LACKING, FindingKind.FAULT)
    return root.findings.describing(version, dataset, measured, root.unread())


def _conforms(root: Node) -> tuple[str, ...]:
    """Return what the file claims to conform to; unknown claims are reported."""
    conforms, place, findings = root.texts(*_CONFORMS), root.place(*_CONFORMS), root.findings
    for one in conforms:
        named = _VERSION.fullmatch(one)
        if named is not None and named[1] not in VERSIONS:
            findings.lacking(place, text("croissant.unknown_version", found=named[1], allowed=", ".join(VERSIONS)))
        elif named is None and one not in (PROFILE, RESPONSIBLE_USE):
            findings.not_held(place, text("croissant.not_held", name=one[:200]))
    return conforms


def _is_dataset(root: Node) -> bool:
    if "sc:Dataset" in root.types:
        return True
    root.read_all()
    root.fault("@type", text("croissant.no_dataset", found=", ".join(root.types)[:200] or "–"))
    return False


def _version(root: Node, conforms: tuple[str, ...]) -> str:
    """Return the named version; if none is named, 1.0, or 0.8 for files older than the naming of versions."""
    named = [found[1] for one in conforms if (found := _VERSION.fullmatch(one))]
    if named:
        return min(max(named), VERSIONS[-1])
    nodes = root.nodes("sc:distribution", "cr:recordSet")
    return "1.0" if any(node.id or "cr:FileObject" in node.types for node in nodes) else "0.8"


def _read(root: Node, version: str) -> tuple[Dataset | None, Measured]:
    ids = Ids(root.findings, by_name=version == "0.8")
    files = entered(root, "sc:distribution", _FILE_TYPES | _SET_TYPES, _no_file_type, ids.enter_resource)
    record_sets = entered(root, "cr:recordSet", {"cr:RecordSet"}, _no_record_set, ids.enter_record_set)
    closed = root.ours("opening") == Opening.COMPUTE_TO_DATA
    read = read_record_sets(record_sets, ids)
    spelled = {
        **_general(root, version, closed),
        "distribution": _read_files(files, ids, closed),
        "recordSet": read.spelled,
        "responsible": _responsible(root),
    }
    places = {f"distribution[{index}]": node.pointer for index, (node, _) in enumerate(files)} | read.places
    measured = Measured((*read_measurements(root, None), *read.measurements), tuple(read.statistics))
    return draft_dataset(spelled, places, root.findings, _OF_THE_FILE), measured


def _no_file_type(found: str) -> Text:
    return text("croissant.no_file_type", found=found)


def _no_record_set(found: str) -> Text:
    return text("croissant.no_record_set", found=found)


def _general(root: Node, version: str, closed: bool) -> dict[str, Plain]:
    title = _title(root, version)
    creators = root.names("sc:creator", "sc:author")
    publisher = _only(root, "sc:publisher", root.names("sc:publisher"))
    live = root.truth("cr:isLiveDataset", "sc:isLiveDataset")
    own_live = root.ours("live")
    citation = ("cr:citeAs", "sc:citeAs", "sc:citation", "cr:citation") if version == "0.8" else ("cr:citeAs",)
    return {
        "name": root.ours("name") or _short_name(title) or STAND_IN,
        "title": title,
        "owner": _owner(root, [*root.names("sc:publisher"), *creators]),
        "description": root.description(),
        "version": _data_version(root),
        "license": _license(root),
        "url": root.text("sc:url"),
        "creator": list(creators),
        "publisher": publisher,
        "datePublished": root.day("sc:datePublished"),
        "dateModified": root.day("sc:dateModified"),
        "dateCreated": root.day("sc:dateCreated"),
        "inLanguage": _languages(root),
        "keywords": list(root.names("sc:keywords")),
        "citeAs": root.text(*citation),
        "isLiveDataset": own_live if own_live is not None else bool(live) and not closed,
        "usageInfo": read_offer(root),
        "provenance": {
            name: list(root.names(f"prov:{name}")) for name in ("wasDerivedFrom", "wasGeneratedBy", "wasAttributedTo")
        },
        **{
            name: root.ours(name)
            for name in ("sector", "synthetic", "nature", "opening", "purpose", "required", "keptTerms")
        },
    }


def _title(root: Node, version: str) -> Plain:
    title = root.localized("sc:name")
    if not title and version == "0.8":
        root.fault("sc:name", text("croissant.no_id", name="name"))
    elif not title:
        root.lacking("sc:name", text("croissant.missing"))
    return root.ours("title") or title or STAND_IN


def _short_name(title: Plain) -> str | None:
    spoken = [title.get("en"), title.get("zh")] if isinstance(title, dict) else [title]
    return next(filter(None, (short_name(one) for one in spoken if isinstance(one, str))), None)


def _owner(root: Node, candidates: list[str]) -> Plain:
    """Return the owner: as we write it, else a short name derived from publisher or creator, reported as lacking."""
    found = root.ours("owner")
    return stand_in_owner(root.findings, "/pb:owner", candidates) if found is None else found


def _data_version(root: Node) -> str:
    found = root.text("sc:version")
    if found is None:
        root.lacking("sc:version", text("croissant.missing"))
        return "1.0.0"
    parts = _PATCHES.fullmatch(found.strip())
    taken = ".".join(part or "0" for part in parts.groups()) if parts else "1.0.0"
    if taken != found:
        root.lacking("sc:version", text("croissant.no_version", found=found[:80], taken=taken))
    return taken


def _license(root: Node) -> str | None:
    licences = [
        (value.node.text("sc:url") or value.node.text("sc:name") or value.node.id)
        if value.node is not None
        else value.text
        for value in root.values("sc:license")
    ]
    return _only(root, "sc:license", licences)


def _only(root: Node, name: str, found: Sequence[str | None]) -> str | None:
    """Return the first of what a property says; that there are further ones is reported as not held."""
    if len(found) > 1:
        root.not_held(name, text("croissant.several"))
    return found[0] if found else None


def _languages(root: Node) -> list[Plain]:
    languages: list[Plain] = []
    for tag in root.names("sc:inLanguage"):
        found = _LANGUAGE.fullmatch(tag)
        if found is None:
            root.lacking("sc:inLanguage", text("croissant.no_language", found=tag[:80]))
            continue
        if found[2]:
            root.not_held("sc:inLanguage", text("croissant.language_part", found=tag[:80]))
        languages.append(found[1].lower())
    return list(dict.fromkeys(languages))


def _responsible(root: Node) -> dict[str, Plain]:
    """Return the statements on responsible use, under RAI's names and those that older files use for the same."""
    spelled: dict[str, Plain] = {}
    for name, term in RESPONSIBLE_USE_TERMS.items():
        other = [spelling for spelling, meant in RESPONSIBLE_USE_SPELLINGS.items() if meant == term]
        said = root.texts(*(f"{prefix}:{one}" for one in (term, *other) for prefix in ("rai", "cr")))
        if said:
            spelled[name] = (
                list(said) if ResponsibleUse.model_fields[name].annotation == tuple[str, ...] else "\n".join(said)
            )
    for name in list(root.properties):
        if name.startswith("rai:") and name not in root.read:
            root.read.add(name)
            allowed = root.findings.offer(name, [f"rai:{term}" for term in RESPONSIBLE_USE_TERMS.values()])
            root.lacking(name, text("croissant.unknown_term", found=name[:200], allowed=allowed))
    return spelled


def _read_files(found: list[tuple[Node, str]], ids: Ids, closed: bool) -> list[Plain]:
    """Return the files and sets as `Resource` spells them; ``closed``: nobody may see where they are."""
    files: list[Plain] = []
    holders: dict[str, list[str]] = {}
    for node, identity in found:
        held_in = [target.holder for value in node.values(*_HOLDERS) for target in _holder(value, ids)]
        holders[ids.resources[identity]] = held_in
        read = _read_file if _FILE_TYPES & {*node.types} else _read_set
        common: dict[str, Plain] = {
            "id": ids.resources[identity],
            "title": node.title(identity, ids.resources[identity]),
            "containedIn": list(dict.fromkeys(held_in)),
            "encodingFormat": list(_formats(node, ids)),
            "description": node.text("sc:description"),
        }
        files.append(common | read(node, ids, closed or bool(held_in)))
    circling = circles(holders)
    for node, identity in found:
        if ids.resources[identity] in circling:
            ids.findings.fault(node.place(*_HOLDERS), text("croissant.circle", found=identity[:200]))
    return files


def _holder(value: NodeValue, ids: Ids) -> list[IdTarget]:
    """Return what contains a file: named by its id, or by a data source around it."""
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
    formats = node.texts("sc:encodingFormat")
    if not formats:
        node.fault("sc:encodingFormat", text("croissant.no_format"))
    return () if formats == (_UNKNOWN_FORMAT,) else formats


def _read_file(node: Node, ids: Ids, held: bool) -> dict[str, Plain]:
    address = node.text("sc:contentUrl")
    if not address and not held:
        node.fault("sc:contentUrl", text("croissant.no_address"))
    return {
        "kind": "file",
        "contentUrl": None if address == WITHHELD else address or None,
        "contentSize": node.size("sc:contentSize"),
        "sha256": _hash(node, ids, "sha256", "sc:sha256"),
        "md5": _hash(node, ids, "md5", "cr:md5", "sc:md5"),
        "commitment": node.text("pb:commitment"),
    }


def _hash(node: Node, ids: Ids, kind: str, *names: str) -> str | None:
    found = node.text(*names)
    if found is None or _HEX[kind].fullmatch(found):
        return found and found.lower()
    ids.findings.lacking(node.place(*names), text("croissant.no_hash", found=found[:100], kind=kind))
    return None


def _read_set(node: Node, ids: Ids, held: bool) -> dict[str, Plain]:
    del held
    includes = node.texts("cr:includes", "sc:includes")
    if not includes:
        node.fault("cr:includes", text("croissant.no_includes"))
    return {
        "kind": "files",
        "includes": list(includes) or ["*"],
        "excludes": list(node.texts("cr:excludes", "sc:excludes")),
    }
