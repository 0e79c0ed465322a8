"""Where anybody checks a certificate: on the hub, where one is configured."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from pilotbase.documents.certificate import Certificate

VARIABLE = "PILOTBASE_HUB_URL"
"""The hub's public address; the hub itself reads it too (docs/run-a-hub.md)."""


def check_address(certificate: Certificate) -> str | None:
    """Return the address of a certificate's page, or None where no hub is configured."""
    url = os.environ.get(VARIABLE, "").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return f"{url}/certificates/{certificate.serial.partition(':')[2]}/"
