"""Routes of declared operations: they read the request, call the operation and answer as it declares."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import pydantic
from allauth.account.adapter import get_adapter  # type: ignore[import-untyped]
from django.http import HttpResponse
from ninja import Path, Query, Router
from ninja.constants import NOT_SET

from pilotbase.documents.api.uploads import MAXIMUM_PIECE
from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest, canonical_json
from pilotbase.documents.loading import issues_of
from pilotbase.documents.permissions import ReadScope
from pilotbase.hub.acting import HubRequest, RequestActor, caller
from pilotbase.hub.api.answers import (
    BINARY_BODY,
    BYTES,
    FILES,
    JSON,
    PART,
    document,
    idempotent,
    if_match,
    json_response,
    keyed_view,
    require_type,
)
from pilotbase.hub.api.authentication import EVERYBODY, MEMBERS, ServiceKeyAuth
from pilotbase.hub.bounds import BodyTooLargeError, count_request
from pilotbase.hub.caching import confirmed, shared
from pilotbase.hub.people.directory import HubAccounts
from pilotbase.hub.people.invitations import changing_roles
from pilotbase.hub.presenters.addresses import address_of
from pilotbase.hub.presenters.taken import file_response, part_of
from pilotbase.operations import declared
from pilotbase.operations.operation import NOTHING, Callers, Operation, Repeated
from pilotbase.worker.operations.binding import Caller, Function, Versioned, function_of
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_PATH: Any = Path
_QUERY: Any = Query
_BODIES = {BYTES: BINARY_BODY, JSON: {"requestBody": {"required": False, "content": {JSON: {"schema": {}}}}}}
_AUTH = {
    Callers.EVERYBODY: EVERYBODY,
    Callers.UNASKED: None,
    Callers.MEMBERS: MEMBERS,
    Callers.OBSERVERS: [ServiceKeyAuth(), *MEMBERS],
}


def made_router() -> Router:
    """Return the routes of every declared noun, with all methods of a path on one router."""
    router = Router()
    for operation in declared().values():
        _add(router, operation)
    return router


def _add(router: Router, operation: Operation[Any, Any]) -> None:
    router.api_operation(
        [operation.method],
        operation.path,
        auth=_AUTH[operation.callers],
        response=_response(operation),
        by_alias=True,
        operation_id=operation.name,
        summary=operation.said("en"),
        description=operation.said("en", "more"),
        tags=[operation.heading],
        openapi_extra=_extra(operation),
    )(_view(operation))


def _response(operation: Operation[Any, Any]) -> Any:
    """Return status → model of what it answers."""
    if operation.meanwhile is not None:
        return {200: None, 202: operation.meanwhile}
    given = None if operation.gives is NOTHING else operation.gives
    return NOT_SET if operation.gives_file else {operation.status: given}


def _extra(operation: Operation[Any, Any]) -> dict[str, Any] | None:
    """Return the schema of bytes."""
    if operation.gives_file:
        return {"responses": FILES[operation.media] | (PART if operation.in_parts else {})}
    return _BODIES[operation.media] if operation.takes_bytes else None


def _view(operation: Operation[Any, Any]) -> Callable[..., Any]:
    function: Function[Any, Any] = function_of(operation)

    def view(request: HubRequest, **given: Any) -> Any:
        if operation.writes:
            _require_role(operation, request.acting)
        if operation.visits is not None and request.acting.person is None:
            count_request(f"{operation.name}:{get_adapter().get_client_ip(request)}", operation.visits)
        if operation.takes_bytes:
            given["wanted"] = _piece(request, operation.media)
        wanted = _input(operation, given)
        version = if_match(request) if operation.marked and operation.writes else None

        def act(view: View) -> Any:
            found = function(_caller(request, view, version), wanted)
            if not operation.writes:  # after the function, whose own refusal says more
                _require_role(operation, request.acting)
            return _answer(request, operation, wanted, found)

        if not operation.keyed:
            return act(request.acting.view)
        return act(keyed_view(request)) if operation.repeated is Repeated.ONCE else idempotent(request, act)

    view.__signature__ = inspect.Signature(list(_parameters(operation)))  # type: ignore[attr-defined]
    return view


def _require_role(operation: Operation[Any, Any], acting: RequestActor) -> None:
    """Return if the table has a grant for a role of the caller; what else a grant asks for, the function knows.

    Raises:
        RefusedError: they may do it to nothing.
        NotFoundError: they may read it of nothing.
    """
    who = operation.who
    if who is None or any(grant.admits(acting.actor.roles) for grant in who.grants):
        return
    if isinstance(who, ReadScope):
        raise NotFoundError("hub.not_found")
    acting.require(who)


def _caller(request: HubRequest, view: View, version: Digest | None) -> Caller:
    known = caller(view, version, getattr(request, "service", None))
    accounts, guarded = HubAccounts(request.acting), partial(changing_roles, view)
    return replace(known, part=part_of(request), address_of=address_of, accounts=accounts, changing_roles=guarded)


def _parameters(operation: Operation[Any, Any]) -> Iterator[inspect.Parameter]:
    """Yield what ninja reads from a request: each field of the address, and the rest as ``wanted``."""
    kind, fields = inspect.Parameter.POSITIONAL_OR_KEYWORD, operation.takes.model_fields
    yield inspect.Parameter("request", kind)
    for name in operation.in_path:
        yield inspect.Parameter(name, kind, annotation=_PATH[Annotated[fields[name].annotation, fields[name]]])
    if operation.sent is not None and not operation.takes_bytes:
        sent = operation.sent if operation.writes else _QUERY[operation.sent]
        yield inspect.Parameter("wanted", kind, annotation=sent)
    if operation.beside is not None:
        yield inspect.Parameter("beside", kind, annotation=_QUERY[operation.beside])


def _input(operation: Operation[Any, Any], given: dict[str, Any]) -> Any:
    """Return the input, checked whole: what must hold between its fields is not known before they are together."""
    try:
        return operation.takes.model_validate(_spread(operation, given))
    except pydantic.ValidationError as error:
        raise InputError.from_issues("request", issues_of("request", error, operation.takes)) from error


def _spread(operation: Operation[Any, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return field → value of the input; fields that were not sent keep their default."""
    wanted = given.pop("wanted", None)
    if operation.whole is not None:
        beside = given.pop("beside", None)
        return {**given, **(dict(beside) if beside is not None else {}), operation.whole: wanted}
    sent = wanted.model_fields_set if wanted is not None else ()
    return {**given, **{name: getattr(wanted, name) for name in sent}}


