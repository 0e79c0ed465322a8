"""Risk warnings, one a change of a detector's colour; what was done about each, step by step, and what people may do.

People acknowledge a warning, or silence a detector for a time, with a reason. Both mute notices and nothing else:
detectors go on, warnings stand, and runbooks are followed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, insert, select

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Moment, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest, canonical_json, digest_bytes
from pilotbase.documents.permissions import WatchAct
from pilotbase.documents.service import CertifiedRoute, Service
from pilotbase.documents.subjects import service_subject
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Colour, Signal
from pilotbase.documents.watch import Acknowledgement, RiskWarning, Runbook, RunbookRule, Silence
from pilotbase.watch.standings import own_service, require_permitted, stored_service
from pilotbase.workspace.actors import Visibility
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View
from pilotbase.workspace.tables import watch_tables
from pilotbase.workspace.transaction import Transaction

if TYPE_CHECKING:
    from pilotbase.watch.following import ColourChange

KIND = "risk-warning"
REARMED = "watching.rearmed"
"""Reason of the green that arming anew, or disarming, writes: what was warned of has not passed for all that."""
ACTS = "act:"
"""How the detector of a class of forbidden acts is called, before the class."""
INJECTION = "injection"
"""The detector of instructions that somebody planted in what an agent reads."""
_LONGEST = 200
DECIDED = "decided"
"""The name under which the decision about a cause stands."""
_reactions, _levels, _states = (
    watch_tables.reactions.c,
    watch_tables.warning_levels.c,
    watch_tables.watch_states.c,
)
LONGEST_SILENCE = timedelta(days=90)
"""A silence ends by itself; a longer one would be forgotten."""


def raise_warnings(change: Transaction, view: View, service: Stored, turns: Iterable[ColourChange]) -> list[Digest]:
    """Write a warning for every turn and return their digests; who sees the service sees its warnings."""
    raised = []
    for turn in turns:
        name = service.load(Service).name
        warning = filled(RiskWarning, turn, service=name, seen_to=turn.seen, at=change.now)
        raised.append(_write(change, warning, service.owner, service.visibility))
    return raised


@dataclass(frozen=True)
class DialogueFinding:
    """What the agent of a service has met or tried in a dialogue, and at which tool."""

    service: str
    dialogue: str
    detector: str
    """`INJECTION`, or `ACTS` with a class of forbidden acts, which the fence has refused."""
    tool: str


def is_of_dialogues(detector: str) -> bool:
    """Return whether a detector counts dialogues, with a watch or without one."""
    return detector == INJECTION or detector.startswith(ACTS)


def signal_of(warning: RiskWarning) -> Text:
    """Return what kind of trouble a warning is about."""
    if warning.detector.startswith(ACTS):
        return text("reaction.forbidden_act", act=warning.detector.removeprefix(ACTS))
    if warning.detector == INJECTION:
        return text("signal.injection")
    return text(f"signal.{warning.signal}")


def next_of(warning: RiskWarning) -> Text | None:
    """Return what a person does next about a warning; None: it is over."""
    if warning.colour is Colour.GREEN:
        return None
    if is_of_dialogues(warning.detector):
        return text("watching.next_dialogue")
    of = f"risk_{warning.colour}" if warning.signal is Signal.RISK else warning.signal.value
    return text(f"watching.next_{of}")


def sure_of(warning: RiskWarning) -> Text | None:
    """Return in plain words how sure a warning is; None: it is over."""
    if warning.colour is Colour.GREEN:
        return None
    alpha = warning.promise.params.get("alpha")
    if warning.signal is Signal.RISK and warning.colour is Colour.RED and alpha:
        return text("watching.sure_red", services=round(1 / float(str(alpha))))
    if warning.signal is Signal.RISK and warning.colour is not Colour.BLUE and not is_of_dialogues(warning.detector):
        return text(f"watching.sure_{warning.colour}")
    if warning.signal in (Signal.DRIFT, Signal.CONTRACT, Signal.LATENCY, Signal.LABELS):
        return text("watching.sure_hint")
    return text("watching.sure_counted")


def warn_of_dialogue(view: View, found: DialogueFinding) -> Digest:
    """Warn of a finding, whether or not a watch is armed, and return the digest; ``view``: the base's own.

    A detector counts the dialogues with such a finding. It stays orange until the incident about it is closed.
    """
    service = stored_service(view, found.service)
    with view.transaction("watch.warned") as change:
        before = view.within(change).load_head(_head_of(found.service, found.detector), RiskWarning)
        times = 1 if before is None or before.colour is Colour.GREEN else before.seen_to + 1
        warning = RiskWarning(
            service=found.service,
            signal=Signal.RISK,
            detector=found.detector,
            colour=Colour.ORANGE,
            reason=_what(found, times),
            promise=text("watching.dialogue_promise"),
            seen_to=times,
            began=change.now,
            at=change.now,
        )
        return _write(change, warning, service.owner, service.visibility)


def _what(found: DialogueFinding, times: int) -> Text:
    told: dict[str, object] = {"tool": found.tool, "dialogue": found.dialogue, "times": times}
    if found.detector == INJECTION:
        return text("watching.injection_met", **told)
    return text("watching.act_tried", act=found.detector.removeprefix(ACTS), **told)


def end_dialogue_warning(change: Transaction, view: View, warning: Digest) -> None:
    """End the warning about dialogues for which an incident was opened, ``warning``, since that is closed."""
    here = view.within(change)
    found = here.get(warning)
    if found is None or found.kind != KIND or not is_of_dialogues(found.load(RiskWarning).detector):
        return
    opened = found.load(RiskWarning)
    standing = here.load_head(_head_of(opened.service, opened.detector), RiskWarning)
    if standing is not None and standing.colour is not Colour.GREEN:
        end_warnings(change, view, found, [standing], "watching.dialogue_closed")


def end_warnings(
    change: Transaction, view: View, service: Stored, standing: Iterable[RiskWarning], why: str = REARMED
) -> None:
    """Write that what a watch has warned of is looked at anew: it was armed again, or disarmed, or as ``why`` says."""
    for warning in standing:
        ended = {"colour": Colour.GREEN, "reason": text(why), "at": change.now}
        _write(change, warning.model_copy(update=ended), service.owner, service.visibility)


def warnings_of(view: View, service: str, limit: int = 100) -> list[tuple[Digest, RiskWarning]]:
    """Return the warnings of a service that the actor sees, newest first, each with its digest."""
    return [(one.digest, one.load(RiskWarning)) for one in view.find(KIND, {"service": service}, limit)]


def all_warnings(view: View, limit: int) -> list[tuple[Digest, RiskWarning]]:
    """Return the warnings of all services that the actor sees, newest first, each with its digest."""
    return [(one.digest, one.load(RiskWarning)) for one in view.find(KIND, limit=limit)]


def standing_warnings(view: View, service: str) -> dict[Digest, RiskWarning]:
    """Return digest → warning for every detector that has a colour now, newest first."""
    latest: dict[str, tuple[Digest, RiskWarning]] = {}
    for digest, warning in warnings_of(view, service, 1000):
        latest.setdefault(warning.detector, (digest, warning))
    return {digest: warning for digest, warning in latest.values() if warning.colour is not Colour.GREEN}


def _head_of(service: str, detector: str) -> str:
    """Return the name under which the newest warning of a detector stands in the store."""
    name = f"warning:{service}/{detector}"
    return name if len(name) <= _LONGEST else f"warning:{service}/{digest_bytes(detector.encode())}"


class ReactionDecision(Part):
    """What is to be done about a warning, decided once: a runbook that is changed later changes nothing of it."""

    before: Colour
    """The colour of the same detector until then."""
    runbook: Runbook
    rule: RunbookRule | None = None
    """None: nothing."""
    route: int | None = None
    """Which of the service's routes the warning is about; None: the service was moved off it before."""
    certified: CertifiedRoute | None = None
    """The certified version behind that route."""


