"""The folder of a judging, in order of creation: everything is fixed before anyone sees what could influence it.

judge.json     the manifest of the judge, frozen
judging.json   what is judged, and the commitment to the secret that draws cases
secret         the secret; shown to nobody before the labels are in
words.log      the judge's replies, in a hash chain; calls.log: the record of every call
scores.csv     the scores, fixed for good; not for labellers
plan.json      the plan for `trial decide`
sheet-1-200.csv   cases for people to label
cases.csv      the cases with scores and labels, and calibration.json: how far the judge agrees with people

A case is one question; a comparison is two, with the answers swapped, so a judge that prefers the first one shows it.
Each reply is committed before the next question. Questions left over by a crash or an unreachable judge are asked when
the judging is started again.
"""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

import numpy as np
import pydantic

from pilotbase.documents.base import Part
from pilotbase.documents.contract import AnswerKind, Prediction
from pilotbase.documents.endpoint import AnswerParsing, Endpoint
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError
from pilotbase.documents.hashes import Digest, digest_bytes, digest_json
from pilotbase.documents.judge import FIRST, SECOND, Judge
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import DecisionPlan, DecisionPrediction
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.texts import text
from pilotbase.sandbox.box.ends import END_TEXTS, BoxEnd, BoxEnded
from pilotbase.sandbox.endpoints.calls import CallLog
from pilotbase.sandbox.endpoints.prompted import AnswerReader
from pilotbase.sandbox.endpoints.worker import start_asking
from pilotbase.trial.answering import AnswerLog, Column, answer_cases
from pilotbase.trial.delivering import in_file_order
from pilotbase.trial.judge_models.judged_cases import JudgedCases, drawn_rows, format_sheet, order_seed
from pilotbase.workspace.keys import write_private

