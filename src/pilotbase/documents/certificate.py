"""Certificate 验证证书: what an in-toto statement about a report says; acceptance 验收意见 is a separate document.

Signed revocation lists and record histories keep plain sentences, so that anyone can check them without our
catalogues. The software's own sentences are a fixed few, in English, and are recognised by their wording.
"""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Moment, Name
from pilotbase.documents.door import ModelStatement
from pilotbase.documents.endpoint import EndpointStatement
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import ApplicationReference, CarriedEvidence, ScenarioReference
from pilotbase.documents.site import SiteStatement
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Verdict, verdict_in_words

PREDICATE_TYPE = "urn:pilotbase:certificate:1"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
RISK_WARNING = "risk warning"
SUPERSEDED = "superseded by a re-test"
REVOKED = "revoked"
SUSPENDED = "suspended"
CANARIES = "the endpoint answers its canary questions otherwise than in the trial"
KEY_REVOKED = "the key that signed the certificate is revoked"
_SPOKEN = {
    RISK_WARNING: Text(code="certificate.because.risk_warning"),
    SUPERSEDED: Text(code="certificate.because.superseded"),
    REVOKED: Text(code="certificate.because.revoked"),
    SUSPENDED: Text(code="certificate.because.suspended"),
    CANARIES: Text(code="certificate.because.canaries"),
    KEY_REVOKED: Text(code="certificate.because.key_revoked"),
}
EARLIER = ("certificate.assuming.largest_unit", "evidence.claim.population_units")
"""Sentences that only records of earlier versions hold: they are still read."""


class Certificate(Document, published=True):
    """The predicate of the statement: public, and void for any other version. Rejections are signed too."""

    document: Literal["certificate/1"] = "certificate/1"
    serial: Digest
    """Digest of the full report; there is one certificate per report."""
    verdict: Verdict
    application: ApplicationReference
    scenario: ScenarioReference
    plan: Digest
    report: Digest
    attempt: int = pydantic.Field(ge=1)
    claim: Text
    """The claim in one sentence: what was shown, with which error probability, under which assumptions."""
    criteria: tuple[str, ...]
    guarantee: str
    """Kind of guarantee of the weakest criterion."""
    isolation: str
    not_measured: tuple[str, ...] = ()
    """Verifications and cells that were not measured and are therefore excluded."""
    remarks: tuple[Text, ...] = ()
    """Such as "no separation of duties" or declared ties."""
    endpoint: EndpointStatement | None = None
    """The endpoint that answered, if the supplier hosts it; the application's digest then covers only its manifest."""
    model: ModelStatement | None = None
    """The model of the base that the application used, or could have used: with another one nothing is claimed."""
    carries: CarriedEvidence | None = None
    """The evidence on an earlier version that it builds on; it ends with the certificates of that."""
    site: SiteStatement | None = None
    """Where the trial ran, if not at the base."""
    issued_at: Moment
    expires_at: Moment
    issuer: Name

    @property
    def serials(self) -> tuple[Digest, ...]:
        """Return the serial numbers that must all stand: its own, and those of the evidence that it carries."""
        return (self.serial, *(() if self.carries is None else self.carries.certificates))

    @property
    def approximate(self) -> bool:
        """Return whether its claim depends on an approximate bound, as stated in the claim."""
        return _says(self.claim, "certificate.exactness.asymptotic")

    @property
    def accepts(self) -> bool:
        return self.verdict is Verdict.ACCEPT

    @property
    def verdict_in_words(self) -> Text:
        """Return the verdict's name, including its rider."""
        return verdict_in_words(self.verdict, self.approximate)


def _says(sentence: Text, code: str) -> bool:
    parts = (value for value in sentence.params.values() if isinstance(value, Text))
    return sentence.code == code or any(_says(part, code) for part in parts)


class Acceptance(Document, published=True):
    """The demand owner's opinion on a report, separate from the verdict."""

    document: Literal["acceptance/1"] = "acceptance/1"
    report: Digest
    organisation: Name
    decision: Literal["accepted", "accepted_with_conditions", "declined"]
    conditions: tuple[str, ...] = ()
    reason: str = ""
    at: Moment


def spoken_reason(reason: str) -> Text | str:
    """Return the sentence for one of the software's own reasons; a person's text is returned unchanged."""
    return _SPOKEN.get(reason, reason)
