"""What a command asks for, as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pydantic

M = TypeVar("M", bound="pydantic.BaseModel")


def build_request(kind: type[M], /, **said: object) -> M:
    """Return what was asked for; raises `InputError` with every problem at once."""
    from pilotbase.documents.loading import parse_request

    return parse_request(kind, said, "--")


def named(written: str) -> dict[str, str]:
    """Return owner and name of a record that is written ``plant/milling``, or with its kind before it."""
    owner, _, name = written.rpartition(":")[2].partition("/")
    return {"owner": owner, "name": name}
