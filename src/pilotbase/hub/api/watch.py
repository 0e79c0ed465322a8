"""The watch over the API: observations and labels are handed in, warnings read; what only the operator does."""

from __future__ import annotations

from typing import Annotated

import pydantic
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from ninja.security import HttpBearer

from pilotbase.documents.api.shapes import InAddress
from pilotbase.documents.api.watch import (
    Arming,
    Batches,
    Care,
    Erasure,
    NewSilence,
    PathPoint,
    RaisedWarning,
    SilenceEnd,
    WatchStatus,
)
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import DIGEST_PATTERN, hash_secret
from pilotbase.documents.observation import LabelBatch, ObservationBatch, Taken
from pilotbase.documents.vocabularies import Scope
from pilotbase.documents.watch import Acknowledgement, Replay, Silence, Watch, WatchTerms
from pilotbase.hub.acting import Acting, HubRequest
from pilotbase.hub.api.answers import answers, once, told
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.services import ServiceName
from pilotbase.hub.base import base
from pilotbase.hub.problems import LoginNeededError
from pilotbase.hub.rates import count_request
from pilotbase.service.keys import MARK, opened_by
from pilotbase.watch import status
from pilotbase.watch.arming import arm, disarm, prepare_watch, replay_watch
from pilotbase.watch.muting import acknowledge, end_silence, silence
from pilotbase.watch.observations import require_taken, take
from pilotbase.watch.retention import erase_case
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

router = Router(tags=["watch"], auth=MEMBERS)
Digest = Path[Annotated[str, pydantic.StringConstraints(pattern=DIGEST_PATTERN)]]


class ServiceKeyAuth(HttpBearer):
    """A key of a service with the scope ``observe``; its holder hands in for that service, and sees nothing else."""

    def authenticate(self, request: HttpRequest, token: str) -> Acting | None:
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
        acting = Acting(None, Actor(key.organisation, frozenset()))
        request.acting = acting  # type: ignore[attr-defined]
        return acting


WHO_OBSERVES = [ServiceKeyAuth(), *MEMBERS]


class Asked(InAddress):
    """Which detector."""

    detector: Annotated[str, pydantic.StringConstraints(min_length=1, max_length=400)]


@router.post(
    "/services/{service}/observations",
    auth=WHO_OBSERVES,
    response=answers(Taken),
    summary="Hand in observations",
)
def observe(request: HubRequest, service: ServiceName, batch: ObservationBatch) -> Taken:
    """Take in cases that a service has answered. The same batch again changes nothing."""
    _require_own(request, service, batch.service)
    return require_taken(take(request.acting.view, [batch]))


@router.post("/services/{service}/labels", auth=WHO_OBSERVES, response=answers(Taken), summary="Hand in labels")
def label(request: HubRequest, service: ServiceName, batch: LabelBatch) -> Taken:
    """Take in what turned out to be true of cases, by their ids. The same batch again changes nothing."""
    _require_own(request, service, batch.service)
    return require_taken(take(request.acting.view, [batch]))


@router.post("/services/{service}/batches", auth=WHO_OBSERVES, response=answers(Taken), summary="Hand in many batches")
def hand_in(request: HubRequest, service: ServiceName, wanted: Batches) -> Taken:
    """Take in batches of observations and labels at once; what is refused stands in the answer, the rest is taken.

    The same batches again change nothing. Where one is for another service, or no batch at all, nothing is taken.
    """
    for batch in wanted.batches:
        _require_own(request, service, batch.service)
    return take(request.acting.view, wanted.batches)


@router.get("/services/{service}/watch", response=answers(WatchStatus), summary="The watch of a service")
def read(request: HubRequest, service: ServiceName) -> WatchStatus:
    """Return how it stands: detectors, warnings, cohorts, what was refused."""
    return status.status_of(request.acting.view, service)


