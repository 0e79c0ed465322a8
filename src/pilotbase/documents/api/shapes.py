"""Building blocks of every request and response of the API."""

from __future__ import annotations

from typing import Any, TypeVar, get_args

import pydantic
from pydantic_core import PydanticKnownError

MOST_DIGITS = 40
"""Maximum digits of a number in an address: no count here is larger."""
MOST_LISTED = 200
"""Maximum length of a page of a list."""
_NUMBERS = {int, float}
_LARGEST = 2**63
_Model = TypeVar("_Model", bound=pydantic.BaseModel)


class RequestModel(pydantic.BaseModel):
    """A request body; unknown fields are refused, and a number must be a JSON number."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _number_as_written(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        kinds = _kinds(cls, info)
        if _NUMBERS & kinds and isinstance(value, bool | str) and type(value) not in kinds:
            raise PydanticKnownError("int_type" if int in kinds else "float_type")
        if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise PydanticKnownError("int_parsing_size")
        return value


def _require_short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MOST_DIGITS:
        raise PydanticKnownError("int_parsing_size")
    return value


SHORT = pydantic.BeforeValidator(_require_short)
"""Maximum characters of a number in an address."""


class InAddress(pydantic.BaseModel):
    """The query string of an address: it is text, so numbers are read from short texts."""

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _number_is_short(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        return _require_short(value) if _NUMBERS & _kinds(cls, info) else value


def _kinds(model: type[pydantic.BaseModel], info: pydantic.ValidationInfo) -> set[Any]:
    """Return the types that the field may have."""
    annotation = model.model_fields[info.field_name or ""].annotation
    return {annotation, *get_args(annotation)}


class ResponseModel(pydantic.BaseModel):
    """A response of the hub; a client ignores fields that later versions add."""

    model_config = pydantic.ConfigDict(from_attributes=True, frozen=True, defer_build=True)


def filled(model: type[_Model], *parts: object, **given: object) -> _Model:
    """Return a ``model`` with the fields ``given``; each other field is that of the first of ``parts`` that has it."""
    for part in parts:
        given |= {name: getattr(part, name) for name in model.model_fields if name not in given and hasattr(part, name)}
    return model.model_validate(given)


class ProblemIssue(ResponseModel):
    """One problem in the request."""

    path: str
    code: str
    detail: str
    file: str | None = None
    """The file that contains the problem."""
    line: int | None = None


class Problem(ResponseModel):
    """Problem details (RFC 9457) in the caller's language."""

    type: str
    title: str
    status: int
    code: str
    hint: str
    problems: list[ProblemIssue] = []
    barred: bool = False
    """The caller may do it, but not in the current state."""
