"""CloudEvents 1.0 in the structured JSON format: one event, one body."""

from __future__ import annotations

from typing import Any, Literal

import pydantic

from pilotbase.documents.base import Moment, Part
from pilotbase.documents.hashes import canonical_json

MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"


class CloudEvent(Part):
    """An event: who tells it (``source``), which one it is there (``id``), of what kind, about what, and when."""

    specversion: Literal["1.0"] = "1.0"
    id: str = pydantic.Field(min_length=1)
    source: str = pydantic.Field(min_length=1)
    type: str = pydantic.Field(min_length=1)
    subject: str | None = None
    time: Moment
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]

    def encoded(self) -> bytes:
        """Return the body that carries it."""
        return canonical_json(self.to_json_value())
