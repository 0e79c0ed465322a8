"""The edge of the command line: errors in the reader's language, exit codes, progress, JSON."""

from __future__ import annotations

import errno
import json
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from pilotbase.cli.framework.connection import require_here
from pilotbase.cli.framework.helping import described
from pilotbase.documents.catalogues import wanted_language
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.progress import Progress as Step
from pilotbase.documents.texts import Text, format_for_terminal, make_visible, sentence, text
from pilotbase.documents.vocabularies import Verdict

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from rich.text import Text as Cell


P = ParamSpec("P")

EXIT_REJECTED = 3
EXIT_INCONCLUSIVE = 4
EXIT_INTERRUPTED = 130
EXIT_CODES = {Verdict.ACCEPT: 0, Verdict.REJECT: EXIT_REJECTED, Verdict.INCONCLUSIVE: EXIT_INCONCLUSIVE}
AsJson = Annotated[bool, typer.Option("--json")]
AskAbove = Annotated[
    list[str] | None,
    typer.Option(help="Above what consent is asked: 30 min, 50 CNY, or never; default: PILOTBASE_ASK_ABOVE, 4 h."),
]


language = wanted_language


def listed(written: str | None) -> tuple[str, ...] | None:
    """Return the names in an option, divided by commas."""
    return tuple(one.strip() for one in written.split(",")) if written else None


def separator_written(written: str | None) -> str | None:
    """Return the separator that an option names; those that no shell shows are written as words."""
    return {"tab": "\t", "\\t": "\t", "blank": " "}.get(written, written) if written else None


def shown(said: Text | PilotbaseError) -> str:
    """Return a text or an error in the reader's language, with nothing in it that steers a terminal."""
    return said.render(language(), format_for_terminal)


def say(said: Text, err: bool = False) -> None:
    """Print a text in the reader's language."""
    typer.echo(shown(said), err=err)


def warn(said: Text) -> None:
    """Print on standard error what stands by itself, such as a problem that was found: a whole sentence."""
    typer.echo(sentence(said, language(), format_for_terminal), err=True)


def print_json(value: Any) -> None:
    """Print a JSON value; characters that would steer a terminal are escaped."""
    spelled = json.dumps(value, ensure_ascii=False, indent=2)
    typer.echo("\n".join(map(_escape_hidden, spelled.split("\n"))))


def print_value(found: Any, nulls: bool = True) -> None:
    """Print one or several documents, or what else an operation returns, as JSON; a value is printed as it is.

    ``nulls``: whether an answer that is no document has a key, too, for what it does not say.
    """
    print_json([_plain(one, nulls) for one in found] if isinstance(found, list | tuple) else _plain(found, nulls))


def answer(found: Any, as_json: bool, show: Callable[[Any], object], nulls: bool = True) -> None:
    """Print what was found as JSON, or show it."""
    if as_json:
        print_value(found, nulls)
    else:
        show(found)


def each(show: Callable[[Any], object], none: Text | None = None) -> Callable[[Collection[Any]], None]:
    """Return what shows several things by ``show``, one after the other, and says ``none`` where there is nothing."""

    def show_each(found: Collection[Any]) -> None:
        for one in found:
            show(one)
        if not found and none is not None:
            say(none)

    return show_each


def say_all(lines: Iterable[Text]) -> None:
    """Print texts in the reader's language, a line each."""
    for line in lines:
        say(line)


def print_table(title: Text, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Draw a table of texts, words and rich's own; ``columns``: codes of the headings. Words are never markup."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=_cell(title), expand=False)
    for column in columns:
        table.add_column(_cell(text(column)), overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    Console(width=None if Console().is_terminal else 160).print(table)


def _cell(content: Any) -> Cell:
    from rich.text import Text as Cell

    if isinstance(content, Cell):
        return content
    return Cell(shown(content) if isinstance(content, Text) else format_for_terminal(str(content)))


def _plain(found: Any, nulls: bool) -> Any:
    if hasattr(found, "to_json_value"):
        return found.to_json_value()
    is_model = hasattr(found, "model_dump")
    return found.model_dump(mode="json", by_alias=True, exclude_none=not nulls) if is_model else found


def _escape_hidden(line: str) -> str:
    return line if line.isprintable() else "".join(map(_escape_letter, line))


def _escape_letter(letter: str) -> str:
    if make_visible(letter) == letter:
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Make a command of ``function``: what Pilotbase raises becomes a sentence and an exit code."""

    @wraps(function)
    def run(*arguments: P.args, **options: P.kwargs) -> None:
        try:
            require_here(getattr(function, "drives_hub", False))
            function(*arguments, **options)
        except PilotbaseError as error:
            typer.echo(shown(error), err=True)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            say(text("cli.interrupted"), err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            say(text("cli.disk_full", file=error.filename or ""), err=True)
            raise typer.Exit(1) from None

    run.__signature__ = described(function)  # type: ignore[attr-defined]
    return run


@contextmanager
def progress_shown(quiet: bool = False) -> Iterator[OnProgress]:
    """Show progress on standard error: bars on a terminal, one plain line a stage elsewhere."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _drawn() as bars:
            yield _Bars(bars)
    else:
        yield _Lines()


def exit_when_terminated(stop: threading.Event | None = None) -> None:
    """Leave by `SystemExit` at SIGTERM; a loop that looks at ``stop`` ends even if a finaliser swallows the exit."""

    def leave(*_: object) -> None:
        if stop is not None:
            stop.set()
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)


def keep_log() -> None:
    """Write a structured log to standard error, as the hub does."""
    from logging.config import dictConfig

    from pilotbase.hub.configuration import HubConfiguration, logging_settings

    dictConfig(logging_settings(HubConfiguration.from_environment().log))


def consents(error: PilotbaseError) -> bool:
    """Return whether somebody at the terminal consents to what ``error`` asks; False for every other error."""
    if not error.code.endswith(".consent_needed") or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    typer.echo(sentence(error.text, language(), str), err=True)
    return typer.confirm(shown(text("estimate.question")), err=True)


def _drawn() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


class _Bars:
    """One bar for each thread that reports."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._shown: dict[int, tuple[TaskID, str]] = {}

    def __call__(self, step: Step) -> None:
        stage, thread = shown(step.stage), threading.get_ident()
        if step.stays:
            self._bars.console.print(stage, markup=False, highlight=False)
            return
        task, before = self._shown.get(thread) or (self._bars.add_task("", total=None), "")
        if stage != before:
            self._bars.reset(task, description=stage, total=step.total or None)
        self._shown[thread] = task, stage
        self._bars.update(task, completed=step.done)


class _Lines:
    def __init__(self) -> None:
        self._stage = ""

    def __call__(self, step: Step) -> None:
        stage = shown(step.stage)
        if step.stays:
            typer.echo(f"  {stage}", err=True)
        elif stage != self._stage:
            self._stage = stage
            typer.echo(f"  {stage}", err=True)
