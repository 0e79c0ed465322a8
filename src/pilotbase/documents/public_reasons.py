"""Why the software itself took a certificate back, in the reader's language.

A signed list of revocations and the history of a record keep a plain sentence, so that whoever checks them needs no
catalogue of ours: a sentence of the software's own is one of few, in English, and is known again by its words.
"""

from __future__ import annotations

from pilotbase.documents.texts import Text

RISK_WARNING = "risk warning"
SUPERSEDED = "superseded by a re-test"
REVOKED = "revoked"
SUSPENDED = "suspended"
CANARIES = "the endpoint answers its canary questions otherwise than in the trial"
_SPOKEN = {
    RISK_WARNING: Text(code="certificate.because.risk_warning"),
    SUPERSEDED: Text(code="certificate.because.superseded"),
    REVOKED: Text(code="certificate.because.revoked"),
    SUSPENDED: Text(code="certificate.because.suspended"),
    CANARIES: Text(code="certificate.because.canaries"),
}


def spoken_reason(reason: str) -> Text | str:
    """Return the sentence for a reason of the software's own; what a person wrote as it was written."""
    return _SPOKEN.get(reason, reason)
