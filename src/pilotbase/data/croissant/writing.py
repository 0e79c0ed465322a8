"""A dataset as Croissant 1.1 with RAI 1.0 and our profile: JSON-LD that other tools read.

What anybody may read must not tell what nobody may take: of a closed dataset neither where a file is, nor its plain
hash, which would confirm a guess, nor a record is written. Files that cannot be checked make it a living dataset, the
only form in which Croissant lets a file have no hash; whether its source does go on changing stands beside, under a
name of ours.
"""

from __future__ import annotations

from pilotbase.data.croissant.measurements import NOTHING, Measured, measured
from pilotbase.data.croissant.names import id_of
from pilotbase.data.croissant.plain_forms import literal, spoken, without_nothing
from pilotbase.data.croissant.vocabulary import (
    CONTEXT,
    CROISSANT,
    PROFILE,
    RESPONSIBLE_USE,
    RESPONSIBLE_USE_TERMS,
    WITHHELD,
)
from pilotbase.data.croissant.writing_records import write_record_sets
from pilotbase.data.croissant.writing_terms import write_offer
from pilotbase.documents.dataset import Dataset, FileObject, FileSet
from pilotbase.documents.publication import is_closed, missing, require_public
from pilotbase.documents.yaml_reader import Plain

_UNKNOWN_FORMAT = "application/octet-stream"


def write_croissant(dataset: Dataset, found: Measured = NOTHING) -> dict[str, Plain]:
    """Return the JSON-LD of ``dataset``, with what was measured of its quality.

    Raises:
        InputError: its description holds records that are not open to everybody, or no records.
    """
    closed = is_closed(dataset)
    require_public(dataset)
    return without_nothing(
        {
            "@context": {name: dict(term) if not isinstance(term, str) else term for name, term in CONTEXT.items()},
            "@type": "sc:Dataset",
            "conformsTo": [CROISSANT, RESPONSIBLE_USE, *([] if any(missing(_as_published(dataset))) else [PROFILE])],
            **_general(dataset),
            "isLiveDataset": dataset.live or any(map(_unchecked, dataset.distribution)) or closed,
            "usageInfo": write_offer(dataset.usage) if dataset.usage is not None else None,
            **_responsible(dataset),
            **_provenance(dataset),
            **_ours(dataset),
            "dqv:hasQualityMeasurement": measured(found, None),
            "distribution": [write_resource(resource, closed) for resource in dataset.distribution],
            "recordSet": write_record_sets(dataset, found),
        }
    )


def _as_published(dataset: Dataset) -> Dataset:
    """Return a dataset without the hashes that are not written: whoever reads it must find commitments instead."""
    if not is_closed(dataset):
        return dataset
    files = (
        one.model_copy(update={"sha256": None}) if isinstance(one, FileObject) else one for one in dataset.distribution
    )
    return dataset.model_copy(update={"distribution": tuple(files)})


def write_resource(resource: FileObject | FileSet, closed: bool) -> dict[str, Plain]:
    """Return a file or a set of files; of a ``closed`` dataset the address and the plain hash stay out."""
    common: dict[str, Plain] = {
        "@type": "cr:FileObject" if isinstance(resource, FileObject) else "cr:FileSet",
        "@id": id_of(resource.id),
        "name": resource.id,
        **spoken("name", resource.title),
        "description": resource.description,
        "containedIn": [{"@id": id_of(holder)} for holder in resource.contained_in],
        "encodingFormat": list(resource.encoding_format) or [_UNKNOWN_FORMAT],
    }
    if isinstance(resource, FileSet):
        parts: dict[str, Plain] = {"includes": list(resource.includes), "excludes": list(resource.excludes)}
    else:
        parts = _file(resource, closed)
    return without_nothing(common | parts)


def _unchecked(resource: FileObject | FileSet) -> bool:
    """Tell whether nobody can check that a file is the one that is meant."""
    return isinstance(resource, FileObject) and not (resource.contained_in or resource.sha256 or resource.md5)


def _file(file: FileObject, closed: bool) -> dict[str, Plain]:
    return {
        "contentUrl": WITHHELD if closed and not file.contained_in else file.content_url or WITHHELD,
        "contentSize": f"{file.content_size} B" if file.content_size is not None else None,
        "sha256": None if closed else file.sha256,
        "md5": None if closed or file.sha256 is not None else file.md5,
        "pb:commitment": file.commitment,
    }


def _general(dataset: Dataset) -> dict[str, Plain]:
    return {
        **spoken("name", dataset.title),
        **spoken("description", dataset.description),
        "version": dataset.version,
        "license": dataset.license,
        "url": dataset.url,
        "creator": [{"@type": "sc:Organization", "name": name} for name in dataset.creator],
        "publisher": {"@type": "sc:Organization", "name": dataset.publisher} if dataset.publisher else None,
        "datePublished": dataset.date_published,
        "dateModified": dataset.date_modified,
        "dateCreated": dataset.date_created,
        "inLanguage": list(dataset.in_language),
        "keywords": list(dataset.keywords),
        "citeAs": dataset.cite_as,
    }


def _responsible(dataset: Dataset) -> dict[str, Plain]:
    return {f"rai:{term}": said for name, term in RESPONSIBLE_USE_TERMS.items() if (said := _said(dataset, name))}


def _said(dataset: Dataset, name: str) -> Plain:
    said: str | tuple[str, ...] | None = getattr(dataset.responsible, name)
    return list(said) if isinstance(said, tuple) else said


def _provenance(dataset: Dataset) -> dict[str, Plain]:
    found = dataset.provenance
    return {
        "prov:wasDerivedFrom": list(found.derived_from),
        "prov:wasGeneratedBy": list(found.generated_by),
        "prov:wasAttributedTo": list(found.attributed_to),
    }


def _ours(dataset: Dataset) -> dict[str, Plain]:
    """Return what Croissant has no name for."""
    required: list[Plain] = [one.to_json_value() for one in dataset.required]
    kept: list[Plain] = [one.to_json_value() for one in dataset.kept_terms]
    return {
        "pb:name": dataset.name,
        "pb:owner": literal(dataset.owner.to_json_value()),
        "pb:sector": dataset.sector.value,
        "pb:opening": dataset.opening.value,
        "pb:live": dataset.live,
        "pb:synthetic": dataset.synthetic,
        "pb:nature": dataset.nature,
        "pb:purpose": dataset.purpose,
        "pb:required": literal(required) if required else None,
        "pb:keptTerms": literal(kept) if kept else None,
    }
