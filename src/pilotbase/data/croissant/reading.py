"""A Croissant file of whomever (0.8, 1.0, 1.1) as a draft of a dataset, and everything that was found in it."""

from __future__ import annotations

import re
from pathlib import Path

from pilotbase.data.croissant.drafting import STAND_IN, draft_dataset, stand_in_owner
from pilotbase.data.croissant.findings import CroissantDescription, CroissantFindings, FindingKind, PlainFile
from pilotbase.data.croissant.ids import Ids
from pilotbase.data.croissant.json_ld import Node, read_node
from pilotbase.data.croissant.measurements import NOTHING, Measured
from pilotbase.data.croissant.names import short_name
from pilotbase.data.croissant.plain_values import (
    all_texts,
    by_language,
    description_of,
    names_of,
    one_day,
    one_text,
    one_truth,
    ours,
)
from pilotbase.data.croissant.reading_files import enter_files, read_files
from pilotbase.data.croissant.reading_measurements import read_measurements
from pilotbase.data.croissant.reading_records import enter_record_sets, read_record_sets
from pilotbase.data.croissant.reading_terms import read_offer
from pilotbase.data.croissant.vocabulary import (
    PROFILE,
    RESPONSIBLE_USE,
    RESPONSIBLE_USE_SPELLINGS,
    RESPONSIBLE_USE_TERMS,
    VERSIONS,
)
from pilotbase.documents.dataset import Dataset, ResponsibleUse
from pilotbase.documents.json_reader import read_json
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Opening
from pilotbase.documents.yaml_reader import Plain

_VERSION = re.compile(r"https?://mlcommons\.org/croissant/(\d+\.\d+)")
_CONFORMS = ("dct:conformsTo", "sc:conformsTo")
_PATCHES = re.compile(r"(0|[1-9]\d{0,8})(?:\.(0|[1-9]\d{0,8}))?(?:\.(0|[1-9]\d{0,8}))?")
_LANGUAGE = re.compile(r"([a-z]{2,3})(-.{1,30})?", re.IGNORECASE)
_OF_THE_FILE = {f"responsible.{name}": f"rai:{term}" for name, term in RESPONSIBLE_USE_TERMS.items()}
"""Path in a dataset → name in the file, where that is another."""


def load_croissant(path: Path, shown_as: str | None = None) -> CroissantDescription:
    """Return what the file says; raises `InputError` where it is no JSON within bounds."""
    return read_croissant(read_json(path, shown_as))


def read_croissant(source: PlainFile) -> CroissantDescription:
    """Return what ``source`` says; nothing is fetched.

    What our profile lacks is a fault where the file itself says that it conforms to it.
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
    """Return what the file says that it conforms to; what we do not know of is told."""
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
    """Return the version that is named; where none is, what is older than the naming of versions, or 1.0."""
    named = [found[1] for one in conforms if (found := _VERSION.fullmatch(one))]
    if named:
        return min(max(named), VERSIONS[-1])
    types = {one for value in root.values("sc:distribution", "cr:recordSet") if value.node for one in value.node.types}
    has_ids = any(value.node and value.node.id for value in root.values("sc:distribution", "cr:recordSet"))
    return "1.0" if has_ids or "cr:FileObject" in types else "0.8"


def _read(root: Node, version: str, findings: CroissantFindings) -> tuple[Dataset | None, Measured]:
    ids = Ids(findings, by_name=version == "0.8")
    files, record_sets = enter_files(root, ids), enter_record_sets(root, ids)
    closed = ours(root, "opening") == Opening.COMPUTE_TO_DATA
    read = read_record_sets(record_sets, ids)
    spelled = {
        **_general(root, version, findings, closed),
        "distribution": read_files(files, ids, closed),
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
    """Return who owns it: as we write it, else a short name made of publisher or creator, told as lacking."""
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
    """Return what is said of responsible use, by RAI's names and by those that older files use for the same."""
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
