"""The command line: one file per stage. Commands import their stage when they run, so that ``--help`` is quick."""

from __future__ import annotations

from typing import Annotated

import typer

from pilotbase import __version__
from pilotbase.cli import (
    application,
    backup,
    base,
    blobs,
    certificate,
    compute,
    compute_replay,
    data,
    demo,
    gateway,
    hub_records,
    hub_uploads,
    incident,
    log,
    match,
    organisation,
    roadmap,
    scenario,
    serve,
    service,
    site,
    trial,
    voucher,
    voucher_claims,
    watch,
    watch_drill,
    worker,
)
from pilotbase.cli.edge import connection
from pilotbase.cli.edge.wrong_options import Commands

app = typer.Typer(
    name="pilotbase",
    cls=Commands,
    help="Publish a real scenario, prove AI applications on data they never see, with evidence that stands up.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("init")(base.init)
app.command("upgrade")(base.upgrade)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("gateway")(gateway.gateway)
app.command("work")(hub_records.work)
app.command("acts")(hub_records.acts)
app.command("act")(hub_records.act)
app.add_typer(scenario.app, name="scenario")
app.add_typer(data.app, name="data")
app.add_typer(application.app, name="application")
app.add_typer(organisation.app, name="organisation")
app.add_typer(trial.app, name="trial")
app.add_typer(site.app, name="site")
app.add_typer(match.app, name="match")
app.add_typer(certificate.app, name="certificate")
app.add_typer(service.app, name="service")
app.add_typer(compute.app, name="compute")
compute.app.command("replay")(compute_replay.replay)
compute.app.command("trace")(compute_replay.trace)
app.add_typer(voucher.app, name="voucher")
voucher.app.command("claim")(voucher_claims.claim)
voucher.app.command("claims")(voucher_claims.claims)
voucher.app.command("decide")(voucher_claims.decide)
voucher.app.command("pay")(voucher_claims.pay)
voucher.app.command("export")(voucher_claims.export)
voucher.app.command("audit")(voucher_claims.audit)
app.add_typer(watch.app, name="watch")
watch.app.command("drill")(watch_drill.drill)
app.add_typer(incident.app, name="incident")
app.add_typer(hub_uploads.app, name="upload")
app.add_typer(roadmap.app, name="roadmap")
app.add_typer(log.app, name="log")
app.add_typer(blobs.app, name="blobs")
app.add_typer(base.keys, name="key")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"pilotbase {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    hub: connection.Hub = "",
    token: connection.Token = "",
    token_file: connection.TokenFile = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    del version
    connection.remember(context, hub, token, token_file)


def main() -> None:
    """Run the command line."""
    app()