def _answer(request: HubRequest, operation: Operation[Any, Any], wanted: Any, found: Any) -> Any:
    given, version = (found.given, found.version) if isinstance(found, Versioned) else (found, None)
    if operation.gives is NOTHING:
        return HttpResponse(status=operation.status)
    if operation.meanwhile is not None and isinstance(given, operation.meanwhile):
        return _until_made(json_response(given, 202, operation.location.format(asked=wanted, given=given)))
    if operation.gives_file:
        file = file_response(given, operation.media)
        return confirmed(request, file) if operation.shared else file
    if operation.shared:
        return shared(request, canonical_json(given.model_dump(mode="json", by_alias=True)), JSON)
    if operation.marked:
        assert isinstance(given, Document)
        found = document(request, given, operation.status, version)
        if operation.location:
            found["Location"] = operation.location.format(asked=wanted, given=given)
        return found
    if operation.status == 200 and not operation.headers and not operation.keyed:
        return given
    answer = json_response(given, operation.status, operation.location.format(asked=wanted, given=given))
    for name, value in operation.headers.items():
        answer[name] = value.format(asked=wanted, given=given)
    return _until_made(answer) if operation.later else answer


def _until_made(answer: HttpResponse) -> HttpResponse:
    answer["Retry-After"] = "2"
    return answer


def _piece(request: HubRequest, media: str) -> bytes:
    """Return the raw body; raises `BodyTooLargeError` above the size of a piece."""
    if media == BYTES:
        require_type(request, BYTES)
    piece = request.read(MAXIMUM_PIECE + 1)
    if len(piece) > MAXIMUM_PIECE:
        raise BodyTooLargeError("api.body_too_large", allowed=MAXIMUM_PIECE)
    return piece
