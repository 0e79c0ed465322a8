"""``pilotbase certificate``: check, verify offline, export, revoke; a badge for a person; what an advisory meets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.declared import Command, OptionSpelling, add, call
from pilotbase.cli.framework.driving import Noun, open_base
from pilotbase.cli.framework.terminal import AsJson, answer, each, language, say, say_all
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.files import read_bounded, write_whole
from pilotbase.documents.hashes import HEX, abbreviated, canonical_json, hex_of
from pilotbase.documents.moments import format_day
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, format_for_terminal, text
from pilotbase.operations import certificates

if TYPE_CHECKING:
    from pilotbase.documents.api.trials import AdvisoryKept, AdvisoryMet, CheckedCertificate, ComponentUse

app = Noun()
_NUMBER = re.compile(f"(?:sha256:)?({HEX})")
_MOST_BYTES = 1 << 20


@app.anywhere("check")
def check(which: str, as_json: AsJson = False) -> None:
    """Check a certificate with this home, or with a hub (no account needed). Exit 0: valid; 3: not valid."""
    found = _checked(which)
    answer(found, as_json, lambda _: typer.echo("\n".join(map(format_for_terminal, _lines(found)))), nulls=False)
    if not found.holds:
        raise typer.Exit(InvalidProofError.exit_code)


@app.here("verify")
def verify(
    file: Path,
    trust: Path | None = None,
    revocations: Path | None = None,
    application: Path | None = None,
    strict: Annotated[bool, typer.Option("--strict/--lenient")] = True,
    as_json: AsJson = False,
) -> None:
    """Check a certificate offline: 0 valid (a signed rejection too), 3 invalid, 4 unknown whether it was revoked."""
    from pilotbase.worker.trials.certificates import check_certificate, own_roots

    if trust is None:
        trust, own = own_roots()
        revocations = revocations or own
    checked = check_certificate(file, trust, revocations, application, strict)
    answer(checked.certificate, as_json, lambda _: say_all(checked.lines))


@app.anywhere("export")
def export(
    which: str,
    to: Annotated[str, typer.Option()],
    out: Path | None = None,
    report: Path | None = None,
    trust: Path | None = None,
    revocations: Path | None = None,
) -> None:
    """Write a certificate as in-toto, cyclonedx, spdx or model-card, for the tools that read these."""
    if number := _NUMBER.fullmatch(which):
        found = call(certificates.EXPORT, serial=number[1], to=to)
    else:
        from pilotbase.certificate.exports import export as exported
        from pilotbase.worker.trials.certificates import check_certificate, own_roots
        from pilotbase.worker.trials.folder import proof_of

        if trust is None:
            trust, own = own_roots()
            revocations = revocations or own
        checked = check_certificate(file := Path(which), trust, revocations, None, strict=False)
        found = exported(proof_of(checked.certificate, file, report), to)
    write_whole(place := out or Path(found.name), found.content())
    say(text("certificate.export.written", file=place))


@app.here("revoke")
def revoke(file: Path, reason: Annotated[str, typer.Option(prompt="Why")] = "") -> None:
    """Revoke a certificate; the base's signed list then names it."""
    from pilotbase.worker.trials.certificates import revoke_certificate

    say(revoke_certificate(open_base(), file, reason))


@app.here("canaries")
def canaries(file: Path) -> None:
    """Ask an endpoint its reference questions again. Exit 0 unchanged, 3 changed (its certificate is suspended)."""
    from pilotbase.worker.trials.canary_rounds import check_canaries

    say(check_canaries(open_base(), file))


@app.anywhere("advisory")
def advisory(file: Path, vex: Path | None = None, tell: bool = False, as_json: AsJson = False) -> None:
    """Say which versions, certificates, services and scenarios an advisory meets: a file of OSV or CSAF."""
    operation = certificates.TELL_ADVISORY if tell else certificates.ADVISORY
    found = call(operation, sent=read_bounded(file, _MOST_BYTES))
    if vex is not None:
        write_whole(vex, canonical_json(found.openvex))
    answer(found, as_json, _print_met)


def _print_met(found: AdvisoryMet) -> None:
    for one in found.versions:
        say(text("component.version_met", application=one.application, component=f"{one.component} {one.version}"))
    for held in found.certificates:
        status = Text(code=f"portal.status.{held.status}")
        say(
            text(
                "component.certificate_met",
                serial=abbreviated(held.serial),
                application=held.application,
                status=status,
            )
        )
    for serving in found.services:
        say(text("component.service_met", service=serving.service, owner=serving.owner))
    for concerned in found.scenarios:
        say(text("component.scenario_met", scenario=name_of(concerned.scenario)))
    if found.told_at is not None:
        names = ", ".join(one.organisation for one in found.concerns) or text("component.nobody_told")
        say(text("component.told_line", names=names))
    if found.unknown:
        say(text("component.unknown", names=", ".join(found.unknown)))
    elif not found.versions:
        say(text("component.none_met"))
    if found.unread:
        say(text("component.unread", count=found.unread))


def _print_uses(found: list[ComponentUse]) -> None:
    for one in found:
        version = one.version[:12] if one.kind == "model" else one.version
        numbers = {"applications": one.applications, "suppliers": one.suppliers, "serving": one.in_service}
        say(text("component.line", name=one.name, version=version, **numbers))


def _print_kept(one: AdvisoryKept) -> None:
    names = ", ".join(one.told) or text("component.nobody_told")
    told = {"advisory": one.advisory, "day": format_day(one.at), "versions": one.versions, "names": names}
    say(text("component.kept_line", **told))


add(
    app,
    Command("components", certificates.COMPONENTS, show=_print_uses),
    Command("advisories", certificates.ADVISORIES, show=each(_print_kept, text("component.none_kept"))),
    Command(
        "badge",
        certificates.BADGE,
        show=lambda found: typer.echo(found.credential),
        spelled={"serial": OptionSpelling(positional=True, read=hex_of)},
    ),
)


def _checked(which: str) -> CheckedCertificate:
    number = _NUMBER.fullmatch(which)
    if number is not None:
        return call(certificates.SHOW, serial=number[1])
    return call(certificates.CHECK, sent=read_bounded(Path(which), _MOST_BYTES))


def _lines(found: CheckedCertificate) -> list[str]:
    claim = [found.certificate.claim.render(language())] if found.certificate and found.holds else []
    return [*([found.reason] if found.reason else []), *claim, *found.notes]
