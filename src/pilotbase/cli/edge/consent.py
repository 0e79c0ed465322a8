"""Asking on a terminal for consent to what a run takes and costs; where nobody is there, nobody has consented."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pilotbase.cli.edge.terminal import language, shown
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.texts import sentence, text

AskAbove = Annotated[
    list[str] | None,
    typer.Option(help="Above what consent is asked: 30 min, 50 CNY, or never; default: PILOTBASE_ASK_ABOVE, 4 h."),
]


def consents(error: PilotbaseError) -> bool:
    """Return whether somebody at the terminal consents to what ``error`` asks; False for every other error."""
    if not error.code.endswith(".consent_needed") or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    typer.echo(sentence(error.text, language(), str), err=True)
    return typer.confirm(shown(text("estimate.question")), err=True)
