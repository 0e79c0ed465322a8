"""The OpenAPI schema made exact: what each operation answers, headers, examples, and documents as they are sent."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from http.client import responses
from typing import Any, get_args

import pydantic
from pydantic.json_schema import models_json_schema

from pilotbase.documents.api.shapes import InAddress, RequestModel, ResponseModel
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.plugins import HOUSE, loaded, plugins
from pilotbase.documents.record import BROUGHT
from pilotbase.hub.api.examples import EXAMPLES, PARAMETERS
from pilotbase.hub.problems import PROBLEM_TYPE
from pilotbase.operations import by_address, declared
from pilotbase.operations.operation import Operation, Repeated

Json = dict[str, Any]
_REFERENCE = "#/components/schemas/{model}"
_OWN_RESULT = "result"
"""What the base's own work brings; nobody sends it."""
_TEXT = {"type": "string"}
_COUNT = {"type": "string", "pattern": "^[0-9]+$"}
_ETAG = {"ETag": {"description": "Names what is answered; for If-Match and If-None-Match.", "schema": _TEXT}}
_LOCATION = {"Location": {"description": "Where it is from now on.", "schema": _TEXT}}
_OFFSET = {"Upload-Offset": {"description": "Bytes received so far: the next piece begins here.", "schema": _COUNT}}
_BEYOND = {"Content-Range": {"description": "How many bytes there are: `bytes */SIZE`.", "schema": _TEXT}}
_RETRY = {"Retry-After": {"description": "Seconds after which to ask again.", "schema": _COUNT}}
_LOGIN = {"WWW-Authenticate": {"description": "Send a token.", "schema": _TEXT}}
REASONS = {**responses, 413: "Content Too Large", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
"""RFC 9110, section 15, whatever Python's own table calls them: the schema is the same under every version."""
PROBLEMS = (400, 401, 403, 404, 405, 409, 412, 413, 415, 416, 422, 429, 503, 507)
"""Every status of problem details; 405 where an address knows the method not, so no operation names it."""
_PROBLEM_HEADERS: dict[int, Json] = {401: _LOGIN, 429: _RETRY, 503: _RETRY}
_HEADERS = {
    "Idempotency-Key": "Sent again under the same key, a request is done once and answered the same; for a day.",
    "Idempotency-Key of a secret": "Sent again under the same key, nothing is made; 409 names what was. For a day.",
    "If-Match": "The ETag of what the caller has seen; 412 where somebody was first.",
    "If-None-Match": "An ETag that the caller has; 304 where nothing has changed.",
    "Range": "One part of the file, `bytes=FIRST-LAST`; of several parts the whole is given.",
    "If-Range": "The ETag under which earlier parts came; the whole is given where it is another one by now.",
}
DESCRIPTION = """Scenarios, applications, trials and certificates of a pilot base.

Documents are named by their digest, which is their `ETag`. Whatever goes wrong is answered as problem details
(RFC 9457) in the language of `Accept-Language` (`en`, `zh`); `code` names it in any language. What a caller may not see
does not exist for them: 404; what they may not do is refused: 403; what they may do and what cannot be done as things
stand is refused with the reason: 409. Lists that grow without end come in pages: `items`, and what to pass as `after`
in `next`. Lists of what one record, service or organisation has come whole, as an array. Every GET may be a HEAD."""


def exact(schema: Json) -> Json:
    """Return ``schema``, as ninja makes it, with everything that an operation may answer."""
    components = schema["components"]
    components["schemas"] = _named_as_ninja_does(schema, _definitions())
    components["responses"] = {_name(status): _spelled(status) for status in PROBLEMS}
    components["securitySchemes"].pop("Visitor", None)
    examples = {one.sent.__name__: one.example for one in declared().values() if one.example is not None}
    for name, example in {**EXAMPLES, **examples}.items():
        components["schemas"][name]["examples"] = [example]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            known = by_address()[f"{method.upper()} {path.removeprefix('/api')}"]
            _complete(operation, known)
    return schema


def _definitions() -> Json:
    """Return name → JSON Schema of each model and of what it consists of.

    Where two classes share a name, the one that an operation names has it; others have their module's name before it,
    as ``TermsDuty``, in their title too: programs that make clients name their classes by it.

    Raises:
        TypeError: two that operations name share one, so that either would be described as the other.
    """
    models = _models()
    twice = [name for name, count in Counter(one.__name__ for one in models).items() if count > 1]
    if twice:
        raise TypeError(f"models of the API that share a name: {', '.join(twice)}")
    references, found = models_json_schema([(one, "validation") for one in models], ref_template=_REFERENCE)
    spelled = json.dumps(found["$defs"])
    for package in plugins():
        spelled = spelled.replace(f"{package}__", f"{HOUSE}__")
    for (model, _), reference in references.items():
        spelled = spelled.replace(f'{reference["$ref"].rpartition("/")[2]}"', f'{model.__name__}"')
    for long in set(re.findall(rf'"({HOUSE}__\w+)":', spelled)):
        *_, module, name = long.split("__")
        spelled = spelled.replace(f'{long}"', f'{module.title().replace("_", "")}{name}"')
    definitions: Json = json.loads(spelled)
    return {name: one | {"title": name} for name, one in definitions.items()}


def _named_as_ninja_does(schema: Json, definitions: Json) -> Json:
    """Let parameters name what ``definitions`` calls otherwise: ninja gives every class of a query its short name."""
    for name, made in schema["components"]["schemas"].items():
        same = [
            known for known, one in definitions.items() if known.endswith(name) and one.get("enum") == made.get("enum")
        ]
        if name not in definitions and made.get("enum") and same:
            _rename(schema["paths"], _REFERENCE.format(model=name), _REFERENCE.format(model=same[0]))
    return definitions


def _rename(part: Any, old: str, new: str) -> None:
    """Let every reference to ``old`` in a part of the schema lead to ``new``."""
    if isinstance(part, dict) and part.get("$ref") == old:
        part["$ref"] = new
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _rename(one, old, new)


def _models() -> list[type[pydantic.BaseModel]]:
    """Return every model that the API takes or gives; what documents leave out when they are sent is not required."""
    brought = [model for name, model in BROUGHT.items() if name != _OWN_RESULT]
    told = [
        model for one in declared().values() for model in (*get_args(one.gives), one.gives, one.writes and one.sent)
    ]
    models = [one for one in told if isinstance(one, type) and issubclass(one, pydantic.BaseModel)]
    return list(dict.fromkeys([*_api_models(), *models, *brought]))


def _api_models() -> Iterator[type[pydantic.BaseModel]]:
    """Yield what the files of `documents.api` define."""
    for module in loaded("documents.api"):
        for one in vars(module).values():
            own = isinstance(one, type) and issubclass(one, pydantic.BaseModel) and one.__module__ == module.__name__
            if own and one not in (RequestModel, InAddress, ResponseModel):
                yield one


def _complete(operation: Json, known: Operation[Any, Any]) -> None:
    security = operation.get("security", [])
    if {"Visitor": []} in security:
        operation["security"] = [*(one for one in security if one != {"Visitor": []}), {}]
    for parameter in operation.get("parameters", []):
        if parameter["name"] in PARAMETERS:
            parameter["example"] = PARAMETERS[parameter["name"]]
    operation["parameters"] = [*operation.get("parameters", []), *_header_parameters(operation, known)]
    for status, answer in list(operation["responses"].items()):
        if headers := _success_headers(known, int(status)):
            answer["headers"] = headers
    if "If-None-Match" in (one["name"] for one in operation["parameters"]):
        operation["responses"][304] = {"description": REASONS[304], "headers": _ETAG}
    operation["responses"] |= {status: _problem(status, known) for status in _problems(operation, known)}


def _problems(operation: Json, known: Operation[Any, Any]) -> Iterator[int]:
    """Yield the statuses of problem details that the operation may answer."""
    secured = bool(operation.get("security"))
    yield 400
    if secured:
        yield from (401, 429)
    acts = known.who is not None and not isinstance(known.who, ReadScope)
    if secured and (known.writes or acts or 403 in known.refuses):
        yield 403
    if known.writes or known.in_path or "subject" in known.others or isinstance(known.who, ReadScope):
        yield 404
    if secured and known.method in ("POST", "PUT"):
        yield from (409, 412)
    yield from sorted(known.refuses - {403})
    if "requestBody" in operation:
        yield from (413, 415)
    if operation["parameters"] or "requestBody" in operation:
        yield 422
    yield 503
    if known.writes:
        yield 507


def _problem(status: int, known: Operation[Any, Any]) -> Json:
    """Return a reference to the answer of ``status``; a piece that comes at the wrong place is told the right one."""
    if status == 409 and "/pieces/" in known.path:
        return _spelled(status) | {"headers": _OFFSET}
    if status == 416:
        return _spelled(status) | {"headers": _BEYOND}
    return {"$ref": f"#/components/responses/{_name(status)}"}


def _spelled(status: int) -> Json:
    content = {PROBLEM_TYPE: {"schema": {"$ref": _REFERENCE.format(model="Problem")}}}
    headers = _PROBLEM_HEADERS.get(status)
    return {"description": REASONS[status], "content": content} | ({"headers": headers} if headers else {})


def _name(status: int) -> str:
    return REASONS[status].replace(" ", "")


def _header_parameters(operation: Json, known: Operation[Any, Any]) -> Iterator[Json]:
    """Yield the headers that the operation reads."""
    names, sends = [], known.method in ("POST", "PUT")
    if sends and operation.get("security") and known.keyed:
        names.append("Idempotency-Key")
    if sends and known.marked and known.path != "/trials":
        names.append("If-Match")
    if not known.writes and (known.marked or known.shared):
        names.append("If-None-Match")
    if known.in_parts:
        names += ["Range", "If-Range"]
    for name in names:
        schema = {"type": "string", "maxLength": 120} if name == "Idempotency-Key" else _TEXT
        told = f"{name} of a secret" if name == "Idempotency-Key" and known.repeated is Repeated.ONCE else name
        yield {"in": "header", "name": name, "required": False, "schema": schema, "description": _HEADERS[told]}


def _success_headers(known: Operation[Any, Any], status: int) -> Json:
    if status == 202:
        return _LOCATION | _RETRY
    headers = (_LOCATION if status == 201 else {}) | (_OFFSET if "Upload-Offset" in known.headers else {})
    return headers | (_ETAG if known.marked or known.shared else {})
