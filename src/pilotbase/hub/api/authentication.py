"""Who calls: a program with a token or a service's key, a person's browser with its CSRF token, or a visitor."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import hash_secret
from pilotbase.documents.vocabularies import Scope
from pilotbase.hub.acting import RequestActor
from pilotbase.hub.base import base
from pilotbase.hub.bounds import count_request
from pilotbase.hub.people.tokens import acting_by
from pilotbase.hub.problems import LoginNeededError
from pilotbase.service.registry import MARK, opened_by
from pilotbase.workspace.actors import VISITOR, Actor

SAFE = ("GET", "HEAD", "OPTIONS")


class TokenAuth(HttpBearer):
    """A token; one that does not work is refused, never taken for a visitor."""

    def authenticate(self, request: HttpRequest, token: str) -> RequestActor:
        acting = acting_by(token)
        if acting is None:
            raise LoginNeededError("hub.token_invalid")
        count_request(hash_secret(token))
        _require_factor(acting)
        if request.method not in SAFE and not acting.may_write:
            raise RefusedError("hub.token_read_only")
        return _as(request, acting)


class ServiceKeyAuth(HttpBearer):
    """A key of a service with the scope ``observe``; its holder hands in for that service, and sees nothing else."""

    def authenticate(self, request: HttpRequest, token: str) -> RequestActor | None:
        if not token.startswith(MARK):
            return None
        count_request(hash_secret(token))
        try:
            key = opened_by(base().lab.view, token, Scope.OBSERVE)
        except RefusedError as error:
            if error.code == "service.wrong_scope":
                raise
            raise LoginNeededError(error.code, **error.text.params) from None
        request.service = key.service  # type: ignore[attr-defined]
        acting = RequestActor(None, Actor(key.organisation, frozenset()))
        request.acting = acting  # type: ignore[attr-defined]
        return acting


class SessionAuth(APIKeyCookie):
    """A logged-in browser. ninja exempts its views from Django's CSRF middleware, so the token is checked here."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> RequestActor | None:
        if self.param_name not in request.COOKIES:
            return None
        if check_csrf(request):
            raise RefusedError("hub.csrf_failed")
        return self.authenticate(request, request.COOKIES[self.param_name])

    def authenticate(self, request: HttpRequest, key: str | None) -> RequestActor | None:
        acting: RequestActor = request.acting  # type: ignore[attr-defined]
        _require_factor(acting)
        return acting if acting.person is not None else None


class Visitor(APIKeyCookie):
    """Anybody: sees what is public, and nothing else exists for them."""

    param_name = "none"

    def __call__(self, request: HttpRequest) -> RequestActor:
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> RequestActor:
        return _as(request, RequestActor(None, VISITOR))


def _require_factor(acting: RequestActor) -> None:
    if acting.lacks_factor:
        raise RefusedError("hub.second_factor_needed")


def _as(request: HttpRequest, acting: RequestActor) -> RequestActor:
    request.acting = acting  # type: ignore[attr-defined]
    return acting


MEMBERS = [TokenAuth(), SessionAuth()]
EVERYBODY = [*MEMBERS, Visitor()]
