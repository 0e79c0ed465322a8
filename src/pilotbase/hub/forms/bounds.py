"""The bounds of a document's field, for the field of a form that asks for it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

_SOME = 0.001
"""The least of what only has to be more than nothing."""


def bounds_of(model: type[BaseModel], name: str) -> dict[str, Any]:
    """Return the lowest and the highest value of a field, as numeric fields of forms take them."""
    bounds = {type(one).__name__: one for one in model.model_fields[name].metadata}
    return {"min_value": bounds["Ge"].ge if "Ge" in bounds else _SOME, "max_value": bounds["Le"].le}
