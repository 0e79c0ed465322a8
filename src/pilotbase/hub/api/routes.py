"""The API with all its routers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import Router

import pilotbase
from pilotbase.documents.plugins import loaded
from pilotbase.documents.texts import text
from pilotbase.hub.api import declared, media, problems, schema

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
for _module in loaded("hub.api"):
    if isinstance(_router := getattr(_module, "router", None), Router):
        api.add_router("", _router)
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
