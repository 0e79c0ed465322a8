"""Certificates, which anyone can check, and badges of the people behind them."""

from __future__ import annotations

import json

from pilotbase.certificate.exports import ProvenCertificate, export
from pilotbase.documents.api.trials import AdvisoryMet, CheckedCertificate, ComponentUse, SignedBadge
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.files import File
from pilotbase.documents.texts import sentence
from pilotbase.operations import certificates as declared
from pilotbase.operations.operation import NoInput, With
from pilotbase.worker import advisories, components
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.trials.badges import give_badge
from pilotbase.worker.trials.certificates import Checked, check, check_issued, issued, logged

does(declared.CHECK)(lambda caller, asked: _told(caller, check(caller.base, asked.sent)))
does(declared.SHOW)(lambda caller, asked: _told(caller, check_issued(caller.base, asked.serial)))
does(declared.ENVELOPE)(lambda caller, asked: json.loads(issued(caller.base, asked.serial).envelope.to_bytes()))
does(declared.PROOF)(lambda caller, asked: logged(caller.base, asked.serial).to_json_value())


@does(declared.EXPORT)
def export_certificate(caller: Caller, asked: declared.OfExport) -> File:
    """Return a certificate that holds in another format, with what is public alone."""
    checked = check_issued(caller.base, asked.serial)
    if checked.error is not None:
        raise checked.error
    assert checked.certificate is not None
    return export(ProvenCertificate(checked.certificate), asked.to)


@does(declared.BADGE)
def badge(caller: Caller, asked: declared.OfCertificate) -> SignedBadge:
    """Give the caller a badge for a certificate that they took part in."""
    person = caller.view.actor.person
    email = caller.email_of(person) if person else None
    if email is None:
        raise RefusedError("certificate.badge.no_account")
    credential = give_badge(caller.base, caller.view, asked.serial, email, caller.limits.url, caller.language)
    return SignedBadge(credential=credential, recipient=email)


@does(declared.COMPONENTS)
def list_components(caller: Caller, asked: NoInput) -> list[ComponentUse]:
    """Return the components in use, the most reused first."""
    built = _built(caller)
    return components.uses(
        caller.view, built, caller.base.lab.folder("environments"), advisories.warned(caller.view, built)
    )


@does(declared.ADVISORY)
def meet_advisory(caller: Caller, asked: With[bytes]) -> AdvisoryMet:
    """Return what an advisory meets."""
    return advisories.answer(caller.view, _built(caller), advisories.read_advisory(asked.sent))


does(declared.TELL_ADVISORY)(lambda caller, asked: advisories.tell(caller.view, _built(caller), asked.sent))
does(declared.ADVISORIES)(lambda caller, asked: advisories.kept_advisories(caller.view, _built(caller)))
does(declared.REUSE)(lambda caller, asked: components.reuse(caller.view, _built(caller)))


def _built(caller: Caller) -> list[components.BuiltVersion]:
    return components.built_versions(caller.view, caller.base.lab.applications)


def _told(caller: Caller, checked: Checked) -> CheckedCertificate:
    found = checked.verification
    return CheckedCertificate(
        holds=found is not None,
        revocation=found.revocation if found else None,
        reason=sentence(checked.error.text, caller.language) if checked.error else None,
        notes=[note.render(caller.language) for note in found.notes] if found else [],
        certificate=checked.certificate,
    )
