"""One contract for whatever answers behind the gateway: our boxes, and endpoints of every protocol there is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, get_args

import pytest

from pilotbase.documents.service import EndpointProtocol, EndpointRoute, ServiceTerms
from pilotbase.gateway import upstreams
from pilotbase.gateway.upstreams.agents import AgentUpstream
from pilotbase.gateway.upstreams.certified import CertifiedUpstream, Recipe
from pilotbase.gateway.upstreams.endpoint import EndpointUpstream, GuardedSessions
from pilotbase.gateway.upstreams.replicas import Replica, Replicas
from pilotbase.gateway.upstreams.wires import WIRES
from pilotbase.protocols.open_inference import read_infer_request
from pilotbase.protocols.openai_wire import read_chat_request
from pilotbase.protocols.strict_json import WireError
from pilotbase.protocols.upstream import Upstream, UpstreamCall, UpstreamDownError, UpstreamReply
from pilotbase.service.registry import load_service
from pilotbase.worker.providers import OwnSeats
from tests.gateway.endpoints_for_tests import Endpoint
from tests.gateway.gateways_for_tests import CASE, SERVICE, Place, proven, serving

PROTOCOLS = get_args(EndpointProtocol)
TENSORS = [
    {"name": "pressure", "datatype": "FP64", "shape": [1], "data": [7.5]},
    {"name": "age", "datatype": "INT64", "shape": [1], "data": [3]},
    {"name": "site", "datatype": "BYTES", "shape": [1], "data": ["north"]},
]


def chat() -> UpstreamCall:
    message = {"role": "user", "content": json.dumps(CASE)}
    return _question({"model": SERVICE, "messages": [message]}, read_chat_request)


def inference() -> UpstreamCall:
    return _question({"inputs": TENSORS}, read_infer_request)


def _question(fields: dict[str, Any], read: Callable[[bytes], Any]) -> UpstreamCall:
    body = json.dumps(fields).encode()
    return UpstreamCall("call-1", SERVICE, body, read(body), created=1)


SPOKEN = {"openai": chat, "oip": inference}
"""Protocol → a question in it."""
KINDS = ("certified", *PROTOCOLS)


@dataclass(frozen=True)
class Ground:
    """What upstreams are made of."""

    place: Place
    endpoint: Endpoint
    url: str

    def make(self, kind: str, sessions: GuardedSessions, url: str = "") -> Upstream:
        """Return an upstream of a kind; endpoints answer at ``url``."""
        if kind == "certified":
            view = self.place.base.lab.view
            recipe = Recipe.of(self.place.base.lab, load_service(view, SERVICE).routes[0])
            return CertifiedUpstream(
                recipe, TERMS, OwnSeats().seat_for(view, recipe.work(load_service(view, SERVICE), "tests"), "tests")
            )
        address = url or (self.url if kind == "oip" else f"{self.url}/v1")
        route = EndpointRoute(override=f"sha256:{'0' * 64}", protocol=kind, url=address, model="their-model")
        return Replicas([EndpointUpstream(route, TERMS, sessions, None)])


TERMS = ServiceTerms(timeout_seconds=20)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    endpoint = Endpoint()
    with proven() as place, serving(endpoint) as url:
        place.serve(SERVICE)
        yield Ground(place, endpoint, url)


def with_upstream(ground: Ground, kind: str, act: Callable[[Upstream], Awaitable[Any]], url: str = "") -> Any:
    """Return what ``act`` returns of a fresh upstream, which is closed twice afterwards."""

    async def run() -> Any:
        sessions = GuardedSessions(["127.0.0.1"])
        upstream = ground.make(kind, sessions, url)
        try:
            return await act(upstream)
        finally:
            await upstream.close()
            await upstream.close()
            await sessions.close()

    return asyncio.run(run())


def test_every_upstream_and_every_protocol_is_held_to_this_contract() -> None:
    modules = [import_module(f"{upstreams.__name__}.{file.name}") for file in iter_modules(upstreams.__path__)]
    found = {one for module in modules for one in vars(module).values() if isinstance(one, type)}
    answering = {one for one in found if hasattr(one, "hand_over") and hasattr(one, "ask")} - {Upstream, Replica}
    assert answering == {
        AgentUpstream,
        CertifiedUpstream,
        EndpointUpstream,
        Replicas,
    }  # dialogues: tests/gateway/test_agents.py
    assert set(WIRES) == set(PROTOCOLS) == set(SPOKEN)


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_a_question_of_its_protocol_with_its_cases(ground: Ground, kind: str) -> None:
    question = SPOKEN.get(kind, chat)()
    reply = with_upstream(ground, kind, lambda upstream: upstream.ask(question))
    assert isinstance(reply, UpstreamReply)
    assert (reply.status, reply.media_type, reply.handed_over) == (200, "application/json", False)
    assert isinstance(json.loads(reply.body), dict)
    assert list(reply.cases.ids) == ["call-1"]


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_an_endpoint_is_asked_under_its_own_name_of_the_model(ground: Ground, kind: str) -> None:
    with_upstream(ground, kind, lambda upstream: upstream.ask(SPOKEN[kind]()))
    path, _, body = ground.endpoint.asked[-1]
    assert "their-model" in path + body.decode()
    assert SERVICE not in path + body.decode()


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_question_of_another_protocol_is_refused_before_anybody_is_asked(ground: Ground, kind: str) -> None:
    asked = len(ground.endpoint.asked)
    own = type(SPOKEN[kind]().content)
    for other in (question() for question in SPOKEN.values() if type(question().content) is not own):
        with pytest.raises(WireError) as refused:
            with_upstream(ground, kind, lambda upstream, other=other: upstream.ask(other))
        assert refused.value.code == "wire.other_protocol"
        assert refused.value.render("zh") != refused.value.render("en")
    assert len(ground.endpoint.asked) == asked


@pytest.mark.parametrize("kind", KINDS)
def test_it_hands_over_to_a_person_without_asking(ground: Ground, kind: str) -> None:
    asked = len(ground.endpoint.asked)

    async def hand_over(upstream: Upstream) -> UpstreamReply:
        return upstream.hand_over(SPOKEN.get(kind, chat)())

    reply = with_upstream(ground, kind, hand_over)
    assert reply.handed_over
    assert list(reply.cases.ids) == ["call-1"]
    assert len(ground.endpoint.asked) == asked


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_where_nobody_answers_it_says_so_and_is_not_ready(ground: Ground, kind: str) -> None:
    async def ask(upstream: Upstream) -> bool:
        with pytest.raises(UpstreamDownError):
            await upstream.ask(SPOKEN[kind]())
        return upstream.ready

    assert with_upstream(ground, kind, ask, url="http://127.0.0.1:9") is False
