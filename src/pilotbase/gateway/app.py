"""The gateway as an ASGI application, thin routes over `calls`, and the process or thread that serves it."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pilotbase.documents.errors import PilotbaseError
from pilotbase.gateway import a2a_routes, mcp_routes, oip_routes, openai_routes
from pilotbase.gateway.calls import CallHandler, FrontDesk
from pilotbase.gateway.configuration import GatewayConfiguration, Network
from pilotbase.gateway.door import Gateway, language_of, problem_of
from pilotbase.gateway.grpc_server import GrpcServer, message_types
from pilotbase.gateway.tracing import GatewayMeasurements, SpanExporter
from pilotbase.gateway.upstreams.registry import Upstreams
from pilotbase.protocols.bounded_connection import BoundedConnection
from pilotbase.protocols.prometheus import CONTENT_TYPE
from pilotbase.service.desk import CallDispatcher
from pilotbase.service.journal import journals_of
from pilotbase.service.registry import services_of
from pilotbase.trial.lab import TrialRuntime
from pilotbase.workspace.failures import NotFoundError

_SERVED: dict[str, Any] = {"http": BoundedConnection, "log_config": None, "access_log": False, "lifespan": "on"}
_DRAIN_SECONDS = 10
"""How long calls under way may go on when the gateway is told to end."""


def open_gateway(lab: TrialRuntime, configuration: GatewayConfiguration) -> Gateway:
    """Return a gateway over the base that ``lab`` (its operator's) has open, with a desk of its own.

    Raises as `CallDispatcher.open`.
    """
    desk = FrontDesk(CallDispatcher.open(lab.view, journals_of(lab.home.path)), lab.view)
    upstreams = Upstreams(lab, desk, configuration.hub, configuration.allow, configuration.endpoint_keys)
    measurements = GatewayMeasurements()
    calls = CallHandler(desk, upstreams, measurements)
    gateway = Gateway(
        desk, calls, upstreams, measurements, configuration.body_bytes, configuration.metrics_from, configuration.url
    )
    if not configuration.traces:
        return gateway
    spans = SpanExporter(configuration.traces, configuration.trace_headers, configuration.trace_name)
    return replace(gateway, spans=spans)


def make_app(gateway: Gateway, lab: TrialRuntime, grpc: tuple[str, int] | None = None) -> Starlette:
    """Return the application; when it starts it wakes what serves, when it ends it ends everything in good order.

    ``grpc``: host and port at which gRPC is spoken too.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        for service, _status in services_of(lab.view):  # so that its first caller need not wait for a box
            for route in gateway.desk.desk.may_answer(service.name)[:1]:
                gateway.upstreams.wake(service, route)
        if gateway.spans is not None:
            gateway.spans.start()
        guards = [asyncio.create_task(one) for one in (gateway.calls.under_way.guard(), gateway.upstreams.tend())]
        beside = None if grpc is None else GrpcServer(app, *grpc, gateway.body_bytes)
        if beside is not None:
            await beside.start()
        try:
            yield
        finally:
            if beside is not None:
                await beside.close(_DRAIN_SECONDS)
            for guard in guards:
                guard.cancel()
            await gateway.calls.shadows.close()
            await gateway.upstreams.close()
            gateway.desk.close()
            if gateway.spans is not None:
                gateway.spans.close()

    routes = [*openai_routes.openai_routes(gateway), *oip_routes.oip_routes(gateway)]
    routes += [*mcp_routes.mcp_routes(gateway), *a2a_routes.a2a_routes(gateway), *_own_routes(gateway)]
    handlers = {HTTPException: _no_route, Exception: _broken}
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)


def run(lab: TrialRuntime, configuration: GatewayConfiguration, host: str, port: int, grpc_port: int | None) -> None:
    """Serve the base that ``lab`` has open until told to end; calls under way are then answered first.

    Raises as `open_gateway`, and as `message_types` where ``grpc_port`` is given.
    """
    if grpc_port is not None:
        message_types()
    app = make_app(open_gateway(lab, configuration), lab, None if grpc_port is None else (host, grpc_port))
    _spare_collections()
    more: dict[str, Any] = {"server_header": False, "proxy_headers": False, "timeout_graceful_shutdown": _DRAIN_SECONDS}
    uvicorn.run(app, host=host, port=port, **more, **_SERVED)


@contextmanager
def running_gateway(lab: TrialRuntime) -> Iterator[str]:
    """Yield the address of a gateway over ``lab`` (its operator's) that answers until the end of the block.

    Raises as `open_gateway`, and `PilotbaseError` where it does not start.
    """
    app = make_app(open_gateway(lab, GatewayConfiguration()), lab)
    server = _Server(uvicorn.Config(app, host="127.0.0.1", port=0, **_SERVED))
    thread = threading.Thread(target=server.run, name="gateway", daemon=True)
    thread.start()
    server.begun.wait()
    if not server.started:
        raise PilotbaseError("gateway.broken")
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.should_exit = True
        thread.join()


def _own_routes(gateway: Gateway) -> list[Route]:
    async def live(_: Request) -> Response:
        return PlainTextResponse("live")

    async def ready(_: Request) -> Response:
        holds = await gateway.desk.ready()
        return PlainTextResponse("ready" if holds else "not ready", 200 if holds else 503)

    async def metrics(request: Request) -> Response:
        if not _may_read_metrics(request, gateway.metrics_from):
            raise HTTPException(404)
        return Response(gateway.measurements.render(gateway.upstreams.gauges()), media_type=CONTENT_TYPE)

    async def dashboard(request: Request) -> Response:
        if not _may_read_metrics(request, gateway.metrics_from):
            raise HTTPException(404)
        return JSONResponse(gateway.measurements.dashboard(gateway.upstreams.gauges()))

    health = [Route("/health/live", live), Route("/health/ready", ready)]
    return [*health, Route("/metrics", metrics), Route("/metrics/grafana.json", dashboard)]


def _may_read_metrics(request: Request, networks: Sequence[Network]) -> bool:
    """Return whether a program of this machine or of ``networks`` asks, and no web server in front for another."""
    host = request.client.host if request.client is not None else ""
    try:
        address = ipaddress.ip_address(host)
        trusted = address.is_loopback or any(address in network for network in networks)
        return trusted and "x-forwarded-for" not in request.headers
    except ValueError:
        return False


async def _no_route(request: Request, _: Exception) -> Response:
    """Tell in the shape of the protocol that there is nothing at this address, or not by this method."""
    return _told(request, NotFoundError("gateway.no_route", path=request.url.path[:200]))


async def _broken(request: Request, _: Exception) -> Response:
    """Tell in the shape of the protocol that we have failed; the server has the traceback logged."""
    return _told(request, PilotbaseError("gateway.broken"))


def _told(request: Request, error: PilotbaseError) -> Response:
    problem = problem_of(error, language_of(request))
    doors = {"/v2": oip_routes.error_body, "/mcp": mcp_routes.error_body, "/a2a": mcp_routes.error_body}
    shapes = (shape for path, shape in doors.items() if request.url.path.startswith(path))
    return Response(
        next(shapes, openai_routes.error_body)(problem), problem.kind.status, dict(problem.headers), "application/json"
    )


def _spare_collections() -> None:
    """Let the garbage collector look less often than after every other call, and never again at what is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


class _Server(uvicorn.Server):
    """Says when it listens, and at which port."""

    def __init__(self, settings: uvicorn.Config) -> None:
        super().__init__(settings)
        self.begun = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.begun.set()

    @property
    def port(self) -> int:
        return int(self.servers[0].sockets[0].getsockname()[1])
