"""Services of a base, as an actor uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pilotbase.certificate.status import revocations_of
from pilotbase.documents.api.services import HeldRoute, ListedService, ServiceView
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.permissions import Acting, ServiceAct, SubjectRelation, permitted
from pilotbase.documents.service import EndpointRoute, Service, ServiceStatus
from pilotbase.documents.texts import Text, text
from pilotbase.documents.transcript import Line, end_of, read_transcript
from pilotbase.documents.vocabularies import ServingState
from pilotbase.operations.services import Moved, ServiceMove
from pilotbase.service import registry, standing
from pilotbase.service.known import read_serving
from pilotbase.trial.arena.planted import gives_orders
from pilotbase.watch.packs import Pack, moment_of
from pilotbase.worker.base import Base
from pilotbase.worker.providers import seats
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.store import View

if TYPE_CHECKING:
    from pilotbase.service.snippets import Snippet

_MOVES: Mapping[ServiceMove, Callable[[View, str, Text], ServiceStatus]] = {
    ServiceMove.STOP: standing.take_offline,
    ServiceMove.START: standing.restore,
    ServiceMove.FALL_BACK: standing.fall_back,
    ServiceMove.ASK_HUMAN: standing.ask_human,
}
_PACKS = 20
_CARRIED_OUT = ("allowed", "consented")
_packs = tables.observation_packs.c
_ANSWERED = (ServingState.SERVING, ServingState.FALLEN_BACK)


def list_services(view: View) -> list[ListedService]:
    """Return the services that the actor sees, by name."""
    return [
        filled(ListedService, service, stands, application=service.answers(stands.route), since=stands.at)
        for service, stands in registry.services_of(view)
    ]


def show_service(base: Base, view: View, name: str) -> ServiceView:
    """Return a service and its status; raises `NotFoundError` if the actor sees none of that name."""
    service = registry.load_service(view, name)
    found = _seen(service, standing.standing_of(view, name), base.lab.view)
    return found.model_copy(update={"seats": tuple(seats().seen(view, service.subject))})


def call_snippets(base: Base, service: Service) -> tuple[Snippet, ...]:
    """Return programs that call a service; none if nothing is known of what it takes."""
    from pilotbase.service.snippets import snippets_for  # it loads numpy, which no list needs

    known, contract = _takes(base, service)
    return snippets_for(service.name, contract) if known else ()


def call_example(base: Base, service: Service) -> Mapping[str, Any] | None:
    """Return a chat completion that a service would answer; None if nothing is known of what it takes."""
    from pilotbase.service.snippets import example_for

    known, contract = _takes(base, service)
    return example_for(service.name, contract) if known else None


def _takes(base: Base, service: Service) -> tuple[bool, Contract | None]:
    """Return whether it is known what a service takes, and its contract (None: it is a chat model)."""
    first = service.routes[0]
    contract = registry.contract_behind(base.lab.view, first)
    return contract is not None or (isinstance(first, EndpointRoute) and first.protocol == "openai"), contract


def move_service(view: View, asked: Moved) -> None:
    """Stop, start, fall back or hand over to a person; moving to the present state changes nothing."""
    _MOVES[asked.move](view, asked.service, text("service.reason.by_hand", reason=asked.reason))


def history_of(view: View, name: str) -> list[ServiceStatus]:
    """Return the status history of a service, newest first; raises as `show_service`."""
    registry.load_service(view, name)
    return standing.history_of(view, name)


def may_put_into_service(actor: Acting, certificate: Certificate) -> bool:
    """Return whether ``actor`` may put the certified application into service, once nothing prevents it.

    `pilotbase.service.admission.why_not_admitted` returns what prevents it.
    """
    owner = certificate.scenario.owner.organisation
    return certificate.accepts and permitted(ServiceAct.CREATE, actor, SubjectRelation(demand_owner=owner))


def _seen(service: Service, stands: ServiceStatus, own: View) -> ServiceView:
    """Return a service with its barred routes and its answering one; ``own``: the base's view, to see certificates."""
    serving, now = read_serving(own, service.name, revocations_of(own)), own.store.clock()
    ways = serving.ways if serving is not None else ()
    why = [way.why_not(now) for way in ways]
    held = tuple(HeldRoute(route=number, why=one) for number, one in enumerate(why) if one is not None)
    may = (number for number in range(stands.route, len(why)) if why[number] is None)
    answering = next(may, None) if stands.state in _ANSWERED else None
    return ServiceView(service=service, standing=stands, held=held, answering=answering)


@dataclass(frozen=True)
class StoppedAct:
    """An act that the fence did not let through."""

    tool: str
    ruling: str
    """Text ``picture.ruling.<value>``."""


@dataclass(frozen=True)
class SeenDialogue:
    """A dialogue that has ended."""

    dialogue: str
    at: datetime
    end: str
    turns: int
    carried_out: int
    refused: tuple[StoppedAct, ...]
    tokens: int = 0
    """Of its model; 0 also if it has none."""
    cost: str = "0"
    """In the currency of the model's prices."""
    planted: tuple[str, ...] = ()
    """Tools that returned an instruction to the agent, each once."""


def dialogues_of(view: View, service: str, most: int = 20) -> list[SeenDialogue]:
    """Return the dialogues of a service that ended last, newest first; the caller may look into the service."""
    here = (_packs.service == service, _packs.body.is_not(None))
    newest = select(_packs.body).where(*here).order_by(_packs.number.desc()).limit(_PACKS)
    with view.reading() as connection:
        packs = [Pack.from_bytes(body) for body in connection.scalars(newest)]
    found = [seen for pack in packs for seen in _dialogues_in(pack)]
    return sorted(found, key=lambda one: one.at, reverse=True)[:most]


def _dialogues_in(pack: Pack) -> Iterator[SeenDialogue]:
    for case, at, answer in zip(pack.ids, pack.at, pack.answers, strict=False):
        end = end_of(answer)
        if end is None or not isinstance(answer, str):
            continue
        try:
            lines = read_transcript(answer)
        except InvalidProofError:
            continue
        calls = [line for line in lines if line["kind"] == "call"]
        refused = tuple(map(_refused, (line for line in calls if line["ruling"] not in _CARRIED_OUT)))
        used = end.get("tokens", 0), end.get("cost", "0")
        met = tuple(dict.fromkeys(line["tool"] for line in calls if gives_orders(line["result"])))
        carried_out = len(calls) - len(refused)
        yield SeenDialogue(case, moment_of(at), end["end"], end["turns"], carried_out, refused, *used, met)


def _refused(line: Line) -> StoppedAct:
    return StoppedAct(line["tool"], line["ruling"])
