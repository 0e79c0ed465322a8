"""Answers that are more than a number or a class: how each kind is written as text and read back.

    probabilities  JSON list of numbers in the order of the classes, or an object class → number; their sum is 1
    labels    JSON list of classes, or ``a|b``; an empty text means no class
    ranking   JSON list of names, best first, or ``a|b``
    boxes     JSON list of ``[class, x, y, width, height, score]``, in pixels from the upper left corner (COCO); a true
              box has no score
    mask      JSON ``{"size": [height, width], "runs": [class, pixels, …]}``, row by row; 255 is no class

The target column, the box's input and output, and the records all use this spelling.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pilotbase.documents.contract import AnswerKind
from pilotbase.documents.limits import EndReason
from pilotbase.documents.transcript import ideal

SEPARATOR = "|"
NO_CLASS = 255
MOST_PIXELS = 1 << 26
MOST_ENTRIES = 1000
"""Names of a ranking, and boxes of an image."""
_FARTHEST = 1e9
_BOX = 4
_ROUNDING = 1e-6
"""How far from 1 the sum of probabilities may be, for each class."""


class AnswerTextError(ValueError):
    """A text is not an answer of its kind; ``reason`` says why."""

    def __init__(self, reason: EndReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


Boxes = tuple[tuple[float, ...], ...]
"""For each box: class code, x, y, width, height and, for an answer, the score."""
Mask = tuple[int, int, tuple[int, ...]]
"""Height, width, and runs: code, pixels, code, pixels, …"""


def read_probabilities(text: str, classes: Sequence[str]) -> tuple[float, ...]:
    """Return a probability for each class, in their order; raises `AnswerTextError`."""
    found = _loaded(text)
    if isinstance(found, dict):
        if not found.keys() <= set(classes):
            raise AnswerTextError(EndReason.UNKNOWN_CLASS)
        found = [found[name] for name in classes if name in found]
    if not isinstance(found, list) or not all(type(one) in (int, float) for one in found):
        raise AnswerTextError(EndReason.WRONG_TYPE)
    if len(found) != len(classes):
        raise AnswerTextError(EndReason.WRONG_COUNT)
    if not all(0 <= one <= 1 for one in found):
        raise AnswerTextError(EndReason.OUT_OF_RANGE)
    if abs(sum(found) - 1) > _ROUNDING * len(classes):
        raise AnswerTextError(EndReason.WRONG_SUM)
    return tuple(found)


def read_labels(text: str, classes: Sequence[str]) -> tuple[int, ...]:
    """Return the codes of the classes that ``text`` names, rising; raises `AnswerTextError`."""
    names, codes = set(_names(text)), {name: code for code, name in enumerate(classes)}
    if not names <= codes.keys():
        raise AnswerTextError(EndReason.UNKNOWN_CLASS)
    return tuple(sorted(codes[name] for name in names))


def read_ranking(text: str, classes: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names in ``text``, each once, best first; raises `AnswerTextError`."""
    names = tuple(dict.fromkeys(_names(text)))
    if len(names) > MOST_ENTRIES:
        raise AnswerTextError(EndReason.OVERSIZED_ANSWER)
    return names


def read_boxes(text: str, classes: Sequence[str]) -> Boxes:
    """Return the boxes of an answer; raises `AnswerTextError`."""
    return _boxes(text, classes, scored=True)


def read_true_boxes(text: str, classes: Sequence[str]) -> Boxes:
    """Return the boxes of a truth; raises `AnswerTextError`."""
    return _boxes(text, classes, scored=False)


def read_mask(text: str, classes: Sequence[str]) -> Mask:
    """Return the runs of a mask; raises `AnswerTextError`."""
    found = _loaded(text)
    if not isinstance(found, dict) or found.keys() != {"size", "runs"}:
        raise AnswerTextError(EndReason.WRONG_TYPE)
    size, runs = _whole_numbers(found["size"]), _whole_numbers(found["runs"])
    if len(size) != 2 or len(runs) % 2 or not 0 < size[0] * size[1] <= MOST_PIXELS:
        raise AnswerTextError(EndReason.WRONG_TYPE)
    if sum(runs[1::2]) != size[0] * size[1]:
        raise AnswerTextError(EndReason.WRONG_COUNT)
    if any(code >= len(classes) and code != NO_CLASS for code in runs[::2]):
        raise AnswerTextError(EndReason.UNKNOWN_CLASS)
    return size[0], size[1], tuple(runs)


