"""Every address of the hub: those of its pages are declared beside them, by `routing.page`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from django.views.i18n import set_language

from pilotbase.documents.plugins import loaded
from pilotbase.hub.api.routes import api
from pilotbase.hub.routing import PAGES
from pilotbase.hub.serving import middleware

handler400 = "pilotbase.hub.problems.bad_request"
handler403 = "pilotbase.hub.problems.refused"
handler404 = "pilotbase.hub.problems.not_found"
handler500 = "pilotbase.hub.problems.failed"


def _specific_first(pattern: URLPattern | URLResolver) -> list[int]:
    """Sort an address with a fixed part before one with a name there, and a longer one before its beginning."""
    return [*(int("<" in part) for part in str(pattern.pattern).split("/")), 2]


loaded("hub.pages")
loaded("hub.api")
urlpatterns = [
    path("health/live", middleware.live, name="live"),
    path("health/ready", middleware.ready, name="ready"),
    path("metrics", middleware.metrics, name="metrics"),
    path("api/", api.urls),
    path("language/", set_language, name="set_language"),
    *sorted(PAGES, key=_specific_first),
]
