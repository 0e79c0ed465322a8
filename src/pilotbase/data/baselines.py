"""The baseline's answers: past decisions in a column, a rule in force, or a constant; and people's decisions."""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from pilotbase.data.batches import Codes, Column, label_codes, numbers, texts
from pilotbase.data.column_types import format_labels
from pilotbase.data.conform import conformed_types
from pilotbase.data.rules import compile_rule, evaluate_rule
from pilotbase.documents.answer_texts import AnswerTextError, check_answer, right_answer
from pilotbase.documents.contract import AnswerKind, Prediction
from pilotbase.documents.errors import InputError
from pilotbase.documents.scenario import ColumnBaseline, ConstantBaseline, RuleBaseline, Scenario


def baseline_answers(scenario: Scenario, frame: pl.DataFrame, classes: tuple[str, ...]) -> Column | None:
    """Return the baseline's answer to each case of a conformed ``frame``, shape (rows,).

    Classes: int32 codes into the sorted ``classes``, −1 = no answer (also if applications answer with
    probabilities). Numbers: float64, NaN = no answer. Texts: as objects, None = no answer. None if the baseline is an
    application, which has to be run, or if there is none.

    Raises:
        InputError: ``data.*``: a rule that cannot be read or does not fit the task, labels outside ``classes``, a
            constant that is no number, texts that are no answers of the kind.
    """
    baseline = scenario.baseline
    if isinstance(baseline, ColumnBaseline):
        return _column_answers(baseline, scenario, frame, classes)
    if isinstance(baseline, RuleBaseline):
        return _rule_answers(baseline, scenario, frame, classes)
    if isinstance(baseline, ConstantBaseline):
        return _constant_answers(baseline, scenario, frame, classes)
    return None


def as_answered(answers: Column, prediction: Prediction) -> Column:
    """Return a baseline's answers in the coding of an application's, which may be richer.

    Class codes become certain probabilities if the contract requires those, numbers become intervals of no width.
    """
    if prediction.kind == "probabilities":
        certain = [json.dumps(row) for row in np.eye(len(prediction.classes)).tolist()]
        return np.array([*certain, None], dtype=object)[answers]
    if prediction.kind == "interval":
        return np.column_stack([answers, answers])
    if prediction.kind != "probability" or prediction.positive is None:
        return answers
    of_positive = (answers == prediction.classes.index(prediction.positive)).astype(np.float64)
    return np.where(answers < 0, np.nan, of_positive)


def people_answers(scenario: Scenario, frame: pl.DataFrame, classes: tuple[str, ...]) -> Column | None:
    """Return what people decided on each case, coded as `baseline_answers` codes a column; None if not given.

    Raises:
        InputError: ``data.*``: labels outside ``classes``, a column without numbers, texts that are no answers.
    """
    return None if scenario.people is None else _column_answers(scenario.people, scenario, frame, classes)


def check_baseline(scenario: Scenario) -> None:
    """Return if the baseline is not a rule, or a rule that can be read over the scenario's fields; needs no table.

    Raises:
        InputError: ``data.rule.*``.
    """
    if isinstance(scenario.baseline, RuleBaseline):
        types = conformed_types(scenario)
        compile_rule(scenario.baseline.rule, {name: types[name] for name in types if name != scenario.data.target})


def _column_answers(
    decisions: ColumnBaseline, scenario: Scenario, frame: pl.DataFrame, classes: tuple[str, ...]
) -> Column:
    column = frame[decisions.column]
    if scenario.target_form == "labels":
        return label_codes(format_labels(column, scenario.field(scenario.data.target).data_type), classes)
    if scenario.target_form == "texts":
        return _spelled_answers(column, scenario.answer, classes)
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise InputError("data.baseline_not_numeric", column=decisions.column)
    return numbers(column)


def _spelled_answers(column: pl.Series, kind: AnswerKind, classes: tuple[str, ...]) -> Column:
    """Return texts that spell answers of ``kind``, shape (rows,)."""
    found = texts(column)
    for row, spelled in enumerate(found.tolist()):
        if spelled is None:
            continue
        try:
            found[row] = _answer_in(spelled, kind, classes)
        except AnswerTextError:
            raise InputError("data.no_answers", column=column.name, found=spelled[:80], kind=kind) from None
    return found


def _answer_in(spelled: str, kind: AnswerKind, classes: tuple[str, ...]) -> str:
    """Return an answer; boxes without a score, as truths have them, are certain. Raises `AnswerTextError`."""
    try:
        check_answer(spelled, kind, classes)
    except AnswerTextError:
        spelled = right_answer(spelled, kind)
        check_answer(spelled, kind, classes)
    return spelled


def _rule_answers(baseline: RuleBaseline, scenario: Scenario, frame: pl.DataFrame, classes: tuple[str, ...]) -> Codes:
    positive = scenario.positive
    if scenario.target_form != "labels" or positive is None or len(classes) != 2 or positive not in classes:
        raise InputError("data.rule.no_binary_task", positive=positive or "", classes=", ".join(classes))
    hits = evaluate_rule(baseline.rule, frame, withheld=frozenset({scenario.data.target}))
    code = classes.index(positive)
    return np.where(hits, code, 1 - code).astype(np.int32)


def _constant_answers(
    baseline: ConstantBaseline, scenario: Scenario, frame: pl.DataFrame, classes: tuple[str, ...]
) -> Column:
    data_type = scenario.field(scenario.data.target).data_type
    constant = pl.Series("baseline.value", [baseline.value])
    if scenario.target_form == "labels":
        return np.repeat(label_codes(format_labels(constant, data_type), classes), frame.height)
    if scenario.target_form == "texts":
        return np.repeat(_spelled_answers(constant, scenario.answer, classes), frame.height)
    value = constant.cast(pl.Float64, strict=False)
    if value.null_count():
        raise InputError("data.constant_not_numeric", found=baseline.value)
    return np.repeat(numbers(value), frame.height)
