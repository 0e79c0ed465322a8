"""Paths and addresses described: observed once, then described with the owner's answers so far.

A changed file is described again: the owner's words stay, observations are new, and the version shows how much changed,
as the differences between two descriptions tell.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

from pilotbase.data.describing.drafting import (
    ANSWERED,
    DescribedField,
    DescribedTable,
    Description,
    describe,
    observe_all,
)
from pilotbase.data.describing.meanings import Guess
from pilotbase.data.describing.roles import ObservedTable
from pilotbase.data.sources.opening import open_source
from pilotbase.data.sources.source import OpenedSource, ReadOptions
from pilotbase.documents.base import Part
from pilotbase.documents.dataset import DataField, Dataset, FileObject, FileSet, RecordSet, Resource, ResponsibleUse
from pilotbase.documents.described import Answers
from pilotbase.documents.loading import load_document
from pilotbase.documents.scenario_data import HashSplit, Split
from pilotbase.documents.texts import Text, text

_CHUNK = 1 << 20
_PARTS = {"dataType": "data_type", "label": "is_label"}
P = TypeVar("P", bound=Part)
_WORDS = (
    "title",
    "description",
    "license",
    "opening",
    "usage",
    "owner",
    "purpose",
    "responsible",
    "provenance",
)
"""Parts of a description whose changes are reported; names: text ``describe.part.<part>``."""
_SHOWN = 5


@dataclass(frozen=True)
class SourceInventory:
    """Open sources, what was seen in them, and their earlier description."""

    sources: tuple[OpenedSource, ...]
    observed: tuple[ObservedTable, ...]
    files: dict[str, Path]
    earlier: Dataset | None

    def describe(self, answers: Answers) -> Description:
        """Return the description; raises `InputError` as `describe` of `drafting`."""
        times = [path.stat().st_mtime for path in self.files.values()]
        found = describe(self.sources, self.observed, answers, max(times, default=None))
        return found if self.earlier is None else _refresh(self.earlier, found, answers, self.files)


@contextmanager
def describing(places: Sequence[str], out: Path, asked: ReadOptions) -> Iterator[SourceInventory]:
    """Open and observe ``places``; a description in ``out`` is the earlier one. Files are named relative to ``out``.

    Raises:
        InputError: as `open_source` for the first place that cannot be read; ``out`` exists and is no dataset.
    """
    earlier = load_document(Dataset, out) if out.exists() else None
    with tempfile.TemporaryDirectory(prefix="pilotbase-describe-") as scratch:
        sources, files = [], {}
        for number, place in enumerate(places):
            folder = Path(scratch, str(number))
            folder.mkdir()
            opened = open_source(place, folder, asked)
            sources.append(
                replace(opened, resources=tuple(_seen_from(one, Path(place), out.parent) for one in opened.resources))
            )
            if Path(place).is_file():
                files[Path(place).name] = Path(place)
        yield SourceInventory(tuple(sources), observe_all(sources, asked.on_progress), files, earlier)


def _seen_from(resource: Resource, place: Path, folder: Path) -> Resource:
    if isinstance(resource, FileSet):
        within = Path(os.path.relpath(place, folder)).as_posix()
        return resource.model_copy(update={"includes": tuple(f"{within}/{glob}" for glob in resource.includes)})
    if not isinstance(resource, FileObject) or resource.id != place.name or not place.is_file():
        return resource
    return resource.model_copy(update={"content_url": Path(os.path.relpath(place, folder)).as_posix()})


class _Level(IntEnum):
    """The number of the version that a change raises."""

    PATCH = 0
    MINOR = 1
    MAJOR = 2


_DatasetChange = tuple[Text, _Level]


def _refresh(earlier: Dataset, found: Description, answers: Answers, files: Mapping[str, Path]) -> Description:
    """Return ``found`` with the words of ``earlier``; ``files``: id of a resource → its path.

    ``answers`` replace what was there. If nothing changed, the dataset is ``earlier`` itself. Versions
    follow Croissant 1.1 ("Versioning"): PATCH for other words, MINOR if records were only added, MAJOR if existing
    records or columns differ.
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
    changes = changes or [(text("describe.changed.words"), _Level.PATCH)]
    version = _raised(earlier.version, max(level for _, level in changes))
    dataset = Dataset.model_validate(dict(merged) | {"version": version})
    said = [
        text("describe.changed.version", before=earlier.version, now=version),
        *(sentence for sentence, _ in changes),
    ]
    return replace(found, dataset=dataset, tables=tables, changed=tuple(said))


def _words(earlier: Dataset, found: Dataset, answers: Answers) -> dict[str, object]:
    """Return the answers about the dataset itself, by field."""
    given = answers.model_fields_set
    paths = [path.rpartition(".") for answer, path in ANSWERED.items() if answer in given]
    words: dict[str, object] = {field: getattr(found, field) for above, _, field in paths if not above}
    if given & {"organisation", "contact"}:
        parts = [part for part in ("organisation", "contact") if part in given]
        words["owner"] = earlier.owner.model_copy(update={part: getattr(answers, part) for part in parts})
    told = {field: getattr(found.responsible, field) for above, _, field in paths if above}
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
    """Return the tables without references to what no longer exists."""
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
    """Yield the guesses that are unchanged: what the owner wrote instead needs no ground."""
    for guess in guesses:
        part = _PARTS.get(guess.part, guess.part)
        if getattr(before, part) == getattr(found, part):
            yield guess


