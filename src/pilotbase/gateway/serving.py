"""One process that serves the gateway; a gateway in a thread, for the demonstration and for notebooks."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from pilotbase.documents.errors import PilotbaseError
from pilotbase.gateway.app import make_app, open_gateway
from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.protocols.bounded_connection import BoundedConnection
from pilotbase.trial.lab import TrialRuntime

DRAIN_SECONDS = 10
"""How long calls under way may go on when the gateway is told to end."""


def run(lab: TrialRuntime, configuration: GatewayConfiguration, host: str, port: int) -> None:
    """Serve the base that ``lab`` has open until told to end; calls under way are then answered first.

    Raises as `open_gateway`.
    """
    app = make_app(open_gateway(lab, configuration), lab)
    _spare_collections()
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=BoundedConnection,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        lifespan="on",
    )


def _spare_collections() -> None:
    """Let the garbage collector look less often than after every other call, and never again at what is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@contextmanager
def running_gateway(lab: TrialRuntime, configuration: GatewayConfiguration | None = None) -> Iterator[str]:
    """Yield the address of a gateway over ``lab`` (its operator's) that answers until the end of the block.

    Raises as `open_gateway`, and `PilotbaseError` where it does not start.
    """
    app = make_app(open_gateway(lab, configuration or GatewayConfiguration()), lab)
    settings = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http=BoundedConnection,
        log_config=None,
        access_log=False,
        lifespan="on",
    )
    server = _Server(settings)
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
