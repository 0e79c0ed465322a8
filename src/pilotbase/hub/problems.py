"""What went wrong, at the edge: a page in the reader's language, or problem details (RFC 9457) for programs."""

from __future__ import annotations

import errno
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string

from pilotbase.catalogue.records import PreconditionError, StaleEditError
from pilotbase.documents.errors import (
    BarredError,
    InputError,
    InvalidProofError,
    PilotbaseError,
    RefusedError,
    UnknownProofError,
)
from pilotbase.documents.texts import Language, Text, make_visible, sentence, text
from pilotbase.hub.acting import language
from pilotbase.hub.bounds import BodyTooLargeError, MediaTypeError, RangeError, TooManyRequestsError, require_bounded
from pilotbase.protocols.guarded_http import NoAnswerError
from pilotbase.workspace.engine import SQLITE_FULL
from pilotbase.workspace.failures import (
    BusyError,
    ConflictError,
    DiskFullError,
    NotFoundError,
    StaleLeaseError,
    UnreachableError,
)

PROBLEM_TYPE = "application/problem+json"
RETRY_SECONDS = "5"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_POSTGRES_FULL = "53100"
_GUARDED = ("/api/", "/account/")
"""What is sent there comes from programs, or holds codes, which no page repeats."""
_log = logging.getLogger("pilotbase.hub")


class LoginNeededError(PilotbaseError):
    """A visitor asked for what only people with an account reach."""


STATUSES: tuple[tuple[type[PilotbaseError], int], ...] = (
    (LoginNeededError, 401),
    (PreconditionError, 412),
    (StaleEditError, 412),
    (NotFoundError, 404),
    (ConflictError, 409),
    (StaleLeaseError, 409),
    (BusyError, 503),
    (UnreachableError, 503),
    (DiskFullError, 507),
    (BodyTooLargeError, 413),
    (MediaTypeError, 415),
    (RangeError, 416),
    (NoAnswerError, 422),
    (InputError, 422),
    (InvalidProofError, 422),
    (UnknownProofError, 422),
    (TooManyRequestsError, 429),
    (BarredError, 409),
    (RefusedError, 403),
)


def status_of(error: PilotbaseError) -> int:
    """Return the HTTP status that says what ``error`` means."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def problem_details(error: PilotbaseError, status: int, reader: Language) -> dict[str, Any]:
    """Return the problem details of ``error``: type, title, status, detail, code, hint, and every problem found."""
    details: dict[str, Any] = {
        "type": f"urn:pilotbase:problem:{error.code}",
        "title": sentence(error.text, reader, make_visible),
        "status": status,
        "code": error.code,
        "hint": sentence(error.hint, reader, make_visible),
    }
    if isinstance(error, BarredError):
        details["barred"] = True
    issues = error.issues if isinstance(error, InputError) else ()
    if issues:
        details["problems"] = [
            {"path": issue.path, "code": issue.problem.code, "detail": issue.say(reader, make_visible)}
            | ({"file": make_visible(issue.file), "line": issue.line} if issue.line else {})
            for issue in issues
        ]
    return details


def problem_response(error: PilotbaseError, status: int | None = None) -> HttpResponse:
    """Return ``error`` as problem details in the caller's language; of a trouble of the machine no more than needed."""
    trouble = outage(error)
    if trouble is not None:
        _log.error("%s", error, exc_info=error)
    error = trouble or error
    code = status or status_of(error)
    body = json.dumps(problem_details(error, code, language()), ensure_ascii=False)
    response = HttpResponse(body, status=code, content_type=PROBLEM_TYPE)
    if code == 401:
        response["WWW-Authenticate"] = 'Bearer realm="pilotbase"'
    if code == 503:
        response["Retry-After"] = RETRY_SECONDS
    if isinstance(error, TooManyRequestsError):
        response["Retry-After"] = str(error.retry_seconds)
    return response


def outage(error: BaseException | None) -> PilotbaseError | None:
    """Return what to tell whoever asked, where ``error`` is a trouble of the machine that passes; else None."""
    if isinstance(error, DiskFullError) or _is_full_disk(error):
        return DiskFullError("hub.disk_full")
    if isinstance(error, UnreachableError) and error.code == "blobs.unreachable":
        return UnreachableError("hub.blobs_away")
    if isinstance(error, UnreachableError | OperationalError | InterfaceError):
        return UnreachableError("hub.database_away")
    return None


