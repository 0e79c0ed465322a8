"""JSON that strangers send: read whole or refused, never half."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pilotbase.documents.errors import InputError


class WireError(InputError):
    """The input isn't a message of the protocol; ``field`` names the part at fault, if there is one."""

    def __init__(self, code: str, /, field: str | None = None, **params: object) -> None:
        super().__init__(code, (), field=field or "", **params)
        self.field = field


def read_object(body: bytes | memoryview) -> Mapping[str, object]:
    """Return the JSON object that ``body`` spells in UTF-8; raises `WireError`."""
    try:
        found = json.loads(bytes(body))
    except (ValueError, RecursionError):
        raise WireError("wire.no_json") from None
    if not isinstance(found, dict):
        raise WireError("wire.no_object")
    return found


def write_json(value: object) -> bytes:
    """Return ``value`` as compact JSON in UTF-8; an unpaired surrogate, which JSON can spell, becomes "?"."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
