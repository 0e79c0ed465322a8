"""Anyone's Croissant file (0.8, 1.0, 1.1) as a draft of a dataset, with all findings in it."""

from __future__ import annotations

import re
from pathlib import Path

from pilotbase.data.croissant.findings import (
    STAND_IN,
    CroissantDescription,
    CroissantFindings,
    FindingKind,
    PlainFile,
    draft_dataset,
    stand_in_owner,
)
from pilotbase.data.croissant.ids import Ids, IdTarget
from pilotbase.data.croissant.json_ld import (
    Node,
    NodeValue,
    all_texts,
    by_language,
    description_of,
    names_of,
    one_day,
    one_size,
    one_text,
    one_truth,
    ours,
    read_node,
    title_of,
)
from pilotbase.data.croissant.measurements import NOTHING, Measured
from pilotbase.data.croissant.reading_measurements import read_measurements
from pilotbase.data.croissant.reading_records import enter_record_sets, read_record_sets
from pilotbase.data.croissant.reading_terms import read_offer
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
from pilotbase.documents.json_reader import read_json
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Opening
from pilotbase.documents.yaml_reader import Plain

_VERSION = re.compile(r"https?://mlcommons\.org/croissant/(\d+\.\d+)")
_CONFORMS = ("dct:conformsTo", "sc:conformsTo")
_PATCHES = re.compile(r"(0|[1-9]\d{0,8})(?:\.(0|[1-9]\d{0,8}))?(?:\.(0|[1-9]\d{0,8}))?")
_LANGUAGE = re.compile(r"([a-z]{2,3})(-.{1,30})?", re.IGNORECASE)
_OF_THE_FILE = {f"responsible.{name}": f"rai:{term}" for name, term in RESPONSIBLE_USE_TERMS.items()}
"""Path in a dataset → name in the file, if that differs."""
_FILE_TYPES = ("cr:FileObject", "sc:FileObject")
_SET_TYPES = ("cr:FileSet", "sc:FileSet")
_HOLDERS = ("cr:containedIn", "sc:containedIn")
_HEX = {"sha256": re.compile(r"[0-9a-fA-F]{64}"), "md5": re.compile(r"[0-9a-fA-F]{32}")}
_UNKNOWN_FORMAT = "application/octet-stream"


def load_croissant(path: Path, shown_as: str | None = None) -> CroissantDescription:
    """Return what the file says; raises `InputError` if it is no JSON within bounds."""
    return read_croissant(read_json(path, shown_as))


def read_croissant(source: PlainFile) -> CroissantDescription:
    """Return what ``source`` says; nothing is fetched.

    What our profile lacks is a fault if the file itself claims to conform to the profile.
    """
    findings = CroissantFindings(source)
    root = read_node(source.value, findings)
    conforms = _conforms(root, findings)
    version = _version(root, conforms)
    dataset, measured = _read(root, version, findings) if _is_dataset(root, findings) else (None, NOTHING)
    for name, pointer in root.unread():
        if not findings.told_at(pointer):
            findings.not_held(pointer, text("croissant.not_held", name=name))
    if PROFILE in conforms:
        findings.move(FindingKind.LACKING, FindingKind.FAULT)
    return findings.describing(version, dataset, measured)


def _conforms(root: Node, findings: CroissantFindings) -> tuple[str, ...]:
    """Return what the file claims to conform to; unknown claims are reported."""
    conforms, place = all_texts(root, findings, *_CONFORMS), root.place(*_CONFORMS)
    for one in conforms:
        named = _VERSION.fullmatch(one)
        if named is not None and named[1] not in VERSIONS:
            findings.lacking(place, text("croissant.unknown_version", found=named[1], allowed=", ".join(VERSIONS)))
        elif named is None and one not in (PROFILE, RESPONSIBLE_USE):
            findings.not_held(place, text("croissant.not_held", name=one[:200]))
    return conforms


def _is_dataset(root: Node, findings: CroissantFindings) -> bool:
    if "sc:Dataset" in root.types:
        return True
    root.read_all()
    findings.fault(root.place("@type"), text("croissant.no_dataset", found=", ".join(root.types)[:200] or "–"))
    return False