class Done(Part):
    """What came of a step."""

    what: Text
    at: Moment
    document: Digest | None = None
    failed: bool = False


def find_step(connection: Connection, cause: Digest, step: str) -> bytes | None:
    """Return what was written down of a step, or None: it was not taken."""
    rows = select(_reactions.outcome).where(_reactions.cause == cause, _reactions.step == step)
    found = connection.scalar(rows)
    return None if found is None else bytes(found)


def keep_decision(change: Transaction, cause: Digest, warning: RiskWarning, decision: ReactionDecision) -> None:
    """Write down what is to be done about a warning, and the colour that its detector has from now on."""
    _keep(change, (cause, DECIDED), warning.service, decision)
    _keep_level(change.connection, cause, warning)


def keep_step(change: Transaction, cause: Digest, step: str, service: str, done: Done) -> None:
    """Write down that a step was taken, and what came of it."""
    _keep(change, (cause, step), service, done)


def steps_of(connection: Connection, cause: Digest) -> dict[str, Done]:
    """Return what was done about a cause, step by step in its order."""
    rows = select(_reactions.step, _reactions.outcome).where(_reactions.cause == cause, _reactions.step != DECIDED)
    found = connection.execute(rows.order_by(_reactions.place))
    return {step: Done.model_validate_json(outcome) for step, outcome in found}


