"""Files of messages: bytes that nobody here reads, given back as a download and as nothing else."""

from __future__ import annotations

from functools import cache
from urllib.parse import quote

from django.http import HttpResponse

from pilotbase.documents.thread import Attachment
from pilotbase.hub.base import base
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.failures import NotFoundError

POLICY = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def blobs() -> BlobStore:
    """Return where the bytes are kept."""
    return _opened(str(base().home.path))


def attachment_response(attachment: Attachment) -> HttpResponse:
    """Return the file as a download of no particular type: no browser shows it here, whatever it is.

    Raises:
        NotFoundError: its bytes were erased.
    """
    if not blobs().exists(attachment.digest):
        raise NotFoundError("thread.not_found")
    response = HttpResponse(blobs().get(attachment.digest), content_type="application/octet-stream")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(attachment.name, safe='')}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = POLICY
    return response


@cache
def _opened(home: str) -> BlobStore:
    return base().home.open_blobs()
