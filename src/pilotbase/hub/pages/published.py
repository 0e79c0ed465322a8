"""Files that a base publishes: what anybody needs to check certificates offline."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from pilotbase.certificate import read_evidence
from pilotbase.hub.base import base


@require_safe
def trust_roots(request: HttpRequest) -> HttpResponse:
    """Give the public roots."""
    return HttpResponse(read_evidence(base().trust_roots), content_type="application/json")


@require_safe
def log_key(request: HttpRequest) -> HttpResponse:
    """Give the public key of the log (C2SP ``vkey``), against which its checkpoints are checked."""
    return HttpResponse(f"{base().lab.store.key.verifier}\n", content_type="text/plain; charset=utf-8")


@require_safe
def revocations(request: HttpRequest) -> HttpResponse:
    """Give the signed list of revoked certificates."""
    return HttpResponse(read_evidence(base().revocations), content_type="application/json")