class explain:  # noqa: N801 - named in settings beside the function middlewares
    """Middleware: what Pilotbase raises on purpose becomes a page with the status it means."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            require_bounded(request)
        except BodyTooLargeError as refusal:
            return problem_response(refusal) if request.path.startswith("/api/") else problem_page(request, refusal)
        if "%00" in request.META.get("QUERY_STRING", ""):  # no text holds it, and PostgreSQL has no place for it
            return bad_request(request)
        response = self._answer(request)
        if response.status_code == 405 and request.path.startswith("/api/"):
            error = InputError("hub.method_not_allowed", found=request.method, allowed=response.headers["Allow"])
            told = problem_response(error, 405)
            told["Allow"] = response.headers["Allow"]
            return told
        if response.status_code == 405:
            return self._page_of(request, response.headers.get("Allow", ""))
        return response

    def _page_of(self, request: HttpRequest, allowed: str) -> HttpResponse:
        """Return the page that says that an address takes forms, and is no page."""
        error = InputError("hub.takes_forms")
        page = _page(request, 405, error.text, error.hint, ())
        page["Allow"] = allowed
        return page

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        """Return the answer; HEAD is GET without its body, which the server leaves out (ninja knows GET only)."""
        if request.method != "HEAD" or not request.path.startswith("/api/"):
            return self.get_response(request)
        request.method = "GET"
        try:
            return self.get_response(request)
        finally:
            request.method = "HEAD"

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, LoginNeededError):
            if _came_from_here(request):
                return _kept(request, 401)
            return redirect_to_login(request.get_full_path())
        if outage(error) is not None:
            return None  # `failed` answers it, wherever it was raised
        return problem_page(request, error) if isinstance(error, PilotbaseError) else None


def problem_page(request: HttpRequest, error: PilotbaseError) -> HttpResponse:
    """Return the page that says what happened and what to do."""
    status = status_of(error)
    if status >= 500:
        _log.error("%s", error, exc_info=error)
    issues = error.issues if isinstance(error, InputError) else ()
    return _page(request, status, error.text, error.hint, issues)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404: the same words whether a thing does not exist or may not be known of."""
    return _plain(request, NotFoundError("hub.not_found"), 404)


def refused(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler403."""
    return _plain(request, RefusedError("hub.forbidden"), 403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400."""
    return _plain(request, InputError("hub.bad_request"), 400)


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler500: also 503 while the database is away, 507 while the disk is full."""
    trouble = outage(sys.exception())
    if trouble is not None:
        return _without_database(request, trouble)
    return _plain(request, PilotbaseError("hub.failed", request=getattr(request, "number", "–")), 500)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without its token: not from one of our pages, or from a page that was open too long."""
    return _kept(request, 403) if _came_from_here(request) else _plain(request, RefusedError("hub.csrf_failed"), 403)


def _came_from_here(request: HttpRequest) -> bool:
    """Return whether a form came from a page of this hub, as the browser says, and holds no password."""
    own = {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}
    if request.method != "POST" or request.headers.get("Origin") not in own or request.path.startswith(_GUARDED):
        return False
    return not any("password" in name for name in request.POST)


def _kept(request: HttpRequest, status: int) -> HttpResponse:
    """Return a page that holds what was typed, and sends it again once its author has logged in."""
    hint = text("hub.form_kept" if request.user.is_authenticated else "hub.form_kept_sign_in")
    fields = [(name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"]
    shown = {"title": text("hub.problem_title"), "what": text("hub.session_ended"), "hint": hint, "fields": fields}
    return render(request, "hub/problem.html", {**shown, "status": status}, status=status)


def _plain(request: HttpRequest, error: PilotbaseError, status: int) -> HttpResponse:
    if request.path.startswith("/api/"):
        return problem_response(error, status)
    return _page(request, status, error.text, error.hint, ())


def _without_database(request: HttpRequest, error: PilotbaseError) -> HttpResponse:
    """Return a page for which nobody asks who is there: that could not be told now."""
    if request.path.startswith("/api/"):
        return problem_response(error)
    shown = {"title": text("hub.problem_title"), "what": error.text, "hint": error.hint, "reader": language()}
    status = status_of(error)
    page = HttpResponse(render_to_string("hub/problem.html", {**shown, "status": status}), status=status)
    if status == 503:
        page["Retry-After"] = RETRY_SECONDS
    return page


def _page(request: HttpRequest, status: int, what: Text, hint: Text, issues: Any) -> HttpResponse:
    shown = {"title": text("hub.problem_title"), "what": what, "hint": hint, "issues": issues}
    return render(request, "hub/problem.html", {**shown, "status": status}, status=status)


def _is_full_disk(error: BaseException | None) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    if not isinstance(error, DatabaseError):
        return False
    cause = error.__cause__
    name = str(getattr(cause, "sqlite_errorname", ""))
    return name.startswith(SQLITE_FULL) or getattr(cause, "sqlstate", None) == _POSTGRES_FULL
