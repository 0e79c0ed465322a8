"""Help and questions of commands in the reader's language.

English stands beside the command, as typer wants it, and is the message id of ``locale/zh/help.po``: gettext's own way.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

import typer

from pilotbase.documents.catalogues import catalogue

_ENGLISH: dict[str, str] = {}
"""Name in typer's drawing → the words that it has there, before they were put into another language."""


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
        _speak(command)
        if not sys.argv[1:] or sys.argv[-1] == "--help":
            _speak_headings()
    return command


def translate_error(error: Any) -> None:
    """Give a usage error the reader's language: its message, and the lines that typer draws around it."""
    _speak_headings()
    said = filled(error.format_message())
    error.format_message = lambda: said


def _speak(command: Any) -> None:
    command.help = command.help and help_line(command.help)
    command.short_help = command.short_help and help_line(command.short_help)
    usage = command.get_usage
    command.get_usage = lambda context: filled(usage(context))
    helped = command.get_help_option(typer.Context(command))
    for parameter in filter(None, (*command.params, helped)):
        for words in ("help", "prompt"):
            if isinstance(given := getattr(parameter, words, None), str):
                setattr(parameter, words, help_line(given))
    for below in getattr(command, "commands", {}).values():
        _speak(below)


def filled(line: str) -> str:
    """Return a line of typer's that holds names or values: each ``{}`` of a message id stands for one."""
    known = catalogue("help", wanted_language())
    holed = {words: re.escape(words).replace(r"\{\}", "(.*?)") for words in known if "{}" in words}
    found = {words: fit for words, form in holed.items() if (fit := re.fullmatch(form, line, re.DOTALL))}
    if not found:
        return help_line(line)
    closest = max(found, key=len)
    return known[closest].format(*map(filled, found[closest].groups()))


def _speak_headings() -> None:
    """Put the few words of typer's own into the reader's language; its drawing is loaded for help and errors alone."""
    from typer import rich_utils

    for name in vars(rich_utils):
        if name.endswith(("_TITLE", "_STRING", "ABORTED_TEXT", "RICH_HELP")):
            setattr(rich_utils, name, help_line(_ENGLISH.setdefault(name, getattr(rich_utils, name))))
