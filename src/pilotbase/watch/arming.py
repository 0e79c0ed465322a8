"""Arming a watch: what the certificate promises is made a watch, replayed on what is there, and only then armed.

prepared ──▶ replayed ──▶ armed ──▶ disarmed
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, select

from pilotbase.data.batches import feature_columns
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import WatchAct
from pilotbase.documents.profile import ReferenceProfile
from pilotbase.documents.service import Service
from pilotbase.documents.subjects import watch_head
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import CallEnd, Colour
from pilotbase.documents.watch import Replay, ReplayedTurn, Watch, WatchTerms
from pilotbase.protocols.contract_cases import scalars_of
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.sealed import load_sealed, read_public_sample
from pilotbase.watch import standings
from pilotbase.watch.cohorts import past_cohorts
from pilotbase.watch.detectors.drift import DriftDetector
from pilotbase.watch.following import DRIFT, ColourChange, Following, follow
from pilotbase.watch.labels import LabelledPack, cases_of
from pilotbase.watch.losses import WatchedLoss, losses_of, promised_loss, watched_risks
from pilotbase.watch.packs import Pack, microseconds
from pilotbase.watch.profiles import profile_of
from pilotbase.watch.promises import Promised, latency_promised, promised_of, promised_to
from pilotbase.watch.subjects import require_permitted, service_of, stored_service, watch_of
from pilotbase.watch.warnings import end_warnings, standing_warnings
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View

_DEFAULT_TERMS = WatchTerms()
LONGEST = 500_000
"""Of a longer history the newest cases are replayed, about so many."""
SHOWN = 200
_packs = tables.observation_packs.c


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
    chosen = terms.model_dump(exclude={"alpha", "early"})
    if promised is None:
        return Watch(service=service, **chosen)
    losses, unpromised = _losses(promised, terms.tolerance)
    latency = latency_promised(promised.plan)
    if latency is not None and terms.latency_ms is None:
        chosen |= {"latency_ms": latency.milliseconds, "latency_quantile": latency.quantile}
    return Watch(
        service=service,
        certificate=promised.certificate,
        version=promised.version,
        risks=watched_risks(losses, terms.alpha, terms.early),
        unpromised=unpromised,
        profile=_keep_profile(lab, view, found, promised),
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


def replay(lab: TrialRuntime, view: View, watch: Watch, promised: Promised | None) -> Replay:
    """Return what the detectors of ``watch`` would have said, from the beginning; nothing is written."""
    profile = None if watch.profile is None else view.load(watch.profile, ReferenceProfile)
    following = follow(watch, promised, profile)
    cases, seen = _replay_history(view, following)
    source: Literal["history", "public_sample", "nothing"] = "history" if cases else "nothing"
    if not cases and promised is not None and DRIFT in following.stream:
        cases, source = _replay_sample(lab, view, following, promised), "public_sample"
    turns = sorted((turn for followed in following.all for turn in followed.turns), key=lambda turn: turn.began)
    found = Replay(
        service=watch.service,
        watch=watch.digest(),
        source=source,
        cases=cases,
        turns=tuple(map(_shown, turns[:SHOWN])),
        turned=len(turns),
        at=view.store.clock(),
        **seen,
    )
    return found.model_copy(update={"cautions": tuple(_cautions(following, found))})


def _losses(promised: Promised, tolerance: float) -> tuple[list[WatchedLoss], dict[str, Text]]:
    losses: list[WatchedLoss] = []
    unpromised: dict[str, Text] = {}
    for criterion in promised.plan.criteria:
        found = promised_loss(criterion.rule, promised.setting, tolerance, criterion.unit)
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


def _replay_history(view: View, following: Following) -> tuple[int, dict[str, int]]:
    """Return how many cases the detectors of the stream have seen, and what those of risk have."""
    cases, seen = 0, {"cohorts": 0, "entered": 0, "labelled": 0}
    heard: list[int] = []
    with view.reading() as connection:
        for pack in _newest_packs(connection, following.watch.service):
            following.take_pack(pack)
            heard += pack.at
            cases += len(pack)
        following.hear_all(sorted(heard))
        if following.promised is None:
            return cases, seen
        criteria = [loss for _, loss in following.risks.values()]
        for cohort in _asked_cohorts(connection, following.watch, view.store.clock()):
            losses = losses_of(cohort, following.promised, criteria)
            following.take_cohort(losses)
            seen["cohorts"] += 1
            seen["entered"] += len(losses.at)
            seen["labelled"] += losses.labelled
    return cases, seen


def _asked_cohorts(connection: Connection, watch: Watch, now: datetime) -> Iterator[list[LabelledPack]]:
    """Yield the cases of each span that ``watch`` asks for, whatever cohorts they were kept in, in the order of spans.

    Of a span that is not over yet there is nothing.
    """
    span = watch.cohort_seconds * 1_000_000
    waiting = defaultdict[int, list[LabelledPack]](list)
    for kept in past_cohorts(connection, watch.service, timedelta(seconds=watch.label_seconds), now):
        for over in sorted(number for number in waiting if (number + 1) * span <= microseconds(kept.begins_at)):
            yield waiting.pop(over)
        for pack in cases_of(connection, kept):
            for number in dict.fromkeys(at // span for at in pack.pack.at):
                waiting[number].append(pack.among([row for row, at in enumerate(pack.pack.at) if at // span == number]))
    yield from (waiting[number] for number in sorted(waiting) if (number + 1) * span <= microseconds(now))


def _newest_packs(connection: Connection, service: str) -> Iterator[Pack]:
    """Yield the packs of a service in their order, of a long history the newest."""
    here = (_packs.service == service, _packs.body.is_not(None))
    sizes = connection.execute(select(_packs.number, _packs.cases).where(*here).order_by(_packs.number)).all()
    after = sum(row.cases for row in sizes)
    for row in sizes:
        if after <= LONGEST:
            yield Pack.from_bytes(connection.scalar(select(_packs.body).where(_packs.number == row.number)) or b"")
        after -= row.cases


def _replay_sample(lab: TrialRuntime, view: View, following: Following, promised: Promised) -> int:
    """Let the detectors of the inputs look at the public sample, row by row, as if it had just come."""
    sealed = load_sealed(view, promised.plan.sealed)
    sample = read_public_sample(lab, sealed)
    columns = feature_columns(sample, promised.plan.contract, promised.may_miss)
    count = sample.height
    pack = Pack(
        ids=[f"sample/{row}" for row in range(count)],
        at=[microseconds(view.store.clock())] * count,
        milliseconds=[None] * count,
        versions=[None] * count,
        ends=[CallEnd.ANSWERED.value] * count,
        inputs=scalars_of(FeatureBatch(columns, count)),
    )
    following.take_pack(pack)
    return count


def _shown(turn: ColourChange) -> ReplayedTurn:
    return ReplayedTurn(
        detector=turn.detector,
        signal=turn.signal,
        colour=turn.colour,
        reason=turn.reason,
        seen=turn.seen,
        began=turn.began,
    )


def _cautions(following: Following, found: Replay) -> Iterator[Text]:
    """Yield what speaks against relying on the watch as it is prepared."""
    drift = following.stream.get(DRIFT)
    if found.source != "history":
        yield text("watching.no_history")
    if found.cases and drift is not None:
        yield from _expected_drift(following.watch, found, sum(turn.colour is not Colour.GREEN for turn in drift.turns))
    caution = drift.detector.caution if drift is not None and isinstance(drift.detector, DriftDetector) else None
    if caution is not None:
        yield caution
    if found.entered > found.labelled:
        share = f"{100 * (1 - found.labelled / found.entered):.1f} %"
        yield text("watching.labels_missing", share=share, cases=found.entered)
    if not following.risks:
        yield text("watching.no_promise")


def _expected_drift(watch: Watch, found: Replay, alarms: int) -> Iterator[Text]:
    """Yield how many alarms of drift are chance: on the public sample, which is the reference itself, all should be."""
    chunks = found.cases // watch.chunk
    expected = f"{watch.drift_alarms * chunks / watch.drift_chunks:.2g}"
    told = {"chunks": chunks, "chunk": watch.chunk, "expected": expected, "alarms": alarms}
    yield text("watching.drift_on_sample" if found.source == "public_sample" else "watching.drift_on_history", **told)
