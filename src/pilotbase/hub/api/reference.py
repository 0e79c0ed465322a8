"""The reference of the API in the hub: a page for each operation and each model, from the table and the schema."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from pilotbase.documents.permissions import granted
from pilotbase.documents.texts import Language, Text, text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.api.answers import JSON, KEY
from pilotbase.hub.api.examples import PARAMETERS
from pilotbase.hub.api.routes import api
from pilotbase.hub.api.schema import REASONS
from pilotbase.hub.caching import revalidated
from pilotbase.hub.presenters.addresses import Crumb, crumb
from pilotbase.hub.routing import EVERYBODY, page
from pilotbase.operations import declared
from pilotbase.operations.operation import Callers, Operation
from pilotbase.worker.operations.binding import there
from pilotbase.workspace.records import fold

Json = dict[str, Any]
_BEARER = "Authorization: Bearer $PILOTBASE_HUB_TOKEN"
MOST_WORDS = 100


@dataclass(frozen=True)
class ShownField:
    """One field of a model, or one parameter of a request."""

    name: str
    kind: str
    """What it may be, such as ``string``, ``Name[]``, ``accept | reject``."""
    model: str
    """The model that it holds, which has a page of its own; empty: none."""
    required: bool
    said: str
    place: str = "body"
    """``path``, ``query``, ``header`` or ``body``."""
    example: str = ""


@dataclass(frozen=True)
class ShownOperation:
    """One operation as its page lays it out."""

    known: Operation[Any, Any]
    told: Json
    """What the schema says of it."""

    @property
    def title(self) -> str:
        return self.known.said(language())

    @property
    def more(self) -> str:
        return self.known.said(language(), "more").replace("``", "`")

    @property
    def who(self) -> str:
        """Return who may call it, in words."""
        return who_may(self.known, language())

    @cached_property
    def parameters(self) -> list[ShownField]:
        return [_parameter(self.known, one) for one in self.told["parameters"]]

    @property
    def body(self) -> str:
        """Return the model of the body; empty: it takes none, or bytes."""
        return _model_of(self._content.get(JSON, {}).get("schema", {}))

    @property
    def media(self) -> str:
        """Return the media type of its body; empty: it takes none."""
        return next(iter(self._content), "")

    @property
    def fields(self) -> list[ShownField]:
        return fields_of(self.body, self.known) if self.body else []

    @cached_property
    def example(self) -> str:
        """Return an example of its body, as JSON; empty: there is none."""
        found = _components().get(self.body, {}).get("examples", [])
        return json.dumps(found[0], ensure_ascii=False, indent=2) if found else "{}" if self.body else ""

    @property
    def answers(self) -> Iterator[tuple[int, str, str]]:
        """Yield each status, what it is called, and the model that comes with it."""
        for status, answer in self.told["responses"].items():
            content = answer.get("content", {}).values()
            model = next((_model_of(one.get("schema", {})) for one in content), "")
            yield int(status), REASONS[int(status)], model

    @property
    def curl(self) -> str:
        """Return the request as a shell command."""
        asked = [f'curl -sf "$PILOTBASE_HUB{_filled(self.told["path"])}"']
        asked += [f"-X {self.known.method}"] if self.known.method != "GET" else []
        asked += [f'-H "{_BEARER}"'] if self.known.callers is not Callers.UNASKED else []
        asked += [f'-H "{KEY}: $(uuidgen)"'] if self.known.keyed and self.known.callers is not Callers.UNASKED else []
        if self.media == JSON and self.example:
            asked += [
                f'-H "Content-Type: {JSON}"',
                f"-d {shlex.quote(json.dumps(json.loads(self.example), ensure_ascii=False))}",
            ]
        elif self.media:
            asked += [f'-H "Content-Type: {self.media}"', "--data-binary @FILE"]
        return " \\\n  ".join(asked)

    @property
    def python(self) -> str:
        """Return the call of the Python client; empty for one of many that a loop declares."""
        module = f"pilotbase.operations.{self.known.noun}"
        constants = vars(sys.modules[module]).items() if module in sys.modules else ()
        name = next((name for name, one in constants if one is self.known), "")
        if not name:
            return ""
        taken, noun = self.known.takes.__name__, self.known.noun
        asked = f"{noun}.{taken}(…)" if self.known.takes.__module__ == module else f"{taken}(…)"
        return f"HubCalls(requests).call({noun}.{name}, {asked})"

    @property
    def _content(self) -> Json:
        found: Json = self.told.get("requestBody", {}).get("content", {})
        return found


@page("api/docs/", "api-docs", EVERYBODY)
@revalidated
def show(request: HubRequest) -> HttpResponse:
    """List the operations by noun, only those that contain every word searched for."""
    words = request.GET.get("q", "")[:MOST_WORDS]
    terms = fold(words).split()
    found = [one for one in declared().values() if all(term in _spoken(one) for term in terms)]
    found.sort(key=lambda one: (heading(one.heading), one.path))
    groups = [(name, heading(name), list(each)) for name, each in groupby(found, key=lambda one: one.heading)]
    shown = {"title": text("hub.api_title"), "groups": groups, "words": words, "url": settings.CONFIGURATION.url}
    return render(request, "hub/api.html", shown)


@page("api/docs/<str:name>/", "api-operation", EVERYBODY)
@revalidated
def show_operation(request: HubRequest, name: str) -> HttpResponse:
    """Show one operation, with a form that sends it for the reader."""
    described = ShownOperation(there(declared().get(name)), there(_told().get(name)))
    group = [one for one in declared().values() if one.heading == described.known.heading]
    shown = {"title": described.title, "described": described, "group": group, "crumbs": _crumbs()}
    return render(request, "hub/api_operation.html", {**shown, "heading": heading(described.known.heading)})


@page("api/docs/models/<str:name>/", "api-model", EVERYBODY)
@revalidated
def show_model(request: HubRequest, name: str) -> HttpResponse:
    """Show one model: its fields, and an example where there is one."""
    model = there(_components().get(name))
    example = json.dumps(model["examples"][0], ensure_ascii=False, indent=2) if model.get("examples") else ""
    shown = {"title": name, "model": model, "fields": fields_of(name), "example": example, "crumbs": _crumbs()}
    return render(request, "hub/api_model.html", shown)


def heading(name: str) -> str:
    """Return what a noun of the reference is called."""
    return text(f"op.of.{name}").render(language())


def who_may(known: Operation[Any, Any], reader: Language) -> str:
    """Return who may call an operation, in words."""
    if known.who is not None:
        return granted(known.who.grants, reader)
    callers = Callers.EVERYBODY if known.callers is Callers.UNASKED else known.callers
    return known.only if known.only and reader == "en" else Text(code=f"hub.api_callers.{callers}").render(reader)


def fields_of(model: str, known: Operation[Any, Any] | None = None) -> list[ShownField]:
    """Return the fields of a model of the schema, as the operation ``known`` calls them where it does."""
    schema = _components()[model]
    required = set(schema.get("required", ()))
    return [
        ShownField(name, *_kind(one), name in required, _said(known, name, one.get("description", "")))
        for name, one in schema.get("properties", {}).items()
    ]


def _parameter(known: Operation[Any, Any], told: Json) -> ShownField:
    name, example = told["name"], told.get("example", PARAMETERS.get(told["name"], ""))
    said = _said(known, name, told.get("description", "") or told.get("schema", {}).get("description", ""))
    kind, model = _kind(told.get("schema", {}))
    return ShownField(name, kind, model, told.get("required", False), said, told["in"], str(example))


def _said(known: Operation[Any, Any] | None, name: str, otherwise: str) -> str:
    """Return what a field is, in the reader's language where the operation says it."""
    label = known.called(name, language()) if known is not None else ""
    more = known.called(name, language(), "help") if known is not None and label else ""
    return f"{label}{': ' if more else ''}{more}" or otherwise.replace("``", "`")


