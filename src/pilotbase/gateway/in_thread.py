"""A gateway in a thread of this process, on a free port of this machine: for the demonstration and for notebooks."""

from __future__ import annotations

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