def newest_steps(connection: Connection, limit: int) -> dict[str, list[Done]]:
    """Return service → what was done about it last, newest first, ``limit`` of each; shown cut to the actor."""
    order = (_reactions.done_at.desc(), _reactions.place.desc())
    place = func.row_number().over(partition_by=_reactions.service, order_by=order).label("newest")
    ranked = select(_reactions.service, _reactions.outcome, place).where(_reactions.step != DECIDED).subquery()
    rows = select(ranked).where(ranked.c.newest <= limit).order_by(ranked.c.service, ranked.c.newest)
    found: dict[str, list[Done]] = {}
    for row in connection.execute(rows):
        found.setdefault(row.service, []).append(Done.model_validate_json(row.outcome))
    return found


def warned_heads(connection: Connection) -> list[str]:
    """Return under which names the store keeps warnings that may stand now, as detectors and reactions know them.

    Either may be behind the other; what stands under a name says the colour.
    """
    green = Colour.GREEN.value
    known = select(_levels.service, _levels.detector).where(_levels.colour != green)
    states = select(_states.service, _states.detector).where(_states.colour != green)
    return sorted(_head_of(service, detector) for service, detector in connection.execute(known.union(states)))


def level_of(connection: Connection, service: str, detector: str) -> Colour:
    """Return the colour that a detector had when it was last judged, green for one that was not."""
    rows = select(_levels.colour).where(_levels.service == service, _levels.detector == _short(detector))
    return Colour(connection.scalar(rows) or Colour.GREEN)


def _write(change: Transaction, warning: RiskWarning, owner: str, visibility: Visibility) -> Digest:
    fields = {"service": warning.service, "detector": warning.detector, "colour": warning.colour.value}
    digest = change.put(warning, visibility, owner=owner, fields=fields)
    change.let_stand(_head_of(warning.service, warning.detector), digest)
    return digest


def _keep(change: Transaction, name: tuple[Digest, str], service: str, outcome: ReactionDecision | Done) -> None:
    cause, step = name
    place = change.connection.scalar(select(func.count()).where(_reactions.cause == cause)) or 0
    row = {"cause": cause, "step": step, "service": service, "place": place, "done_at": change.now}
    outcome_bytes = canonical_json(outcome.to_json_value())
    change.connection.execute(insert(watch_tables.reactions).values(**row, outcome=outcome_bytes))


def _keep_level(connection: Connection, cause: Digest, warning: RiskWarning) -> None:
    whose = {"service": warning.service, "detector": _short(warning.detector)}
    set_row(connection, watch_tables.warning_levels, whose, {"colour": warning.colour.value, "warning": cause})


def _short(detector: str) -> str:
    return detector if len(detector) <= _LONGEST else digest_bytes(detector.encode())


