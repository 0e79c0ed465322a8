"""``pilotbase certificate``: verify offline, revoke."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli import hub_trials
from pilotbase.cli.edge.terminal import command, print_json, say

app = typer.Typer(help="Verify and revoke certificates.", no_args_is_help=True)
app.command("check")(hub_trials.check)


@app.command("verify")
@command
def verify(
    file: Annotated[Path, typer.Argument(help="certificate.json")],
    trust: Annotated[Path, typer.Option(help="The base's trust-roots.json.")],
    revocations: Annotated[
        Path | None, typer.Option(help="The base's signed revocation list, not older than a day.")
    ] = None,
    application: Annotated[Path | None, typer.Option(help="Folder of the application it must speak of.")] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict/--lenient", help="Exit 4 when it is not known whether it was revoked, or only say so."),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was verified.")] = False,
) -> None:
    """Check a certificate offline: 0 valid (a signed rejection too), 3 invalid, 4 unknown whether it was revoked."""
    from pilotbase.worker.intake.proofs import check_certificate

    checked = check_certificate(file, trust, revocations, application, strict)
    if as_json:
        print_json(checked.certificate.to_json_value())
    else:
        for line in checked.lines:
            say(line)


@app.command("revoke")
@command
def revoke(
    file: Annotated[Path, typer.Argument(help="certificate.json")],
    reason: Annotated[str, typer.Option(help="Why, in a sentence; it is public.", prompt="Why")] = "",
) -> None:
    """Revoke a certificate: the base's signed list names it from now on."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.trials.certificates import revoke_certificate

    say(revoke_certificate(open_base(), file, reason))


@app.command("canaries")
@command
def canaries(file: Annotated[Path, typer.Argument(help="certificate.json of an endpoint.")]) -> None:
    """Ask an endpoint its canary questions again: 0 unchanged; 3 changed, and its certificate suspended."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.trials.canary_rounds import check_canaries

    say(check_canaries(open_base(), file))
