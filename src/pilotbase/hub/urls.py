"""Every address of the hub: those of its pages are declared beside them, in ``urlpatterns`` of their module."""

from __future__ import annotations

from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter
from django.views.i18n import set_language

from pilotbase.documents.base import NAME
from pilotbase.documents.hashes import HEX
from pilotbase.documents.plugins import loaded
from pilotbase.hub.api.routes import api, documentation
from pilotbase.hub.process import health

handler400 = "pilotbase.hub.problems.bad_request"
handler403 = "pilotbase.hub.problems.refused"
handler404 = "pilotbase.hub.problems.not_found"
handler500 = "pilotbase.hub.problems.failed"

_PARTS = {
    "name": f"{NAME}(?:/{NAME})?",  # of a record: plant/milling, acme, 7f3a…
    "whole": f"{NAME}/{NAME}",  # of a scenario or an application: what follows is never taken for its end
    "digits": HEX,
    "drawn": r"[0-9a-f]{16}(?:[0-9a-f]{16})?",  # by chance
    "section": r"scenarios|applications|trials|organisations|datasets|agreements",
    "public": r"scenarios|applications",
}
"""Part of an address → what it may be; ``public``: sections that visitors list, that are matched and asked about."""
for _part, _regex in _PARTS.items():
    register_converter(type(_part, (StringConverter,), {"regex": _regex}), _part)


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
