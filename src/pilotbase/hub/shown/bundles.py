"""Sample bundles as answers."""

from __future__ import annotations

from django.http import HttpResponse

from pilotbase.worker.bundles.packing import Bundle


def bundle_response(bundle: Bundle) -> HttpResponse:
    """Return the archive as a file to keep."""
    response = HttpResponse(bundle.archive, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{bundle.name}"'
    return response
