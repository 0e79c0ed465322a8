"""Submitting to a board: the same box and withheld logs as in a trial, on the slice that no trial ever scores.

Only the best score, and whether the submission beat it, are released; neither is evidence. A submission that is killed
and restarted continues from its committed answers: a crash buys no second look.
"""

from __future__ import annotations

from collections.abc import Sequence

from pilotbase.documents.board import Board, BoardEntry, BoardSubmission
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.scenario import Approval
from pilotbase.documents.terms import Channel
from pilotbase.documents.texts import text
from pilotbase.measures import coded, measures
from pilotbase.trial.board_measure import board_losses, board_rule, ladder_of, range_width, with_valid_band
from pilotbase.trial.entering import AccessMode, enter, require_boxed
from pilotbase.trial.freezing import require_ready
from pilotbase.trial.hidden_runs import HiddenRun, answer_slice
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.running import Hooks, PreparedApplication
from pilotbase.trial.scoring import build_cases
from pilotbase.trial.sealed import OpenedScenario, load_sealed
from pilotbase.trial.sealing import published_cases
from pilotbase.vault.board import BoardSlice, current_board, entry_of, open_submission, release, slice_cases
from pilotbase.vault.opening import OpeningPurpose, ReaderGrant, read_hidden
from pilotbase.vault.sealing import HiddenSet


def board_of(lab: TrialRuntime, sealed: OpenedScenario) -> Board:
    """Return the scenario's current board, which is empty before the first submission.

    Raises:
        RefusedError: the scenario has no board.
    """
    board = current_board(lab.vault, _slice_of(lab, sealed)) or _empty(lab, sealed)
    return with_valid_band(sealed.scenario, board)


def submit(
    lab: TrialRuntime, sealed: OpenedScenario, candidate: PreparedApplication, granted: Sequence[Approval] = ()
) -> BoardSubmission:
    """Return the submission of this application version, counted once; `score_submission` goes on with it.

    ``granted``: approvals that are filed elsewhere than in the scenario.

    Raises:
        RefusedError: no board, missing approvals, an isolation level that the host cannot give, no passed rehearsal,
            all submissions of the supplier used, or an endpoint.
    """
    require_boxed(candidate.submission.application)
    empty = _empty(lab, sealed)
    require_ready(lab, sealed, candidate, AccessMode(Channel.BOARD, empty.cases), granted)
    return open_submission(lab.vault, empty, sealed.record.digest(), candidate.reference)


def score_submission(lab: TrialRuntime, submission: BoardSubmission, on_progress: OnProgress) -> BoardEntry:
    """Return what the board releases of ``submission``; call it only in the scorer process.

    Raises:
        RefusedError: another process is working on it, or cases of the slice have been published since it was cut.
        InvalidProofError: the hidden data or the application differ from those submitted.
    """
    sealed, record = load_sealed(lab.view, submission.sealed), lab.view.load(submission.board, BoardSlice)
    known = entry_of(lab.vault, submission)
    if known is not None:
        return known
    hidden = lab.view.load(record.hidden_set, HiddenSet)
    supplier = submission.application.supplier.organisation
    leave = enter(lab.view, sealed.scenario, supplier, submission.digest(), AccessMode(Channel.BOARD, record.cases))
    grant = ReaderGrant(OpeningPurpose.BOARD, leave)
    frame = read_hidden(lab.vault, hidden, grant, slice_cases(lab.vault, record, grant))
    if len(published_cases(lab, record.owner, frame)):
        raise RefusedError("trial.board_published", scenario=sealed.scenario.name)
    stage = text("trial.progress.answer", application=submission.application.name)
    hooks = Hooks(on_batch=lambda done: on_progress(Progress(stage, done, frame.height)))
    run = HiddenRun(submission.application, submission, "board")
    answers, end, _ = answer_slice(lab, (sealed, hidden), run, frame, hooks)
    cases = coded(build_cases(sealed.scenario, sealed.record.classes, frame, answers))
    losses = board_losses(sealed.scenario, record.measure, cases)

    def entry(board: Board) -> BoardEntry:
        shown = tuple(losses.mean_of(one.released) for one in reversed(board.ranked))
        after = ladder_of(sealed.scenario, record.counted, board).after(losses.mean, shown)
        improved = len(after) > len(shown)
        return BoardEntry(
            submission=submission.digest(),
            application=submission.application,
            end=end,
            improved=improved,
            released=losses.score(after[-1]) if improved else board.ranked[0].released,
            submitted_at=submission.submitted_at.replace(second=0, microsecond=0),
        )

    return release(lab.vault, submission, entry)


def _slice_of(lab: TrialRuntime, sealed: OpenedScenario) -> BoardSlice:
    if sealed.record.board is None:
        raise RefusedError("trial.no_board", scenario=sealed.scenario.name)
    return lab.view.load(sealed.record.board, BoardSlice)


def _empty(lab: TrialRuntime, sealed: OpenedScenario) -> Board:
    record, terms = _slice_of(lab, sealed), sealed.scenario.trial.board
    assert terms is not None
    rule, ladder = board_rule(sealed.scenario, record.measure), ladder_of(sealed.scenario, record.counted)
    width = range_width(rule, sealed.record.classes)
    return Board(
        slice=record.digest(),
        scenario=sealed.scenario.name,
        owner=sealed.scenario.owner,
        measure=record.measure,
        better=measures()[rule.measure].better,
        cases=record.cases,
        allowed=terms.submissions,
        entries=ladder.entries,
        improvements=ladder.improvements,
        step=width / ladder.steps,
        band=None if record.independent is None else width * ladder.band,
    )
