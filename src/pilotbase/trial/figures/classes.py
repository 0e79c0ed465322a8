"""Counts by class: true class against answered class, and how much of each class was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.answer_texts import NO_CLASS
from pilotbase.documents.criteria import Rule
from pilotbase.documents.figures import ByClass, ClassRow, Confusion, Places, TextDifferences
from pilotbase.measures import Cases
from pilotbase.measures.box_matching import by_score, matches, overlaps
from pilotbase.measures.cases import Ints
from pilotbase.measures.text_pairs import edit_distance

MOST_CLASSES, MOST_ROWS = 10, 20
"""More are folded into one."""
USUAL_OVERLAP = 0.5
ENDS = (0.02, 0.05, 0.1, 0.2, 0.5)
OF_TRANSCRIPTS = frozenset({"cer", "wer", "edit_similarity"})
"""Measures that ask how close a text comes, letter by letter."""
LONGEST = 2000
"""Characters of a truth beyond which nobody counts them one by one for a picture."""
MOST_PLACES = 10


def confusion(cases: Cases, rules: Sequence[Rule]) -> Confusion:
    """Return the counts of true against answered classes; if there are many, the rarest are merged into one."""
    size, truth = len(cases.classes), cases.truth.astype(np.int64)
    answered = cases.labels(cases.answers, 0.5).astype(np.int64)
    common = sum(np.bincount(codes[codes >= 0], minlength=size) for codes in (truth, answered))
    kept = _commonest(np.asarray(common), MOST_CLASSES)
    folded = size - len(kept)
    # Place of each class: kept ones in their order, then the merged ones, then none (code -1, the last place).
    place = np.full(size + 1, len(kept), dtype=np.int64)
    place[kept] = np.arange(len(kept))
    place[-1] = len(kept) + (folded > 0)
    side = int(place[-1]) + 1
    shown = np.bincount(place[truth] * side + place[answered], minlength=side**2).reshape(side, side)
    none = bool(shown[-1].any() or shown[:, -1].any())
    end = side if none else side - 1
    return Confusion(
        classes=tuple(cases.classes[code] for code in kept.tolist()),
        folded=folded,
        none=none,
        counts=tuple(map(tuple, shown[:end, :end].tolist())),
    )


def labels_by_class(cases: Cases, rules: Sequence[Rule]) -> ByClass:
    """Return how often each class was named rightly."""
    truth, answers = cases.truth == 1, cases.answers == 1
    absent = int((cases.answers < 0).any(axis=1).sum())
    return _by_class(cases, (truth.sum(0), answers.sum(0), (truth & answers).sum(0)), "label", absent)


def boxes_by_class(cases: Cases, rules: Sequence[Rule]) -> ByClass:
    """Return how many boxes of each class were found, at the overlap of the first rule that has one."""
    wanted, answered, hits = (np.zeros(len(cases.classes), dtype=np.int64) for _ in range(3))
    overlap = overlap_of(rules)
    for true, detected in zip(cases.truth, cases.answers, strict=True):
        if true is not None:
            np.add.at(wanted, true[:, 0].astype(np.int64), 1)
        if detected is None:
            continue
        codes = detected[:, 0].astype(np.int64)
        np.add.at(answered, codes, 1)
        if true is not None:
            ranked = by_score(detected, len(detected))
            found = matches(overlaps(ranked, true), overlap) >= 0
            np.add.at(hits, ranked[found, 0].astype(np.int64), 1)
    return _by_class(cases, (wanted, answered, hits), "box", _without(cases.answers), overlap)


def overlap_of(rules: Sequence[Rule]) -> float:
    """Return the intersection over union at which a box counts as found."""
    asked = (rule.arguments["iou"] for rule in rules if "iou" in rule.arguments)
    return float(next(asked, USUAL_OVERLAP))


def pixels_by_class(cases: Cases, rules: Sequence[Rule]) -> ByClass:
    """Return how many pixels of each class were named rightly; of masks of unlike size none."""
    wanted, answered, hits = (np.zeros(NO_CLASS + 1, dtype=np.int64) for _ in range(3))
    for true, given in zip(cases.truth, cases.answers, strict=True):
        if true is not None:
            wanted += np.bincount(true.ravel(), minlength=NO_CLASS + 1)
        if given is not None:
            answered += np.bincount(given.ravel(), minlength=NO_CLASS + 1)
        if true is not None and given is not None and true.shape == given.shape:
            hits += np.bincount(true[true == given], minlength=NO_CLASS + 1)
    size = len(cases.classes)
    return _by_class(cases, (wanted[:size], answered[:size], hits[:size]), "pixel", _without(cases.answers))


def text_differences(cases: Cases, rules: Sequence[Rule]) -> TextDifferences:
    """Return how many answers are the truth, and where a rule asks how close they come, how far the others are off."""
    pairs = list(zip(cases.truth.tolist(), cases.answers.tolist(), strict=True))
    asked = [(truth, answer) for truth, answer in pairs if truth is not None]
    refusing = [answer is None for truth, answer in pairs if truth is None]
    differing = [(truth, answer) for truth, answer in asked if answer is not None and answer != truth]
    ends = ENDS if any(rule.measure in OF_TRANSCRIPTS for rule in rules) else ()
    shares = [_share(truth, answer) for truth, answer in differing] if ends else [0.0] * len(differing)
    counts = np.bincount(np.searchsorted(ends, shares, side="left"), minlength=len(ends) + 1)
    return TextDifferences(
        same=sum(answer == truth for truth, answer in asked),
        ends=ends,
        differing=tuple(counts.tolist()),
        absent=sum(answer is None for _, answer in asked),
        refused=sum(refusing) if refusing else None,
        not_refused=len(refusing) - sum(refusing) if refusing else None,
    )


def places(cases: Cases, rules: Sequence[Rule]) -> Places:
    """Return how often the first wanted name stood at each place."""
    found = first_places(cases)
    counts = np.bincount(found[(found >= 0) & (found < MOST_PLACES)], minlength=MOST_PLACES)
    later = int((found >= MOST_PLACES).sum())
    return Places(counts=tuple(counts.tolist()), later=later, never=int((found < 0).sum()))


def first_places(cases: Cases) -> Ints:
    """Return the place of the first wanted name of each case, from 0; -1 where none is among the answers."""
    wanted = cases.truth.reshape(len(cases), -1)
    found = np.full(len(cases), -1, dtype=np.int64)
    for place in reversed(range(cases.answers.shape[1])):
        answered = cases.answers[:, place]
        among = ((answered[:, None] == wanted) & (answered[:, None] >= 0)).any(axis=1)
        found[among] = place
    return found


def _by_class(
    cases: Cases,
    counts: tuple[Ints, Ints, Ints],
    counted: Literal["label", "box", "pixel"],
    absent: int,
    overlap: float | None = None,
) -> ByClass:
    wanted, answered, hits = counts
    kept = _commonest(wanted + answered, MOST_ROWS)
    rows = [_row(cases.classes[code], *(int(each[code]) for each in counts)) for code in kept.tolist()]
    if len(kept) < len(cases.classes):
        rest = np.setdiff1d(np.arange(len(cases.classes)), kept)
        rows.append(_row(None, int(wanted[rest].sum()), int(answered[rest].sum()), int(hits[rest].sum())))
    return ByClass(counted=counted, overlap=overlap, rows=tuple(rows), absent=absent)


def _row(name: str | None, wanted: int, answered: int, hits: int) -> ClassRow:
    return ClassRow(name=name, wanted=wanted, answered=answered, hits=hits)


def _commonest(counts: Ints, most: int) -> Ints:
    """Return the codes of the ``most`` commonest classes, rising; all where there are so few."""
    return np.sort(np.argsort(-counts, kind="stable")[:most])


def _without(answers: NDArray[Any]) -> int:
    return sum(answer is None for answer in answers)


def _share(truth: str, answer: str) -> float:
    """Return the edits that turn ``answer`` into ``truth``, a share of its characters; of long ones their begin."""
    held = truth[:LONGEST]
    return edit_distance(held, answer[: 2 * LONGEST]) / max(len(held), 1)
