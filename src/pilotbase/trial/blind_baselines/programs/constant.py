"""The same answer to every case: each class, a number anywhere in the public range, the most common text, nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.answer_texts import read_labels, read_mask, read_ranking, read_true_boxes
from pilotbase.documents.contract import AnswerKind
from pilotbase.documents.texts import text
from pilotbase.protocols.frames import abstentions
from pilotbase.trial.blind_baselines.program import BlindInput, BlindProgram, ProgramOutput
from pilotbase.trial.delivering import Column

_MOST_CLASSES = 50
"""Of more classes the most frequent ones."""
_SHOWN = 40
_TEXTS = 3
_WORDS = 12
_NAMES = 100
_READ = 5_000
"""So many public truths are read where these are structures."""
_MASKS, _MOST_CELLS = 200, 1 << 24
_SHARES = (0.25, 0.5)
_REACHES = (0.5, 0.8, 0.9, 0.95, 0.99, 1.0)
"""Share of the public numbers that a constant interval holds."""


def _answers(asked: BlindInput) -> Iterator[ProgramOutput]:
    yield from _WAYS[asked.prediction.kind](asked)
    yield ProgramOutput(text("trial.blind.silent"), abstentions(asked.size, asked.prediction))


def _always(answer: object, values: Column) -> ProgramOutput:
    spelled = str(answer)
    shown = spelled if len(spelled) <= _SHOWN else f"{spelled[: _SHOWN - 1]}…"
    return ProgramOutput(text("trial.blind.constant", answer=shown), values)


def _classes(asked: BlindInput) -> Iterator[ProgramOutput]:
    often = np.bincount(asked.truths[asked.truths >= 0], minlength=len(asked.prediction.classes))
    for code in np.argsort(-often, kind="stable")[:_MOST_CLASSES].tolist():
        yield _always(asked.prediction.classes[code], asked.repeated(code))


def _probabilities(asked: BlindInput) -> Iterator[ProgramOutput]:
    rate = float(asked.as_answers(asked.truths).mean())
    for value in sorted({0.0, 0.5, 1.0, rate}):
        yield _always(f"{value:.4g}", np.full(asked.size, value))


def _shares(asked: BlindInput) -> Iterator[ProgramOutput]:
    often = np.bincount(asked.truths[asked.truths >= 0], minlength=len(asked.prediction.classes))
    for counts in (often, np.ones(len(often))):
        shares = (counts / counts.sum()).tolist()
        shown = ", ".join(f"{share:.3g}" for share in shares)
        yield _always(f"[{shown}]", np.full(asked.size, json.dumps(shares), dtype=object))
    yield from _classes(asked)


def _numbers(asked: BlindInput) -> Iterator[ProgramOutput]:
    known = asked.truths[np.isfinite(asked.truths)]
    if len(known):
        for value in sorted({*np.quantile(known, np.linspace(0, 1, 21)).tolist(), float(known.mean()), 0.0}):
            yield _always(f"{value:.6g}", asked.repeated(value))


def _intervals(asked: BlindInput) -> Iterator[ProgramOutput]:
    known = asked.truths[np.isfinite(asked.truths)]
    for reach in _REACHES if len(known) else ():
        low, high = np.quantile(known, [(1 - reach) / 2, (1 + reach) / 2])
        yield _always(f"[{low:.6g}, {high:.6g}]", np.tile([low, high], (asked.size, 1)))
    yield from _numbers(asked)


def _texts(asked: BlindInput) -> Iterator[ProgramOutput]:
    known = [one for one in asked.truths.tolist() if one is not None]
    words = Counter(word for one in known[:_READ] for word in one.split())
    usual = [one for one, _ in Counter(known).most_common(_TEXTS)]
    joined = " ".join(word for word, _ in words.most_common(_WORDS))
    for answer in dict.fromkeys([*usual, joined]):
        yield _always(answer, np.full(asked.size, answer, dtype=object))


def _label_sets(asked: BlindInput) -> Iterator[ProgramOutput]:
    classes = asked.prediction.classes
    read = [read_labels(one, classes) for one in _read(asked)]
    often = Counter(code for codes in read for code in codes)
    usual = Counter(read).most_common(1)[0][0] if read else ()
    chosen = [usual, (), tuple(range(len(classes)))]
    chosen += [tuple(code for code in often if often[code] >= share * len(read)) for share in _SHARES]
    for codes in dict.fromkeys(tuple(sorted(one)) for one in chosen):
        yield _spelled(asked, [classes[code] for code in codes])


def _rankings(asked: BlindInput) -> Iterator[ProgramOutput]:
    often = Counter(name for one in _read(asked) for name in read_ranking(one))
    if often:
        yield _spelled(asked, [name for name, _ in often.most_common(_NAMES)])


def _boxes(asked: BlindInput) -> Iterator[ProgramOutput]:
    classes = asked.prediction.classes
    read = [read_true_boxes(one, classes) for one in _read(asked)]
    found = np.array([box for boxes in read for box in boxes], dtype=np.float64).reshape(-1, 5)
    yield _spelled(asked, [])
    often = Counter(found[:, 0].astype(int).tolist())
    usual = [
        [classes[code], *np.median(found[found[:, 0] == code, 1:], axis=0).tolist(), 1.0]
        for code, _ in often.most_common(_MOST_CLASSES)
    ]
    for boxes in ([usual[:1], usual] if len(usual) > 1 else [usual[:1]]) if usual else []:
        yield _spelled(asked, boxes)


def _masks(asked: BlindInput) -> Iterator[ProgramOutput]:
    read = [read_mask(one, asked.prediction.classes) for one in _read(asked)[:_MASKS]]
    if not read:
        return
    (height, width), _ = Counter((one[0], one[1]) for one in read).most_common(1)[0]
    for code, name in enumerate(asked.prediction.classes[:_MOST_CLASSES]):
        yield _always(name, _mask(asked, (height, width), [code, height * width]))
    alike = [one[2] for one in read if one[:2] == (height, width)]
    if height * width * (len(asked.prediction.classes) + 1) <= _MOST_CELLS:
        usual = _usual_pixels(alike, len(asked.prediction.classes), height * width)
        ends = np.flatnonzero(np.diff(usual, append=-1))
        lengths = np.diff(ends, prepend=-1)
        runs = np.column_stack([usual[ends], lengths]).ravel().tolist()
        yield ProgramOutput(text("trial.blind.usual_mask"), _mask(asked, (height, width), runs))


def _usual_pixels(masks: list[tuple[int, ...]], classes: int, pixels: int) -> NDArray[np.int64]:
    counts = np.zeros((classes, pixels), dtype=np.int32)
    for runs in masks:
        codes = np.repeat(np.array(runs[::2]), runs[1::2])
        for code in range(classes):
            counts[code] += codes == code
    return np.asarray(counts.argmax(axis=0), dtype=np.int64)


def _mask(asked: BlindInput, size: tuple[int, int], runs: list[int]) -> Column:
    return np.full(asked.size, json.dumps({"size": list(size), "runs": runs}), dtype=object)


def _spelled(asked: BlindInput, answer: Sequence[object]) -> ProgramOutput:
    written = json.dumps(answer, ensure_ascii=False)
    return _always(written, np.full(asked.size, written, dtype=object))


def _read(asked: BlindInput) -> list[str]:
    return [one for one in asked.truths[:_READ].tolist() if one is not None]


_WAYS: Mapping[AnswerKind, Callable[[BlindInput], Iterator[ProgramOutput]]] = MappingProxyType(
    {
        "label": _classes,
        "probability": _probabilities,
        "probabilities": _shares,
        "value": _numbers,
        "interval": _intervals,
        "text": _texts,
        "labels": _label_sets,
        "ranking": _rankings,
        "boxes": _boxes,
        "mask": _masks,
    }
)
PROGRAM = BlindProgram("constant", _answers)
