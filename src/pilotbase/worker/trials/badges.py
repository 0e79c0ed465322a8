"""Badges of the people behind a certificate, and the lists that say which no longer hold."""

from __future__ import annotations

from typing import Any, Literal

from pilotbase.catalogue.records import record_of, trial_with
from pilotbase.certificate.badges import BadgeTerms, Purpose, did_document, sign_badge, sign_status
from pilotbase.certificate.status import revocations_of
from pilotbase.documents.base import Document
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest, digest_bytes, hex_of
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.record import Record
from pilotbase.documents.texts import Language
from pilotbase.worker.base import Base
from pilotbase.worker.trials.certificates import issued, logged, standing_certificate
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.log.entries import log_size
from pilotbase.workspace.store import View


class GivenBadge(Document):
    """That a badge was given: to whom, only the badge itself says."""

    document: Literal["given-badge/1"] = "given-badge/1"
    certificate: Digest
    credential: Digest


class WithdrawnBadge(Document):
    """That a badge for a course was withdrawn, and why."""

    document: Literal["withdrawn-badge/1"] = "withdrawn-badge/1"
    number: int
    """Its place in the status lists."""
    reason: str


def give_badge(base: Base, view: View, serial: str, email: str, url: str, language: Language) -> str:
    """Return a badge for the actor, who took part in what a certificate (hex digits) accepts; the log tells of it.

    Raises:
        NotFoundError: there is no such certificate.
        RefusedError: it does not accept or no longer holds, or the actor took no part in it.
    """
    found = issued(base, serial)
    stated = found.certificate
    trial = trial_with(view, found.digest(), stated.scenario.subject, stated.application.subject)
    if not took_part(view, stated.application, trial):
        raise RefusedError("certificate.badge.no_part")
    certificate = standing_certificate(base, serial)
    scenario = find_listing(base.lab.view, certificate.scenario.subject)
    title = certificate.scenario.name if scenario is None else scenario.title.render(language)
    terms = BadgeTerms(email, title, url, _number(base, serial), language)
    credential = sign_badge(certificate, terms, base.trust, base.lab.store.clock())
    given = GivenBadge(certificate=certificate.serial, credential=digest_bytes(credential.encode()))
    with view.transaction("certificate.badge_given") as change:
        change.put(given, parties(view.actor.organisation))
    return credential


def badge_status(base: Base, purpose: Purpose, url: str) -> str:
    """Return the signed list of badges that were withdrawn, or whose certificates are revoked or suspended."""
    listed = revocations_of(base.lab.view)
    entries = () if listed is None else listed.revoked if purpose == "revocation" else listed.suspended
    numbers = [_number(base, hex_of(entry.serial)) for entry in entries]
    if purpose == "revocation":
        numbers += [one.number for one in base.lab.view.every(WithdrawnBadge)]
    with base.lab.store.database.read() as connection:
        length = log_size(connection)
    return sign_status(purpose, numbers, length, url, base.trust, base.lab.store.clock())


def badge_keys(base: Base, url: str) -> dict[str, Any]:
    """Return the document of the hub's ``did:web``; raises `NotFoundError`: without https it has none."""
    found = did_document(base.trust, url)
    if found is None:
        raise NotFoundError("hub.not_found")
    return found


def _number(base: Base, serial: str) -> int:
    """Return the number of the log's entry that issued a certificate."""
    return logged(base, serial).entries["head"].number


def took_part(view: View, application: ApplicationReference, trial: Record | None) -> bool:
    """Return whether the actor handed in the application, or did a step of its ``trial``, for its supplier."""
    if view.actor.organisation != application.supplier.organisation:
        return False
    records = filter(None, (trial, record_of(view, application.subject)))
    mine = (view.actor.organisation, view.actor.person)
    return any((step.organisation, step.person) == mine for record in records for step in record.history)
