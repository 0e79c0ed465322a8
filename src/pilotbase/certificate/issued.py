"""A certificate as the store keeps it: with the envelope that was signed over it."""

from __future__ import annotations

from typing import Literal

from pilotbase.certificate.envelope import Envelope
from pilotbase.documents.base import Document
from pilotbase.documents.certificate import Certificate


class IssuedCertificate(Document):
    """A certificate with the envelope that was signed over it; a later change of keys does not touch it."""

    document: Literal["issued-certificate/1"] = "issued-certificate/1"
    certificate: Certificate
    envelope: Envelope
