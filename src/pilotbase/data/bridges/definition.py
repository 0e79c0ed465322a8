"""The definition of a bridge: a format in which others describe data, read and written through our dataset."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pilotbase.data.croissant.findings import NOTHING, CroissantDescription, Measured, PlainFile
from pilotbase.documents.base import Localized, Part
from pilotbase.documents.dataset import Dataset, FieldType
from pilotbase.documents.publication import is_closed
from pilotbase.documents.yaml_reader import Plain

OTHER = " (中文)"
"""Marks the path of a sentence that is also given in Chinese."""
EVERYTHING = frozenset(field.alias or name for name, field in Dataset.model_fields.items())
"""For a format that can hold everything in a dataset."""

QUALITY = "quality"
"""Reported as left out if a format has no place for measurements."""
OF_CONTRACTS = frozenset(
    f"recordSet.field.{name}"
    for name in (
        *("name", "title", "description", "dataType", "unit", "required", "unique", "minimum", "maximum", "pattern"),
        *("values", "repeated", "references", "source.resource", "source.column"),
    )
)
"""What formats with contracts for columns hold of a field."""
OF_CLOSED_FILES = frozenset({"distribution.contentUrl", "distribution.sha256", "distribution.md5"})
"""Everything that would reveal files that nobody may take."""


@dataclass(frozen=True)
class Written:
    """A dataset in another format, and the parts of it that the format cannot hold."""

    content: str
    left_out: tuple[str, ...] = ()
    """Paths in the dataset, without numbers: ``recordSet.field.unit``."""


@dataclass(frozen=True)
class Bridge:
    """One format. Reading reports every fault, lack and loss; writing reports what is left out."""

    name: str
    """Its name in commands."""
    title: str
    suffix: str
    """The suffix of its files."""
    spell: Callable[[Dataset, Measured], str | Mapping[str, Plain]]
    """The content of a file, or its JSON; raises `InputError` for what a public file must not hold."""
    holds: frozenset[str] = frozenset()
    """Paths in a dataset that the format can hold, without numbers; each includes everything below it."""
    types: frozenset[FieldType] = frozenset(FieldType)
    """Types of fields that the format distinguishes."""
    recognises: Callable[[Mapping[str, Plain]], bool] | None = None
    read: Callable[[PlainFile], CroissantDescription] | None = None
    not_placed: Callable[[Dataset], Iterable[str]] = lambda _: ()
    """What else of a dataset has no place in its files."""
    measures: bool = False
    """It has a place for measurements."""
    both_languages: bool = False
    """Its sentences may be in English and in Chinese."""
    is_public: bool = True
    """Anybody may read its files, so nothing in them reveals files that nobody may take."""

    def write(self, dataset: Dataset, found: Measured = NOTHING) -> Written:
        """Return ``dataset`` in this format, with its measurements if they have a place; raises `InputError`."""
        value = self.spell(dataset, found)
        content = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2) + "\n"
        unsaid = (QUALITY,) if found != NOTHING and not self.measures else ()
        return Written(content, (*self.left_out(dataset), *self.not_placed(dataset), *unsaid))

    def left_out(self, dataset: Dataset) -> tuple[str, ...]:
        """Return what ``dataset`` contains and the format cannot hold."""
        said = dict.fromkeys(said_in(dataset))
        held = {path for path in said if any(above in self.holds for above in _ways_up(path.removesuffix(OTHER)))}
        if self.is_public and is_closed(dataset):
            held -= OF_CLOSED_FILES
        if any(field.data_type not in {None, *self.types} for one in dataset.record_sets for field in one.fields):
            held.discard("recordSet.field.dataType")
        return tuple(path for path in said if path not in held or (path.endswith(OTHER) and not self.both_languages))


def said_in(part: Part, path: str = "") -> Iterator[str]:
    """Yield the path of everything that differs from its default."""
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        if value == info.get_default(call_default_factory=True):
            continue
        here = f"{path}.{info.alias or name}".lstrip(".")
        parts = [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Part)]
        if not parts or isinstance(parts[0], Localized):
            yield here
        if isinstance(value, Localized) and value.en and value.zh:
            yield here + OTHER
        for one in parts:
            if not isinstance(one, Localized):
                yield from said_in(one, here)


def _ways_up(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]
