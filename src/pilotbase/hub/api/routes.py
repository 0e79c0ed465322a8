"""The API with all its routers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

import pilotbase
from pilotbase.documents.texts import text
from pilotbase.hub.api import declared, descriptions, figures, media, people, problems, schema, trials
from pilotbase_estate.hub.api import programmes

api = problems.HubApi(
    title="Pilotbase",
    version=pilotbase.__version__,
    description=schema.DESCRIPTION,
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api",
    parser=media.JsonBodies(),
)
problems.install(api)
for _room in (
    people,
    descriptions,
    trials,
    figures,
    programmes,
):
    api.add_router("", _room.router)
api.add_router("", declared.made_router())


def documentation(request: HttpRequest) -> HttpResponse:
    """Show every operation, from the schema itself."""
    found = api.get_openapi_schema(path_prefix="/api/")
    operations = [
        {"method": method.upper(), "path": path, "summary": operation.get("summary", "")}
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
    ]
    return render(request, "hub/api.html", {"title": text("hub.api_title"), "operations": operations})
