"""Whether the process lives, whether it can work, and its measurements."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.permissions import DeskAct
from pilotbase.hub.acting import HubRequest, RequestActor
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.models import Person
from pilotbase.hub.people.tokens import acting_by
from pilotbase.hub.serving.middleware import MEASUREMENTS
from pilotbase.protocols.prometheus import CONTENT_TYPE, Gauge
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.jobs import queue_figures


def live(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process answers."""
    return JsonResponse({"status": "live"})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when accounts and store can be read, else 503; says which, never why."""
    checks = {"accounts": _accounts(), "store": _store()}
    holds = all(checks.values())
    return JsonResponse({"status": "ready" if holds else "not ready", **checks}, status=200 if holds else 503)


def metrics(request: HubRequest) -> HttpResponse:
    """Give measurements to operators and their tokens; for others there is no such page: counts are not public."""
    acting = _by_token(request) or request.acting
    if not acting.may(DeskAct.MEASURE):
        raise NotFoundError("hub.not_found")
    return HttpResponse(MEASUREMENTS.render([*_gauges()]), content_type=CONTENT_TYPE)


def _gauges() -> Iterator[Gauge]:
    queue, free = queue_figures(base().lab.store), shutil.disk_usage(base().home.path).free
    yield Gauge("people", "People with an account.", {"": Person.objects.count()})
    yield Gauge("jobs", "Jobs by state.", queue.by_state, "state")
    yield Gauge("oldest_job_seconds", "How long the oldest queued job has waited.", {"": queue.oldest_seconds})
    yield Gauge("silent_job_seconds", "Since when no worker was heard of a running job.", {"": queue.silent_seconds})
    silence = {} if queue.heard_at is None else {"": (base().lab.store.clock() - queue.heard_at).total_seconds()}
    yield Gauge("silent_worker_seconds", "Since when no worker was heard of, with a job or without.", silence)
    yield Gauge("disk_free_bytes", "Space left where the home is.", {"": free})


def _by_token(request: HttpRequest) -> RequestActor | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return acting_by(secret) if scheme.lower() == "bearer" else None


def _accounts() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM hub_person LIMIT 1")
    except DatabaseError:
        return False
    return True


def _store() -> bool:
    try:
        operator_view().head("health")
    except PilotbaseError:
        return False
    return True
