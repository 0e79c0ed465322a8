"""The differences between two versions of a dataset's description."""

from __future__ import annotations

from collections.abc import Iterator

from pilotbase.documents.dataset import DataField, Dataset, FileObject, RecordSet
from pilotbase.documents.texts import Text, text

_WORDS = ("title", "description", "license", "opening", "usage", "owner", "purpose", "responsible", "provenance")
"""Parts of a description whose changes are reported; names: text ``describe.part.<part>``."""
_SHOWN = 5


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
    known = {one.id: one for one in before.distribution}
    for resource in now.distribution:
        earlier = known.pop(resource.id, None)
        if earlier is None:
            yield text("describe.changed.new_file", name=resource.id)
        elif isinstance(resource, FileObject) and isinstance(earlier, FileObject) and earlier.sha256 != resource.sha256:
            yield text("describe.changed.changed_file", name=resource.id)
    for name in known:
        yield text("describe.changed.gone_file", name=name)


def _tables(before: Dataset, now: Dataset) -> Iterator[Text]:
    known = {one.name: one for one in before.record_sets}
    for record_set in now.record_sets:
        earlier = known.pop(record_set.name, None)
        if earlier is None:
            yield text("describe.changed.new_table", name=record_set.name)
        else:
            yield from _columns(earlier, record_set)
    for name in known:
        yield text("describe.changed.gone_table", name=name)


def _columns(before: RecordSet, now: RecordSet) -> Iterator[Text]:
    known = {field.name: field for field in before.fields}
    for field in now.fields:
        earlier, name = known.pop(field.name, None), f"{now.name}.{field.name}"
        if earlier is None:
            yield text("describe.changed.new_column", name=name)
        else:
            yield from _field(earlier, field, name)
    for field_name in known:
        yield text("describe.changed.gone_column", name=f"{now.name}.{field_name}")
    if before.rows != now.rows:
        yield text("describe.changed.rows", name=now.name, before=before.rows or "–", now=now.rows or "–")
    if before.split != now.split:
        yield text("describe.changed.split", name=now.name)


def _field(before: DataField, now: DataField, name: str) -> Iterator[Text]:
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
