"""``pilotbase world``: a new world in which applications act, its check, and its episodes as references play them."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.driving import Noun, hub, is_remote, open_base
from pilotbase.cli.framework.terminal import (
    EXIT_REJECTED,
    AsJson,
    answer,
    language,
    print_table,
    progress_shown,
    say,
    shown,
)
from pilotbase.documents.texts import format_for_terminal, text
from pilotbase.worlds.folders import STARTER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilotbase.documents.progress import OnProgress
    from pilotbase.documents.transcript import Line
    from pilotbase.documents.world import GateResult, WorldCheck


class ShownPlayer(StrEnum):
    """Who plays an episode that is shown."""

    ORACLE = "oracle"
    IDLE = "idle"
    GUESSING = "guessing"
    OBEDIENT = "obedient"


app = Noun()


@app.here("new")
def new(folder: Path, source: Annotated[str, typer.Option("--from")] = STARTER) -> None:
    """Write a new world into a folder: the small starter, or a copy of a world that comes with the base."""
    from pilotbase.trial.arena.gates import manifest_of
    from pilotbase.worlds.folders import BRIDGES, write_world

    manifest = manifest_of(open_base(create=True).lab, source) if source in BRIDGES else None
    for path in write_world(source, folder, manifest):
        typer.echo(format_for_terminal(str(path)))
    say(text("worlds.written", folder=folder))


@app.anywhere("check")
def check(folder: Path, as_json: AsJson = False) -> None:
    """Check a world: manifest, references, attacks, leaks, repeatability. Exit 0 if every gate holds, else 3."""
    with progress_shown(as_json) as on_progress:
        found = _checked_by_hub(folder, on_progress) if is_remote() else _checked_here(folder, on_progress)
    answer(found, as_json, _print)
    raise typer.Exit(0 if found.holds else EXIT_REJECTED)


def _checked_by_hub(folder: Path, on_progress: OnProgress) -> WorldCheck:
    from pilotbase.worker.archives import zip_world

    with tempfile.TemporaryFile() as archive:
        return hub().check_world(f"{zip_world(folder, archive)}.zip", archive, on_progress)


def _checked_here(folder: Path, on_progress: OnProgress) -> WorldCheck:
    from pilotbase.trial.arena.gates import check_folder

    return check_folder(open_base(create=True).lab, folder, on_progress=on_progress)


def _print(found: WorldCheck) -> None:
    columns = (f"worlds.column_{column}" for column in ("gate", "outcome", "episodes", "finding"))
    print_table(text("worlds.check_title", name=found.name, version=found.version), columns, map(_row, found.gates))
    say(text("worlds.holds" if found.holds else "worlds.fails"))


def _row(result: GateResult) -> Iterable[object]:
    problem = "" if result.problem is None else f"{shown(result.problem)}\n{shown(result.problem.hint)}"
    outcome = text("outcome.pass" if result.holds else "outcome.fail")
    return text(f"worlds.gate.{result.gate}"), outcome, result.episodes, problem


@app.here("play")
def play(  # noqa: PLR0913 - each is an option of the command
    folder: Path,
    template: str = "",
    language: str = "",
    arm: str = "clean",
    number: int = 0,
    player: ShownPlayer = ShownPlayer.ORACLE,
    as_json: AsJson = False,
) -> None:
    """Show one episode as a reference plays it: task, acts, results, the user's words, and what became of it."""
    from pilotbase.trial.arena.gates import EpisodeKind, show_episode

    kind = EpisodeKind(template, language, arm, number)
    lines = show_episode(open_base(create=True).lab, folder, kind, player.value)
    answer(lines, as_json, _print_lines)


def _print_lines(lines: Iterable[Line]) -> None:
    from pilotbase.trial.shown_episodes import episode_lines

    for told in episode_lines(lines, language()):
        typer.echo(format_for_terminal(told))
