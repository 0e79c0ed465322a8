"""What anybody may know of a base: read as a visitor, whoever asks, so that it is the same for everybody.

Every reading here is bounded by what is public: hidden rows are neither counted nor searched, so they cost no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from pilotbase.catalogue.figures import Published, published
from pilotbase.certificate.issued import IssuedCertificate
from pilotbase.certificate.revocation import RevocationList, Revoked
from pilotbase.documents.base import Localized
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.texts import LANGUAGES
from pilotbase.documents.vocabularies import Verdict
from pilotbase.hub.acting import NOBODY
from pilotbase.hub.base import base
from pilotbase.workspace.listings import Listing, Page, Query, count_by, find_listing, list_page
from pilotbase.workspace.records import fold
from pilotbase.workspace.store import View

PAGE = 24
MOST_CERTIFICATES = 10_000
STATUSES = ("valid", "suspended", "expired", "revoked")


@dataclass(frozen=True)
class Certified:
    """An application version with a certificate that says accept, and whether it holds."""

    certificate: Certificate
    status: str
    """One of `STATUSES`."""
    revoked: Revoked | None
    """Since when and why it is revoked or suspended."""
    scenario: Listing | None = None
    """Where the scenario is still open; `placed` finds it."""

    @property
    def scenario_title(self) -> Localized | str:
        return self.scenario.title if self.scenario else self.certificate.scenario.name


def visitor() -> View:
    """Return the store as a visitor sees it."""
    return base().lab.store.as_actor(NOBODY)


def open_scenarios(
    words: str = "", sector: str = "", action: str = "", after: str | None = None, limit: int = PAGE
) -> Page:
    """Return open scenarios, newest first; raises as `list_page`."""
    return list_page(visitor(), open_query(words, sector, action), after, limit)


def open_query(words: str = "", sector: str = "", action: str = "") -> Query:
    """Return what to ask for; the state keeps the search to rows that are public."""
    return Query("scenario", words, ("open",), sector, action)


def open_by(column: str) -> dict[str, int]:
    """Return ``sector`` or ``action`` → open scenarios, the most first."""
    found = count_by(visitor(), open_query(), column)
    return dict(
        sorted(((value, number) for value, number in found.items() if value), key=lambda one: (-one[1], one[0]))
    )


def certified(now: datetime, words: str = "") -> list[Certified]:
    """Return certified applications, newest first, those whose words hold every word asked for."""
    view = visitor()
    terms, listed = fold(words).split(), revocations(view)
    found = []
    for stored in view.find("issued-certificate", limit=MOST_CERTIFICATES):
        certificate, said = _read(stored.body)
        if certificate.verdict is Verdict.ACCEPT and all(term in said for term in terms):
            found.append(_certified(certificate, listed, now))
    return found


def placed(certified: Sequence[Certified]) -> list[Certified]:
    """Return some certified applications with the scenarios that are still open: one look-up each, so for one page."""
    view = visitor()
    subjects = dict.fromkeys(_subject(one.certificate) for one in certified)
    listings = {subject: find_listing(view, subject) for subject in subjects}
    opened = {subject: listing for subject, listing in listings.items() if listing and listing.state == "open"}
    return [replace(one, scenario=opened.get(_subject(one.certificate))) for one in certified]


def revocations(view: View) -> RevocationList | None:
    """Return the base's list of revocations."""
    head = view.head("revocations")
    return view.load(head, RevocationList) if head is not None else None


def figures() -> Published:
    """Return the figures that everybody may know."""
    return published(visitor())


@lru_cache(maxsize=MOST_CERTIFICATES)
def _read(body: bytes) -> tuple[Certificate, str]:
    """Return the certificate in an issued one, and the words by which a search finds it."""
    certificate = IssuedCertificate.model_validate_json(body).certificate
    application, scenario = certificate.application, certificate.scenario
    said = (
        *(application.name, application.version, application.supplier.organisation),
        *(scenario.name, scenario.owner.organisation, certificate.serial, *certificate.criteria),
        *(certificate.claim.render(language) for language in LANGUAGES),
    )
    return certificate, fold("\n".join(said))


def _certified(certificate: Certificate, listed: RevocationList | None, now: datetime) -> Certified:
    revoked = listed.find(certificate.serial) if listed else None
    suspended = listed.find_suspended(certificate.serial) if listed else None
    if revoked is not None:
        return Certified(certificate, "revoked", revoked)
    if now >= certificate.expires_at:
        return Certified(certificate, "expired", None)
    return Certified(certificate, "suspended" if suspended else "valid", suspended)


def _subject(certificate: Certificate) -> str:
    return certificate.scenario.subject
