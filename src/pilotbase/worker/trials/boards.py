"""A scenario's board: an application's submission to it, and the board in a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pilotbase.documents.base import Step
from pilotbase.documents.board import Board, BoardEntry, SeenBoard
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.documents.scenario import Approval
from pilotbase.documents.texts import Text, text
from pilotbase.trial.board import board_of, submit
from pilotbase.trial.board_measure import board_rule, with_valid_band
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.running import PreparedApplication
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.scorer_process import run_submission
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.vault.board import newest_board
from pilotbase.worker.base import Base
from pilotbase.worker.readings import scenario_for
from pilotbase.worker.trials.hidden_budgets import sealed_here
from pilotbase.worker.trials.proving import require_rehearsed, take_in, trial_folder
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class Submitted:
    """What the board released of a submission, and the present board."""

    entry: BoardEntry
    board: Board


def submit_to_board(
    base: Base, scenario: Path, application: Path, on_progress: OnProgress = ignore_progress
) -> Submitted:
    """Return the board's answer to an application version; the same version gets the same answer again.

    Raises:
        InputError: scenario, data, application or lock are wrong, with every problem at once.
        RefusedError: no board, isolation, approvals, rehearsal, or the supplier's submissions are used up.
    """
    sealed, candidate = take_in(base, scenario, application, Step.FREEZE, on_progress)
    board_of(base.lab, sealed)
    require_rehearsed(base, sealed, candidate, trial_folder(base, None, sealed, candidate), on_progress)
    entry = score_on_board(base.lab, sealed, candidate, on_progress)
    return Submitted(entry, board_of(base.lab, sealed))


def score_on_board(
    lab: TrialRuntime,
    sealed: OpenedScenario,
    candidate: PreparedApplication,
    on_progress: OnProgress,
    granted: Sequence[Approval] = (),
) -> BoardEntry:
    """Return what the board releases of a rehearsed application version; raises as `submit`."""
    return run_submission(lab, submit(lab, sealed, candidate, granted), on_progress)


def board_for(view: View, subject: str) -> SeenBoard:
    """Return the board of a scenario as the actor may see it.

    Raises:
        NotFoundError: the actor sees no such scenario, it has no board, or the actor has no part in it.
    """
    scenario = scenario_for(view, subject, ReadScope.BOARD)
    terms, owner = scenario.trial.board, scenario.owner.organisation
    if terms is None:
        raise NotFoundError("record.not_found", subject=subject)
    found = newest_board(view, owner, scenario.name)
    board = None if found is None else with_valid_band(scenario, found)
    return SeenBoard(
        scenario=subject,
        title=scenario.title,
        measure=terms.measure,
        better=board_rule(scenario, terms.measure).comparison,
        allowed=terms.submissions,
        entries=terms.in_all,
        improvements=terms.shown,
        board=_own_figures(board, view.actor, owner) if board is not None else None,
        own=tuple(_own_entries(view, board)),
    )


def _own_figures(board: Board, actor: Actor, owner: str) -> Board:
    """Return the board without how often others have tried, unless the actor is its owner or the base."""
    if actor.sees_all or actor.organisation == owner:
        return board
    used = {supplier: count for supplier, count in board.used.items() if supplier == actor.organisation}
    return board.model_copy(update={"used": used})


def _own_entries(view: View, board: Board | None) -> Iterator[BoardEntry]:
    """Yield the board's answers to the actor's own submissions, newest first."""
    if board is None:
        return
    for stored in view.find("board-entry", {"slice": board.slice}, limit=board.allowed):
        entry = stored.load(BoardEntry)
        if entry.application.supplier.organisation == view.actor.organisation:
            yield entry


def show_board(base: Base, scenario: Path) -> Board:
    """Return the scenario's present board; seals and scores nothing.

    Raises:
        InputError: the scenario cannot be read.
        RefusedError: the scenario has no board, or nothing of this version has been sealed.
    """
    document, folder = load_scenario(scenario, Step.FREEZE)
    sealed = sealed_here(base.lab, document, folder)
    if sealed is None:
        raise RefusedError("worker.board_not_sealed", scenario=document.name)
    return board_of(base.lab, sealed)


def entry_line(entry: BoardEntry) -> Text:
    """Return the result of a submission in a sentence."""
    application, score = entry.application, f"{entry.released:.4f}"
    name = f"{application.name} {application.version}"
    if entry.end is not EndReason.FINISHED:
        return text("worker.board_ended", application=name, reason=Text(code=f"box.end.{entry.end}"), score=score)
    if entry.improved:
        return text("worker.board_improved", application=name, score=score)
    return text("worker.board_below", application=name, score=score)


def board_lines(board: Board) -> Iterator[Text]:
    """Yield the board in sentences: what it is, the positions, and who has used how many submissions."""
    yield text("worker.board_title", scenario=board.scenario, measure=board.measure, cases=board.cases)
    if board.band is not None:
        figures = {"step": f"{board.step:.3g}", "band": f"{board.band:.2g}"}
        yield text("worker.board_terms", entries=board.entries, improvements=board.improvements, **figures)
    else:
        yield text("live.no_band")
    for rank, entry in enumerate(board.ranked, start=1):
        application = entry.application
        yield text(
            "worker.board_rank",
            rank=rank,
            score=f"{entry.released:.4f}",
            supplier=application.supplier.organisation,
            application=f"{application.name} {application.version}",
        )
    if not board.ranked:
        yield text("worker.board_empty")
    for supplier, used in sorted(board.used.items()):
        yield text("worker.board_used", supplier=supplier, used=used, allowed=board.allowed)