@router.get("/services/{service}/watch/path", response=answers(list[PathPoint]), summary="The path of a detector")
def path(request: HubRequest, service: ServiceName, asked: Query[Asked]) -> list[PathPoint]:
    """Return where a detector stood over time; empty for one that has read nothing."""
    return list(status.path(request.acting.view, service, asked.detector))


@router.post("/services/{service}/watch/replays", response=answers(Replay, 201), summary="Replay a watch")
def replay(request: HubRequest, service: ServiceName, terms: WatchTerms) -> HttpResponse:
    """Return what a watch on these terms would have warned of; the operator's."""

    def act(view: View) -> HttpResponse:
        lab = base().lab
        found = replay_watch(lab, view, prepare_watch(lab, view, service, terms))
        return told(found, 201, f"/api/services/{service}/watch")

    return once(request, act)


@router.post("/services/{service}/watch/arming", response=answers(Watch), summary="Arm a watch that was replayed")
def arm_watch(request: HubRequest, service: ServiceName, wanted: Arming) -> HttpResponse:
    """Arm the watch that was replayed last; its detectors begin anew; the operator's."""
    return once(request, lambda view: told(arm(view, service, wanted.replay)))


@router.post("/services/{service}/watch/disarming", response=answers(Watch), summary="Disarm a watch")
def disarm_watch(request: HubRequest, service: ServiceName) -> HttpResponse:
    """Let a service go unwatched; the operator's."""
    return once(request, lambda view: told(disarm(view, service)))


@router.get("/services/{service}/warnings", response=answers(list[RaisedWarning]), summary="Warnings of a service")
def warnings_of(request: HubRequest, service: ServiceName) -> list[RaisedWarning]:
    """Return its warnings, newest first, those that are over among them."""
    return list(status.list_warnings(request.acting.view, service))


@router.get("/warnings", response=answers(list[RaisedWarning]), summary="Warnings that I see")
def warnings(request: HubRequest) -> list[RaisedWarning]:
    """Return the warnings of all services that the caller sees, newest first."""
    return list(status.list_warnings(request.acting.view))


@router.post("/warnings/{digest}/acknowledgement", response=answers(Acknowledgement, 201), summary="Take care of one")
def take_care(request: HubRequest, digest: Digest, said: Care) -> HttpResponse:
    """Say that somebody takes care of a warning; the operator's, and its service's owner's."""
    return once(request, lambda view: told(acknowledge(view, digest, said.note), 201, "/api/warnings"))


@router.post("/services/{service}/silences", response=answers(Silence, 201), summary="Let notices rest")
def be_silent(request: HubRequest, service: ServiceName, wanted: NewSilence) -> HttpResponse:
    """Let notices of a detector, or of a service, rest for a time; detectors go on; the operator's."""

    def act(view: View) -> HttpResponse:
        said = silence(view, service, wanted.reason, wanted.until, wanted.detector)
        return told(said, 201, f"/api/services/{service}/watch")

    return once(request, act)


@router.post("/services/{service}/silences/end", response=answers(None, 204), summary="Let notices go out again")
def speak(request: HubRequest, service: ServiceName, wanted: SilenceEnd) -> HttpResponse:
    """End a silence before its time; the operator's."""

    def act(view: View) -> HttpResponse:
        end_silence(view, service, wanted.detector)
        return HttpResponse(status=204)

    return once(request, act)


@router.post("/services/{service}/erasures", response=answers(None, 204), summary="Erase a case")
def erase(request: HubRequest, service: ServiceName, wanted: Erasure) -> HttpResponse:
    """Erase one case with its labels, as the person whom it is about may ask; owner and operator."""

    def act(view: View) -> HttpResponse:
        erase_case(view, service, wanted.case)
        return HttpResponse(status=204)

    return once(request, act)


def _require_own(request: HubRequest, service: str, named: str) -> None:
    """Return if the batch is for the service of the address, and the key, if it is one, opens that."""
    if named != service or getattr(request, "service", service) != service:
        raise NotFoundError("workspace.not_found", name=named)
