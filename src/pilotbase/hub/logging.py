"""Structured logs on standard error: one JSON object a line, or plain lines for a terminal."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

_FIELDS = ("request", "method", "route", "status", "milliseconds", "organisation", "remote")
_JOB = ("job", "kind", "subject", "attempt", "state", "seconds")


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object; what was logged is never a second line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _FIELDS + _JOB if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def logging_settings(style: str) -> dict[str, Any]:
    """Return the logging configuration for ``json`` or ``plain``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "pilotbase.hub.logging.JsonLines"},
            "plain": {"format": "%(asctime)s %(levelname)-7s %(name)s %(message)s"},
        },
        "handlers": {"standard-error": {"class": "logging.StreamHandler", "formatter": style}},
        "root": {"handlers": ["standard-error"], "level": "INFO"},
        "loggers": {
            "alembic": {"level": "WARNING"},
            "django": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            "django.security.csrf": {"level": "ERROR"},
            "uvicorn": {"level": "WARNING"},
            "uvicorn.access": {"level": "ERROR"},
        },
    }
