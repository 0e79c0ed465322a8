"""One process that serves the gateway."""

from __future__ import annotations

import gc

import uvicorn

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
