"""Bytes that nobody here reads, such as files of messages: given back as a download and as nothing else."""

from __future__ import annotations

from urllib.parse import quote

from django.http import HttpResponse

from pilotbase.hub.base import base
from pilotbase.worker.bundles.packing import Bundle
from pilotbase.workspace.blobs import BlobStore

POLICY = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def blobs() -> BlobStore:
    """Return where the bytes are kept."""
    return base().lab.vault.blobs


def download(content: bytes, name: str) -> HttpResponse:
    """Return bytes as a download of no particular type: no browser shows them here, whatever they are."""
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "no-store"
    return response


def bundle_response(bundle: Bundle) -> HttpResponse:
    """Return the archive as a file to keep."""
    response = HttpResponse(bundle.archive, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{bundle.name}"'
    return response
