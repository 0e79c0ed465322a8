"""The API with all its routers; everything that goes wrong is told in problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError, ValidationErrorContext

import pilotbase
from pilotbase.documents.errors import InputError, Issue, PilotbaseError
from pilotbase.documents.loading import issues_of
from pilotbase.hub.api import answers, declared, schema
from pilotbase.hub.api.schema import exact
from pilotbase.hub.bounds import BodyTooLargeError, RangeError
from pilotbase.hub.problems import LoginNeededError, problem_response
from pilotbase.vault.uploads import OffsetError
from pilotbase.workspace.failures import NotFoundError


class BodyError(ValidationError):
    """What was sent does not fit, every problem at once."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__([])
        self.problem = InputError.from_issues("request", issues)


class HubApi(NinjaAPI):
    """Django Ninja with our problem details and an exact schema."""

    _schema: Any = None

    def get_openapi_schema(self, **options: Any) -> Any:
        """Return the schema, made once: the operations of a process do not change."""
        if self._schema is None:
            self._schema = exact(super().get_openapi_schema(**options))
        return self._schema

    def validation_error_from_error_contexts(self, error_contexts: list[ValidationErrorContext[Any]]) -> BodyError:
        found = [
            issue for one in error_contexts for issue in issues_of("request", one.pydantic_validation_error, one.model)
        ]
        return BodyError(found)


def install(api: NinjaAPI) -> None:
    """Let ``api`` answer every error as problem details."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        PilotbaseError: lambda request, error: problem_response(error),
        OffsetError: lambda request, error: _misplaced(error),
        RangeError: lambda request, error: _beyond(error),
        BodyError: lambda request, error: problem_response(error.problem),
        AuthenticationError: lambda request, error: problem_response(LoginNeededError("hub.login_needed")),
        Http404: lambda request, error: problem_response(NotFoundError("hub.not_found")),
        HttpError: lambda request, error: _unreadable(error),
        RequestDataTooBig: lambda request, error: problem_response(
            BodyTooLargeError("api.body_too_large", allowed=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        ),
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _unreadable(error: HttpError) -> HttpResponse:
    """Answer what ninja could not parse: in our own words where the parser had some."""
    cause = error.__cause__
    if isinstance(cause, PilotbaseError):
        return problem_response(cause)
    return problem_response(InputError("hub.bad_request"), error.status_code)


def _misplaced(error: OffsetError) -> HttpResponse:
    response = problem_response(error)
    response["Upload-Offset"] = str(error.offset)
    return response


def _beyond(error: RangeError) -> HttpResponse:
    response = problem_response(error)
    response["Content-Range"] = f"bytes */{error.size}"
    return response


api = HubApi(
    title="Pilotbase",
    version=pilotbase.__version__,
    description=schema.DESCRIPTION,
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api",
    parser=answers.JsonBodies(),
)
install(api)
api.add_router("", declared.made_router())
