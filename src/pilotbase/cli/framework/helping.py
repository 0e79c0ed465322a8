"""Help and questions of commands in the reader's language.

English stands beside the command, as typer wants it, and is the message id of ``locale/zh/help.po``: gettext's own way.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from copy import copy
from typing import Annotated, Any, get_args, get_origin

import typer

from pilotbase.documents.catalogues import catalogue, wanted_language

_ENGLISH: dict[str, str] = {}
"""Name in typer's drawing → the words that it has there, before they were put into another language."""


def help_line(line: str) -> str:
    """Return one line of help in the reader's language, in English where it has no other words."""
    return catalogue("help", wanted_language()).get(line, line)


def command_line(name: str) -> str:
    """Return what is said of a command that may follow ``pilotbase``, in the reader's language."""
    return catalogue("command", wanted_language())[f"command.{name}"]


def translate_help(command: Any) -> Any:
    """Return a command or group, its help and questions and those of all below it in the reader's language."""
    if wanted_language() != "en":
        _speak(command)
        if sys.argv[1:] in ([], ["--all"]) or sys.argv[-1] == "--help":
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


def described(function: Callable[..., object]) -> inspect.Signature:
    """Return the signature of a command as typer takes it: what the catalogue says of a parameter is its help.

    Its code is ``option.<group>.<command>.<name>``, or without the command, or without both, where all say the same.
    Without a default it is an argument, else an option; a switch has no opposite. Anything else is annotated.
    """
    if hasattr(function, "__signature__"):  # of a declared operation, which has its own texts
        return inspect.signature(function)
    known = catalogue("option", wanted_language())
    group = function.__module__.rpartition(".")[2].partition("_")[0]
    parameters = []
    for one in inspect.signature(function, eval_str=True).parameters.values():
        names = (f"{group}.{function.__name__}.{one.name}", f"{group}.{one.name}", one.name)
        said = next((known[code] for name in names if (code := f"option.{name}") in known), None)
        if said is not None:
            one = one.replace(annotation=_annotated(one, said))
        parameters.append(one)
    return inspect.Signature(parameters)


def _annotated(one: inspect.Parameter, said: str) -> Any:
    kind, *more = get_args(one.annotation) if get_origin(one.annotation) is Annotated else (one.annotation,)
    if more:
        info = copy(more[0])
    elif one.default is one.empty:
        info = typer.Argument()
    else:
        info = typer.Option(f"--{one.name.replace('_', '-')}")
    info.help = info.help or said
    return Annotated[kind, info]


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
