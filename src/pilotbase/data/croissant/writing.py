"""A dataset as Croissant 1.1 with RAI 1.0 and our profile: JSON-LD that other tools read.

A public file must not reveal anything that nobody may take: for a closed dataset it contains no address of a file, no
plain hash, which would confirm a guess, and no record. Files that cannot be checked make it a living dataset, the only
form in which Croissant allows a file without a hash. Whether its source really keeps changing is stated beside it,
under a name of ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pilotbase.data.croissant.findings import NOTHING, Measured, measured, statistics_of
from pilotbase.data.croissant.reading_records import OURS
from pilotbase.data.croissant.vocabulary import (
    CONTEXT,
    CROISSANT,
    PROFILE,
    RESPONSIBLE_USE,
    RESPONSIBLE_USE_TERMS,
    ROW_COUNT,
    WITHHELD,
    id_of,
    id_within,
    literal,
    spoken,
    without_nothing,
)
from pilotbase.documents.base import Part
from pilotbase.documents.dataset import DataField, Dataset, FileObject, FileSet, RecordSet, Source
from pilotbase.documents.errors import InputError
from pilotbase.documents.publication import is_closed, missing, require_public
from pilotbase.documents.terms import Constraint, Duty, Offer, Permission, Prohibition
from pilotbase.documents.yaml_reader import Plain

_UNKNOWN_FORMAT = "application/octet-stream"
_WITHOUT_ARGUMENT = ("readLines", "unArchive")


def write_croissant(dataset: Dataset, found: Measured = NOTHING) -> dict[str, Plain]:
    """Return the JSON-LD of ``dataset``, with its quality measurements.

    Raises:
        InputError: its description holds records that are not open to everybody, or no records.
    """
    closed, record_sets = is_closed(dataset), _RecordSets(dataset, found)
    require_public(dataset)
    return without_nothing(
        {
            "@context": {name: dict(term) if not isinstance(term, str) else term for name, term in CONTEXT.items()},
            "@type": "sc:Dataset",
            "conformsTo": [CROISSANT, RESPONSIBLE_USE, *([] if any(missing(_as_published(dataset))) else [PROFILE])],
            **_general(dataset),
            "isLiveDataset": dataset.live or any(map(_unchecked, dataset.distribution)) or closed,
            "usageInfo": write_offer(dataset.usage) if dataset.usage is not None else None,
            **{f"rai:{term}": said for name, term in RESPONSIBLE_USE_TERMS.items() if (said := _said(dataset, name))},
            **_provenance(dataset),
            **_ours(dataset),
            "dqv:hasQualityMeasurement": measured(found, None),
            "distribution": [write_resource(resource, closed) for resource in dataset.distribution],
            "recordSet": [record_sets.record_set(one) for one in dataset.record_sets],
        }
    )


def _as_published(dataset: Dataset) -> Dataset:
    """Return a dataset without the hashes that are not written, so that its reader must find commitments instead."""
    if not is_closed(dataset):
        return dataset
    files = (
        one.model_copy(update={"sha256": None}) if isinstance(one, FileObject) else one for one in dataset.distribution
    )
    return dataset.model_copy(update={"distribution": tuple(files)})


def write_resource(resource: FileObject | FileSet, closed: bool) -> dict[str, Plain]:
    """Return a file or a set of files; for a ``closed`` dataset without the address and the plain hash."""
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
    """Return whether nobody can check that a file is the right one."""
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
    """Return the parts for which Croissant has no name."""
    return {
        "pb:name": dataset.name,
        "pb:owner": literal(dataset.owner.to_json_value()),
        "pb:sector": dataset.sector.value,
        "pb:opening": dataset.opening.value,
        "pb:live": dataset.live,
        "pb:synthetic": dataset.synthetic,
        "pb:nature": dataset.nature,
        "pb:purpose": dataset.purpose,
        "pb:required": _literals(dataset.required),
        "pb:keptTerms": _literals(dataset.kept_terms),
    }


def _literals(parts: Sequence[Part]) -> Plain:
    return literal([one.to_json_value() for one in parts]) if parts else None


def write_offer(offer: Offer) -> dict[str, Plain]:
    """Return the JSON-LD of an offer with one type, since mlcroissant loses a second; target and assigner are texts."""
    return {
        "@type": "odrl:Offer",
        "@id": offer.uid,
        "odrl:profile": offer.profile,
        "odrl:assigner": offer.assigner,
        "odrl:target": offer.target,
        "odrl:conflict": {"@id": offer.conflict},
        **_rules("permission", offer.permission),
        **_rules("prohibition", offer.prohibition),
    }


def _rules(name: str, rules: Sequence[Permission | Prohibition | Duty]) -> dict[str, Plain]:
    spelled: list[Plain] = [
        {
            "@type": f"odrl:{name.capitalize()}",
            "odrl:action": {"@id": rule.action.value},
            **_constraints(getattr(rule, "constraint", ())),
            **_rules("duty", getattr(rule, "duty", ())),
        }
        for rule in rules
    ]
    return {f"odrl:{name}": spelled} if spelled else {}


def _constraints(constraints: tuple[Constraint, ...]) -> dict[str, Plain]:
    spelled: list[Plain] = [
        {
            "@type": "odrl:Constraint",
            "odrl:leftOperand": {"@id": one.left_operand.value},
            "odrl:operator": {"@id": one.operator.value},
            "odrl:rightOperand": list(one.right_operand),
        }
        for one in constraints
    ]
    return {"odrl:constraint": spelled} if spelled else {}


def _ids(record_set: RecordSet) -> dict[str, str]:
    """Return name → id of the fields; the id of a sub-field is below its parent's."""
    ids: dict[str, str] = {}
    for field in sorted(record_set.fields, key=lambda field: field.name.count("/")):
        above = ids.get(field.parent or "")
        if field.parent is None or above is None:
            ids[field.name] = id_within(record_set.name, field.name)
        else:
            ids[field.name] = f"{above}/{id_within(field.name[len(field.parent) + 1 :])}"
    return ids


