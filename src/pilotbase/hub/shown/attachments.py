"""Bytes that nobody here reads, such as files of messages: given back as a download and as nothing else."""

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
    """Return the file of a message; raises `NotFoundError`: its bytes were erased."""
    if not blobs().exists(attachment.digest):
        raise NotFoundError("thread.not_found")
    return download(blobs().get(attachment.digest), attachment.name)


def download(content: bytes, name: str) -> HttpResponse:
    """Return bytes as a download of no particular type: no browser shows them here, whatever they are."""
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "no-store"
    return response


@cache
def _opened(home: str) -> BlobStore:
    return base().home.open_blobs()
