"""Logs of the processes that the command line starts."""

from __future__ import annotations


def keep_log() -> None:
    """Write a structured log to standard error, as the hub does."""
    from logging.config import dictConfig

    from pilotbase.hub.configuration import HubConfiguration
    from pilotbase.hub.logging import logging_settings

    dictConfig(logging_settings(HubConfiguration.from_environment().log))
