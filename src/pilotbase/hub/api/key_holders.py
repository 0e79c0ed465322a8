"""Who calls with a key of a service."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import hash_secret
from pilotbase.documents.vocabularies import Scope
from pilotbase.hub.acting import RequestActor
from pilotbase.hub.base import base
from pilotbase.hub.problems import LoginNeededError
from pilotbase.hub.rates import count_request
from pilotbase.service.keys import MARK, opened_by
from pilotbase.workspace.actors import Actor


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
