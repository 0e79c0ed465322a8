"""A page with a greeting."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from pilotbase.hub.routing import EVERYBODY, page


@page("greetings/", "greetings", EVERYBODY)
def show(request: HttpRequest) -> HttpResponse:
    """Greet whoever looks."""
    return render(request, "tiny/greetings.html", {"name": "world"})
