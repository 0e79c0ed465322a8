"""Files of datasets as answers."""

from __future__ import annotations

from urllib.parse import quote

from django.http import StreamingHttpResponse

from pilotbase.hub.shown.attachments import POLICY
from pilotbase.worker.datasets.keeping import Taken


def file_response(taken: Taken) -> StreamingHttpResponse:
    """Return a file as a download of no particular type, piece by piece: one that was stopped is too short."""
    response = StreamingHttpResponse(taken.pieces, content_type="application/octet-stream")
    response["Content-Length"] = str(taken.size)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(taken.name, safe='')}"
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response
