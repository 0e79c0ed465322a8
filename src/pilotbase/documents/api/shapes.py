"""Building blocks of every request and response of the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar, get_args

import pydantic
from pydantic_core import PydanticKnownError

from pilotbase.documents.base import AsWritten, require_short

MOST_LISTED = 200
"""Maximum length of a page of a list."""
_NUMBERS = {int, float}
_LARGEST = 2**63
_Filled = TypeVar("_Filled")


class RequestModel(AsWritten):
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


SHORT = pydantic.BeforeValidator(require_short)
"""Maximum characters of a number in an address."""


class InAddress(AsWritten):
    """The query string of an address: it is text, so numbers are read from short texts."""


def _kinds(model: type[pydantic.BaseModel], info: pydantic.ValidationInfo) -> set[Any]:
    """Return the types that the field may have."""
    annotation = model.model_fields[info.field_name or ""].annotation
    return {annotation, *get_args(annotation)}


class ResponseModel(pydantic.BaseModel):
    """A response of the hub; a client ignores fields that later versions add."""

    model_config = pydantic.ConfigDict(from_attributes=True, frozen=True, defer_build=True)


def filled(kind: type[_Filled], /, *parts: object, **given: object) -> _Filled:
    """Return a ``kind`` with the fields ``given``; each other field is that of the first of ``parts`` that has it.

    ``kind`` is a model or a dataclass; the version of a document is its kind's own.

    Raises:
        TypeError, pydantic.ValidationError: a field is nowhere, and has no default.
    """
    made: Any = kind
    wanted = {*(getattr(kind, "model_fields", None) or made.__dataclass_fields__), *given} - {"document"}
    for part in parts:
        given |= {name: getattr(part, name) for name in wanted - given.keys() if hasattr(part, name)}
    found: _Filled = made(**given)
    return found


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


class WaitTold(ResponseModel):
    """Why a job waits."""

    reason: str
    blocker: str
    """A job of the same organisation, an organisation, or what is lacking and how much."""
    place: int
    """Place in its organisation's queue, from 1; 0: it isn't queued while nobody asks for it."""
    starts: datetime | None
    """When it is expected to start; null: unknown."""


class SeatTold(ResponseModel):
    """A seat in a shared pool that work of the base waits for or holds."""

    pool: str
    state: str
    wait: WaitTold | None
    """If null while the job waits, it is admitted at the next turn."""
