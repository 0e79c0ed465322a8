"""The definition of a bridge: a format in which others describe data, read and written through our dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pilotbase.data.croissant.findings import CroissantDescription, PlainFile
from pilotbase.documents.base import Localized, Part
from pilotbase.documents.dataset import Dataset, FieldType
from pilotbase.documents.publication import is_closed
from pilotbase.documents.yaml_reader import Plain

OTHER = " (中文)"
"""Marks the path of a sentence that is also given in Chinese."""
EVERYTHING = frozenset(field.alias or name for name, field in Dataset.model_fields.items())
"""For a format that can hold everything in a dataset."""

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
    recognises: Callable[[Mapping[str, Plain]], bool] | None = None
    read: Callable[[PlainFile], CroissantDescription] | None = None
    write: Callable[[Dataset], Written] | None = None
    holds: frozenset[str] = frozenset()
    """Paths in a dataset that the format can hold, without numbers; each includes everything below it."""
    both_languages: bool = False
    """Its sentences may be in English and in Chinese."""
    is_public: bool = True
    """Anybody may read its files, so nothing in them reveals files that nobody may take."""

    def left_out(self, dataset: Dataset, types: Iterable[FieldType] = FieldType) -> tuple[str, ...]:
        """Return what ``dataset`` contains and the format cannot hold; ``types``: those distinguished by the format."""
        said = dict.fromkeys(said_in(dataset))
        held = {path for path in said if any(above in self.holds for above in _ways_up(path.removesuffix(OTHER)))}
        if self.is_public and is_closed(dataset):
            held -= OF_CLOSED_FILES
        if any(field.data_type not in {None, *types} for one in dataset.record_sets for field in one.fields):
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
