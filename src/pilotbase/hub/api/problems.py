"""Problem details (RFC 9457) for everything that goes wrong, in the caller's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pydantic
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError, ValidationErrorContext

from pilotbase.documents.errors import InputError, Issue, PilotbaseError
from pilotbase.documents.loading import issues_of
from pilotbase.hub.problems import PROBLEM_TYPE, LoginNeededError, problem_response
from pilotbase.workspace.failures import NotFoundError

STATUSES = frozenset({400, 401, 403, 404, 409, 412, 415, 422, 429, 503, 507})
"""What any operation may answer with problem details: below 500; 503: the store is busy or away; 507: it is full."""


class ProblemIssue(pydantic.BaseModel):
    """One problem of what was sent."""

    path: str
    code: str
    detail: str


class Problem(pydantic.BaseModel):
    """Problem details."""

    type: str
    title: str
    status: int
    code: str
    hint: str
    problems: list[ProblemIssue] = []


class BodyError(ValidationError):
    """What was sent does not fit, every problem at once."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__([])
        self.problem = InputError.from_issues("request", issues)


class HubApi(NinjaAPI):
    """Django Ninja with our problem details, in its answers and in its schema."""

    _schema: Any = None

    def validation_error_from_error_contexts(self, error_contexts: list[ValidationErrorContext[Any]]) -> BodyError:
        found = [issue for one in error_contexts for issue in issues_of("request", one.pydantic_validation_error)]
        return BodyError(found)

    def get_openapi_schema(self, **options: Any) -> Any:
        """Return the schema, made once: the operations of a process do not change."""
        if self._schema is None:
            self._schema = self._make_schema(**options)
        return self._schema

    def _make_schema(self, **options: Any) -> Any:
        schema = super().get_openapi_schema(**options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                _spell_problems(operation["responses"])
        return schema


def install(api: NinjaAPI) -> None:
    """Let ``api`` answer every error as problem details."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        PilotbaseError: lambda request, error: problem_response(error),
        BodyError: lambda request, error: problem_response(error.problem),
        AuthenticationError: lambda request, error: problem_response(LoginNeededError("hub.login_needed")),
        Http404: lambda request, error: problem_response(NotFoundError("hub.not_found")),
        HttpError: lambda request, error: problem_response(InputError("hub.bad_request"), error.status_code),
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _spell_problems(responses: dict[Any, Any]) -> None:
    for status, response in responses.items():
        if int(status) in STATUSES and "content" in response:
            response["content"] = {PROBLEM_TYPE: next(iter(response["content"].values()))}
