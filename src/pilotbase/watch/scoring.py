"""Observed cases as the measures of a trial read them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.answer_texts import ANSWERS, SEPARATOR, TRUTHS, AnswerTextError
from pilotbase.documents.contract import SPELLED, TARGETS, TargetForm
from pilotbase.documents.hashes import Digest
from pilotbase.documents.observation import Scalar
from pilotbase.documents.transcript import BEST_OUTCOMES, head_of, with_outcomes
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.measures import Cases, Kind, RuleContext, coded
from pilotbase.measures.formulas.json_answers import read_json
from pilotbase.watch.packs import Pack

Flags = NDArray[np.bool_]
_Reader = Callable[[str, Sequence[str]], object]
_Readable = Callable[[Sequence[Scalar], RuleContext], Flags]
_REACHED = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
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


def cases_of_answers(
    pack: Pack, labels: Sequence[Scalar], setting: RuleContext, by: frozenset[str], given: frozenset[str] = frozenset()
) -> tuple[Cases, Flags]:
    """Return answered cases, and which of them have a label that can be read.

    The truth of a case without one is -1, NaN for a number, None for a text. ``by``: columns of groups; ``given``:
    those that measures read.
    """
    nothing: Sequence[Scalar] = [None] * len(pack)
    groups, read = ({name: pack.inputs.get(name, nothing) for name in sorted(names)} for names in (by, given))
    known = readable_labels(labels, setting) & ~_none(labels)
    told = [label if knows else None for label, knows in zip(labels, known.tolist(), strict=True)]
    if setting.kind == "episode":
        answers = transcripts_told(pack.answers, told)
        return cases_from([head_of(one).get("episode") for one in answers], answers, setting, groups, read), known
    cases = cases_from(told, pack.answers, setting, groups, read)
    return cases, known if cases.truth.dtype.kind != "i" or cases.truth.ndim > 1 else known & (cases.truth >= 0)


def transcripts_told(answers: Sequence[Scalar], labels: Sequence[Scalar]) -> list[str | None]:
    """Return transcripts with the outcomes that their labels tell; without one, with those that speak best."""
    return [
        with_outcomes(answer, BEST_OUTCOMES if label is None else _outcomes(label)) if isinstance(answer, str) else None
        for answer, label in zip(answers, labels, strict=True)
    ]


def _outcomes(label: Scalar) -> Mapping[str, Any]:
    """Return the outcomes that a label of an episode tells: whether the goal was reached, or JSON with more of them.

    Raises:
        ValueError: it tells none.
    """
    if isinstance(label, str) and label.strip().startswith("{"):
        found = read_json(label)
        if not all(isinstance(value, bool | int | float) and 0 <= value <= 1 for value in found.values()):
            raise ValueError("an outcome is true, false or a share")
        return {**BEST_OUTCOMES, **found}
    return {**BEST_OUTCOMES, "reached": _REACHED[str(label).strip().lower()]}


def _tells_outcomes(label: Scalar) -> bool:
    try:
        return label is None or bool(_outcomes(label))
    except (ValueError, KeyError):
        return False


def cases_from(
    truths: Sequence[Scalar],
    answers: Sequence[Scalar],
    setting: RuleContext,
    groups: Mapping[str, Sequence[Scalar]],
    given: Mapping[str, Sequence[Scalar]] = MappingProxyType({}),
) -> Cases:
    """Return cases as measures read them."""
    kept = Cases(
        truth=_column(truths, setting, TARGETS[setting.kind]),
        answers=_intervals(answers) if setting.kind == "interval" else _column(answers, setting, _form(setting.kind)),
        groups={name: _words(values) for name, values in groups.items()},
        classes=setting.classes,
        positive=setting.positive,
        kind=setting.kind,
        given={name: _words(values) for name, values in given.items()},
    )
    return coded(kept)


def readable_labels(labels: Sequence[Scalar], setting: RuleContext) -> Flags:
    """Return which labels can be read; None, which takes a label back, is one of them."""
    form = TARGETS[setting.kind]
    if setting.kind == "episode":
        return np.array([_tells_outcomes(label) for label in labels], dtype=np.bool_)
    if form == "labels" and not setting.classes:
        return np.ones(len(labels), dtype=np.bool_)
    if form == "texts":
        return _spelled(labels, TRUTHS.get(setting.kind), setting)
    truth = _column(labels, setting, form)
    known = np.isfinite(truth) if form == "numbers" else truth >= 0
    return np.asarray(known | _none(labels))


def readable_answers(answers: Sequence[Scalar], setting: RuleContext) -> Flags:
    """Return which answers can be read; None, an abstention, is one of them."""
    if setting.kind == "label":
        return readable_labels(answers, setting)
    if setting.kind in SPELLED:
        return _spelled(answers, ANSWERS.get(setting.kind), setting)
    numbers = _intervals(answers).sum(axis=1) if setting.kind == "interval" else _numbers(answers)
    return np.isfinite(numbers) | _none(answers)


def unreadable(values: Sequence[Scalar], settings: Sequence[RuleContext], readable: _Readable) -> list[int]:
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


def _form(kind: Kind) -> TargetForm:
    """Return in which form answers stand: a probability is a number."""
    return "texts" if kind in SPELLED else "numbers" if kind == "probability" else TARGETS[kind]


def _column(values: Sequence[Scalar], setting: RuleContext, form: TargetForm) -> NDArray[Any]:
    """Return codes of classes, -1 for none and for what is no class; numbers, NaN for none; texts, None for none."""
    if form == "numbers":
        return _numbers(values)
    if form == "texts":
        return np.array([None if value is None else str(value) for value in values], dtype=object)
    codes = {label: code for code, label in enumerate(setting.classes)}
    return np.array([codes.get(spelled_label(value, setting.classes), -1) for value in values], dtype=np.int64)


def _spelled(values: Sequence[Scalar], read: _Reader | None, setting: RuleContext) -> Flags:
    """Return which values are None, or texts that spell what they should."""

    def is_read(value: Scalar) -> bool:
        if value is None or (read is None and isinstance(value, str)):
            return True
        if not isinstance(value, str) or read is None:
            return False
        try:
            read(value, setting.classes)
        except AnswerTextError:
            return False
        return True

    return np.array([is_read(value) for value in values], dtype=np.bool_)


def _intervals(values: Sequence[Scalar]) -> NDArray[np.float64]:
    """Return the ends that ``lower|upper`` spells, shape (cases, 2), NaN where there are none."""
    ends = [[*str(value).split(SEPARATOR), "nan"][:2] for value in values]
    return np.array([[_number(end) for end in each] for each in ends], dtype=np.float64).reshape(len(values), 2)


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
