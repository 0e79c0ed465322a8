"""A case as a person looks at it, and which cases are worth a look: those whose answers are farthest from the truth."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.charts.boxed_image import png_of
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.criteria import Rule
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.figures import MOST_CASES, CaseInput, CaseScore, ShownBox, ShownCase, ShownImage, TextPiece
from pilotbase.documents.world import CLEAN
from pilotbase.measures import Cases, is_resource, measures, observe, score
from pilotbase.measures.cases import Floats
from pilotbase.measures.formulas.boxes import by_score, matches, overlaps
from pilotbase.measures.text_pairs import edit_distance
from pilotbase.protocols.array_cells import array_in
from pilotbase.trial.figures import OF_TRANSCRIPTS, first_places, overlap_of
from pilotbase.trial.records import ARM, format_answers
from pilotbase.trial.shown_episodes import shown_episodes

LONGEST_TEXT, MOST_FIELDS, MOST_NAMES = 600, 12, 10
_DRAWN = frozenset({"boxes", "mask"})
"""Kinds whose truth and answer are seen in the image; spelled out they would be numbers without end."""
_RIGHT_ONES = 4
_COMPARED, _LONGEST = 2000, 500
"""So many texts that differ are compared letter by letter, and so much of each."""
LONGEST = 600
"""How many characters of either text are aligned; the rest is reported as cut."""
_CUT = "…"
LONGER_SIDE = 240
"""Pixels; of larger images every so many-th is shown."""
PNG = "data:image/png;base64,"
_LIKELIEST = 3
"""Classes with their probabilities."""
_STRIPE, _DARK, _LIGHT = 3, (20, 20, 20), (255, 214, 10)
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class CaseGallery:
    """Cases of a public sample, answered: rows, answers as they are kept and as measures read them."""

    frame: pl.DataFrame
    fields: tuple[Field, ...]
    """The input of the application."""
    prediction: Prediction
    kept: Cases
    cases: Cases


def shown_cases(looked_at: CaseGallery, rules: Sequence[Rule]) -> tuple[ShownCase, ...]:
    """Return the worst cases, then a few right ones."""
    if not len(looked_at.cases):
        return ()
    if looked_at.cases.kind == "episode":
        return shown_episodes(looked_at.frame, {CLEAN: looked_at.kept.answers, **looked_at.kept.perturbed})
    overlap, fields = overlap_of(rules), looked_at.fields
    far = distances(looked_at.cases, rules)
    worst = np.argsort(-far, kind="stable")[: MOST_CASES - _RIGHT_ONES].tolist()
    best = [index for index in np.argsort(far, kind="stable").tolist() if index not in worst]
    chosen = [*worst, *best[:_RIGHT_ONES]]
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
            given=tuple(_given(rows, fields, place)),
            truth=None if picked.kind in _DRAWN else _cut(truth[place]),
            answer=None if picked.kind in _DRAWN else _cut(answers[place]),
            scores=tuple(_scores(picked, place, alone)),
        )
        true, said = truth[place], answers[place]
        if transcribed and picked.kind == "text" and true is not None and said is not None:
            case = case.model_copy(update={"pieces": pieces_of(true, said)})
        found.append(_pictured(case, picked, place, _pixels_of(rows, fields, place), overlap))
    return tuple(found)


def answered_table(looked_at: CaseGallery, target: str) -> pl.DataFrame:
    """Return the cases that their supplier may see, with the answers, and those under each perturbation."""
    kept, shown = looked_at.kept, [*(field.name for field in looked_at.fields), target]
    answers = {"prediction": kept.answers, **{f"{ARM}{name}": values for name, values in kept.perturbed.items()}}
    spelled = (pl.Series(name, format_answers(values, looked_at.prediction)) for name, values in answers.items())
    return looked_at.frame.select(shown).with_columns(*spelled)


def distances(cases: Cases, rules: Sequence[Rule]) -> Floats:
    """Return how far answers are from the truth; 0: not at all. Without an answer it is as far as can be.

    Of texts the first criterion says it, where it speaks of the case: another text may be as right.
    """
    match cases.kind:
        case "label":
            truth, answers = cases.truth.astype(np.int64), cases.labels(cases.answers, 0.5)
            return np.where(truth == answers, 0.0, np.where(answers < 0, 2.0, 1.0))
        case "probability":
            hit = (cases.truth == cases.code(cases.positive or cases.classes[-1])).astype(np.float64)
            return _or_farthest(np.abs(cases.probabilities() - hit))
        case "probabilities":
            return _or_farthest(1 - cases.answers[np.arange(len(cases)), cases.truth])
        case "value":
            return _or_farthest(np.abs(cases.answers.astype(np.float64) - cases.truth.astype(np.float64)))
        case "interval":
            truth, ends = cases.truth.astype(np.float64), cases.answers.astype(np.float64)
            return _or_farthest(np.maximum(np.maximum(ends[:, 0] - truth, truth - ends[:, 1]), 0.0))
        case "labels":
            off = (cases.truth != cases.answers).sum(axis=1).astype(np.float64)
            return np.where((cases.answers < 0).any(axis=1), np.inf, off)
        case "ranking":
            place = first_places(cases).astype(np.float64)
            return np.where(place < 0, np.inf, place)
        case "boxes":
            overlap = overlap_of(rules)
            return _each(cases, lambda true, given: _boxes_off(true, given, overlap))
        case "mask":
            return _each(cases, lambda true, given: (true != given).mean() if true.shape == given.shape else 1.0)
    said = _by_criterion(cases, rules)
    return np.where(np.isnan(said), _texts_off(cases.truth.tolist(), cases.answers.tolist()), said)


def pieces_of(truth: str, answer: str) -> tuple[TextPiece, ...]:
    """Return the texts in pieces, in order: equal ones, and pieces of one that replace pieces of the other.

    Joined, ``truth`` and ``answer`` of the pieces are the two texts; long texts are cut, and marked so.
    """
    steps = groupby(_steps(_parted(truth), _parted(answer)), key=lambda step: step[0] == step[1])
    return tuple(
        TextPiece(truth="".join(one for one, _ in run), answer="".join(other for _, other in run))
        for run in (list(found) for _, found in steps)
    )


def read_pixels(cell: str | None) -> Pixels | None:
    """Return the pixels in a cell of a table as (height, width, 3); None if empty or not an image."""
    try:
        pixels = array_in(cell) if cell else None
    except ValueError:
        return None
    if pixels is None or pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or not pixels.size:
        return None
    grey = pixels if pixels.ndim == 2 else pixels[:, :, 0] if pixels.shape[2] < 3 else None
    return np.stack([grey] * 3, axis=2) if grey is not None else pixels[:, :, :3]


def shown_image(pixels: Pixels, longer_side: int = LONGER_SIDE) -> ShownImage:
    """Return an image as it is shown."""
    height, width = pixels.shape[:2]
    png = b64encode(png_of(_smaller(pixels, longer_side))).decode("ascii")
    return ShownImage(png=png, height=height, width=width)


def pictured_fields(contract: Contract) -> tuple[str, ...]:
    """Return the fields that are images."""
    return tuple(field.name for field in contract.features if field.data_type is DataType.IMAGE)


def png_address(cell: str, longer_side: int) -> str:
    """Return the address of the image in a cell, encoded anew; empty if it holds none."""
    pixels = read_pixels(cell)
    return "" if pixels is None else PNG + shown_image(pixels, longer_side).png


def striped(pixels: Pixels | None, differing: NDArray[np.bool_]) -> Pixels:
    """Return an image, pale, with stripes where pixels differ; on white where there is no image of that size."""
    height, width = differing.shape
    fits = pixels is not None and pixels.shape[:2] == differing.shape
    ground: NDArray[Any] = pixels if fits and pixels is not None else np.full((height, width, 3), 255, dtype=np.uint8)
    small, mask = _smaller(ground), _smaller(differing)
    # So small an image is enlarged first, so that a pixel of it holds stripes.
    factor = max(1, LONGER_SIDE // max(small.shape[:2]))
    large, marked = (each.repeat(factor, axis=0).repeat(factor, axis=1) for each in (small, mask))
    rows, columns = np.indices(marked.shape)
    stripes = np.where(((rows + columns) // _STRIPE % 2 == 0)[:, :, None], _DARK, _LIGHT)
    pale = large // 2 + 96
    return np.where(marked[:, :, None], stripes, pale).astype(np.uint8)


def _spelled(picked: Cases, values: Any, kept: Any, prediction: Prediction) -> list[str | None]:
    """Return truths or answers as people read them; ``kept``: the same values in their stored form."""
    if picked.kind == "labels":
        return [None if row.min() < 0 else _named(picked, np.flatnonzero(row == 1), ", ") or "–" for row in values]
    if picked.kind == "ranking":
        return [_named(picked, row[row >= 0][:MOST_NAMES], " › ") or None for row in values.reshape(len(values), -1)]
    if picked.kind == "probabilities" and values.ndim == 2:
        rows = [sorted(zip(row, picked.classes, strict=True), reverse=True)[:_LIKELIEST] for row in values.tolist()]
        spelled = [", ".join(f"{name} {round(p, 3):g}" for p, name in row) for row in rows]
        return [None if np.isnan(row[0][0]) else shown for row, shown in zip(rows, spelled, strict=True)]
    if values.ndim == 2:
        return [None if np.isnan(ends).any() else f"{ends[0]:.6g} … {ends[1]:.6g}" for ends in values]
    spelled = format_answers(kept, prediction)
    return [None if one is None else f"{one:.6g}" if isinstance(one, float) else str(one) for one in spelled]


def _named(picked: Cases, codes: Any, between: str) -> str:
    return between.join(picked.classes[code] for code in codes.tolist())


def _result(cases: Cases, place: int, far: float, answer: str | None) -> Literal["same", "differs", "none"] | None:
    if answer is None:
        return "none" if cases.truth[place] is not None else "same"
    if cases.kind in ("probability", "probabilities", "value", "interval"):
        return None
    return "same" if far == 0 else "differs"


def _given(rows: pl.DataFrame, fields: Sequence[Field], place: int) -> list[CaseInput]:
    plain = [field for field in fields if field.data_type is not DataType.IMAGE][:MOST_FIELDS]
    return [CaseInput(name=field.name, value=_cell(rows[field.name][place], field)) for field in plain]


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
    """Return each criterion's measure on this case alone; a measure that needs several cases gives nothing."""
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
        height, width = differing.shape
        drawn = shown_image(striped(pixels, differing)).model_copy(update={"height": height, "width": width})
        return case.model_copy(update={"image": drawn, "differing": int(differing.sum())})
    image = None if pixels is None else shown_image(pixels)
    boxes = _boxes(truth, answer, cases.classes, overlap) if cases.kind == "boxes" else ()
    return case.model_copy(update={"image": image, "boxes": boxes})


