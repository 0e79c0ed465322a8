"""A changed file described again: the owner's words stay, what is seen is new, and the version says how much changed.

Versions follow Croissant 1.1 ("Versioning"): PATCH for other words, MINOR where records were only added, MAJOR where
records or columns that were there are other ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path

from pilotbase.data.describing.drafting import DescribedField, DescribedTable, Description
from pilotbase.data.describing.guesses import Guess
from pilotbase.documents.dataset import DataField, Dataset, FileObject, RecordSet, ResponsibleUse
from pilotbase.documents.described import Answers
from pilotbase.documents.scenario import HashSplit, Split
from pilotbase.documents.texts import Text, text

_CHUNK = 1 << 20


class Level(IntEnum):
    """Which number of the version a change raises."""

    PATCH = 0
    MINOR = 1
    MAJOR = 2


@dataclass(frozen=True)
class DatasetChange:
    """What is other than before."""

    said: Text
    level: Level


def refresh(earlier: Dataset, found: Description, answers: Answers, files: Mapping[str, Path]) -> Description:
    """Return ``found`` with the words of ``earlier``; ``files``: id of a resource → where it lies.

    What ``answers`` say replaces what stood there. Where nothing changed, the dataset is ``earlier`` itself.
    """
    tables = _holding(tuple(_table(earlier, table, answers) for table in found.tables))
    kept = _words(earlier, found.dataset, answers) | {
        "distribution": found.dataset.distribution,
        "record_sets": tuple(table.record_set for table in tables),
        "live": found.dataset.live,
    }
    merged = earlier.model_copy(update=kept)
    changes = [*_file_changes(earlier, merged, files), *_table_changes(earlier, found)]
    same_data = merged.model_copy(update={"date_modified": earlier.date_modified}) == earlier
    if same_data and not changes:
        return replace(found, dataset=earlier, tables=tables, unchanged=True)
    changes = changes or [DatasetChange(text("describe.changed.words"), Level.PATCH)]
    version = _raised(earlier.version, max(change.level for change in changes))
    dataset = Dataset.model_validate(dict(merged) | {"version": version})
    said = [text("describe.changed.version", before=earlier.version, now=version), *(one.said for one in changes)]
    return replace(found, dataset=dataset, tables=tables, changed=tuple(said))


def _words(earlier: Dataset, found: Dataset, answers: Answers) -> dict[str, object]:
    """Return what the answers say of the dataset itself, by field."""
    given = answers.model_fields_set
    words: dict[str, object] = {
        field: getattr(found, field) for answer, field in _DATASET_FIELDS.items() if answer in given
    }
    if given & {"organisation", "contact"}:
        parts = [part for part in ("organisation", "contact") if part in given]
        words["owner"] = earlier.owner.model_copy(update={part: getattr(answers, part) for part in parts})
    told = {field: getattr(found.responsible, field) for answer, field in _RESPONSIBLE.items() if answer in given}
    if told:
        words["responsible"] = ResponsibleUse.model_validate(dict(earlier.responsible) | told)
    return words | {"date_modified": found.date_modified or earlier.date_modified}


def _table(earlier: Dataset, table: DescribedTable, answers: Answers) -> DescribedTable:
    before = next((one for one in earlier.record_sets if one.name == table.record_set.name), None)
    if before is None:
        return table
    known = {field.name: field for field in before.fields}
    fields = tuple(_field(known.get(one.field.name), one, answers) for one in table.fields)
    names = {one.field.name for one in fields}
    record_set = before.model_copy(
        update={
            "fields": tuple(one.field for one in fields),
            "rows": table.record_set.rows,
            "key": table.record_set.key if answers.key or not set(before.key) <= names else before.key,
            "time": table.record_set.time if answers.time or not {before.time} <= {None, *names} else before.time,
            "group": table.record_set.group if answers.group or not {before.group} <= {None, *names} else before.group,
            "split": before.split if _steered_by(before.split) <= names else table.record_set.split,
        }
    )
    return DescribedTable(record_set, fields, tuple(_still_guessed(before, table.record_set, table.guesses)))


def _steered_by(split: Split | None) -> set[str]:
    column = None if split is None else split.by if isinstance(split, HashSplit) else split.column
    return set() if column is None else {column}


def _holding(tables: tuple[DescribedTable, ...]) -> tuple[DescribedTable, ...]:
    """Return the tables without references to what is no longer there."""
    there = {(table.record_set.name, one.field.name) for table in tables for one in table.fields}
    return tuple(_with_references_to(there, table) for table in tables)


def _with_references_to(there: set[tuple[str, str]], table: DescribedTable) -> DescribedTable:
    fields = tuple(
        one
        if one.field.references is None or (one.field.references.record_set, one.field.references.field) in there
        else replace(one, field=one.field.model_copy(update={"references": None}))
        for one in table.fields
    )
    record_set = table.record_set.model_copy(update={"fields": tuple(one.field for one in fields)})
    return replace(table, record_set=record_set, fields=fields)


def _field(before: DataField | None, found: DescribedField, answers: Answers) -> DescribedField:
    if before is None:
        return found
    new = found.field
    said: dict[str, object] = {"source": new.source}
    if new.name in answers.units:
        said["unit"] = new.unit
    if new.name in answers.descriptions:
        said["description"] = new.description
    if answers.label:
        said |= {"semantic": new.semantic if new.is_label or before.is_label else before.semantic}
    return DescribedField(
        before.model_copy(update=said), tuple(_still_guessed(before, new, found.guesses)), found.observed
    )


def _still_guessed(before: DataField | RecordSet, found: object, guesses: Sequence[Guess]) -> Iterator[Guess]:
    """Yield the guesses that stand as they were made: what the owner wrote instead needs no ground."""
    for guess in guesses:
        part = _PARTS.get(guess.part, guess.part)
        if getattr(before, part) == getattr(found, part):
            yield guess


def _file_changes(earlier: Dataset, now: Dataset, files: Mapping[str, Path]) -> Iterator[DatasetChange]:
    before = {one.id: one for one in earlier.distribution}
    for resource in now.distribution:
        known = before.pop(resource.id, None)
        if known is None:
            yield DatasetChange(text("describe.changed.new_file", name=resource.id), Level.MINOR)
        elif isinstance(resource, FileObject) and isinstance(known, FileObject) and known.sha256 != resource.sha256:
            if _only_grew(known, files.get(resource.id)):
                yield DatasetChange(text("describe.changed.grown_file", name=resource.id), Level.MINOR)
            else:
                yield DatasetChange(text("describe.changed.other_file", name=resource.id), Level.MAJOR)
    for name in before:
        yield DatasetChange(text("describe.changed.gone_file", name=name), Level.MAJOR)


def _only_grew(known: FileObject, path: Path | None) -> bool:
    """Tell whether the file begins with all the bytes that it had."""
    if path is None or known.content_size is None or known.sha256 is None or path.stat().st_size <= known.content_size:
        return False
    digest, left = hashlib.sha256(), known.content_size
    with path.open("rb") as stream:
        while left and (chunk := stream.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest() == known.sha256


def _table_changes(earlier: Dataset, found: Description) -> Iterator[DatasetChange]:
    before = {one.name: one for one in earlier.record_sets}
    for table in found.tables:
        known = before.pop(table.record_set.name, None)
        if known is None:
            yield DatasetChange(text("describe.changed.new_table", name=table.record_set.name), Level.MINOR)
        else:
            yield from _column_changes(known, table.record_set)
    for name in before:
        yield DatasetChange(text("describe.changed.gone_table", name=name), Level.MAJOR)


def _column_changes(known: RecordSet, found: RecordSet) -> Iterator[DatasetChange]:
    before = {field.name: field for field in known.fields}
    for field in found.fields:
        said = before.pop(field.name, None)
        name = f"{found.name}.{field.name}"
        if said is None:
            yield DatasetChange(text("describe.changed.new_column", name=name), Level.MAJOR)
        elif said.data_type is not field.data_type and found.rows != known.rows:
            params = {"before": said.data_type or "", "now": field.data_type or ""}
            yield DatasetChange(text("describe.changed.other_type", name=name, **params), Level.MAJOR)
        elif said.values and (new := sorted(set(field.values) - set(said.values))):
            yield DatasetChange(text("describe.changed.new_values", name=name, values=", ".join(new[:5])), Level.MINOR)
    for field_name in before:
        yield DatasetChange(text("describe.changed.gone_column", name=f"{found.name}.{field_name}"), Level.MAJOR)
    if known.rows is not None and found.rows is not None and known.rows != found.rows:
        level = Level.MINOR if found.rows > known.rows else Level.MAJOR
        yield DatasetChange(text("describe.changed.rows", name=found.name, before=known.rows, now=found.rows), level)


def _raised(version: str, level: Level) -> str:
    major, minor, patch = map(int, version.split("."))
    return {
        Level.MAJOR: f"{major + 1}.0.0",
        Level.MINOR: f"{major}.{minor + 1}.0",
        Level.PATCH: f"{major}.{minor}.{patch + 1}",
    }[level]


_PARTS = {"dataType": "data_type", "label": "is_label"}
_DATASET_FIELDS = {
    "title": "title",
    "description": "description",
    "sector": "sector",
    "license": "license",
    "url": "url",
    "creator": "creator",
    "publisher": "publisher",
    "published": "date_published",
    "language": "in_language",
    "opening": "opening",
    "purpose": "purpose",
}
_RESPONSIBLE = {
    "collection": "collection",
    "personal": "personal_sensitive_information",
    "limitations": "limitations",
    "use_cases": "use_cases",
    "annotation": "annotation_protocol",
    "annotations": "annotations_per_item",
}
"""Answer → field of a dataset, and of its responsible use."""
