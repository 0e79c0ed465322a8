"""What every question and every answer of the API is made of."""

from __future__ import annotations

from typing import Any, get_args

import pydantic
from pydantic_core import PydanticKnownError


class Asked(pydantic.BaseModel):
    """What a caller sends; unknown fields are refused."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _yes_is_no_number(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        if isinstance(value, bool) and not _takes_yes(cls.model_fields[info.field_name or ""].annotation):
            raise PydanticKnownError("int_type")
        return value


def _takes_yes(annotation: Any) -> bool:
    """Tell whether a field of this type is no number, or may be yes or no as well."""
    kinds = {annotation, *get_args(annotation)}
    return bool in kinds or not {int, float} & kinds


class Told(pydantic.BaseModel):
    """What the hub answers; a client passes over fields that later versions add."""

    model_config = pydantic.ConfigDict(from_attributes=True, frozen=True)


class ProblemIssue(Told):
    """One problem of what was sent."""

    path: str
    code: str
    detail: str
    file: str | None = None
    """The file of what was handed in."""
    line: int | None = None


class Problem(Told):
    """Problem details (RFC 9457) in the caller's language."""

    type: str
    title: str
    status: int
    code: str
    hint: str
    problems: list[ProblemIssue] = []
    barred: bool = False
    """The caller may do it, but not as things stand now."""