def _version(root: Node, conforms: tuple[str, ...]) -> str:
    """Return the named version; if none is named, 1.0, or 0.8 for files older than the naming of versions."""
    named = [found[1] for one in conforms if (found := _VERSION.fullmatch(one))]
    if named:
        return min(max(named), VERSIONS[-1])
    types = {one for value in root.values("sc:distribution", "cr:recordSet") if value.node for one in value.node.types}
    has_ids = any(value.node and value.node.id for value in root.values("sc:distribution", "cr:recordSet"))
    return "1.0" if has_ids or "cr:FileObject" in types else "0.8"


def _read(root: Node, version: str, findings: CroissantFindings) -> tuple[Dataset | None, Measured]:
    ids = Ids(findings, by_name=version == "0.8")
    files, record_sets = _enter_files(root, ids), enter_record_sets(root, ids)
    closed = ours(root, "opening") == Opening.COMPUTE_TO_DATA
    read = read_record_sets(record_sets, ids)
    spelled = {
        **_general(root, version, findings, closed),
        "distribution": _read_files(files, ids, closed),
        "recordSet": read.spelled,
        "responsible": _responsible(root, findings),
    }
    places = {f"distribution[{index}]": node.pointer for index, (node, _) in enumerate(files)} | read.places
    measured = Measured((*read_measurements(root, None), *read.measurements), tuple(read.statistics))
    return draft_dataset(spelled, places, findings, _OF_THE_FILE), measured


def _general(root: Node, version: str, findings: CroissantFindings, closed: bool) -> dict[str, Plain]:
    title = _title(root, version, findings)
    creators = names_of(root, findings, "sc:creator", "sc:author")
    publishers = names_of(root, findings, "sc:publisher")
    for _ in publishers[1:]:
        findings.not_held(root.place("sc:publisher"), text("croissant.several"))
    live = one_truth(root, findings, "cr:isLiveDataset", "sc:isLiveDataset")
    own_live = ours(root, "live")
    citation = ("cr:citeAs", "sc:citeAs", "sc:citation", "cr:citation") if version == "0.8" else ("cr:citeAs",)
    return {
        "name": ours(root, "name") or _short_name(title) or STAND_IN,
        "title": title,
        "owner": _owner(root, findings, [*publishers, *creators]),
        "description": description_of(root, findings),
        "version": _data_version(root, findings),
        "license": _license(root, findings),
        "url": one_text(root, findings, "sc:url"),
        "creator": list(creators),
        "publisher": publishers[0] if publishers else None,
        "datePublished": one_day(root, findings, "sc:datePublished"),
        "dateModified": one_day(root, findings, "sc:dateModified"),
        "dateCreated": one_day(root, findings, "sc:dateCreated"),
        "inLanguage": _languages(root, findings),
        "keywords": list(names_of(root, findings, "sc:keywords")),
        "citeAs": one_text(root, findings, *citation),
        "isLiveDataset": own_live if own_live is not None else bool(live) and not closed,
        "usageInfo": read_offer(root, findings),
        "provenance": {
            name: list(names_of(root, findings, f"prov:{name}"))
            for name in ("wasDerivedFrom", "wasGeneratedBy", "wasAttributedTo")
        },
        **{
            name: ours(root, name)
            for name in ("sector", "synthetic", "nature", "opening", "purpose", "required", "keptTerms")
        },
    }


def _title(root: Node, version: str, findings: CroissantFindings) -> Plain:
    title = by_language(root, findings, "sc:name")
    if not title and version == "0.8":
        findings.fault(root.place("sc:name"), text("croissant.no_id", name="name"))
    elif not title:
        findings.lacking(root.place("sc:name"), text("croissant.missing"))
    return ours(root, "title") or title or STAND_IN


def _short_name(title: Plain) -> str | None:
    spoken = [title.get("en"), title.get("zh")] if isinstance(title, dict) else [title]
    return next(filter(None, (short_name(one) for one in spoken if isinstance(one, str))), None)


