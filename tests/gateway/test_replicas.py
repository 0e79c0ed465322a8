"""Replicas of an endpoint: who is asked, what is tried again, and who rests."""

import asyncio
import contextlib
import socket
from types import SimpleNamespace

import openai
import pytest

from pilotbase.documents.service import EndpointRoute, ServiceTerms
from pilotbase.gateway.upstreams import endpoint as endpoint_upstreams
from pilotbase.gateway.upstreams.endpoint import EndpointUpstream
from pilotbase.gateway.upstreams.replicas import Health, Replicas
from pilotbase.protocols.upstream import CallCases, UpstreamBusyError, UpstreamDownError, UpstreamFailedError
from pilotbase.protocols.upstream import UpstreamReply as Reply
from tests.contracts.test_upstreams import chat
from tests.gateway.endpoints_for_tests import Endpoint
from tests.gateway.gateways_for_tests import serving
from tests.gateway.test_endpoints import wait_for

FAILURES = [
    lambda: UpstreamDownError("gateway.endpoint_down"),
    lambda: UpstreamFailedError("gateway.endpoint_failed", status=500),
    lambda: UpstreamBusyError("gateway.queue_full", seconds=1),
]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """A replica that fails as it is told, or answers once it may."""

    def __init__(self, clock: Clock, name: str, failure=None) -> None:
        self.health, self.name, self.failure = Health(clock), name, failure
        self.pending = self.asked = self.closed = 0
        self.ready, self.may_answer = True, asyncio.Event()
        self.may_answer.set()

    async def ask(self, question):
        self.pending, self.asked = self.pending + 1, self.asked + 1
        self.health.begin()
        try:
            await self.may_answer.wait()
            if self.failure is not None:
                problem = self.failure()
                self.health.failed(reached=not isinstance(problem, UpstreamDownError))
                raise problem
            self.health.answered()
            return Reply(self.name.encode(), CallCases([]))
        except asyncio.CancelledError:
            self.closed += 1
            raise
        finally:
            self.pending -= 1


async def failed(upstream: Replicas, calls: int) -> int:
    """Return how many of so many calls, one after the other, were not answered."""
    count = 0
    for _ in range(calls):
        try:
            await upstream.ask(None)
        except (UpstreamDownError, UpstreamFailedError, UpstreamBusyError):
            count += 1
    return count


@pytest.mark.parametrize("failure", FAILURES)
def test_one_of_three_that_fails_fast_costs_no_caller_anything(failure):
    async def run() -> None:
        replicas = [Scripted(clock := Clock(), "bad", failure), Scripted(clock, "b"), Scripted(clock, "c")]
        assert await failed(Replicas(replicas, clock=clock), 1000) == 0
        assert replicas[0].asked == 5
        assert abs(replicas[1].asked - replicas[2].asked) <= 5

    asyncio.run(run())


def test_retries_never_multiply_an_overload():
    async def run() -> None:
        replicas = [Scripted(clock := Clock(), name, FAILURES[1]) for name in "abc"]
        assert await failed(Replicas(replicas, clock=clock), 1000) == 1000
        assert sum(one.asked for one in replicas) <= 1000 * 1.1 + 10

    asyncio.run(run())


def test_what_rests_is_tried_by_one_call_and_rests_longer_each_time():
    async def run() -> None:
        bad, good = Scripted(clock := Clock(), "bad", FAILURES[0]), Scripted(clock, "good")
        upstream = Replicas([bad, good], clock=clock)
        assert await failed(upstream, 20) == 0 and bad.asked == 5
        for seconds, asked in ((9.9, 5), (0.2, 6), (19.9, 6), (0.2, 7), (39.9, 7), (0.2, 8)):
            clock.now += seconds
            assert await failed(upstream, 20) == 0
            assert bad.asked == asked
        bad.failure = None
        clock.now += 300
        await failed(upstream, 20)
        assert bad.asked > 16

    asyncio.run(run())


def test_the_last_that_cannot_be_reached_is_not_knocked_at_by_everybody():
    async def run() -> None:
        alone = Scripted(clock := Clock(), "alone", FAILURES[0])
        upstream = Replicas([alone], clock=clock)
        assert await failed(upstream, 100) == 100
        assert alone.asked == 5 and upstream.boxes == 0
        alone.failure, clock.now = None, clock.now + 11
        assert await failed(upstream, 100) == 0 and upstream.boxes == 1

    asyncio.run(run())


def test_the_last_that_answers_is_asked_though_one_caller_makes_it_fail():
    async def run() -> None:
        alone = Scripted(clock := Clock(), "alone", FAILURES[1])
        upstream = Replicas([alone], clock=clock)
        await failed(upstream, 20)
        alone.failure = None
        assert await failed(upstream, 1) == 0

    asyncio.run(run())


