"""``pilotbase certificate``: check, verify offline, revoke."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.declared import call
from pilotbase.cli.edge.driving import remote
from pilotbase.cli.edge.terminal import AsJson, command, language, print_json, say
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.files import read_bounded
from pilotbase.documents.hashes import HEX
from pilotbase.documents.visible_text import format_for_terminal

if TYPE_CHECKING:
    from pilotbase.documents.api.trials import CheckedCertificate

app = typer.Typer(help="Verify and revoke certificates.", no_args_is_help=True)
_NUMBER = re.compile(f"(?:sha256:)?({HEX})")
_MOST_BYTES = 1 << 20


@app.command("check")
@remote
def check(
    which: Annotated[str, typer.Argument(help="A certificate.json, or the number of a certificate.")],
    as_json: AsJson = False,
) -> None:
    """Ask this home, or a hub without an account, whether a certificate holds: exit 0 it does, 3 it does not."""
    found = _checked(which)
    if as_json:
        print_json(found.model_dump(mode="json", by_alias=True, exclude_none=True))
    else:
        for line in _lines(found):
            typer.echo(format_for_terminal(line))
    if not found.holds:
        raise typer.Exit(InvalidProofError.exit_code)


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
    from pilotbase.worker.trials.certificates import check_certificate

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


def _checked(which: str) -> CheckedCertificate:
    from pilotbase.operations import certificates

    number = _NUMBER.fullmatch(which)
    if number is not None:
        return call(certificates.SHOW, serial=number[1])
    return call(certificates.CHECK, envelope=read_bounded(Path(which), _MOST_BYTES))


def _lines(found: CheckedCertificate) -> list[str]:
    claim = [found.certificate.claim.render(language())] if found.certificate and found.holds else []
    return [*([found.reason] if found.reason else []), *claim, *found.notes]
