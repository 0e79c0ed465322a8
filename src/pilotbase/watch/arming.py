"""Arming a watch: what the certificate promises is made a watch, replayed on what is there, and only then armed.

prepared ──▶ replayed ──▶ armed ──▶ disarmed
"""

from __future__ import annotations

import math

from pilotbase.data.batches import feature_columns
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import WatchAct
from pilotbase.documents.service import Service
from pilotbase.documents.subjects import watch_head
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import RedBy
from pilotbase.documents.watch import ReferenceProfile, Replay, Watch, WatchTerms
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.sealed import load_sealed, read_public_sample
from pilotbase.watch import standings
from pilotbase.watch.losses import (
    Promised,
    WatchedLoss,
    latency_promised,
    promised_loss,
    promised_of,
    promised_to,
    watched_risks,
)
from pilotbase.watch.profiles import profile_of
from pilotbase.watch.replaying import replay
from pilotbase.watch.standings import require_permitted, service_of, stored_service, watch_of
from pilotbase.watch.warnings import end_warnings, standing_warnings
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View

_DEFAULT_TERMS = WatchTerms()


def prepare_watch(lab: TrialRuntime, view: View, service: str, terms: WatchTerms = _DEFAULT_TERMS) -> Watch:
    """Return the watch that the certificate of what answers now allows, not armed and not stored; its profile is kept.

    Every criterion of the plan is watched with a promise, or stands in ``unpromised`` with the reason why not.

    Raises:
        NotFoundError: the actor sees no such service.
        RefusedError: it is not the operator.
    """
    found = service_of(view, service)
    require_permitted(view, WatchAct.REPLAY)
    promised = promised_of(view, found)
    chosen = terms.model_dump(exclude={"alpha", "early", "red_by"})
    if promised is None:
        return Watch(service=service, **chosen)
    if terms.red_by is RedBy.UNIT and terms.unit is None:
        raise InputError("watching.unit_missing")
    losses, unpromised = _losses(promised, terms)
    latency = latency_promised(promised.plan)
    if latency is not None and terms.latency_ms is None:
        chosen |= {"latency_ms": latency.milliseconds, "latency_quantile": latency.quantile}
    return Watch(
        service=service,
        certificate=promised.certificate,
        version=promised.version,
        risks=watched_risks(losses, terms, _periods_left(view, promised, terms)),
        unpromised=unpromised,
        profile=None if promised.plan.contract.world else _keep_profile(lab, view, found, promised),
        **chosen,
    )


def replay_watch(lab: TrialRuntime, view: View, watch: Watch) -> Replay:
    """Let ``watch`` look at the history of its service, or at the trial's public sample, and keep what it says.

    Raises as `prepare_watch`.
    """
    known = view.done(Replay)
    if known is not None:
        return known
    service = service_of(view, watch.service)
    require_permitted(view, WatchAct.REPLAY)
    promised = promised_to(view, service, watch)
    found = replay(lab, view, watch, promised)
    stored = stored_service(view, watch.service)
    with view.transaction("watch.replayed") as change:
        for document in (watch, found):
            change.put(document, stored.visibility, owner=stored.owner, fields={"service": watch.service})
        change.let_stand(_replay_head(watch.service), found.digest())
        change.settle(found.digest())
    return found


def arm(view: View, service: str, replayed: Digest | None = None) -> Watch:
    """Arm the watch of a service that was replayed last and return it; its detectors begin anew.

    ``replayed``: the replay that was looked at.

    Raises:
        NotFoundError: the actor sees no such service.
        RefusedError: it is not the operator, or nothing was replayed.
        ConflictError: another replay was made since, or the service's route has changed.
    """
    known = view.done(Watch)
    if known is not None:
        return known
    stored, found = stored_service(view, service), last_replay(view, service)
    require_permitted(view, WatchAct.ARM)
    if found is None:
        raise RefusedError("watching.not_replayed", service=service)
    if replayed is not None and found.digest() != replayed:
        raise ConflictError("watching.replayed_again", service=service)
    prepared = view.load(found.watch, Watch)
    promised = promised_of(view, stored.load(Service))
    if prepared.certificate != (promised.certificate if promised else None):
        raise ConflictError("watching.other_certificate", service=service)
    with view.transaction("watch.armed") as change:
        watch = prepared.model_copy(update={"armed_at": change.now})
        change.put(watch, stored.visibility, owner=stored.owner, fields={"service": service})
        end_warnings(change, view, stored, standing_warnings(view.within(change), service).values())
        change.let_stand(watch_head(service), watch.digest())
        standings.begin(change.connection, service, watch.digest(), change.now)
        change.settle(watch.digest())
    return watch


def disarm(view: View, service: str) -> Watch:
    """Disarm the watch of a service and return it as it stands then: observations are taken in, nothing is warned of.

    Raises:
        NotFoundError: the actor sees no such service.
        RefusedError: it is not the operator, or the watch is not armed.
    """
    known = view.done(Watch)
    if known is not None:
        return known
    stored, watch = stored_service(view, service), watch_of(view, service)
    require_permitted(view, WatchAct.DISARM)
    if watch is None or watch.armed_at is None:
        raise RefusedError("watching.not_armed", service=service)
    with view.transaction("watch.disarmed") as change:
        still = watch.model_copy(update={"armed_at": None})
        change.put(still, stored.visibility, owner=stored.owner, fields={"service": service})
        end_warnings(change, view, stored, standing_warnings(view.within(change), service).values())
        change.let_stand(watch_head(service), still.digest())
        standings.end(change.connection, service)
        change.settle(still.digest())
    return still


def last_replay(view: View, service: str) -> Replay | None:
    """Return what was replayed last for a service, or None."""
    digest = view.head(_replay_head(service))
    return None if digest is None else view.load(digest, Replay)


def _replay_head(service: str) -> str:
    """Return the name under which the newest replay of a service stands in the store."""
    return f"watch-replay:{service}"


def _periods_left(view: View, promised: Promised, terms: WatchTerms) -> int:
    """Return how many periods begin while the certificate holds."""
    ends, now = promised.expires_at, view.store.clock()
    return 365 if ends is None else max(1, math.ceil((ends - now).total_seconds() / terms.cohort_seconds))


def _losses(promised: Promised, terms: WatchTerms) -> tuple[list[WatchedLoss], dict[str, Text]]:
    losses: list[WatchedLoss] = []
    unpromised: dict[str, Text] = {}
    for criterion in promised.plan.criteria:
        found = promised_loss(criterion.rule, promised.setting, terms.tolerance, criterion.unit, terms.unit)
        if isinstance(found, WatchedLoss):
            losses.append(found)
        else:
            unpromised[criterion.rule] = found
    return losses, unpromised


def _keep_profile(lab: TrialRuntime, view: View, service: Service, promised: Promised) -> Digest:
    """Keep the profile of the public sample and return its digest.

    Its edges and categories are values of the sample: of one that lies sealed the service's owner and the base see it.
    """
    sealed = load_sealed(view, promised.plan.sealed)
    columns = feature_columns(read_public_sample(lab, sealed), sealed.contract, promised.may_miss)
    profile: ReferenceProfile = profile_of(columns, sealed.contract.features, sealed.record.public_sample)
    stored = stored_service(view, service.name)
    seen_by = stored.visibility if sealed.record.sample_sealed is None else parties()
    return view.put(profile, seen_by, "watch.profiled", owner=stored.owner)
