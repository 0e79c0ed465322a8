"""Every address of the hub: those of its pages are declared beside them, in ``urlpatterns`` of their module."""

from __future__ import annotations

from django.urls import URLPattern, path, register_converter
from django.views.i18n import set_language

from pilotbase.documents.plugins import loaded
from pilotbase.hub import converters
from pilotbase.hub.api.routes import api, documentation
from pilotbase.hub.process import health

handler400 = "pilotbase.hub.problems.bad_request"
handler403 = "pilotbase.hub.problems.refused"
handler404 = "pilotbase.hub.problems.not_found"
handler500 = "pilotbase.hub.problems.failed"

register_converter(converters.Name, "name")
register_converter(converters.WholeName, "whole")
register_converter(converters.Digits, "digits")
register_converter(converters.Drawn, "drawn")
register_converter(converters.SectionConverter, "section")
register_converter(converters.PublicSection, "public")
register_converter(converters.MatchedSection, "matched")


def _specific_first(pattern: URLPattern) -> list[int]:
    """Sort an address with a fixed part before one with a name there, and a longer one before its beginning."""
    return [*(int("<" in part) for part in str(pattern.pattern).split("/")), 2]


urlpatterns = [
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", health.metrics, name="metrics"),
    path("api/docs/", documentation, name="api-docs"),
    path("api/", api.urls),
    path("language/", set_language, name="set_language"),
    *sorted(
        (pattern for module in loaded("hub.pages") for pattern in getattr(module, "urlpatterns", ())),
        key=_specific_first,
    ),
]
