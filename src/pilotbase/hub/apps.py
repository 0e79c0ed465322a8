"""The hub as a Django application: accounts and templates."""

from __future__ import annotations

from django.apps import AppConfig


class HubConfig(AppConfig):
    """Holds the tables of people, memberships, invitations and tokens."""

    name = "pilotbase.hub"
    label = "hub"
    default_auto_field = "django.db.models.BigAutoField"
