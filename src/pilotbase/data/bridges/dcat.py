"""DCAT 3 with DQV and ODRL, as JSON-LD: what catalogues exchange about a dataset, without its records."""

from __future__ import annotations

from pilotbase.data.bridges.definition import Bridge
from pilotbase.data.croissant.findings import (
    NOTHING,
    STAND_IN,
    CroissantDescription,
    Measured,
    PlainFile,
    draft_dataset,
    measured,
    stand_in_owner,
)
from pilotbase.data.croissant.json_ld import Node, read_node
from pilotbase.data.croissant.reading_terms import read_measurements, read_offer
from pilotbase.data.croissant.vocabulary import PREFIXES, id_of, name_of, short_name, without_nothing
from pilotbase.data.croissant.writing import write_offer
from pilotbase.documents.base import Localized
from pilotbase.documents.dataset import Dataset, FileObject
from pilotbase.documents.publication import is_closed, require_public
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Opening
from pilotbase.documents.yaml_reader import Plain

_DAY = "http://www.w3.org/2001/XMLSchema#date"
_RIGHTS = "http://publications.europa.eu/resource/authority/access-right/"
_ACCESS = {Opening.OPEN: "PUBLIC", Opening.ON_TERMS: "RESTRICTED", Opening.COMPUTE_TO_DATA: "NON_PUBLIC"}
_LANGUAGES = "http://id.loc.gov/vocabulary/iso639-1/"


def _read(spelled: PlainFile) -> CroissantDescription:
    root = read_node(spelled)
    findings = root.findings
    if "dcat:Dataset" not in root.types:
        root.fault("@type", text("bridge.no_dcat", found=", ".join(root.types)[:200] or "–"))
        return findings.describing("3", None)
    title = root.localized("dct:title")
    if title is None:
        root.fault("dct:title", text("croissant.no_id", name="dct:title"))
    publishers, creators = root.names("dct:publisher"), root.names("dct:creator")
    identifier = root.text("dct:identifier") or ""
    nodes = root.nodes("dcat:distribution")
    places = {f"distribution[{index}]": node.pointer for index, node in enumerate(nodes)}
    named = identifier if identifier.startswith("dataset:") else ""
    plain = title.get("en") if isinstance(title, dict) else title
    found: dict[str, Plain] = {
        "name": short_name(named.rpartition("/")[2]) or short_name(str(plain or "")) or STAND_IN,
        "title": title or STAND_IN,
        "owner": {"organisation": named[8:].partition("/")[0]}
        if named
        else stand_in_owner(findings, root.place("dct:publisher"), [*publishers, *creators]),
        "description": root.localized("dct:description"),
        "license": root.text("dct:license"),
        "url": root.text("dcat:landingPage"),
        "creator": list(creators),
        "publisher": publishers[0] if publishers else None,
        "datePublished": root.day("dct:issued"),
        "dateModified": root.day("dct:modified"),
        "dateCreated": root.day("dct:created"),
        "inLanguage": [one.rpartition("/")[2] for one in root.texts("dct:language")],
        "keywords": list(root.texts("dcat:keyword")),
        "usageInfo": read_offer(root, "odrl:hasPolicy"),
        "opening": _opening(root),
        "version": root.text("dcat:version", "dct:hasVersion"),
        "provenance": {"wasDerivedFrom": list(root.names("prov:wasDerivedFrom", "dct:source"))},
        "distribution": [_read_file(node, index) for index, node in enumerate(nodes)],
    }
    dataset, measured = draft_dataset(found, places, findings, _NAMES), Measured(tuple(read_measurements(root, None)))
    return findings.describing("3", dataset, measured, root.unread())


_NAMES = {
    "description": "dct:description",
    "license": "dct:license",
    "url": "dcat:landingPage",
    "creator": "dct:creator",
    "publisher": "dct:publisher",
    "datePublished": "dct:issued",
    "dateModified": "dct:modified",
    "inLanguage": "dct:language",
    "usageInfo": "odrl:hasPolicy",
}


def _opening(root: Node) -> Plain:
    said = (root.text("dct:accessRights") or "").rpartition("/")[2]
    return next((opening.value for opening, right in _ACCESS.items() if right == said), None)


def _read_file(node: Node, index: int) -> Plain:
    address = node.text("dcat:downloadURL") or node.text("dcat:accessURL")
    checksum = node.node("spdx:checksum")
    method = checksum.text("spdx:algorithm") if checksum is not None else None
    digits = checksum.text("spdx:checksumValue") if checksum is not None else None
    kind = node.text("dcat:mediaType", "dct:format")
    return {
        "kind": "file",
        "id": node.text("dct:identifier") or name_of(node.id or address or f"file-{index}"),
        "title": node.localized("dct:title"),
        "description": node.text("dct:description"),
        "contentUrl": address,
        "encodingFormat": [kind.removeprefix(_MEDIA)] if kind else [],
        "contentSize": node.size("dcat:byteSize"),
        "sha256": digits.lower() if digits and (method or "").endswith("sha256") else None,
        "md5": digits.lower() if digits and (method or "").endswith("md5") else None,
    }