def acknowledge(view: View, warning: Digest, note: str = "") -> Acknowledgement:
    """Say that somebody takes care of a warning; the operator's, and its service's owner's.

    Raises:
        NotFoundError: the actor sees no such warning.
        RefusedError: it is neither operator nor owner.
        ConflictError: somebody has acknowledged it before.
    """
    known = view.done(Acknowledgement)
    if known is not None:
        return known
    found = view.load(warning, RiskWarning)
    service = own_service(view, found.service, WatchAct.CARE)
    stored = stored_service(view, found.service)
    with view.transaction("warning.acknowledged") as change:
        if view.within(change).head(_head(warning)) is not None:
            raise ConflictError("watching.acknowledged_before")
        said = Acknowledgement(
            service=service.name, warning=warning, person=view.actor.person, note=note, at=change.now
        )
        change.put(said, stored.visibility, owner=stored.owner, fields={"service": service.name})
        change.set_head(_head(warning), said.digest(), expected=None)
        change.settle(said.digest())
    return said


def acknowledgements(view: View, warnings: Iterable[Digest]) -> dict[Digest, Acknowledgement]:
    """Return warning → who takes care of it, for those that somebody has acknowledged."""
    named = view.named([_head(warning) for warning in warnings])
    return {one.warning: one for one in (stored.load(Acknowledgement) for stored in named.values())}


def silence(view: View, service: str, reason: str, until: datetime, detector: str | None = None) -> Silence:
    """Let notices of a detector, or of all of a service, rest until a moment, and say why; the operator's.

    Raises:
        NotFoundError: the actor sees no such service.
        RefusedError: it is not the operator.
        InputError: no reason, or an end that has passed or is more than `LONGEST_SILENCE` away.
    """
    known = view.done(Silence)
    if known is not None:
        return known
    stored = stored_service(view, service)
    require_permitted(view, WatchAct.SILENCE)
    now = view.store.clock()
    if not reason.strip():
        raise InputError("watching.no_reason")
    if not now < until <= now + LONGEST_SILENCE:
        raise InputError("watching.silence_end", days=LONGEST_SILENCE.days)
    said = Silence(
        service=service, detector=detector, reason=reason.strip(), until=until, person=view.actor.person, at=now
    )
    with view.transaction("warning.silenced") as change:
        _put(change, stored, said)
        change.settle(said.digest())
    return said


def end_in(hours: float, now: datetime) -> datetime:
    """Return the end of a silence of so many hours; raises `InputError` for none, too many, or what is no number."""
    if not 0 < hours <= LONGEST_SILENCE / timedelta(hours=1):
        raise InputError("watching.silence_end", days=LONGEST_SILENCE.days)
    return now + timedelta(hours=hours)


def end_silence(view: View, service: str, detector: str | None = None) -> None:
    """Let notices of a detector, or of a service, go out again; raises as `silence`, and nothing where none rests."""
    stored = stored_service(view, service)
    require_permitted(view, WatchAct.SILENCE)
    with view.transaction("warning.silenced") as change:
        here = view.within(change)
        if here.outcome() is not None:
            return
        for standing in silences(here, service):
            if standing.detector == detector:
                ended = {"until": change.now, "at": change.now, "person": view.actor.person}
                _put(change, stored, standing.model_copy(update=ended))
        change.settle(service_subject(service))


def silences(view: View, service: str) -> list[Silence]:
    """Return the silences of a service that have not ended, newest first."""
    newest: dict[str | None, Silence] = {}
    for stored in view.find("silence", {"service": service}, limit=500):
        one = stored.load(Silence)
        newest.setdefault(one.detector, one)
    now = view.store.clock()
    return [one for one in newest.values() if now < one.until]


def is_muted(view: View, warning: RiskWarning) -> bool:
    """Return whether notices of this warning rest now."""
    return any(one.detector in (None, warning.detector) for one in silences(view, warning.service))


def _put(change: Transaction, service: Stored, said: Silence) -> None:
    change.put(said, service.visibility, owner=service.owner, fields={"service": said.service})


def _head(warning: Digest) -> str:
    return f"acknowledged:{warning}"
