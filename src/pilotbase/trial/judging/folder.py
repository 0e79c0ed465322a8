"""The folder of a judging, in order of creation: everything is fixed before anyone sees what could influence it.

judge.json     the manifest of the judge, frozen
judging.json   what is judged, and the commitment to the secret that draws cases
secret         the secret; shown to nobody before the labels are in
words.log      the judge's replies, in a hash chain; calls.log: the record of every call
scores.csv     the scores, fixed for good; not for labellers
plan.json      the plan for `trial decide`
sheet-1-200.csv   cases for people to label
cases.csv      the cases with scores and labels, and calibration.json: how far the judge agrees with people
"""

from __future__ import annotations

import csv
import io
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pydantic

from pilotbase.documents.base import Part
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError
from pilotbase.documents.hashes import Digest, digest_bytes, digest_json
from pilotbase.documents.judge import Judge
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import DecisionPlan, DecisionPrediction
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.sandbox.box.ends import END_TEXTS
from pilotbase.trial.judging.asking import AnswerSlot, NoScore, ask_judge, judged_rows, known_outcome, scores_of
from pilotbase.trial.judging.judged_cases import JudgedCases, drawn_rows, format_sheet, order_seed
from pilotbase.workspace.keys import write_private

RIGHT, WRONG = "right", "wrong"
SCORES, PLAN = "scores.csv", "plan.json"
_COLUMNS = ("case", "score", "no_score", "known")


class JudgingError(PilotbaseError):
    """The judge cannot be asked to the end."""


class Judging(Part):
    """What is fixed before the judge is asked."""

    format: Literal["judging/1"] = "judging/1"
    judge: Digest
    cases: Digest
    count: int
    commitment: Digest
    """SHA-256 of the secret."""

    @property
    def digest(self) -> Digest:
        return digest_json(self.to_json_value())


@dataclass(frozen=True)
class Score:
    """What is known about a case before people label it."""

    case: str
    score: float
    no_score: NoScore | None = None
    known: bool | None = None
    """Whether it is right, where nobody needs to say so: no answer is not."""


@dataclass(frozen=True)
class Opened:
    """A judging whose folder has been verified."""

    folder: Path
    judge: Judge
    judging: Judging
    secret: bytes

    @property
    def seed(self) -> int:
        return order_seed(self.secret, self.judging.digest)


@dataclass(frozen=True)
class FinishedJudging:
    """A judging with its scores; ``sheet``: the file for labellers that was written, or None."""

    opened: Opened
    scores: tuple[Score, ...]
    order_matters: float | None
    sheet: Path | None
    to_label: int


