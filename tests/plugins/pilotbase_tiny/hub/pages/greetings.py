"""A page with a greeting."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path


def show(request: HttpRequest) -> HttpResponse:
    """Greet whoever looks."""
    return render(request, "tiny/greetings.html", {"name": "world"})


urlpatterns = [path("greetings/", show, name="greetings")]
