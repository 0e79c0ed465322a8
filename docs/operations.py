"""The API's operations as a page, from its OpenAPI schema and the tables of who may do what; `generate` writes it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from pilotbase.documents.permissions import granted
from pilotbase.documents.schema import KINDS
from pilotbase.documents.texts import template
from pilotbase.operations import declared
from pilotbase.operations.operation import Callers

Json = dict[str, Any]
TAGS = (
    "people", "certificates", "records", "steps", "uploads", "statistics", "labelling", "exchange", "rooms", "notices",
    "webhooks", "trials", "calls", "sites", "board", "figures", "matches", "profiles", "ledger", "pools", "vouchers",
    "services", "incidents", "watch", "learning", "replication", "workforce",
)  # fmt: skip
"""Tags in the order of the page; their titles: text ``op.of.<tag>``."""
PREAMBLE = """\
The API stands under `/api/` of a hub; [Use the API](../use-the-api.md) shows it at work. The schema with every field,
header and example is `/api/openapi.json` of the hub itself. *Who* names who may of those who see the thing at all: what
a caller may not see does not exist for them (404). *Anybody* sees what is public. *Members* are people of an
organisation, by token or session; a program with a token that only reads takes no step.

Beside what is named, each operation may answer problem details: 400 (unreadable), 503 (the database is away); a
member's 401 (who are you?) and 429 (too many requests); a write 403 (not yours), 404, 409 and 412 (somebody was first),
413, 415, 422 (fields at fault, all of them) and 507 (the disk is full).
"""


def schema() -> Json:
    """Return the OpenAPI schema of a hub over an empty base; starts Django, so once a process."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"PILOTBASE_HOME": str(Path(folder, "home")), "DJANGO_SETTINGS_MODULE": "pilotbase.hub.settings"}
        from pilotbase.worker.base import open_base

        open_base(create=True)
        import django

        django.setup(set_prefix=False)
        from pilotbase.hub.api.routes import api

        return dict(api.get_openapi_schema(path_prefix="/api/"))


def page(schema: Json) -> str:
    """Return the page, group by group."""
    operations = [
        (operation, f"{method.upper()} {path}")
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    operations.sort(key=lambda one: TAGS.index(one[0]["tags"][0]))
    lines = [PREAMBLE]
    for tag, of_group in groupby(operations, key=lambda one: one[0]["tags"][0]):
        lines.append(f"## {template(f'op.of.{tag}', 'en')}\n")
        lines += (line for operation, name in of_group for line in _operation(operation, name))
    return "\n".join(lines)


def _operation(operation: Json, name: str) -> Iterator[str]:
    yield f"### `{name}`\n"
    said = " ".join(operation.get("description", "").split()).replace("``", "`")
    yield f"**{operation['summary']}.** {said}".strip() + "\n"
    yield f"* Who: {_who(operation)}"
    if taken := list(_taken(operation)):
        yield f"* Takes: {', '.join(taken)}"
    yield f"* Answers: {'; '.join(_answered(operation['responses']))}\n"


def _who(operation: Json) -> str:
    known = declared()[operation["operationId"]]
    keys = "a service's key of scope `observe`, " if known.callers is Callers.OBSERVERS else ""
    everybody = "members" if known.callers in (Callers.MEMBERS, Callers.OBSERVERS) else "anybody"
    return keys + (known.only or everybody if known.who is None else granted(known.who.grants, "en"))


def _taken(operation: Json) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    for media, one in content.items():
        yield _model(one.get("schema", {})) or f"`{media}`"
    for parameter in operation["parameters"]:
        if parameter["in"] != "path":
            name = f"`{parameter['name']}`"
            yield f"header {name}" if parameter["in"] == "header" else name


def _answered(responses: Json) -> Iterator[str]:
    for status, answer in responses.items():
        if int(status) < 400:
            models = [_model(one.get("schema", {})) for one in answer.get("content", {}).values()]
            headers = [f"`{name}`" for name in answer.get("headers", {})]
            yield " ".join(filter(None, [str(status), *models, f"with {', '.join(headers)}" if headers else ""]))


def _model(schema: Json) -> str:
    """Return the model of a body, linked to its fields where it is a document; empty for bytes."""
    if "items" in schema:
        return f"list of {_model(schema['items'])}" if _model(schema["items"]) else "list"
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    kinds = {model.__name__: kind for kind, model in KINDS.items()}
    return f"[`{name}`](fields.md#{kinds[name]})" if name in kinds else f"`{name}`" if name else ""