def _file_changes(earlier: Dataset, now: Dataset, files: Mapping[str, Path]) -> Iterator[_DatasetChange]:
    for name, known, resource in pairs(earlier.distribution, now.distribution, "id"):
        if known is None:
            yield text("describe.changed.new_file", name=name), _Level.MINOR
        elif resource is None:
            yield text("describe.changed.gone_file", name=name), _Level.MAJOR
        elif differ(known, resource):
            if isinstance(known, FileObject) and _only_grew(known, files.get(name)):
                yield text("describe.changed.grown_file", name=name), _Level.MINOR
            else:
                yield text("describe.changed.other_file", name=name), _Level.MAJOR


def _only_grew(known: FileObject, path: Path | None) -> bool:
    """Return whether the file begins with all of its earlier bytes."""
    if path is None or known.content_size is None or known.sha256 is None or path.stat().st_size <= known.content_size:
        return False
    digest, left = hashlib.sha256(), known.content_size
    with path.open("rb") as stream:
        while left and (chunk := stream.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest() == known.sha256


def _table_changes(earlier: Dataset, found: Description) -> Iterator[_DatasetChange]:
    for name, known, record_set in pairs(earlier.record_sets, (table.record_set for table in found.tables)):
        if known is None:
            yield text("describe.changed.new_table", name=name), _Level.MINOR
        elif record_set is None:
            yield text("describe.changed.gone_table", name=name), _Level.MAJOR
        else:
            yield from _column_changes(known, record_set)


def _column_changes(known: RecordSet, found: RecordSet) -> Iterator[_DatasetChange]:
    for column, said, field in pairs(known.fields, found.fields):
        name = f"{found.name}.{column}"
        if said is None or field is None:
            code = f"describe.changed.{'gone' if field is None else 'new'}_column"
            yield text(code, name=name), _Level.MAJOR
        elif said.data_type is not field.data_type and found.rows != known.rows:
            params = {"before": said.data_type or "", "now": field.data_type or ""}
            yield text("describe.changed.other_type", name=name, **params), _Level.MAJOR
        elif said.values and (new := sorted(set(field.values) - set(said.values))):
            yield text("describe.changed.new_values", name=name, values=", ".join(new[:5])), _Level.MINOR
    if known.rows is not None and found.rows is not None and known.rows != found.rows:
        level = _Level.MINOR if found.rows > known.rows else _Level.MAJOR
        yield text("describe.changed.rows", name=found.name, before=known.rows, now=found.rows), level


def _raised(version: str, level: _Level) -> str:
    major, minor, patch = map(int, version.split("."))
    return {
        _Level.MAJOR: f"{major + 1}.0.0",
        _Level.MINOR: f"{major}.{minor + 1}.0",
        _Level.PATCH: f"{major}.{minor}.{patch + 1}",
    }[level]


def pairs(before: Iterable[P], now: Iterable[P], key: str = "name") -> Iterator[tuple[str, P | None, P | None]]:
    """Yield each name with what has it, before and now; what is gone comes last."""
    known: dict[str, P] = {getattr(one, key): one for one in before}
    for one in now:
        name: str = getattr(one, key)
        yield name, known.pop(name, None), one
    yield from ((name, one, None) for name, one in known.items())


def differ(one: Resource, other: Resource) -> bool:
    """Return whether two descriptions of a file name other bytes."""
    return isinstance(one, FileObject) and isinstance(other, FileObject) and one.sha256 != other.sha256


def compare(before: Dataset, now: Dataset) -> tuple[Text, ...]:
    """Return what changed from ``before`` to ``now``, in sentences: files, tables, columns, rows, words."""
    if before == now:
        return ()
    told = [*_files(before, now), *_tables(before, now)]
    for part in _WORDS:
        if getattr(before, part) != getattr(now, part):
            told.append(text("describe.changed.part", part=text(f"describe.part.{part}")))
    return tuple(told or [text("describe.changed.words")])


def _files(before: Dataset, now: Dataset) -> Iterator[Text]:
    for name, earlier, later in pairs(before.distribution, now.distribution, "id"):
        if earlier is None or later is None:
            yield text(f"describe.changed.{'gone' if later is None else 'new'}_file", name=name)
        elif differ(earlier, later):
            yield text("describe.changed.changed_file", name=name)


def _tables(before: Dataset, now: Dataset) -> Iterator[Text]:
    for name, earlier, later in pairs(before.record_sets, now.record_sets):
        if earlier is None or later is None:
            yield text(f"describe.changed.{'gone' if later is None else 'new'}_table", name=name)
        else:
            yield from _columns(earlier, later)


def _columns(before: RecordSet, now: RecordSet) -> Iterator[Text]:
    for field, earlier, later in pairs(before.fields, now.fields):
        name = f"{now.name}.{field}"
        if earlier is None or later is None:
            yield text(f"describe.changed.{'gone' if later is None else 'new'}_column", name=name)
        else:
            yield from _field_differs(earlier, later, name)
    if before.rows != now.rows:
        yield text("describe.changed.rows", name=now.name, before=before.rows or "–", now=now.rows or "–")
    if before.split != now.split:
        yield text("describe.changed.split", name=now.name)


def _field_differs(before: DataField, now: DataField, name: str) -> Iterator[Text]:
    for part, earlier, later in (
        ("dataType", before.data_type, now.data_type),
        ("unit", before.unit, now.unit),
        ("minimum", before.minimum, now.minimum),
        ("maximum", before.maximum, now.maximum),
    ):
        if earlier != later:
            yield text("describe.changed.of_column", name=name, part=part, before=_spell(earlier), now=_spell(later))
    more, fewer = ([one for one in a.values if one not in b.values] for a, b in ((now, before), (before, now)))
    if more:
        yield text("describe.changed.more_values", name=name, values=", ".join(more[:_SHOWN]))
    if fewer:
        yield text("describe.changed.fewer_values", name=name, values=", ".join(fewer[:_SHOWN]))


def _spell(value: object) -> str:
    return "–" if value is None else str(value)
