"""Help and questions of commands in the reader's language.

English stands beside the command, as typer wants it, and is the message id of ``locale/zh/help.po``: gettext's own way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from pilotbase.documents.catalogues import catalogue


def wanted_language() -> str:
    """Return the reader's language: PILOTBASE_LANGUAGE, else the locale's, else English."""
    wanted = os.environ.get("PILOTBASE_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh" if wanted.lower().startswith("zh") else "en"


def help_line(line: str) -> str:
    """Return one line of help in the reader's language, in English where it has no other words."""
    return catalogue("help", wanted_language()).get(line, line)


def translate_help(command: Any) -> Any:
    """Return a command or group, its help and questions and those of all below it in the reader's language."""
    if wanted_language() != "en":
        _speak(command, help_line)
        if not sys.argv[1:] or sys.argv[-1] == "--help":
            _speak_headings()
    return command


def _speak(command: Any, said: Callable[[str], str]) -> None:
    command.help = command.help and said(command.help)
    command.short_help = command.short_help and said(command.short_help)
    helped = command.get_help_option(typer.Context(command))
    for parameter in filter(None, (*command.params, helped)):
        for words in ("help", "prompt"):
            if isinstance(given := getattr(parameter, words, None), str):
                setattr(parameter, words, said(given))
    for below in getattr(command, "commands", {}).values():
        _speak(below, said)


def _speak_headings() -> None:
    """Put the few words of typer's own into the reader's language; its drawing is loaded for help alone."""
    from typer import rich_utils

    for name in ("ARGUMENTS_PANEL_TITLE", "OPTIONS_PANEL_TITLE", "COMMANDS_PANEL_TITLE", "REQUIRED_LONG_STRING"):
        setattr(rich_utils, name, help_line(getattr(rich_utils, name)))
    rich_utils.DEFAULT_STRING = help_line(rich_utils.DEFAULT_STRING)
    rich_utils.ENVVAR_STRING = help_line(rich_utils.ENVVAR_STRING)
