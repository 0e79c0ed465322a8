"""The pages of the computing estate as a Django application: templates and template tags."""

from __future__ import annotations

from django.apps import AppConfig


class EstateConfig(AppConfig):
    """Holds no tables of accounts."""

    name = "pilotbase_estate.hub"
    label = "estate"