def _owner(root: Node, findings: CroissantFindings, candidates: list[str]) -> Plain:
    """Return the owner: as we write it, else a short name derived from publisher or creator, reported as lacking."""
    found = ours(root, "owner")
    if found is not None:
        return found
    return stand_in_owner(findings, "/pb:owner", candidates)


def _data_version(root: Node, findings: CroissantFindings) -> str:
    found = one_text(root, findings, "sc:version")
    if found is None:
        findings.lacking("/version", text("croissant.missing"))
        return "1.0.0"
    parts = _PATCHES.fullmatch(found.strip())
    taken = ".".join(part or "0" for part in parts.groups()) if parts else "1.0.0"
    if taken != found:
        findings.lacking(root.place("sc:version"), text("croissant.no_version", found=found[:80], taken=taken))
    return taken


def _license(root: Node, findings: CroissantFindings) -> str | None:
    licences = [
        (one_text(value.node, findings, "sc:url") or one_text(value.node, findings, "sc:name") or value.node.id)
        if value.node is not None
        else value.text
        for value in root.values("sc:license")
    ]
    for _ in licences[1:]:
        findings.not_held(root.place("sc:license"), text("croissant.several"))
    return licences[0] if licences else None


def _languages(root: Node, findings: CroissantFindings) -> list[Plain]:
    languages: list[Plain] = []
    for tag in names_of(root, findings, "sc:inLanguage"):
        found = _LANGUAGE.fullmatch(tag)
        if found is None:
            findings.lacking(root.place("sc:inLanguage"), text("croissant.no_language", found=tag[:80]))
            continue
        if found[2]:
            findings.not_held(root.place("sc:inLanguage"), text("croissant.language_part", found=tag[:80]))
        languages.append(found[1].lower())
    return list(dict.fromkeys(languages))


def _responsible(root: Node, findings: CroissantFindings) -> dict[str, Plain]:
    """Return the statements on responsible use, under RAI's names and those that older files use for the same."""
    spelled: dict[str, Plain] = {}
    for name, term in RESPONSIBLE_USE_TERMS.items():
        other = [spelling for spelling, meant in RESPONSIBLE_USE_SPELLINGS.items() if meant == term]
        said = all_texts(root, findings, *(f"{prefix}:{one}" for one in (term, *other) for prefix in ("rai", "cr")))
        if said:
            spelled[name] = (
                list(said) if ResponsibleUse.model_fields[name].annotation == tuple[str, ...] else "\n".join(said)
            )
    for name in list(root.properties):
        if name.startswith("rai:") and name not in root.read:
            root.read.add(name)
            allowed = findings.offer(name, [f"rai:{term}" for term in RESPONSIBLE_USE_TERMS.values()])
            findings.lacking(root.place(name), text("croissant.unknown_term", found=name[:200], allowed=allowed))
    return spelled


def _enter_files(root: Node, ids: Ids) -> list[tuple[Node, str]]:
    """Return each file or set of files with its id; anything else is reported as a fault."""
    entered = []
    for value in root.values("sc:distribution"):
        node = value.node
        if node is None:
            ids.findings.fault(value.pointer, text("croissant.no_object"))
        elif not set(node.types) & {*_FILE_TYPES, *_SET_TYPES}:
            found = ", ".join(node.types)[:200] or "–"
            ids.findings.fault(node.place("@type"), text("croissant.no_file_type", found=found))
            node.read_all()
        elif (identity := ids.enter_resource(node)) is not None:
            entered.append((node, identity))
    return entered


def _read_files(entered: list[tuple[Node, str]], ids: Ids, closed: bool) -> list[Plain]:
    """Return the files and sets as `Resource` spells them; ``closed``: nobody may see where they are."""
    files: list[Plain] = []
    holders: dict[str, list[str]] = {}
    for node, identity in entered:
        held_in = [target.holder for value in node.values(*_HOLDERS) for target in _holder(value, ids)]
        holders[ids.resources[identity]] = held_in
        read = _read_file if set(node.types) & set(_FILE_TYPES) else _read_set
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
