"""Overrides: the operator's signed and expiring word that an endpoint without a certificate may serve."""

from __future__ import annotations

from typing import Literal

from pilotbase.certificate.envelope import Envelope
from pilotbase.documents.base import Document
from pilotbase.documents.service import Override


class SignedOverride(Document):
    """An override with the envelope that was signed over it."""

    document: Literal["signed-override/1"] = "signed-override/1"
    override: Override
    envelope: Envelope