KEYS_OF = "@judge"
"""In the place of a supplier in the operator's file of keys; no supplier can have this name."""
_A_BATCH = 4
"""Questions in a batch, times those that may be under way at once."""
_DECLINES = re.compile(
    r"\b(?:i(?:'m| am) sorry|i (?:cannot|can't|can not|won't|will not|am unable|am not able)|as an ai)\b"
    r"|抱歉|对不起|我(?:无法|不能|不便|拒绝)|無法|作为(?:一个)?(?:ai|人工智能)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class JudgeAnswers:
    """The judge's reply to each question, in order, and how asking ended."""

    words: tuple[str | None, ...]
    questions: int
    end: BoxEnd


def ask_judge(opened: Opened, cases: JudgedCases, on_progress: OnProgress) -> JudgeAnswers:
    """Return the judge's replies for every case with an answer: committed ones first, then new ones.

    Raises:
        RefusedError: its address is denied, the operator has no key for it, or another process is asking it.
        InputError: the key file can't be read.
    """
    judge, folder, kept = opened.judge, opened.folder, (opened.judging.digest.encode(), opened.secret)
    features = _questions(judge, cases)
    total = len(next(iter(features.values())))
    stage = text("judge.progress", model=judge.endpoint.model)
    end = BoxEnd()
    with AnswerLog(folder / "words.log", *kept) as log:
        if log.answered < total:
            with CallLog(folder / "calls.log", *kept) as calls:
                end = _ask(judge, features, log, calls, lambda done: on_progress(Progress(stage, done, total)))
        words = tuple(_words_of(value) for value in log.values().tolist())
    return JudgeAnswers(words, total, end)


def scores_of(judge: Judge, asked: JudgeAnswers) -> tuple[list[float | NoScore], list[bool]]:
    """Return the score of each case with an answer, and of a comparison whether it changes with the places."""
    reader = _ScoreReader(judge)
    read = [reader.read(words) for words in asked.words]
    read += [NoScore.ABANDONED] * (asked.questions - len(read))
    if not judge.compares:
        return read, []
    pairs = list(zip(read[::2], read[1::2], strict=True))
    swayed = [
        (one > 0.5) != (1 - other > 0.5)
        for one, other in pairs
        if not isinstance(one, NoScore) and not isinstance(other, NoScore)
    ]
    return [_together(one, other) for one, other in pairs], swayed


def judged_rows(judge: Judge, cases: JudgedCases) -> list[int]:
    """Return the cases to judge; a case without an answer, or without one to compare it with, has nothing to ask."""
    return [row for row in range(len(cases)) if known_outcome(judge, cases, row) is None]


def known_outcome(judge: Judge, cases: JudgedCases, row: int) -> bool | None:
    """Return what is known without asking: no answer is wrong, and any answer beats none; None: people must decide."""
    if cases.answers[row] is None:
        return False
    return True if judge.compares and cases.places[SECOND][row] is None else None


class NoScore(StrEnum):
    """Why a case has no score; each reason has a text (``judge.no_score.<reason>``)."""

    SILENT = "silent"
    """No answer came after all attempts, or an empty one."""
    DECLINED = "declined"
    """The judge declines to judge."""
    UNREADABLE = "unreadable"
    OUTSIDE = "outside"
    """A number outside of the scale."""
    ABANDONED = "abandoned"
    """It was no longer asked."""


class _ScoreReader:
    """Reads scores as the manifest of a judge says."""

    def __init__(self, judge: Judge) -> None:
        prompt = judge.endpoint.prompt
        self._reader = None if prompt is None else AnswerReader(prompt.answer, Prediction(kind="value"))
        self._low, self._high = judge.scale

    def read(self, words: str | None) -> float | NoScore:
        """Return the score in ``words``, 0 at the worst end of the scale and 1 at the best."""
        if words is None or not words.strip():
            return NoScore.SILENT
        if self._reader is None:
            return min(max((float(words) - self._low) / (self._high - self._low), 0.0), 1.0)
        found = self._reader.read(unicodedata.normalize("NFKC", words))
        if not isinstance(found, float):
            return NoScore.DECLINED if _DECLINES.search(words) else NoScore.UNREADABLE
        if not self._low <= found <= self._high:
            return NoScore.OUTSIDE
        return (found - self._low) / (self._high - self._low)


def _together(one: float | NoScore, other: float | NoScore) -> float | NoScore:
    """Return the mean of both orders; a case that has only one has none."""
    if isinstance(one, NoScore):
        return one
    return other if isinstance(other, NoScore) else (one + 1 - other) / 2


def _questions(judge: Judge, cases: JudgedCases) -> dict[str, Column]:
    rows = judged_rows(judge, cases)
    if not judge.compares:
        return {place: _column([texts[row] for row in rows]) for place, texts in cases.places.items()}
    turned = {FIRST: SECOND, SECOND: FIRST}
    return {
        place: _column([one for row in rows for one in (texts[row], cases.places[turned.get(place, place)][row])])
        for place, texts in cases.places.items()
    }


def _ask(
    judge: Judge, features: dict[str, Column], log: AnswerLog, calls: CallLog, on_done: Callable[[int], None]
) -> BoxEnd:
    endpoint = judge.endpoint
    kind: AnswerKind = "text" if endpoint.nearest is None else "value"
    try:
        with start_asking(_speaking(endpoint), KEYS_OF, tuple(features), kind, calls) as worker:
            return answer_cases(worker, in_file_order(features, _A_BATCH * endpoint.in_flight), log, on_done)
    except BoxEnded as ended:
        return ended.end


def _speaking(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with its whole reply as the answer: scores are parsed from what is kept."""
    if endpoint.prompt is None:
        return endpoint
    return endpoint.model_copy(update={"prompt": endpoint.prompt.model_copy(update={"answer": AnswerParsing()})})


def _words_of(value: str | float | None) -> str | None:
    """Return a reply as words; an embedding similarity is spelled in full, and None if it isn't a number."""
    return (repr(value) if value == value else None) if isinstance(value, float) else value


def _column(texts: list[str | None]) -> Column:
    column = np.empty(len(texts), dtype=object)
    column[:] = texts
    return column


RIGHT, WRONG = "right", "wrong"
SCORES, PLAN = "scores.csv", "plan.json"


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
    give_up: bool,
    on_progress: OnProgress,
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
    scores = fixed_scores(judge, cases, folder, give_up, on_progress)
    opened = open_judging(folder)
    write_private(folder / PLAN, format_json(decision_plan(judge).to_json_value()))
    sheet, count = _write_sheet(opened, cases, scores, label)
    return FinishedJudging(opened, scores, order_matters(opened), sheet, count)


def fixed_scores(
    judge: Judge, cases: JudgedCases, folder: Path, give_up: bool, on_progress: OnProgress
) -> tuple[Score, ...]:
    """Return the scores of ``cases``, fixed in ``folder`` if they were not; raises as `judge_cases`."""
    opened = _freeze(judge, cases, folder)
    if not (folder / SCORES).exists():
        _fix_scores(opened, cases, give_up, on_progress)
    return read_scores(opened)


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
        judge_group=judge.group,
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
        asked = ask_judge(opened, cases, on_progress)
        if asked.end.reason is not EndReason.FINISHED and not give_up:
            reason = END_TEXTS[asked.end.reason]
            raise JudgingError("judge.unavailable", reason=reason, done=len(asked.words), total=asked.questions)
        found, swayed = scores_of(judge, asked)
    else:
        found, swayed = [], []
    if judge.compares:
        share = {"share": sum(swayed) / len(swayed) if swayed else None}
        write_private(opened.folder / "places.json", format_json(share))
    body = _format_scores(judge, cases, dict(zip(rows, found, strict=True)))
    write_private(opened.folder / SCORES, _mark(opened, body).encode() + b"\n" + body)


def _format_scores(judge: Judge, cases: JudgedCases, found: dict[int, float | NoScore]) -> bytes:
    rows: list[Sequence[object]] = []
    for row, name in enumerate(cases.names):
        known = known_outcome(judge, cases, row)
        score = found.get(row, float(bool(known)))
        if isinstance(score, NoScore):
            rows.append([name, judge.missing, score.value, ""])
        else:
            rows.append([name, round(score, 6), "", "" if known is None else RIGHT if known else WRONG])
    return format_table(("case", "score", "no_score", "known"), rows)


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


def format_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a table that only programs read: no cell is changed for a spreadsheet."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows([header, *rows])
    return written.getvalue().encode()


def format_json(value: object) -> bytes:
    """Return JSON for files that people may read, too."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"
