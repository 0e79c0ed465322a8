"""Demand that finds technology, in the demonstration: demands in words, capabilities, a room, a call, scores.

What stands in ``market.yaml`` beside the examples is made up, and says so. The code that takes it is that of any base.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from pilotbase.catalogue.advancing import advance
from pilotbase.catalogue.capabilities import state_capability
from pilotbase.documents.call import CallTerms, ClaimTerms
from pilotbase.documents.capability import Capability
from pilotbase.documents.errors import BarredError
from pilotbase.documents.permissions import Act
from pilotbase.documents.subjects import demand_subject, holder_of, record_head
from pilotbase.documents.vocabularies import Role
from pilotbase.documents.yaml_reader import read_yaml
from pilotbase.operations.matches import NewDemand
from pilotbase.worker import rooms
from pilotbase.worker.base import Base
from pilotbase.worker.demands import register_demand
from pilotbase.worker.demo.examples import find_examples
from pilotbase.worker.demo.records import PARTIES, Cast
from pilotbase.worker.potential import score_potential
from pilotbase.worker.trials import calls
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View

_OPEN_DAYS, _STEP_DAYS = 30, 21
_JUDGES = "north-institute"
_ActAs = Callable[[str], View]
"""Returns the view of an organisation of the demonstration."""


def fill_market(base: Base, cast: Cast) -> None:
    """Make what is missing of the market."""
    said: dict[str, Any] = read_yaml(find_examples() / "market.yaml").value

    def act_as(organisation: str) -> View:
        role = PARTIES[organisation][2]
        person = cast.owner if role is Role.DEMAND_OWNER else cast.supplier
        return base.lab.store.as_actor(Actor(organisation, frozenset({role}), person))

    for name, demand in said["demands"].items():
        if base.lab.view.head(record_head(f"demand:{name}")) is None:
            _register(act_as, name, demand)
    for one in said["capabilities"]:
        stated = Capability.model_validate({**one, "stated_at": base.lab.store.clock()})
        state_capability(act_as(stated.organisation), stated)
    _talk(act_as, said["room"])
    _call(base, act_as, said["call"])
    for scenario, scores in said["potentials"].items():
        _score(base, scenario, scores)


def _register(act_as: _ActAs, name: str, demand: Mapping[str, Any]) -> None:
    """Register a demand; where it joins another's, let the other owner agree."""
    owner, _, short = name.partition("/")
    register_demand(act_as(owner), owner, short, NewDemand.model_validate(demand))
    if "joins" in demand:
        advance(act_as(holder_of(demand["joins"])), demand_subject(owner, short), Act.DEMAND_ADMIT)


def _talk(act_as: _ActAs, said: Mapping[str, Any]) -> None:
    """Let an owner and a supplier meet in a room, once."""
    owner, supplier = (act_as(holder_of(said[one])) for one in ("demand", "application"))
    opened = rooms.open_room(owner, said["demand"], said["application"], said["proposed"])
    if opened.state != "proposed":
        return
    room, now = opened.room.identity, owner.store.clock()
    rooms.agree(supplier, room)
    question = rooms.enter(supplier, room, "question", words=said["question"]).entries[-1]
    rooms.reply(owner, room, "answer", ("question", question.number), said["answer"])
    rooms.enter(owner, room, "minutes", words=said["minutes"], day=_day(now, 0))
    rooms.plan_step(owner, room, said["step"], opened.room.owner, _day(now, _STEP_DAYS))


def _score(base: Base, scenario: str, scores: Mapping[str, Mapping[str, Any]]) -> None:
    """Let reviewers score a scenario's potential under seal, once; the third score opens all."""
    for person, one in scores.items():
        reviewer = base.lab.store.as_actor(Actor(_JUDGES, frozenset({Role.REVIEWER}), person))
        with suppress(BarredError):  # they are opened already
            score_potential(base, reviewer, scenario, (one["potential"], one["words"]), lambda owner, known: False)


def _call(base: Base, act_as: _ActAs, said: Mapping[str, Any]) -> None:
    """Let the owner of a scenario call for teams and one team claim the task, once."""
    owner, now = act_as(holder_of(said["scenario"])), base.lab.store.clock()
    subject = f"call:{owner.actor.organisation}/{said['name']}"
    if base.lab.view.head(subject) is not None:
        return
    terms = {**said["terms"], "closes": _day(now, _OPEN_DAYS)}
    terms["milestones"] = [{**one, "due": _day(now, one["due"])} for one in terms["milestones"]]
    calls.draft_call(base, owner, subject, said["scenario"], CallTerms.model_validate(terms))
    calls.publish_call(base, owner, subject)
    claim = ClaimTerms.model_validate(said["claim"])
    calls.hand_in_claim(base, act_as(holder_of(claim.application)), subject, claim)


def _day(now: datetime, days: int) -> str:
    return (now + timedelta(days=days)).date().isoformat()
