"""What anybody may know of a base: read with the view of a `VISITOR`, so that it is the same for everybody.

Every reading here is bounded by what is public: hidden rows are neither counted nor searched, so they cost no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile

from pilotbase.certificate.status import (
    MOST_CERTIFICATES,
    CertificateStanding,
    CertificateStatus,
    IssuedCertificate,
    Revoked,
    certificate_in,
    revocations_of,
    standing_of,
)
from pilotbase.documents.base import Localized
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.hashes import Digest
from pilotbase.documents.states import ScenarioState
from pilotbase.documents.subjects import Subject
from pilotbase.documents.texts import LANGUAGES, Text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.workspace.jobs import Job, JobState, enqueue, ordered_jobs
from pilotbase.workspace.listings import Listing, Query, count_by, find_listing
from pilotbase.workspace.records import fold
from pilotbase.workspace.store import View
from pilotbase.workspace.work import Retry

PAGE = 24
KIT_RETRY = Retry((600, 3600, 21_600, 86_400), forever=True)
"""When a kit that could not be made is ordered again."""
_LASTING = frozenset({"worker.kit_over_limit", "worker.dataset_not_named"})
"""Why a kit will never be made of a scenario version: codes of its failures that do not pass by themselves."""


@dataclass(frozen=True)
class Certified:
    """An application version with a certificate that says accept, and whether it holds."""

    certificate: Certificate
    stands: CertificateStanding
    scenario: Listing | None = None
    """Where the scenario is still open; `placed` finds it."""

    @property
    def status(self) -> CertificateStatus:
        return self.stands.status

    @property
    def revoked(self) -> Revoked | None:
        return self.stands.entry

    @property
    def scenario_title(self) -> Localized | str:
        return self.scenario.title if self.scenario else self.certificate.scenario.name


def open_query(words: str = "", sector: str = "", action: str = "") -> Query:
    """Return what to ask for; the state keeps the search to rows that are public."""
    return Query("scenario", words, (ScenarioState.OPEN,), sector, action)


def open_by(view: View, column: str) -> dict[str, int]:
    """Return ``sector`` or ``action`` → open scenarios, the most first."""
    found = count_by(view, open_query(), column)
    return dict(
        sorted(((value, number) for value, number in found.items() if value), key=lambda one: (-one[1], one[0]))
    )


def certified(view: View, words: str = "") -> list[Certified]:
    """Return certified applications, newest first, those whose words hold every word asked for."""
    terms, listed, now = fold(words).split(), revocations_of(view), view.store.clock()
    found = []
    for stored in view.find("issued-certificate", limit=MOST_CERTIFICATES):
        certificate = certificate_in(stored)
        if certificate.accepts and all(term in _words(stored.body) for term in terms):
            found.append(Certified(certificate, standing_of(certificate, listed, now)))
    return found


def placed(view: View, certified: Sequence[Certified]) -> list[Certified]:
    """Return some certified applications with the scenarios that are still open: one look-up each, so for one page."""
    subjects = dict.fromkeys(one.certificate.scenario.subject for one in certified)
    listings = [find_listing(view, subject) for subject in subjects]
    opened = {one.subject: one for one in listings if one is not None and one.state == ScenarioState.OPEN}
    return [replace(one, scenario=opened.get(one.certificate.scenario.subject)) for one in certified]


@lru_cache(maxsize=MOST_CERTIFICATES)
def _words(body: bytes) -> str:
    """Return the words by which a search finds an issued certificate."""
    certificate = IssuedCertificate.model_validate_json(body).certificate
    application, scenario = certificate.application, certificate.scenario
    said = (
        *(application.name, application.version, application.supplier.organisation),
        *(scenario.name, scenario.owner.organisation, certificate.serial, *certificate.criteria),
        *(certificate.claim.render(language) for language in LANGUAGES),
    )
    return fold("\n".join(said))


def order_kit(view: View, subject: Subject, version: Digest) -> None:
    """Queue the kit of a scenario version; the worker makes it if everybody may have it by then."""
    with view.transaction("scenario.kit_ordered") as change:
        change.record("scenario.kit_ordered", [subject, version])
        enqueue(change, WorkKind.KIT, _work(version), {"subject": subject, "scenario": version})


def failed_kits(view: View, version: Digest) -> list[Job]:
    """Return the orders for the kit of a scenario version that have failed since it was last made, newest first."""
    ended = (job for job in ordered_jobs(view, _work(version)) if job.ended)
    return list(takewhile(lambda job: job.state is JobState.FAILED, ended))


def why_failed(view: View, version: Digest) -> Text | None:
    """Return why the kit of a scenario version could not be made when it was last tried; None: it did not fail."""
    return next((job.reason for job in failed_kits(view, version)), None)


def is_kit_due(view: View, version: Digest) -> bool:
    """Return whether to order the kit of a scenario version: after a failure later each time, unless that lasts."""
    newest = next(iter(ordered_jobs(view, _work(version))), None)
    if newest is None or newest.state is not JobState.FAILED:
        return newest is None or newest.ended
    delay = KIT_RETRY.after(len(failed_kits(view, version)))
    if is_lasting(newest) or delay is None or newest.ended_at is None:
        return False
    return newest.ended_at + delay <= view.store.clock()


def is_lasting(failed: Job) -> bool:
    """Return whether the reason why a kit could not be made does not pass by itself."""
    return failed.reason is not None and failed.reason.code in _LASTING


def _work(version: Digest) -> str:
    return f"{WorkKind.KIT}:{version}"
