"""One thing as another that has fields of the same names: a row as a response, a request as a document."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def alike(kind: type[T], source: object, /, **others: object) -> T:
    """Return a ``kind`` with ``others``; its fields besides them are as ``source`` has them, if it has them.

    The version of a document is its kind's own.

    Raises:
        TypeError, pydantic.ValidationError: a field of ``kind`` is in neither, and has no default.
    """
    made: Any = kind
    names: list[str] = list(getattr(kind, "model_fields", None) or made.__dataclass_fields__)
    shared = {
        name: getattr(source, name) for name in names if name not in {*others, "document"} and hasattr(source, name)
    }
    found: T = made(**shared, **others)
    return found
