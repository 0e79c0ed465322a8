"""The pages of the computing estate as a Django application: templates and template tags."""

from __future__ import annotations

from django.apps import AppConfig


class EstateConfig(AppConfig):
    """It has no account tables."""

    name = "pilotbase_estate.hub"
    label = "estate"
