"""A case as a person looks at it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from pilotbase.documents.contract import DataType, Field, Prediction
from pilotbase.documents.criteria import Rule
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.shown_cases import CaseScore, Given, ShownBox, ShownCase, ShownImage
from pilotbase.measures import Cases, is_resource, score
from pilotbase.measures.box_matching import by_score, matches, overlaps
from pilotbase.protocols.array_cells import array_in
from pilotbase.trial.figures.classes import overlap_of
from pilotbase.trial.figures.texts import OF_TRANSCRIPTS
from pilotbase.trial.records import spell_answers
from pilotbase.trial.shown_cases.alignment import pieces_of
from pilotbase.trial.shown_cases.pixels import Pixels, read_pixels, shown_image, striped
from pilotbase.trial.shown_cases.worst import distances, worth_a_look

LONGEST_TEXT, MOST_FIELDS, MOST_NAMES = 600, 12, 10
_DRAWN = frozenset({"boxes", "mask"})
"""Kinds whose truth and answer are seen in the image; spelled out they would be numbers without end."""


@dataclass(frozen=True)
class LookedAt:
    """Cases of a public sample, answered: rows, answers as they are kept and as measures read them."""

    frame: pl.DataFrame
    fields: tuple[Field, ...]
    """What the application was given."""
    prediction: Prediction
    kept: Cases
    cases: Cases


def shown_cases(looked_at: LookedAt, rules: Sequence[Rule]) -> tuple[ShownCase, ...]:
    """Return the worst cases, then a few right ones."""
    if not len(looked_at.cases):
        return ()
    overlap = overlap_of(rules)
    chosen = worth_a_look(looked_at.cases, rules)
    picked = looked_at.cases.among(np.array(chosen, dtype=np.int64))
    far = distances(picked, rules)
    rows = looked_at.frame[chosen]
    kept = looked_at.kept.among(np.array(chosen, dtype=np.int64))
    truth = _spelled(picked, picked.truth, kept.truth, looked_at.prediction)
    answers = _spelled(picked, picked.answers, kept.answers, looked_at.prediction)
    alone = [rule for rule in rules if rule.wrapper is None and not is_resource(rule)]
    transcribed = any(rule.measure in OF_TRANSCRIPTS for rule in rules)
    found = []
    for place, index in enumerate(chosen):
        case = ShownCase(
            number=index + 1,
            result=_result(picked, place, far[place], answers[place]),
            given=tuple(_given(rows, looked_at.fields, place)),
            truth=None if picked.kind in _DRAWN else _cut(truth[place]),
            answer=None if picked.kind in _DRAWN else _cut(answers[place]),
            scores=tuple(_scores(picked, place, alone)),
        )
        true, said = truth[place], answers[place]
        if transcribed and picked.kind == "text" and true is not None and said is not None:
            case = case.model_copy(update={"pieces": pieces_of(true, said)})
        found.append(_pictured(case, picked, place, _pixels_of(rows, looked_at.fields, place), overlap))
    return tuple(found)


def _spelled(picked: Cases, values: Any, kept: Any, prediction: Prediction) -> list[str | None]:
    """Return truths or answers as people read them; ``kept``: the same in the form in which they are kept."""
    if picked.kind == "labels":
        return [None if row.min() < 0 else _named(picked, np.flatnonzero(row == 1), ", ") or "–" for row in values]
    if picked.kind == "ranking":
        return [_named(picked, row[row >= 0][:MOST_NAMES], " › ") or None for row in values.reshape(len(values), -1)]
    if values.ndim == 2:
        return [None if np.isnan(ends).any() else f"{ends[0]:.6g} … {ends[1]:.6g}" for ends in values]
    spelled = spell_answers(kept, prediction)
    return [None if one is None else f"{one:.6g}" if isinstance(one, float) else str(one) for one in spelled]


def _named(picked: Cases, codes: Any, between: str) -> str:
    return between.join(picked.classes[code] for code in codes.tolist())


def _result(cases: Cases, place: int, far: float, answer: str | None) -> Literal["same", "differs", "none"] | None:
    if answer is None:
        return "none" if cases.truth[place] is not None else "same"
    if cases.kind in ("probability", "value", "interval"):
        return None
    return "same" if far == 0 else "differs"


def _given(rows: pl.DataFrame, fields: Sequence[Field], place: int) -> list[Given]:
    plain = [field for field in fields if field.data_type is not DataType.IMAGE][:MOST_FIELDS]
    return [Given(name=field.name, value=_cell(rows[field.name][place], field)) for field in plain]


def _cell(value: object, field: Field) -> str:
    if value is None:
        return "–"
    if field.data_type is DataType.AUDIO:
        return _length(str(value), field.rate)
    return _cut(f"{value:.6g}" if isinstance(value, float) else str(value)) or "–"


def _length(cell: str, rate: int | None) -> str:
    """Return how long a sound is: it is not played."""
    try:
        samples = len(array_in(cell))
    except ValueError:
        return "–"
    return f"♪ {samples / rate:.2f} s" if rate else f"♪ {samples}"


def _cut(content: str | None) -> str | None:
    if content is None or len(content) <= LONGEST_TEXT:
        return content
    return content[:LONGEST_TEXT] + "…"


def _scores(cases: Cases, place: int, rules: Sequence[Rule]) -> list[CaseScore]:
    """Return what each criterion's measure gives on this case alone; a measure that needs others gives nothing."""
    one = cases.among(np.array([place], dtype=np.int64))
    found = []
    for rule in rules:
        try:
            value = score(rule, one)
        except PilotbaseError:
            continue
        if value is not None and math.isfinite(value):
            found.append(CaseScore(rule=rule.key, value=float(f"{value:.6g}")))
    return found


