"""Pages of which a part renews itself while something goes on."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def render_live(request: HttpRequest, page: str, part: str, shown: dict[str, Any]) -> HttpResponse:
    """Return the page, or the part of it that is asked for again; once ``live`` is over the whole page is loaded."""
    if not request.headers.get("HX-Request"):
        return render(request, f"hub/{page}.html", shown)
    response = render(request, f"hub/parts/{part}.html", shown)
    if not shown["live"]:
        response["HX-Refresh"] = "true"  # the rest of the page has changed with it
    return response