@pytest.mark.parametrize("hedge", [True, False])
def test_a_late_call_is_put_to_a_second_replica_and_let_go_at_the_first(hedge):
    async def run() -> None:
        slow, quick = Scripted(clock := Clock(), "slow"), Scripted(clock, "quick")
        upstream = Replicas([slow, quick], hedge, clock)
        await failed(upstream, 100)
        slow.may_answer.clear()
        while upstream._replicas[0] is not slow:
            await upstream.ask(None)
        call = asyncio.create_task(upstream.ask(None))
        if hedge:
            assert (await call).body == b"quick"
            assert (slow.closed, slow.pending) == (1, 0)
        else:
            for _ in range(20):
                await asyncio.sleep(0)
            assert not call.done()
            slow.may_answer.set()
            assert (await call).body == b"slow"

    asyncio.run(run())


def test_a_call_of_which_both_fail_has_failed(monkeypatch):
    async def run() -> None:
        replicas = [Scripted(clock := Clock(), name) for name in "ab"]
        upstream = Replicas(replicas, True, clock)
        await failed(upstream, 100)
        for one in replicas:
            one.failure = FAILURES[1]
        replicas[0].may_answer.clear()
        replicas[1].may_answer.clear()
        call = asyncio.create_task(upstream.ask(None))
        while sum(one.pending for one in replicas) < 2:
            await asyncio.sleep(0)
        for one in replicas:
            one.may_answer.set()
        with pytest.raises(UpstreamFailedError):
            await call

    asyncio.run(run())


@pytest.fixture(params=["down", "broken"])
def useless(request):
    """Address of a replica that nobody listens at, or that answers with errors."""
    broken = Endpoint()
    broken.broken = True
    with serving(broken) as there, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # it does not listen
        yield f"{there}/v1" if request.param == "broken" else f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"


def test_no_caller_notices_that_a_replica_is_down_or_broken(live, place, name, endpoint, useless):
    place.endpoint(useless, name, replicas=(f"{endpoint.url}/v1",))
    client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)
    for _ in range(40):
        answer = client.chat.completions.create(model=name, messages=[{"role": "user", "content": "hello"}])
        assert answer.choices[0].message.content == "said hello"
    told = live.gateway.measurements.render(live.gateway.upstreams.gauges())
    assert f'pilotbase_service_boxes{{service="{name}"}} 1' in told


def test_a_replica_that_does_not_begin_to_answer_is_given_up_for_another(live, place, name, endpoint):
    silent = socket.create_server(("127.0.0.1", 0))  # it takes connections and says nothing
    with silent:
        place.endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}/v1", name, replicas=(f"{endpoint.url}/v1",))
        place.terms(name, first_byte_seconds=5, timeout_seconds=600)
        client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)
        for _ in range(2):  # whichever is asked first
            answer = client.chat.completions.create(model=name, messages=[{"role": "user", "content": "hello"}])
            assert answer.choices[0].message.content == "said hello"


def test_three_hundred_streams_run_at_once_and_the_next_is_refused_at_the_stated_limit(live, place, name, endpoint):
    place.endpoint(f"{endpoint.url}/v1", name)
    place.terms(name, concurrency=300)
    client = openai.AsyncOpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)

    async def run() -> None:
        asked = {"model": name, "messages": [{"role": "user", "content": "hang"}], "stream": True}
        streams = await asyncio.gather(*(client.chat.completions.create(**asked) for _ in range(300)))
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(**asked)
        assert caught.value.status_code == 503
        await asyncio.gather(*(stream.close() for stream in streams))
        await client.close()

    asyncio.run(run())


class _Silent:
    """A session that sends nothing back, until it is cancelled."""

    async def post(self, url, **_more):
        await asyncio.Event().wait()


@pytest.mark.parametrize(("seconds", "rests"), [(30.0, True), (1.0, False)])
def test_an_endpoint_that_lets_calls_run_out_of_time_rests_and_not_one_whose_callers_go(monkeypatch, seconds, rests):
    clock = Clock()
    monkeypatch.setattr(endpoint_upstreams, "time", SimpleNamespace(monotonic=clock))
    sessions = SimpleNamespace(for_url=lambda url: _Silent())
    route = EndpointRoute(override="sha256:" + "0" * 64, protocol="openai", url="https://models.example/v1", model="m")
    upstream = EndpointUpstream(route, ServiceTerms(timeout_seconds=30), sessions, None)

    async def run() -> None:
        for _ in range(5):
            call = asyncio.create_task(upstream.ask(chat()))
            while not upstream.pending:
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            clock.now += seconds
            call.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await call
        assert upstream.health.rests is rests and upstream.pending == 0

    asyncio.run(run())


def test_a_caller_who_leaves_a_long_stream_is_no_failure_of_its_endpoint(live, place, name, endpoint, monkeypatch):
    clock = Clock()
    place.endpoint(f"{endpoint.url}/v1", name)
    client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)
    monkeypatch.setattr(endpoint_upstreams, "time", SimpleNamespace(monotonic=clock))
    for _ in range(5):
        asked = {"model": name, "messages": [{"role": "user", "content": "hang"}], "stream": True}
        stream = client.chat.completions.create(**asked)
        next(iter(stream))
        clock.now += 10_000
        cut = endpoint.cut
        stream.close()
        wait_for(lambda before=cut: endpoint.cut > before)
    (upstream,) = (one for service, one in live.gateway.upstreams.made() if service == name)
    assert upstream.boxes == 1
