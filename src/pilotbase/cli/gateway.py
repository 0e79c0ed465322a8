"""``pilotbase gateway``: services behind the OpenAI API and the Open Inference Protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from pilotbase.cli.edge.logs import keep_log
from pilotbase.cli.edge.terminal import command, say
from pilotbase.documents.texts import text


@command
def gateway(
    host: Annotated[str, typer.Option(help="Where to listen; beyond this machine only behind https.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65_535)] = 8001,
) -> None:
    """Serve the services of PILOTBASE_HOME: /v1 (OpenAI), /v2 (Open Inference Protocol). `serve` starts one too."""
    from pilotbase.gateway.configuration import GatewayConfiguration
    from pilotbase.gateway.serving import run
    from pilotbase.hub.process.serving import BindAddress, require_free, when_listening
    from pilotbase.worker.base import open_base

    place, configuration = BindAddress(host, port), GatewayConfiguration.from_environment()
    require_free(place)
    base = open_base()
    keep_log()
    when_listening(place, lambda: say(text("gateway.at", url=place.url)))
    run(base.lab, configuration, host, port)