def _boxes(truth: Any, answer: Any, classes: tuple[str, ...], overlap: float) -> tuple[ShownBox, ...]:
    """Return true boxes, found (with the score of the match) or missed; and answered boxes that match none."""
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


def _by_criterion(cases: Cases, rules: Sequence[Rule]) -> Floats:
    """Return how far each case is from the best that it could give to the first criterion; NaN: it has no say in it."""
    unsaid = np.full(len(cases), np.nan)
    rule = next((rule for rule in rules if rule.wrapper is None and not is_resource(rule)), None)
    try:
        seen = None if rule is None else observe(rule, cases, np.arange(len(cases)))
    except PilotbaseError:
        return unsaid
    if rule is None or seen is None or seen.form != "single" or len(seen.parts[0].gain) != len(cases):
        return unsaid
    part, best = seen.parts[0], max if measures()[rule.measure].better == "higher" else min
    top = best(gain / weight for gain, weight in part.outcomes if weight)
    return np.where(part.weight > 0, np.abs(top - part.gain / np.maximum(part.weight, 1)), np.nan)


def _or_farthest(values: Floats) -> Floats:
    return np.where(np.isnan(values), np.inf, values)


def _each(cases: Cases, distance: Any) -> Floats:
    pairs = zip(cases.truth, cases.answers, strict=True)
    return np.array([np.inf if given is None or true is None else distance(true, given) for true, given in pairs])


