"""The differences between two versions of a dataset's description."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from pilotbase.documents.base import Part
from pilotbase.documents.dataset import DataField, Dataset, FileObject, RecordSet, Resource
from pilotbase.documents.texts import Text, text

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
            yield from _field(earlier, later, name)
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
