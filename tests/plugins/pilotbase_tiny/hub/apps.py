"""The pages as a Django application of their own label."""

from __future__ import annotations

from django.apps import AppConfig


class TinyConfig(AppConfig):
    """Holds templates only."""

    name = "pilotbase_tiny.hub"
    label = "tiny"