def _row_count(record_set: RecordSet) -> Plain:
    if record_set.rows is None:
        return None
    return {
        "@type": "cr:Field",
        "@id": f"{id_within(record_set.name)}/%40rows",
        "name": "rows",
        "value": record_set.rows,
        "dataType": ROW_COUNT,
    }


def _constant(field: DataField) -> Plain:
    if field.value is None:
        return None
    value: Plain = json.loads(field.value)
    return literal(value) if isinstance(value, list | dict) else value


def _records(record_set: RecordSet, ids: Mapping[str, str]) -> Plain:
    """Return the records in the description, keyed by the ids of their fields."""
    if record_set.inline is None:
        return None
    try:
        records = json.loads(record_set.inline)
        return [{ids[name]: value for name, value in record.items()} for record in records]
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
        raise InputError("croissant.bad_inline", name=record_set.name) from None


@dataclass(frozen=True)
class _RecordSets:
    """Writes the record sets of a dataset."""

    dataset: Dataset
    found: Measured

    @cached_property
    def ids(self) -> dict[str, dict[str, str]]:
        return {one.name: _ids(one) for one in self.dataset.record_sets}

    @cached_property
    def sets(self) -> frozenset[str]:
        return frozenset(one.id for one in self.dataset.distribution if isinstance(one, FileSet))

    def record_set(self, record_set: RecordSet) -> dict[str, Plain]:
        ids, found = self.ids[record_set.name], self.found
        below: dict[str | None, list[DataField]] = {}
        for field in record_set.fields:
            below.setdefault(field.parent, []).append(field)
        return without_nothing(
            {
                "@type": "cr:RecordSet",
                "@id": id_within(record_set.name),
                "name": record_set.name,
                **spoken("name", record_set.title),
                **spoken("description", record_set.description),
                "dataType": list(record_set.data_type),
                "key": [{"@id": ids[name]} for name in record_set.key],
                "annotation": _row_count(record_set),
                "pb:time": record_set.time,
                "pb:group": record_set.group,
                "pb:rules": _literals(record_set.rules),
                "pb:keptRules": _literals(record_set.kept_rules),
                "pb:split": literal(record_set.split.to_json_value()) if record_set.split is not None else None,
                "dqv:hasQualityMeasurement": measured(found, record_set.name),
                "field": [self.field(field, record_set.name, below) for field in below.get(None, ())],
                "data": _records(record_set, ids),
            }
        )

    def field(self, field: DataField, record_set: str, below: Mapping[str | None, list[DataField]]) -> dict[str, Plain]:
        identity = self.ids[record_set][field.name]
        contract = field.model_dump(mode="json", by_alias=True, exclude_defaults=True, include=set(OURS))
        return without_nothing(
            {
                "@type": "cr:Field",
                "@id": identity,
                "name": field.name,
                **spoken("name", field.title),
                **spoken("description", field.description),
                "dataType": [*([field.data_type.value] if field.data_type else []), *field.semantic],
                "equivalentProperty": list(field.equivalent),
                "annotation": statistics_of(self.found, record_set, field.name, identity),
                "isArray": True if field.repeated else None,
                "arrayShape": field.array_shape,
                "value": _constant(field),
                "references": self.references(field),
                "source": self.place(field.source) if field.source is not None else None,
                **{f"pb:{name}": literal(said) if isinstance(said, list) else said for name, said in contract.items()},
                "dqv:hasQualityMeasurement": measured(self.found, record_set, field.name),
                "subField": [self.field(inner, record_set, below) for inner in below.get(field.name, ())],
            }
        )

    def references(self, field: DataField) -> Plain:
        found: list[Plain] = []
        if field.references is not None:
            there = self.ids[field.references.record_set]
            found.append({"field": {"@id": there[field.references.field]}})
        if field.joins is not None:
            found.append(self.place(field.joins))
        return found[0] if len(found) == 1 else found

    def place(self, source: Source) -> dict[str, Plain]:
        """Return the place of values: in a field of a record set, or in a file or a set of files."""
        extract: dict[str, Plain] = {
            "column": source.column,
            "jsonPath": source.json_path,
            "fileProperty": source.file_property,
        }
        if source.resource in self.ids:
            ids = self.ids[source.resource]
            kind, identity = "recordSet", id_within(source.resource)
            if source.column is not None and source.column in ids:
                kind, identity, extract["column"] = "field", ids[source.column], None
        else:
            kind, identity = "fileSet" if source.resource in self.sets else "fileObject", id_of(source.resource)
        transforms: list[Plain] = [
            {name: True if name in _WITHOUT_ARGUMENT else argument}
            for name, argument in source.transforms
            if name != "samplingRate"
        ]
        rate = dict(source.transforms).get("samplingRate")
        taken: Plain = without_nothing(extract) or None
        place: dict[str, Plain] = {
            kind: {"@id": identity},
            "extract": taken,
            "transform": transforms,
            "samplingRate": int(rate) if rate is not None and rate.isdecimal() else rate,
        }
        return without_nothing(place)
