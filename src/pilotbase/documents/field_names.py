"""Which fields a part of a document has, told from where the part stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

import pydantic

Model = type[pydantic.BaseModel]


def field_names(model: Model, location: Sequence[int | str]) -> tuple[str, ...]:
    """Return the names of the fields at ``location`` of ``model``, as files spell them; none where no part stands.

    ``location`` is pydantic's: names of fields, numbers of entries, and tags of unions.
    """
    parts: list[Model] = [model]
    for step in location:
        if isinstance(step, str):
            parts = _inside(parts, step)
    return tuple(dict.fromkeys(field.alias or name for part in parts for name, field in part.model_fields.items()))


def _inside(parts: list[Model], step: str) -> list[Model]:
    """Return the parts that the field ``step`` may hold; of several parts a tag chooses, whatever fields are called."""
    tagged = [part for part in parts if _is_tagged(part, step)]
    if len(parts) > 1 and tagged:
        return tagged
    fields = [field for part in parts for name, field in part.model_fields.items() if step in (name, field.alias)]
    return [inner for field in fields for inner in _models(field.annotation)] if fields else tagged or parts


def _models(annotation: Any) -> Iterator[Model]:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _is_tagged(part: Model, tag: str) -> bool:
    return part.__name__ == tag or any(field.default == tag for field in part.model_fields.values())
