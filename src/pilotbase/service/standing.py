"""Where a service stands: serving, fallen back, handed over to a person, stopped. Each move is one logged document.

A move that has a cause (the digest of a risk warning, an incident, a revocation) is made once: asked for again, by a
reaction that was killed, it changes nothing, whatever has been done since. So is one that a person asks for by a
request that is sent again. Nothing makes a service stand less strictly
than it does, but `restore`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from pilotbase.certificate.status import revocations_of
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.service import Service, ServiceStatus
from pilotbase.documents.subjects import standing_head
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import ServingState
from pilotbase.service.known import Serving, read_serving
from pilotbase.service.registry import load_service, require_permitted, seen_by
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

_STRICTNESS = (ServingState.SERVING, ServingState.FALLEN_BACK, ServingState.HUMAN, ServingState.STOPPED)


@dataclass(frozen=True)
class _Place:
    """Where a move leads."""

    state: ServingState
    route: int


_Move = Callable[[Serving, View], _Place]


def fall_back(
    view: View, name: str, reason: Text, cause: Digest | None = None, *, off: int | None = None
) -> ServiceStatus:
    """Let the next earlier version that is certified answer; where there is none, a person, or nobody.

    ``off``: only where that route answers now, so that two causes that move a service off one version move it once.

    Raises as every move:
        NotFoundError: there is no such service, or none that the actor may see.
        RefusedError: it is not for the actor to do this.
    """
    return _move(view, name, "fall_back", partial(_fallen_back, off), (reason, cause))


def ask_human(view: View, name: str, reason: Text, cause: Digest | None = None) -> ServiceStatus:
    """Hand every call over to the service's desk; raises `RefusedError` where its terms declare none."""
    return _move(view, name, "ask_human", _to_the_desk, (reason, cause))


def take_offline(view: View, name: str, reason: Text, cause: Digest | None = None) -> ServiceStatus:
    """Stop the service: its next call is refused."""
    return _move(view, name, "take_offline", _at(ServingState.STOPPED), (reason, cause))


def restore(view: View, name: str, reason: Text, cause: Digest | None = None) -> ServiceStatus:
    """Let the first version answer again; raises `RefusedError` where nothing that is certified could."""
    return _move(view, name, "restore", _restored, (reason, cause))


def standing_of(view: View, name: str) -> ServiceStatus:
    """Return where a service stands now; raises `NotFoundError`."""
    found = view.load_head(standing_head(name), ServiceStatus)
    if found is None:
        raise NotFoundError("service.none_seen", service=name)
    return found


def history_of(view: View, name: str) -> list[ServiceStatus]:
    """Return how a service has stood, newest first."""
    return view.every(ServiceStatus, {"service": name})


def write_standing(change: Transaction, service: Service, standing: ServiceStatus, move: str) -> None:
    """Let a service stand so from the end of ``change``; ``move`` is how it came there."""
    fields = {"service": service.name, "move": move, **({"cause": standing.cause} if standing.cause else {})}
    made = change.put(standing, seen_by(service), owner=service.organisation, fields=fields)
    change.let_stand(standing_head(service.name), made)


def _move(view: View, name: str, kind: str, move: _Move, why: tuple[Text, Digest | None]) -> ServiceStatus:
    reason, cause = why
    with view.transaction(f"service.{kind}") as change:
        here = view.within(change)
        service = load_service(here, name)
        require_permitted(here, ServiceAct.MOVE, service.organisation)
        known = here.done(ServiceStatus)
        if known is not None:
            return known
        serving = read_serving(here, name, revocations_of(here))
        assert serving is not None
        before, place = serving.standing, move(serving, here)
        done = cause is not None and bool(
            here.find("service-standing", {"service": name, "move": kind, "cause": cause}, 1)
        )
        if done or (before.state, before.route) == (place.state, place.route):
            change.settle(here.head(standing_head(name)) or "")
            return before
        standing = ServiceStatus(
            service=name, state=place.state, route=place.route, reason=reason, cause=cause, at=change.now
        )
        write_standing(change, service, standing, kind)
        change.settle(standing.digest())
    return standing


def _to_the_desk(serving: Serving, view: View) -> _Place:
    if not serving.service.terms.ask_human:
        raise RefusedError("service.no_desk", service=serving.service.name)
    return _at(ServingState.HUMAN)(serving, view)


def _at(state: ServingState) -> _Move:
    def move(serving: Serving, _: View) -> _Place:
        standing = serving.standing
        stricter = max(state, standing.state, key=_STRICTNESS.index)
        return _Place(stricter, standing.route)

    return move


def _fallen_back(off: int | None, serving: Serving, view: View) -> _Place:
    standing, now = serving.standing, view.store.clock()
    if standing.state in (ServingState.HUMAN, ServingState.STOPPED) or off not in (None, standing.route):
        return _Place(standing.state, standing.route)
    later = range(standing.route + 1, len(serving.ways) - (serving.service.release is not None))
    found = next((number for number in later if serving.ways[number].why_not(now) is None), None)
    if found is not None:
        return _Place(ServingState.FALLEN_BACK, found)
    nobody = ServingState.HUMAN if serving.service.terms.ask_human else ServingState.STOPPED
    return _Place(nobody, standing.route)


def _restored(serving: Serving, view: View) -> _Place:
    first = replace(serving, standing=serving.standing.model_copy(update={"route": 0}))
    now = view.store.clock()
    if first.way(now) is None:
        why = text(f"service.held_{first.ways[0].why_not(now)}", version=serving.service.answers(0))
        raise RefusedError("service.nothing_to_restore", service=serving.service.name, why=why)
    return _Place(ServingState.SERVING, 0)
