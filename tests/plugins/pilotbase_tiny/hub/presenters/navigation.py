"""One line in the navigation."""

from __future__ import annotations

from pilotbase.documents.texts import text
from pilotbase.hub.presenters.navigation import NavigationItem

FLOW = (NavigationItem(text("tiny.nav"), "greetings"),)
