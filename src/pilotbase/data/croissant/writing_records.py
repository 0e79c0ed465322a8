"""Record sets as Croissant 1.1: fields with types, sources and references; what the contract adds beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pilotbase.data.croissant.measurements import Measured, measured, statistics_of
from pilotbase.data.croissant.names import id_of, id_within
from pilotbase.data.croissant.plain_forms import literal, spoken, without_nothing
from pilotbase.data.croissant.reading_fields import OURS
from pilotbase.data.croissant.vocabulary import ROW_COUNT
from pilotbase.documents.dataset import DataField, Dataset, FileSet, RecordSet, Source
from pilotbase.documents.errors import InputError
from pilotbase.documents.yaml_reader import Plain

_WITHOUT_ARGUMENT = ("readLines", "unArchive")


def write_record_sets(dataset: Dataset, found: Measured) -> list[Plain]:
    """Return the JSON-LD of the record sets of a dataset."""
    ids = {one.name: _ids(one) for one in dataset.record_sets}
    return [_write_record_set(dataset, one, ids, found) for one in dataset.record_sets]


def _write_record_set(
    dataset: Dataset,
    record_set: RecordSet,
    all_ids: Mapping[str, Mapping[str, str]],
    found: Measured,
) -> dict[str, Plain]:
    ids = all_ids[record_set.name]
    below: dict[str | None, list[DataField]] = {}
    for field in record_set.fields:
        below.setdefault(field.parent, []).append(field)
    writer = _Fields(dataset, record_set, all_ids, below, found)
    rules: list[Plain] = [rule.to_json_value() for rule in record_set.rules]
    kept: list[Plain] = [rule.to_json_value() for rule in record_set.kept_rules]
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
            "pb:rules": literal(rules) if rules else None,
            "pb:keptRules": literal(kept) if kept else None,
            "pb:split": literal(record_set.split.to_json_value()) if record_set.split is not None else None,
            "dqv:hasQualityMeasurement": measured(found, record_set.name),
            "field": [writer.field(field) for field in below.get(None, ())],
            "data": _records(record_set, ids),
        }
    )


def _ids(record_set: RecordSet) -> dict[str, str]:
    """Return name → id of the fields, those of sub-fields below the one of the field above."""
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
    """Return the records that the description holds, by the ids of their fields."""
    if record_set.inline is None:
        return None
    try:
        records = json.loads(record_set.inline)
        return [{ids[name]: value for name, value in record.items()} for record in records]
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
        raise InputError("croissant.bad_inline", name=record_set.name) from None


class _Fields:
    """Writes the fields of one record set."""

    def __init__(
        self,
        dataset: Dataset,
        record_set: RecordSet,
        ids: Mapping[str, Mapping[str, str]],
        below: Mapping[str | None, list[DataField]],
        found: Measured,
    ) -> None:
        self.record_set, self.ids, self.below = record_set, ids, below
        self.found = found
        self.sets = {one.id for one in dataset.distribution if isinstance(one, FileSet)}

    def field(self, field: DataField) -> dict[str, Plain]:
        contract = field.model_dump(mode="json", by_alias=True, exclude_defaults=True, include=set(OURS))
        return without_nothing(
            {
                "@type": "cr:Field",
                "@id": self.ids[self.record_set.name][field.name],
                "name": field.name,
                **spoken("name", field.title),
                **spoken("description", field.description),
                "dataType": [*([field.data_type.value] if field.data_type else []), *field.semantic],
                "equivalentProperty": list(field.equivalent),
                "annotation": statistics_of(
                    self.found, self.record_set.name, field.name, self.ids[self.record_set.name][field.name]
                ),
                "isArray": True if field.repeated else None,
                "arrayShape": field.array_shape,
                "value": _constant(field),
                "references": self.references(field),
                "source": self.place(field.source) if field.source is not None else None,
                **{f"pb:{name}": literal(said) if isinstance(said, list) else said for name, said in contract.items()},
                "dqv:hasQualityMeasurement": measured(self.found, self.record_set.name, field.name),
                "subField": [self.field(inner) for inner in self.below.get(field.name, ())],
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
        """Return where values are: in a field of a record set, or in a file or a set of files."""
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