def _pixels_of(rows: pl.DataFrame, fields: Sequence[Field], place: int) -> Pixels | None:
    image = next((field.name for field in fields if field.data_type is DataType.IMAGE), None)
    return None if image is None else read_pixels(rows[image][place])


def _pictured(case: ShownCase, cases: Cases, place: int, pixels: Pixels | None, overlap: float) -> ShownCase:
    truth, answer = cases.truth[place], cases.answers[place]
    if cases.kind == "mask" and truth is not None and answer is not None and truth.shape == answer.shape:
        differing = truth != answer
        drawn = _of_size(shown_image(striped(pixels, differing)), differing.shape)
        return case.model_copy(update={"image": drawn, "differing": int(differing.sum())})
    image = None if pixels is None else shown_image(pixels)
    boxes = _boxes(truth, answer, cases.classes, overlap) if cases.kind == "boxes" else ()
    return case.model_copy(update={"image": image, "boxes": boxes})


def _of_size(image: ShownImage, shape: tuple[int, ...]) -> ShownImage:
    return image.model_copy(update={"height": shape[0], "width": shape[1]})


def _boxes(truth: Any, answer: Any, classes: tuple[str, ...], overlap: float) -> tuple[ShownBox, ...]:
    """Return true boxes that were found, with the score they were found by, or missed; and what is none of them."""
    true = np.zeros((0, 5)) if truth is None else truth
    given = np.zeros((0, 6)) if answer is None else by_score(answer, len(answer))
    found = matches(overlaps(given, true), overlap)
    by = {int(true_one): place for place, true_one in enumerate(found.tolist()) if true_one >= 0}
    boxes = [
        _box("found" if place in by else "missed", box, classes, given[by[place], 5] if place in by else None)
        for place, box in enumerate(true)
    ]
    boxes += [_box("false", box, classes, box[5]) for box, mine in zip(given, found.tolist(), strict=True) if mine < 0]
    return tuple(boxes[:60])


def _box(state: Literal["found", "missed", "false"], box: Any, classes: tuple[str, ...], by: float | None) -> ShownBox:
    code, x, y, width, height = (float(value) for value in box[:5])
    score = None if by is None else float(f"{by:.6g}")
    return ShownBox(state=state, label=classes[int(code)], x=x, y=y, width=width, height=height, score=score)
