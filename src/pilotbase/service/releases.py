"""Releases: a new version answers a share of the calls until the evidence lets it take over, or rolls it back.

Both versions are certified before, so a release is about how the new one serves: whether it answers, and in time. Desks
write down how each call ended; whoever takes in their journals adds it to the evidence, in the transaction that counts
the call. Nothing but `advance` and a person ends a release, once.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from pilotbase.catalogue.records import everything
from pilotbase.certificate.status import IssuedCertificate, revocations_of
from pilotbase.documents.api.services import ReleaseView
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.service import CertifiedRoute, ReleaseTerms, Service, VersionRelease
from pilotbase.documents.subjects import service_subject
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import ReleaseState, ServingState
from pilotbase.evidence.canary import CanaryEvidence
from pilotbase.operations.services import EndRelease, NewVersion, ReleaseEnd
from pilotbase.service.admission import Premises, admit_certificate
from pilotbase.service.creating import MOST_ROUTES, certificate_of, let_serve
from pilotbase.service.known import Serving, read_serving
from pilotbase.service.registry import opened, world_behind
from pilotbase.service.standing import standing_of
from pilotbase.workspace import tables as tables
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

ALPHA = 0.05
"""Bound on each error: rolling back a version that fails no more often, promoting one that does by the margin."""
NEEDED = 1 / ALPHA
_CHANCE = secrets.SystemRandom()
_rows = tables.service_releases.c


def release_version(view: View, premises: Premises, wanted: NewVersion) -> Service:
    """Let a certified application answer a share of the calls of a service, and return the service as it then is.

    Raises:
        NotFoundError: there is no such service, certificate or trial, or none that the actor may see.
        InvalidProofError, RefusedError: it is not admitted (`admit_certificate`), or not for the actor to do this; a
            release is under way; the service does not serve, or not by a certificate of the same scenario; or the
            version answers already.
    """
    certificate, commission = certificate_of(view, wanted)
    before = opened(view, wanted.service, ServiceAct.CREATE)
    stated = view.load(certificate, IssuedCertificate).certificate
    if before.scenario != stated.scenario.subject:
        raise RefusedError("service.other_scenario", service=before.name, scenario=before.scenario or "–")
    route = admit_certificate(everything(view), premises, certificate, commission, wanted.model)
    with view.transaction("service.release_begun") as change:
        here = view.within(change)
        before = opened(here, wanted.service, ServiceAct.CREATE)
        known = here.done(Service)
        if known is not None:
            return known
        _require_releasable(here, before, route, wanted.shadow)
        terms = filled(ReleaseTerms, wanted)
        release = VersionRelease(
            identity=secrets.token_hex(16),
            candidate=route.application.digest,
            since=change.now,
            terms=terms,
            shadows=terms.shadow > 0,
        )
        earlier = [one for one in before.routes if not _is(one, release.candidate)]
        routes = (*earlier[: MOST_ROUTES - 1], route)
        service = before.model_copy(update={"routes": routes, "release": release})
        canary = CanaryEvidence(max(1, round((1 - terms.share) / terms.share)), terms.margin)
        row = {
            "release": release.identity,
            "service": service.name,
            "version": f"{route.application.name} {route.application.version}",
            "state": ReleaseState.RUNNING.value,
            "evidence": json.dumps(asdict(canary)),
            "since": change.now,
        }
        change.connection.execute(insert(tables.service_releases).values(row))
        told = {"version": row["version"], "share": percent(terms.share), "calls": terms.shadow}
        let_serve(change, service, text(f"service.reason.{'shadow' if release.shadows else 'release'}", **told))
    return service


def end_release(view: View, asked: EndRelease) -> Service:
    """End a release by hand, and return the service; raises `NotFoundError`, `RefusedError`."""
    action = "service.promoted" if asked.end is ReleaseEnd.PROMOTE else "service.rolled_back"
    with view.transaction(action) as change:
        here = view.within(change)
        service = opened(here, asked.service, ServiceAct.CREATE)
        known = here.done(Service)
        if known is not None:
            return known
        if service.release is None:
            raise RefusedError("service.no_release", service=service.name)
        if asked.end is ReleaseEnd.PROMOTE:
            _require_serving(here, service)
        state = ReleaseState.PROMOTED if asked.end is ReleaseEnd.PROMOTE else ReleaseState.ROLLED_BACK
        return _end(change, here, service, state, text("service.reason.by_hand", reason=asked.reason))


def releases_of(view: View, name: str) -> list[ReleaseView]:
    """Return the releases of a service, newest first; raises `NotFoundError`, `RefusedError`."""
    opened(view, name, ServiceAct.INSPECT)
    asked = select(tables.service_releases).where(_rows.service == name).order_by(_rows.since.desc())
    with view.reading() as connection:
        found = connection.execute(asked).all()
    return [_seen(row) for row in found]


def is_for_candidate(release: VersionRelease, key: str) -> bool:
    """Return whether the new version is to answer a call of ``key`` (its identity)."""
    if release.terms.unit == "call":
        return _CHANCE.random() < release.terms.share
    drawn = hashlib.sha256(f"{release.identity}\0{key}".encode()).digest()
    return int.from_bytes(drawn[:8]) < release.terms.share * 2**64


def take_outcomes(connection: Connection, outcomes: Iterable[Mapping[str, Any]]) -> None:
    """Add how calls ended (`ReleaseOutcome`, `ShadowOutcome`) to the evidence of their releases, while those run."""
    sorted_out: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for outcome in outcomes:
        sorted_out[outcome["release"]].append(outcome)
    for release, ours in sorted_out.items():
        here = (_rows.release == release, _rows.state == ReleaseState.RUNNING.value)
        evidence = connection.scalar(select(_rows.evidence).where(*here))
        if evidence is None:
            continue
        canary = CanaryEvidence(**json.loads(evidence))
        for outcome in ours:
            if "alike" in outcome:
                canary.see_both(outcome["old_failed"], outcome["failed"], outcome["alike"])
            else:
                canary.see(bool(outcome["new"]), bool(outcome["failed"]))
        changed = {"evidence": json.dumps(asdict(canary))}
        connection.execute(update(tables.service_releases).where(*here).values(changed))


def advance(view: View) -> list[ReleaseView]:
    """End every release that is decided, out of time or not admitted any more, and return those; by the base itself.

    A new version that has shadowed the old one long enough begins to answer its share.
    """
    with view.reading() as connection:
        asked = select(tables.service_releases).where(_rows.state == ReleaseState.RUNNING.value)
        running = connection.execute(asked).all()
    return [ended for row in running if (ended := _advance(view, row)) is not None]


def _advance(view: View, row: Row[Any]) -> ReleaseView | None:
    if _decision(view, row) is None:
        _end_shadow(view, row)
        return None
    with view.transaction("service.release_ended") as change:
        here = view.within(change)
        found = _decision(here, row)
        if found is None:
            return None
        serving, state, reason = found
        _end(change, here, serving.service, state, reason)
        ended = change.connection.execute(select(tables.service_releases).where(_rows.release == row.release)).one()
    return _seen(ended)


def _end_shadow(view: View, row: Row[Any]) -> None:
    """Let the new version of a release answer, once it has had its shadow calls."""
    if _after_shadow(view, row) is None:
        return
    with view.transaction("service.release_shadowed") as change:
        here = view.within(change)
        service = _after_shadow(here, row)
        if service is None or service.release is None:
            return
        told = {"version": row.version, "share": percent(service.release.terms.share)}
        let_serve(change, service, text("service.reason.release", **told), standing_of(here, service.name))


def _after_shadow(view: View, row: Row[Any]) -> Service | None:
    """Return the service as it is after the shadow calls of its release; None: they go on, or there are none."""
    service = view.load_head(service_subject(row.service), Service)
    release = service.release if service is not None else None
    if service is None or release is None or release.identity != row.release or not release.shadows:
        return None
    if json.loads(row.evidence)["shadow_calls"] < release.terms.shadow:
        return None
    return service.model_copy(update={"release": release.model_copy(update={"shadows": False})})


def _decision(view: View, row: Row[Any]) -> tuple[Serving, ReleaseState, Text] | None:
    """Return how a release is to end now, and why; None: it goes on, or has ended."""
    serving = read_serving(view, row.service, revocations_of(view))
    release = serving.service.release if serving is not None else None
    if serving is None or release is None or release.identity != row.release:
        return None
    canary, now = CanaryEvidence(**json.loads(row.evidence)), view.store.clock()
    told = {
        "new_failed": canary.new_failed,
        "new_calls": canary.new_calls,
        "old_failed": canary.old_failed,
        "old_calls": canary.old_calls,
    }
    barred = serving.ways[-1].why_not(now)
    if barred is not None:
        return serving, ReleaseState.ROLLED_BACK, text(f"service.release_{barred}")
    if canary.harm >= NEEDED:
        return serving, ReleaseState.ROLLED_BACK, text("service.release_harm", **told)
    decided = canary.gain >= NEEDED and canary.new_calls >= release.terms.calls
    if decided and serving.standing.state is ServingState.SERVING and serving.standing.route == 0:
        return (
            serving,
            ReleaseState.PROMOTED,
            text("service.release_gain", **told, margin=percent(release.terms.margin, ".1f")),
        )
    if now >= release.since + timedelta(days=release.terms.days):
        return serving, ReleaseState.ENDED, text("service.release_undecided", **told)
    return None


def _require_releasable(view: View, service: Service, route: CertifiedRoute, shadow: int) -> None:
    if service.release is not None:
        raise RefusedError("service.release_running", service=service.name)
    _require_serving(view, service)
    if shadow and world_behind(everything(view), route):
        raise RefusedError("service.no_shadow_acts", service=service.name)
    if not isinstance(service.routes[0], CertifiedRoute):
        raise RefusedError("service.release_needs_certified", service=service.name)
    if _is(service.routes[0], route.application.digest):
        raise RefusedError("service.release_same", service=service.name)


def _require_serving(view: View, service: Service) -> None:
    stands = standing_of(view, service.name)
    if stands.state is not ServingState.SERVING or stands.route != 0:
        raise RefusedError("service.release_needs_serving", service=service.name)


def _end(change: Transaction, view: View, service: Service, state: ReleaseState, reason: Text) -> Service:
    """Write how a release ends: the new version comes first, or is gone."""
    release, candidate, others = service.release, service.candidate, service.routes[:-1]
    assert release is not None and candidate is not None
    changed: dict[str, object] = {"routes": others, "release": None}
    if state is ReleaseState.PROMOTED:
        changed |= {"routes": (candidate, *others), "commission": candidate.commission}
    after = service.model_copy(update=changed)
    ended = {"state": state.value, "ended_at": change.now}
    here = _rows.release == release.identity
    change.connection.execute(update(tables.service_releases).where(here).values(ended))
    let_serve(change, after, reason, standing_of(view, service.name))
    return after


def _is(route: object, version: str) -> bool:
    return isinstance(route, CertifiedRoute) and route.application.digest == version


def _seen(row: Row[Any]) -> ReleaseView:
    canary = CanaryEvidence(**json.loads(row.evidence))
    return filled(ReleaseView, row, canary, state=ReleaseState(row.state), needed=NEEDED)
