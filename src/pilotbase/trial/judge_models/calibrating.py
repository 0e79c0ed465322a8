"""People's labels of the sampled cases, and how far the judge agrees with them.

Labels count in the order of the draw until the first case without one. If later labels counted too, labellers could
leave out cases at will. The evidence is valid at every number of labels at once, so also at the number where a label is
missing, whatever the reason.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from pilotbase.data.labelling.agreement import cohen_kappa
from pilotbase.data.labelling.label_tables import read_texts
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.files import read_cell
from pilotbase.documents.judge import Calibration, CriterionAlone, Judge
from pilotbase.documents.texts import text
from pilotbase.trial.judge_models.folder import (
    PLAN,
    RIGHT,
    WRONG,
    Opened,
    Score,
    decision_plan,
    format_json,
    format_table,
    open_judging,
    order_matters,
    read_scores,
    sheets_so_far,
)
from pilotbase.trial.judge_models.judged_cases import changes_places, drawn_rows
from pilotbase.workspace.keys import write_private

_RIGHT = {RIGHT: True, WRONG: False, "1": True, "0": False, "对": True, "错": False, "正确": True, "错误": False}
_FIRST = {"1": True, "2": False, "first": True, "second": False, "一": True, "二": False}
_CUT = 0.5
"""From this score on the judge calls an answer right."""


def calibrate(folder: Path, sheets: Sequence[Path]) -> Calibration:
    """Return how far the judge in ``folder`` agrees with the labels in ``sheets``; write ``cases.csv`` for a decision.

    A sheet is a table whose columns begin with ``item`` and ``label``, such as the completed file for labellers, or
    ``labels.csv`` from `data labels adjudicate`.

    Raises:
        InputError: every problem at once: unknown items and labels, cases that weren't drawn, contradictory labels; or
            ``folder`` has no judging, or no sheet has been written.
        InvalidProofError: frozen content was altered.
    """
    opened = open_judging(folder)
    scores = read_scores(opened)
    drawn = drawn_rows(len(scores), opened.seed, 0, sheets_so_far(folder))
    given = _read_labels(opened, scores, sheets, drawn)
    labels = {row: scores[row].known if scores[row].known is not None else given.get(row) for row in drawn}
    until = next((place for place, row in enumerate(drawn) if labels[row] is None), len(drawn))
    counted = {row: bool(labels[row]) for row in drawn[:until]}
    write_private(folder / PLAN, format_json(decision_plan(opened.judge).to_json_value()))
    write_private(folder / "cases.csv", _format_cases(scores, counted))
    found = _calibration(opened, scores, counted, len(drawn), sum(row in given for row in drawn[until:]))
    write_private(folder / "calibration.json", format_json(found.to_json_value()))
    return found


def _read_labels(
    opened: Opened, scores: Sequence[Score], sheets: Sequence[Path], drawn: Sequence[int]
) -> dict[int, bool]:
    rows = {score.case: row for row, score in enumerate(scores)}
    allowed, found, issues = set(drawn), dict[int, bool](), list[Issue]()
    for sheet in sheets:
        for line, item, label in _lines(sheet):
            row = rows.get(item)
            problem = None
            if row is None or row not in allowed:
                problem = text("judge.not_drawn", found=item[:80])
            elif (said := _right(opened, row, label)) is None:
                problem = text("judge.no_label", found=label[:80], allowed=", ".join(_words(opened.judge)))
            elif found.setdefault(row, said) is not said:
                problem = text("judge.labels_differ", found=item[:80])
            if problem is not None:
                issues.append(Issue(file=sheet.name, path="label", problem=problem, line=line))
    if issues:
        raise InputError.from_issues(sheets[0].name, issues)
    return found


def _lines(sheet: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, item and label of each row that has a label."""
    frame = read_texts(sheet)
    first_words = [name.strip().lower().partition(" ")[0] for name in frame.columns]
    lacking = [name for name in ("item", "label") if first_words.count(name) != 1]
    if lacking:
        raise InputError("labelling.lacking_columns", file=sheet.name, lacking=lacking, found=frame.columns[:50])
    columns = (frame[frame.columns[first_words.index(name)]].to_list() for name in ("item", "label"))
    for number, (item, label) in enumerate(zip(*columns, strict=True)):
        if label:
            yield number + 2, read_cell(item or ""), label


def _words(judge: Judge) -> Mapping[str, bool]:
    return _FIRST if judge.compares else _RIGHT


def _right(opened: Opened, row: int, label: str) -> bool | None:
    """Return what a label says about the answer; a comparison's answers may have been swapped on the sheet."""
    said = _words(opened.judge).get(label.strip().lower())
    if said is None or not opened.judge.compares:
        return said
    return said is not changes_places(opened.secret, row)


def _format_cases(scores: Sequence[Score], labels: Mapping[int, bool]) -> bytes:
    """Return the table that `trial decide` reads: an answer counts as the label ``right``."""
    words = {row: RIGHT if label else WRONG for row, label in labels.items()}
    rows = (
        [score.case, words.get(row, ""), "" if score.known is False else RIGHT, score.score]
        for row, score in enumerate(scores)
    )
    return format_table(["case", "truth", "prediction", "score"], rows)


def _calibration(
    opened: Opened, scores: Sequence[Score], labels: Mapping[int, bool], drawn: int, left_out: int
) -> Calibration:
    shown = [row for row in labels if scores[row].known is None and scores[row].no_score is None]
    people = np.array([labels[row] for row in shown], dtype=np.int64)
    graded = np.array([scores[row].score for row in shown])
    judge = (graded >= _CUT).astype(np.int64)
    unscored = Counter(score.no_score.value for score in scores if score.no_score is not None)
    return Calibration(
        cases=len(scores),
        asked=sum(score.known is None for score in scores),
        unscored=dict(sorted(unscored.items())),
        drawn=drawn,
        labelled=len(labels),
        left_out=left_out,
        agreement=float((people == judge).mean()) if shown else None,
        kappa=_kappa(people, judge) if shown else None,
        bias=float(graded.mean() - people.mean()) if shown else None,
        too_kind=int((judge > people).sum()),
        too_strict=int((judge < people).sum()),
        order_matters=order_matters(opened),
        alone=tuple(_alone(opened.judge, scores)),
        order_seed=opened.seed,
        commitment=opened.judging.commitment,
        secret=opened.secret.hex(),
    )


def _kappa(people: np.ndarray, judge: np.ndarray) -> float | None:
    (found,) = cohen_kappa(people, judge, 2)(np.ones((1, len(people))))
    return None if math.isnan(found) else float(found)


def _alone(judge: Judge, scores: Sequence[Score]) -> Iterator[CriterionAlone]:
    """Yield what a bare score would say about each criterion: its mean against the threshold, as if error-free."""
    mean = sum(score.score for score in scores) / len(scores)
    for criterion in judge.criteria:
        rule = criterion.parsed()
        value = mean if rule.measure == "accuracy" else 1 - mean
        threshold = float(rule.threshold)
        passes = value >= threshold if rule.comparison == ">=" else value <= threshold
        yield CriterionAlone(rule=criterion.rule, value=value, passes=passes)
