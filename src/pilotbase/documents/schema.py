"""The published JSON Schema of every document kind (`make docs` writes ``docs/schema/<kind>.json``)."""

from __future__ import annotations

from typing import Any

from pilotbase.documents.base import PUBLISHED, Document
from pilotbase.documents.loading import current_version
from pilotbase.documents.plugins import loaded

loaded("documents")
KINDS: dict[str, type[Document]] = {
    current_version(model).partition("/")[0]: model for model in sorted(PUBLISHED, key=current_version)
}


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``kind``; raises `KeyError` for an unknown kind."""
    schema = KINDS[kind].model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:pilotbase:schema:{kind}:1",
        **schema,
    }