_MEDIA = "https://www.iana.org/assignments/media-types/"


def write_dcat(dataset: Dataset, found: Measured = NOTHING) -> dict[str, Plain]:
    """Return the JSON-LD of a dataset in a catalogue, with its quality measurements."""
    require_public(dataset)
    files: list[Plain] = [_file(one, is_closed(dataset)) for one in dataset.distribution if isinstance(one, FileObject)]
    return without_nothing(
        {
            "@context": {name: space for name, space in PREFIXES.items()},
            "@type": "dcat:Dataset",
            "@id": f"urn:pilotbase:{dataset.subject}",
            "dct:identifier": dataset.subject,
            "dct:title": _spoken(dataset.title),
            "dct:description": _spoken(dataset.description),
            "dcat:version": dataset.version,
            "dct:license": dataset.license,
            "dcat:landingPage": {"@id": dataset.url} if dataset.url else None,
            "dct:creator": [{"@type": "foaf:Agent", "sc:name": name} for name in dataset.creator],
            "dct:publisher": {"@type": "foaf:Agent", "sc:name": dataset.publisher} if dataset.publisher else None,
            "dct:issued": _day(dataset.date_published),
            "dct:modified": _day(dataset.date_modified),
            "dct:created": _day(dataset.date_created),
            "dct:language": [{"@id": _LANGUAGES + tag} for tag in dataset.in_language],
            "dcat:keyword": list(dataset.keywords),
            "dct:accessRights": {"@id": _RIGHTS + _ACCESS[dataset.opening]},
            "odrl:hasPolicy": write_offer(dataset.usage) if dataset.usage is not None else None,
            "prov:wasDerivedFrom": [{"@id": source} for source in dataset.provenance.derived_from],
            "dqv:hasQualityMeasurement": _measured(found),
            "dcat:distribution": files,
        }
    )


def _measured(found: Measured) -> list[Plain]:
    """Return the measurements of the whole and, named, of each record set, for which a catalogue has no place."""
    names = dict.fromkeys(one.record_set for one in found.measurements if one.record_set is not None)
    of_sets = [(name, spelled) for name in names for spelled in measured(found, name)]
    named: list[Plain] = [{**one, "pb:recordSet": name} for name, one in of_sets if isinstance(one, dict)]
    return [*measured(found, None), *named]


def _spoken(sentence: Localized | str | None) -> Plain:
    if not isinstance(sentence, Localized):
        return sentence
    said = {"en": sentence.en, "zh": sentence.zh}
    return [{"@value": words, "@language": language} for language, words in said.items() if words is not None]


def _day(day: str | None) -> Plain:
    return {"@value": day, "@type": _DAY} if day is not None else None


def _file(file: FileObject, closed: bool) -> Plain:
    checksum: Plain = None
    if not closed and (file.sha256 or file.md5):
        method = "sha256" if file.sha256 else "md5"
        checksum = {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": f"spdx:checksumAlgorithm_{method}"},
            "spdx:checksumValue": file.sha256 or file.md5,
        }
    address = None if closed else file.content_url
    return without_nothing(
        {
            "@type": "dcat:Distribution",
            "@id": id_of(file.id),
            "dct:identifier": file.id,
            "dct:title": _spoken(file.title),
            "dct:description": file.description,
            "dcat:downloadURL": {"@id": address} if address else None,
            "dcat:mediaType": {"@id": _MEDIA + file.encoding_format[0]} if file.encoding_format else None,
            "dcat:byteSize": file.content_size,
            "spdx:checksum": checksum,
        }
    )


BRIDGE = Bridge(
    "dcat",
    "DCAT",
    "json",
    write_dcat,
    frozenset(
        {
            *("name", "title", "owner.organisation", "description", "version", "license", "url", "creator"),
            *("publisher", "datePublished", "dateModified", "dateCreated", "inLanguage", "keywords", "opening"),
            *("usageInfo", "provenance.wasDerivedFrom", "distribution.id", "distribution.kind"),
            *("distribution.title", "distribution.description", "distribution.contentUrl"),
            *("distribution.encodingFormat", "distribution.contentSize", "distribution.sha256", "distribution.md5"),
        }
    ),
    recognises=lambda value: "dcat" in str(value.get("@type")).lower(),
    read=_read,
    measures=True,
    both_languages=True,
)
