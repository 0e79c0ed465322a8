"""Names in Croissant and related vocabularies, how names become ids; and the context that we write, never fetch.

Croissant 1.1, appendix 1; RAI 1.0 (``croissant_rai.ttl``); PROV-O; DQV; ODRL 2.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from pilotbase.documents.base import Localized, localized
from pilotbase.documents.yaml_reader import Plain

VERSIONS = ("0.8", "1.0", "1.1")
CROISSANT = f"http://mlcommons.org/croissant/{VERSIONS[-1]}"
RESPONSIBLE_USE = "http://mlcommons.org/croissant/RAI/1.0"
PROFILE = "urn:pilotbase:croissant:1"
"""The profile of a description that lacks nothing a base needs."""
WITHHELD = "urn:pilotbase:withheld"
"""The ``contentUrl`` of a file whose place nobody may see."""

PREFIXES: Mapping[str, str] = {
    "cr": "http://mlcommons.org/croissant/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "duo": "http://purl.obolibrary.org/obo/DUO_",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "pb": "urn:pilotbase:term:",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "spdx": "http://spdx.org/rdf/terms#",
    "wd": "http://www.wikidata.org/entity/",
}
SPELLINGS: Mapping[str, str] = {
    "http://mlcommons.org/schema/": "cr",
    "http://schema.org/": "sc",
    "https://www.wikidata.org/wiki/": "wd",
    "http://www.wikidata.org/wiki/": "wd",
    "https://www.wikidata.org/entity/": "wd",
}
"""Other namespaces (Croissant 0.8, http and https) that mean the same as one of `PREFIXES`."""

_CROISSANT_TERMS = (
    "annotation arrayShape citeAs column containedIn equivalentProperty examples excludes extract field fileObject "
    "fileProperty fileSet format includes isArray isLiveDataset jsonPath key md5 parentField readLines recordSet "
    "references regex replace samplingRate sdVersion separator source subField transform unArchive"
)
CONTEXT: Mapping[str, str | Mapping[str, str]] = {
    "@language": "en",
    "@vocab": PREFIXES["sc"],
    **PREFIXES,
    **{term: f"cr:{term}" for term in _CROISSANT_TERMS.split()},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "repeated": "cr:repeated",
}

RESPONSIBLE_USE_TERMS: Mapping[str, str] = {
    "collection": "dataCollection",
    "collection_type": "dataCollectionType",
    "collection_missing_data": "dataCollectionMissingData",
    "collection_raw_data": "dataCollectionRawData",
    "collection_timeframe": "dataCollectionTimeframe",
    "preprocessing_protocol": "dataPreprocessingProtocol",
    "imputation_protocol": "dataImputationProtocol",
    "manipulation_protocol": "dataManipulationProtocol",
    "release_maintenance_plan": "dataReleaseMaintenancePlan",
    "personal_sensitive_information": "personalSensitiveInformation",
    "annotation_protocol": "dataAnnotationProtocol",
    "annotation_platform": "dataAnnotationPlatform",
    "annotation_analysis": "dataAnnotationAnalysis",
    "annotations_per_item": "annotationsPerItem",
    "annotator_demographics": "annotatorDemographics",
    "machine_annotation_tools": "machineAnnotationTools",
    "social_impact": "dataSocialImpact",
    "biases": "dataBiases",
    "limitations": "dataLimitations",
    "use_cases": "dataUseCases",
}
"""Field of `ResponsibleUse` → name in RAI 1.0."""
RESPONSIBLE_USE_SPELLINGS: Mapping[str, str] = {
    "annotatorsDemographics": "annotatorDemographics",
    "dataCollectionRaw": "dataCollectionRawData",
    "dataCollectionTimeFrame": "dataCollectionTimeframe",
    "useCases": "dataUseCases",
}
"""Names that the prose of RAI 1.0 spells differently from its vocabulary."""

ROW_COUNT = "wd:Q4049983"
"""Cardinality: the number of records as an ``annotation`` of a record set (Croissant 1.1, "Descriptive Statistics")."""

OTHER_TYPES: Mapping[str, str] = {
    **{f"cr:{sign}Int{bits}": "sc:Integer" for sign in ("", "U") for bits in (8, 16, 32, 64)},
    **{f"cr:Float{bits}": "sc:Float" for bits in (16, 32, 64)},
    "sc:Number": "sc:Float",
}
"""Data types more specific than ours → ours."""


_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\"#%:;<>?@\[\\\]^`{|}\s]")
_DOTS = re.compile(r"(^|/)(\.{1,2})(?=/|$)")
_NOT_IN_NAME = re.compile(r"[^a-z0-9_]+")
_LISTS = ("conformsTo", "distribution", "recordSet", "field", "subField", "data")


def id_of(name: str) -> str:
    """Return the id of a file or of a set of files; ``/`` is kept."""
    spelled = _UNSAFE.sub(_percent, name)
    return _DOTS.sub(lambda dots: dots[1] + dots[2].replace(".", "%2E"), spelled)


def id_within(*names: str) -> str:
    """Return the id of something inside others: record set, field, sub-field."""
    return "/".join(id_of(name).replace("/", "%2F") for name in names)


def name_of(identity: str) -> str:
    """Return the name that an id spells."""
    return unquote(identity, errors="replace")


def short_name(title: str) -> str | None:
    """Return a title as a short name of ours; None if it has none of its letters."""
    return _NOT_IN_NAME.sub("-", title.lower()).strip("-_")[:63].rstrip("-_") or None


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def without_nothing(properties: dict[str, Plain]) -> dict[str, Plain]:
    """Return properties without the empty ones; a list of one is written as that one."""
    return {
        name: value[0] if isinstance(value, list) and len(value) == 1 and name not in _LISTS else value
        for name, value in properties.items()
        if value is not None and value != []
    }


def present(properties: Mapping[str, Plain]) -> dict[str, Plain]:
    """Return properties without those that are None."""
    return {name: value for name, value in properties.items() if value is not None}


def spoken(name: str, sentence: Localized | str | None) -> dict[str, Plain]:
    """Return a sentence for every reader, and in both languages under a name of ours if there are two."""
    if not isinstance(sentence, Localized):
        return {name: sentence} if sentence is not None else {}
    ours = "title" if name == "name" else name
    return {name: localized(sentence), f"pb:{ours}": literal(sentence.to_json_value())}


def literal(value: Plain) -> dict[str, Plain]:
    """Return a value that keeps order and form, however a tool treats the rest."""
    return {"@type": "@json", "@value": value}
