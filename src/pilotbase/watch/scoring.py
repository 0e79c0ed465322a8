"""Observed cases as the measures of a trial read them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.hashes import Digest
from pilotbase.documents.observation import Scalar
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.measures import Cases, Setting
from pilotbase.watch.packs import Pack

Flags = NDArray[np.bool_]
_Readable = Callable[[Sequence[Scalar], Setting], Flags]
_ANSWERED = frozenset(end.value for end in CallEnd if end.is_answer)


def rows_for_risk(pack: Pack, version: Digest | None) -> list[int]:
    """Return the cases that say something about the risk of an application: it has answered them itself.

    An abstention is an answer. What was handed in without a version counts as answered by it.
    """
    if not pack.answers:
        return []
    own = (version, None)
    return [
        row
        for row, (end, by) in enumerate(zip(pack.ends, pack.versions, strict=True))
        if end in _ANSWERED and (version is None or by in own)
    ]


def cases_of_answers(pack: Pack, labels: Sequence[Scalar], setting: Setting, by: frozenset[str]) -> tuple[Cases, Flags]:
    """Return answered cases, and which of them have a label that can be read; ``by``: columns of groups.

    The truth of a case without one is -1, or NaN for a number.
    """
    truth = _coded(labels, setting)
    labelled = np.isfinite(truth) if setting.kind == "value" else truth >= 0
    answers = _coded(pack.answers, setting) if setting.kind == "label" else _numbers(pack.answers)
    groups = {name: _words(pack.inputs.get(name, [None] * len(pack))) for name in sorted(by)}
    cases = Cases(truth, answers, groups, classes=setting.classes, positive=setting.positive, kind=setting.kind)
    return cases, labelled


def readable_labels(labels: Sequence[Scalar], setting: Setting) -> Flags:
    """Return which labels can be read; None, which takes a label back, is one of them."""
    if setting.kind != "value" and not setting.classes:
        return np.ones(len(labels), dtype=np.bool_)
    truth = _coded(labels, setting)
    known = np.isfinite(truth) if setting.kind == "value" else truth >= 0
    return known | _none(labels)


def readable_answers(answers: Sequence[Scalar], setting: Setting) -> Flags:
    """Return which answers can be read; None, an abstention, is one of them."""
    if setting.kind == "label":
        return readable_labels(answers, setting)
    return np.isfinite(_numbers(answers)) | _none(answers)


def unreadable(values: Sequence[Scalar], settings: Sequence[Setting], readable: _Readable) -> list[int]:
    """Return which of ``values`` none of ``settings`` can read, in their order."""
    return np.flatnonzero(~np.any([readable(values, setting) for setting in settings], axis=0)).tolist()


def spelled_label(value: Scalar, classes: Sequence[str]) -> str:
    """Return a label as the contract spells classes: ``true`` or ``1`` for a boolean, no point in whole numbers."""
    if isinstance(value, bool):
        word = "true" if value else "false"
        return word if word in classes else str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()


def _coded(values: Sequence[Scalar], setting: Setting) -> NDArray[Any]:
    """Return codes of classes, -1 for none and for what is no class; numbers for values, NaN for none."""
    if setting.kind == "value":
        return _numbers(values)
    codes = {label: code for code, label in enumerate(setting.classes)}
    return np.array([codes.get(spelled_label(value, setting.classes), -1) for value in values], dtype=np.int64)


def _none(values: Sequence[Scalar]) -> Flags:
    return np.array([value is None for value in values], dtype=np.bool_)


def _numbers(values: Sequence[Scalar]) -> NDArray[np.float64]:
    return np.array([_number(value) for value in values], dtype=np.float64)


def _number(value: Scalar) -> float:
    try:
        return math.nan if value is None else float(value)
    except (ValueError, OverflowError):
        return math.nan


def _words(values: Sequence[Scalar]) -> NDArray[np.str_]:
    return np.array([spelled_label(value, ("true", "false")) for value in values], dtype=np.str_)