def check_answer(text: str, kind: AnswerKind, classes: Sequence[str]) -> None:
    """Return if ``text`` is an answer of ``kind``; raises `AnswerTextError`."""
    reader = ANSWERS.get(kind)
    if reader is not None:
        reader(text, classes)


def classes_in(text: str, kind: AnswerKind) -> frozenset[str]:
    """Return the classes that a true answer names; none for a mask, whose classes are numbers. Raises as they do."""
    if kind == "labels":
        return frozenset(_names(text))
    if kind == "boxes":
        return frozenset(str(box[0]) for box in _lists(text, _BOX + 1))
    if kind == "mask":
        _, _, runs = read_mask(text, range(NO_CLASS))  # type: ignore[arg-type]
        return frozenset(str(code) for code in runs[::2] if code != NO_CLASS)
    return frozenset()


def right_answer(truth: str, kind: AnswerKind) -> str:
    """Return the answer that equals ``truth``; boxes get full confidence, an episode ends well."""
    if kind == "episode":
        return ideal(truth)
    if kind != "boxes":
        return truth
    return json.dumps([[*box, 1.0] for box in _lists(truth, _BOX + 1)], ensure_ascii=False)


ANSWERS: Mapping[str, Callable[[str, Sequence[str]], Any]] = {
    "probabilities": read_probabilities,
    "labels": read_labels,
    "ranking": read_ranking,
    "boxes": read_boxes,
    "mask": read_mask,
}
TRUTHS: Mapping[str, Callable[[str, Sequence[str]], Any]] = {**ANSWERS, "boxes": read_true_boxes}


def _names(text: str) -> list[str]:
    if text.lstrip()[:1] != "[":
        return [name for name in (part.strip() for part in text.split(SEPARATOR)) if name]
    found = _loaded(text)
    if not isinstance(found, list) or not all(isinstance(name, str) and name and _is_unicode(name) for name in found):
        raise AnswerTextError(EndReason.WRONG_TYPE)
    return found


def _is_unicode(name: str) -> bool:
    """Return whether ``name`` can be written: JSON may spell half of a pair (``"\\ud800"``), which no UTF-8 can."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _boxes(text: str, classes: Sequence[str], scored: bool) -> Boxes:
    codes = {name: code for code, name in enumerate(classes)}
    boxes = []
    for name, *numbers in _lists(text, _BOX + 1 + scored):
        if name not in codes:
            raise AnswerTextError(EndReason.UNKNOWN_CLASS)
        if numbers[2] < 0 or numbers[3] < 0 or (scored and not 0 <= numbers[4] <= 1):
            raise AnswerTextError(EndReason.OUT_OF_RANGE)
        boxes.append((float(codes[name]), *map(float, numbers)))
    return tuple(boxes)


def _lists(text: str, length: int) -> list[list[Any]]:
    """Return lists of a name and numbers, each of ``length``."""
    found = _loaded(text) if text.strip() else []
    if not isinstance(found, list) or not all(_is_named_numbers(one, length) for one in found):
        raise AnswerTextError(EndReason.WRONG_TYPE)
    if len(found) > MOST_ENTRIES:
        raise AnswerTextError(EndReason.OVERSIZED_ANSWER)
    return found


def _is_named_numbers(one: object, length: int) -> bool:
    if not isinstance(one, list) or len(one) != length or not isinstance(one[0], str):
        return False
    return all(type(number) in (int, float) and abs(number) <= _FARTHEST for number in one[1:])


def _whole_numbers(found: object) -> list[int]:
    if not isinstance(found, list) or not all(type(number) is int and number >= 0 for number in found):
        raise AnswerTextError(EndReason.WRONG_TYPE)
    return found


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise AnswerTextError(EndReason.WRONG_TYPE) from None
