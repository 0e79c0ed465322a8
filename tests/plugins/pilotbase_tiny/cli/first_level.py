"""One command."""

from __future__ import annotations

COMMANDS = {"greetings": "greetings:app"}