def _kind(schema: Json) -> tuple[str, str]:
    """Return what a value may be, and the model that it holds."""
    if model := _model_of(schema):
        return (f"{model}[]" if "items" in schema else model), model
    if "anyOf" in schema or "oneOf" in schema:
        kinds = [_kind(one) for one in schema.get("anyOf") or schema["oneOf"]]
        spelled = [kind for kind, _ in kinds if kind != "null"]
        return " | ".join(dict.fromkeys(spelled)), next((model for _, model in kinds if model), "")
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"])), ""
    if "const" in schema:
        return str(schema["const"]), ""
    if schema.get("type") == "array":
        kind, model = _kind(schema.get("items", {}))
        return f"{kind}[]", model
    return schema.get("format") or schema.get("type", "any"), ""


def _model_of(schema: Json) -> str:
    return str((schema.get("items") or schema).get("$ref", "")).rpartition("/")[2]


def _filled(path: str) -> str:
    for name, value in PARAMETERS.items():
        path = path.replace(f"{{{name}}}", str(value))
    return path


def _spoken(known: Operation[Any, Any]) -> str:
    return fold(" ".join([known.name, known.http, known.said("en"), known.said("zh")]))


def _crumbs() -> list[Crumb]:
    return [crumb("api-docs", text("hub.api_title"))]


def _schema() -> Json:
    return api.get_openapi_schema(path_prefix="/api/")  # type: ignore[no-any-return]


def _components() -> Mapping[str, Json]:
    return _schema()["components"]["schemas"]  # type: ignore[no-any-return]


def _told() -> dict[str, Json]:
    """Return operation → what the schema says of it, with its path."""
    return {
        one["operationId"]: {**one, "path": path}
        for path, methods in _schema()["paths"].items()
        for one in methods.values()
    }