def _boxes_off(true: Floats, given: Floats, overlap: float) -> float:
    found = matches(overlaps(by_score(given, len(given)), true), overlap)
    return float(len(true) + len(given) - 2 * (found >= 0).sum())


def _texts_off(truth: Sequence[str | None], answers: Sequence[str | None]) -> Floats:
    far = np.array([_text_off(true, answer) for true, answer in zip(truth, answers, strict=True)])
    for index in np.flatnonzero(far == 1)[:_COMPARED].tolist():
        one, two = str(truth[index])[:_LONGEST], str(answers[index])[:_LONGEST]
        far[index] += min(edit_distance(one, two) / max(len(one), 1), 1)
    return far


def _text_off(truth: str | None, answer: str | None) -> float:
    """Return 0 for the same, 1 for another text, 3 for an answer that should be none, or none that should be one."""
    if truth == answer:
        return 0.0
    return 3.0 if truth is None or answer is None else 1.0


def _parted(content: str) -> str:
    return content if len(content) <= LONGEST else content[:LONGEST] + _CUT


def _steps(truth: str, answer: str) -> Iterator[tuple[str, str]]:
    """Yield pairs of letters, one of them empty where a letter was deleted or inserted.

    Source: Wagner & Fischer, "The string-to-string correction problem", JACM 21:168, 1974.
    """
    costs = _costs(truth, answer)
    row, column, found = len(truth), len(answer), []
    while row or column:
        here = costs[row, column]
        if row and column and here == costs[row - 1, column - 1] + (truth[row - 1] != answer[column - 1]):
            row, column = row - 1, column - 1
            found.append((truth[row], answer[column]))
        elif row and here == costs[row - 1, column] + 1:
            row -= 1
            found.append((truth[row], ""))
        else:
            column -= 1
            found.append(("", answer[column]))
    return reversed(found)


def _costs(truth: str, answer: str) -> np.typing.NDArray[np.int64]:
    """Return the fewest edits between all beginnings, shape (truth + 1, answer + 1)."""
    letters, columns = np.array([ord(one) for one in answer], dtype=np.int64), np.arange(len(answer) + 1)
    costs = np.empty((len(truth) + 1, len(answer) + 1), dtype=np.int64)
    costs[0] = columns
    for row, letter in enumerate(truth, start=1):
        above = costs[row - 1]
        best = above + 1
        best[1:] = np.minimum(best[1:], above[:-1] + (letters != ord(letter)))
        # An insertion costs one more than its left neighbour: a running minimum of cost less column.
        costs[row] = np.minimum.accumulate(best - columns) + columns
    return costs


def _smaller(pixels: NDArray[Any], longer_side: int = LONGER_SIDE) -> NDArray[Any]:
    step = -(-max(pixels.shape[:2]) // longer_side)
    return pixels[::step, ::step]
