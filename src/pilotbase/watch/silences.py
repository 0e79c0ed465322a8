"""What people do about a risk warning: acknowledge it, or silence a detector for a time, with a reason.

Both mute notices and nothing else: detectors go on, warnings stand, and runbooks are followed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import WatchAct
from pilotbase.documents.subjects import service_subject
from pilotbase.documents.watch import Acknowledgement, RiskWarning, Silence
from pilotbase.watch.subjects import own_service, require_permitted, stored_service
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

LONGEST = timedelta(days=90)
"""A silence ends by itself; a longer one would be forgotten."""


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
        InputError: no reason, or an end that has passed or is more than `LONGEST` away.
    """
    known = view.done(Silence)
    if known is not None:
        return known
    stored = stored_service(view, service)
    require_permitted(view, WatchAct.SILENCE)
    now = view.store.clock()
    if not reason.strip():
        raise InputError("watching.no_reason")
    if not now < until <= now + LONGEST:
        raise InputError("watching.silence_end", days=LONGEST.days)
    said = Silence(
        service=service, detector=detector, reason=reason.strip(), until=until, person=view.actor.person, at=now
    )
    with view.transaction("warning.silenced") as change:
        _put(change, stored, said)
        change.settle(said.digest())
    return said


def end_in(hours: float, now: datetime) -> datetime:
    """Return the end of a silence of so many hours; raises `InputError` for none, too many, or what is no number."""
    if not 0 < hours <= LONGEST / timedelta(hours=1):
        raise InputError("watching.silence_end", days=LONGEST.days)
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
