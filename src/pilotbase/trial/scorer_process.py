"""The scorer as a separate process: the process that starts a trial never holds a label.

`fork_server` forks it. It reads one job (JSON) from standard input and writes one line of JSON per event to standard
output: progress, then the report's digest or the error.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict

from pilotbase.documents.base import build_parts
from pilotbase.documents.board import BoardEntry, BoardSubmission, TenderPlan, TenderResult
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError, UnknownProofError
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress, Progress, ignore_progress
from pilotbase.documents.report import Report
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.evidence.distributions import normal_upper_quantile
from pilotbase.measures.registry import measures
from pilotbase.sandbox.box.box import prepare_host
from pilotbase.sandbox.box.environments import VERIFIED
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.engines import LOCAL, open_engine
from pilotbase.trial.board import score_submission
from pilotbase.trial.estimating import NO_LIMIT, SpendingLimit
from pilotbase.trial.fork_server import ForkedProcess, start
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.scorer import report_of, score_trial
from pilotbase.trial.tender import score_tender
from pilotbase.vault.opening import harden_process
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.home import open_home

_BUILT = (
    *(f"pilotbase.documents.{name}." for name in ("application", "figures", "plan", "report", "scenario", "terms")),
    *("pilotbase.trial.", "pilotbase.vault.", "pilotbase.workspace."),
)
"""Packages and modules whose parts every scorer reads or writes."""
ERRORS = (RefusedError, UnknownProofError, InvalidProofError, InputError, PilotbaseError)


class ScorerJob(BaseModel):
    """The input of a scorer process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: dict[str, str]
    folder: Path
    """The working folder of the starting process."""
    home: Path
    organisation: str
    roles: tuple[Role, ...]
    plan: str | None = None
    """The trial to run."""
    submission: str | None = None
    """Or the submission to a board to score."""
    tender: str | None = None
    """Or the tender to decide."""
    engine: str = "local"
    limit: SpendingLimit = NO_LIMIT
    """The limit above which the trial is held until there is consent."""
    verified: dict[str, str] = {}
    """The environments that the starting process has checked (`environments.VERIFIED`)."""


class Event(BaseModel):
    """One line of a scorer process: progress, or how it ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    progress: Progress | None = None
    result: str | None = None
    """Digest of the report, of the board's release, or of the tender's result."""
    error: Text | None = None
    exit_code: int = 0


def run_trial(
    lab: TrialRuntime, plan: TrialPlan, on_progress: OnProgress = ignore_progress, limit: SpendingLimit = NO_LIMIT
) -> Report:
    """Run ``plan`` to its one report in a scorer process; if the plan already has a report, return it.

    ``limit``: the limit above which it is held until there is consent (`estimating`).

    Raises:
        RefusedError: `estimating.CODE`: it is held; committed answers stay, and it continues from there.
        PilotbaseError: whatever the scorer raised, of the same kind and text; ``trial.scorer_died`` if it was killed
            (start the trial again: it continues from the committed answers).
    """
    known = report_of(lab, plan)
    if known is not None:
        return known
    return lab.view.load(_run(lab, on_progress, plan=plan.digest(), limit=limit), Report)


def run_submission(
    lab: TrialRuntime, submission: BoardSubmission, on_progress: OnProgress = ignore_progress
) -> BoardEntry:
    """Return the board's release of ``submission`` from a scorer process; raises as `run_trial` does."""
    return lab.view.load(_run(lab, on_progress, submission=submission.digest()), BoardEntry)


def run_tender(lab: TrialRuntime, plan: TenderPlan, on_progress: OnProgress = ignore_progress) -> TenderResult:
    """Return the result of a tender from a scorer process; raises as `run_trial` does."""
    return lab.view.load(_run(lab, on_progress, tender=plan.digest()), TenderResult)