def judge_cases(
    judge: Judge,
    cases: JudgedCases,
    folder: Path,
    label: int,
    give_up: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> FinishedJudging:
    """Ask ``judge`` about all ``cases``, fix the scores, and write the sheet of the first ``label`` cases drawn.

    A restart continues from the committed replies; a larger ``label`` writes a sheet of the additional cases.
    ``give_up``: cases that an unreachable judge hasn't scored get the manifest's ``missing``.

    Raises:
        InputError: the folder contains the judging of other cases or by another judge; ``label`` is out of range.
        JudgingError: the judge is unreachable or unusable; its replies so far are kept.
    """
    if not 1 <= label <= len(cases):
        raise InputError("judge.label_out_of_range", count=label, cases=len(cases))
    opened = _freeze(judge, cases, folder)
    if not (folder / SCORES).exists():
        _fix_scores(opened, cases, give_up, on_progress)
    write_private(folder / PLAN, format_json(decision_plan(judge).to_json_value()))
    scores = read_scores(opened)
    sheet, count = _write_sheet(opened, cases, scores, label)
    return FinishedJudging(opened, scores, order_matters(opened), sheet, count)


def open_judging(folder: Path) -> Opened:
    """Return the judging in ``folder``.

    Raises:
        InputError: it holds none.
        InvalidProofError: judge or secret are not those that were frozen.
    """
    try:
        judge = Judge.model_validate_json((folder / "judge.json").read_bytes())
        judging = Judging.model_validate_json((folder / "judging.json").read_bytes())
        secret = bytes.fromhex((folder / "secret").read_text())
    except (OSError, pydantic.ValidationError, ValueError):
        raise InputError("judge.no_judging", folder=folder) from None
    if judge.digest() != judging.judge or digest_bytes(secret) != judging.commitment:
        raise InvalidProofError("judge.altered", folder=folder)
    return Opened(folder, judge, judging, secret)


def read_scores(opened: Opened) -> tuple[Score, ...]:
    """Return the scores that were fixed, in the order of the cases; raises `InvalidProofError` when altered."""
    mark, _, body = (opened.folder / SCORES).read_bytes().partition(b"\n")
    if mark.decode() != _mark(opened, body):
        raise InvalidProofError("judge.altered", folder=opened.folder)
    rows = csv.DictReader(io.StringIO(body.decode(), newline=""))
    known = {"": None, RIGHT: True, WRONG: False}
    return tuple(
        Score(row["case"], float(row["score"]), NoScore(row["no_score"]) if row["no_score"] else None,
              known[row["known"]])
        for row in rows
    )  # fmt: skip


def decision_plan(judge: Judge) -> DecisionPlan:
    """Return what `trial decide` decides by: how many of all answers people would call right."""
    return DecisionPlan(
        criteria=judge.criteria,
        prediction=DecisionPrediction(kind="label", classes=(RIGHT, WRONG), positive=RIGHT),
        alpha=judge.alpha,
        labels="score",
        judge_weight=judge.weight,
    )


def sheets_so_far(folder: Path) -> int:
    """Return the place in the order up to which cases are on sheets."""
    return max([0, *(int(path.stem.rpartition("-")[2]) for path in folder.glob("sheet-*-*.csv"))])


def _freeze(judge: Judge, cases: JudgedCases, folder: Path) -> Opened:
    """Return the judging in ``folder``, started if there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "judging.json").exists():
        secret = secrets.token_bytes(32)
        write_private(folder / "secret", secret.hex().encode())
        write_private(folder / "judge.json", format_json(judge.to_json_value()))
        frozen = Judging(judge=judge.digest(), cases=cases.digest, count=len(cases), commitment=digest_bytes(secret))
        write_private(folder / "judging.json", format_json(frozen.to_json_value()))
    opened = open_judging(folder)
    if (opened.judging.judge, opened.judging.cases) != (judge.digest(), cases.digest):
        raise InputError("judge.another_judging", folder=folder)
    return opened


def _fix_scores(opened: Opened, cases: JudgedCases, give_up: bool, on_progress: OnProgress) -> None:
    judge, rows = opened.judge, judged_rows(opened.judge, cases)
    if rows:
        place = AnswerSlot(opened.folder, opened.judging.digest.encode(), opened.secret)
        asked = ask_judge(judge, cases, place, on_progress)
        if asked.end.reason is not EndReason.FINISHED and not give_up:
            reason = END_TEXTS[asked.end.reason]
            raise JudgingError("judge.unavailable", reason=reason, done=len(asked.words), total=asked.questions)
        found, swayed = scores_of(judge, cases, asked)
    else:
        found, swayed = [], []
    if judge.compares:
        share = {"share": sum(swayed) / len(swayed) if swayed else None}
        write_private(opened.folder / "places.json", format_json(share))
    body = _format_scores(judge, cases, dict(zip(rows, found, strict=True)))
    write_private(opened.folder / SCORES, _mark(opened, body).encode() + b"\n" + body)


def _format_scores(judge: Judge, cases: JudgedCases, found: dict[int, float | NoScore]) -> bytes:
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(_COLUMNS)
    for row, name in enumerate(cases.names):
        known = known_outcome(judge, cases, row)
        score = found.get(row, float(bool(known)))
        if isinstance(score, NoScore):
            writer.writerow([name, judge.missing, score.value, ""])
        else:
            writer.writerow([name, round(score, 6), "", "" if known is None else RIGHT if known else WRONG])
    return written.getvalue().encode()


def _write_sheet(opened: Opened, cases: JudgedCases, scores: tuple[Score, ...], label: int) -> tuple[Path | None, int]:
    """Write the sheet of drawn cases that are on none yet; an existing sheet, perhaps filled in, is never changed."""
    start = sheets_so_far(opened.folder)
    if start >= label:
        return None, 0
    rows = [row for row in drawn_rows(len(cases), opened.seed, start, label) if scores[row].known is None]
    path = opened.folder / f"sheet-{start + 1}-{label}.csv"
    write_private(path, format_sheet(opened.judge, cases, rows, opened.secret), replace=False)
    return path, len(rows)


def order_matters(opened: Opened) -> float | None:
    """Return the share of comparisons in which the judge changes its decision when the answers are swapped."""
    path = opened.folder / "places.json"
    share = json.loads(path.read_bytes())["share"] if path.exists() else None
    return None if share is None else float(share)


def _mark(opened: Opened, body: bytes) -> str:
    """Return what only a holder of the secret can write over scores."""
    return digest_bytes(opened.secret + opened.judging.digest.encode() + body)


def format_json(value: object) -> bytes:
    """Return JSON for files that people may read, too."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"
