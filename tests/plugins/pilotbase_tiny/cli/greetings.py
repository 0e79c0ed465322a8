"""``pilotbase greetings``."""

from __future__ import annotations

import typer

from pilotbase.cli.framework.declared import Command, add
from pilotbase.cli.framework.terminal import print_json
from pilotbase_tiny.operations.greetings import GREET

app = typer.Typer(help="Greet somebody.", no_args_is_help=True)
add(app, Command("greet", GREET, show=lambda found: print_json(found.model_dump())))