def load() -> None:
    """Load, once in the server that is forked, what every scorer needs: scipy, documents, what boxes are made of."""
    normal_upper_quantile(0.5)
    with contextlib.suppress(PilotbaseError):  # a scorer on a host without boxes says so itself
        prepare_host(BoxSettings())
    with contextlib.suppress(PilotbaseError):  # a scorer says which measure of a plug-in is none
        measures()
    build_parts(_BUILT)


def main() -> int:
    """Run the job on standard input."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    harden_process()
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    job = ScorerJob.model_validate_json(sys.stdin.read())
    os.environ.clear()
    os.environ.update(job.environment)
    os.chdir(job.folder)
    VERIFIED.update(job.verified)
    try:
        result = _carry_out(job, _Coarse(events))
    except PilotbaseError as error:
        _write(events, Event(error=error.text, exit_code=error.exit_code))
        return error.exit_code
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        full = text("trial.disk_full", file=error.filename or job.home)
        _write(events, Event(error=full, exit_code=1))
        return 1
    _write(events, Event(result=result))
    return 0


class _Coarse:
    """Writes progress as events, in steps of a twentieth: finer steps would time single batches of hidden cases."""

    def __init__(self, events: IO[str]) -> None:
        self._events = events
        self._last: tuple[str, int] | None = None

    def __call__(self, progress: Progress) -> None:
        step = progress.done * 20 // progress.total if progress.total else 0
        if progress.stays:
            _write(self._events, Event(progress=progress))
        elif self._last != (progress.stage.code, step):
            self._last = (progress.stage.code, step)
            _write(self._events, Event(progress=replace(progress, done=step * progress.total // 20)))


def _carry_out(job: ScorerJob, on_progress: OnProgress) -> str:
    lab = TrialRuntime.open(open_home(job.home), Actor(job.organisation, frozenset(job.roles)), open_engine(job.engine))
    if job.submission is not None:
        return score_submission(lab, lab.view.load(job.submission, BoardSubmission), on_progress).digest()
    if job.tender is not None:
        return score_tender(lab, lab.view.load(job.tender, TenderPlan), on_progress).digest()
    return score_trial(lab, lab.view.load(job.plan or "", TrialPlan), on_progress, job.limit).digest()


def _run(lab: TrialRuntime, on_progress: OnProgress, **work: Any) -> str:
    """Return the digest of the result of ``work``: the fields of a job that say what to do."""
    job = ScorerJob(
        environment=dict(os.environ),
        folder=Path.cwd(),
        home=lab.home.path,
        organisation=lab.actor.organisation,
        roles=tuple(lab.actor.roles),
        engine=(lab.engine or LOCAL).name,
        verified=VERIFIED,
        **work,
    )
    process = start(__name__)
    try:
        return _follow(process, job, on_progress)
    except BaseException:
        _stop(process)
        raise
    finally:
        process.close()


def _follow(process: ForkedProcess, job: ScorerJob, on_progress: OnProgress) -> str:
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(job.model_dump_json().encode())
        process.stdin.close()
    for line in process.stdout:
        event = Event.model_validate_json(line)
        if event.error is not None:
            raise _rebuilt(event.error, event.exit_code)
        if event.result is not None:
            process.wait()
            return event.result
        if event.progress is not None:
            on_progress(event.progress)
    raise PilotbaseError("trial.scorer_died", code=process.wait())


def _rebuilt(error: Text, exit_code: int) -> PilotbaseError:
    kind = next(kind for kind in ERRORS if kind.exit_code == exit_code or kind is PilotbaseError)
    rebuilt = kind(error.code)
    rebuilt.text = error
    return rebuilt


def _stop(process: ForkedProcess) -> None:
    process.signal(signal.SIGTERM)
    if process.wait(seconds=5) is None:
        process.signal(signal.SIGKILL)
        process.wait()


def _write(events: IO[str], event: Event) -> None:
    try:
        events.write(event.model_dump_json() + "\n")
    except BrokenPipeError:
        sys.exit(1)  # the starting process is gone; committed answers stay
