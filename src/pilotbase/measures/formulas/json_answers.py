"""Measures of answers that are JSON: whether they can be read, keep to a schema, and hold the right fields."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import text
from pilotbase.measures.definition import SHARE, TEXTS, Measure
from pilotbase.measures.observation import MeasureInput, MeasurePart, indicator
from pilotbase.measures.reading.json_values import check_schema, equal, fields_of, fits, read_json
from pilotbase.measures.text_pairs import mean_score, share_right


def json_valid(question: MeasureInput) -> MeasurePart:
    """Return 1 if the answer is JSON and nothing else, whatever the truth is."""
    read = np.array([isinstance(one, str) and _is_json(one) for one in question.cases.answers.tolist()], dtype=np.bool_)
    return indicator(read, np.ones(len(read), dtype=np.bool_), question.absent(), question)


def json_fields(question: MeasureInput) -> MeasurePart:
    """Return the share of fields, of the truth's and of the answer's, that both have with the same value.

    Raises:
        InputError: ``measure.truth_no_object``.
    """
    return mean_score(question, _same_fields)


def json_schema(question: MeasureInput) -> MeasurePart:
    """Return 1 where the answer is JSON that keeps to the schema which is the truth.

    Raises:
        InputError: ``measure.truth_no_object``, ``measure.schema_keyword``.
    """
    return share_right(question, _keeps)


def _same_fields(answer: str, truth: str) -> float:
    wanted = fields_of(_object(truth))
    try:
        value = read_json(answer)
    except ValueError:
        return 0.0
    if not isinstance(value, dict):
        return 0.0
    ours = fields_of(value)
    right = sum(path in ours and equal(ours[path], leaf) for path, leaf in wanted.items())
    return right / len(wanted.keys() | ours.keys()) if wanted or ours else 1.0


def _keeps(answer: str, truth: str) -> bool:
    schema = _schema(truth)
    try:
        return fits(read_json(answer), schema)
    except ValueError:
        return False


def _is_json(answer: str) -> bool:
    try:
        read_json(answer)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)
def _schema(truth: str) -> dict[str, Any]:
    schema = _object(truth)
    check_schema(schema)
    return schema


def _object(truth: str) -> dict[str, Any]:
    try:
        value = read_json(truth)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InputError("measure.truth_no_object", found=truth[:60])
    return value


MEASURES = (
    Measure(
        "json_valid", text("measure.json_valid"), "answers that are JSON / N", "RFC 8259", "higher", TEXTS, json_valid,
        guarantees=SHARE, paired=True,
    ),
    Measure(
        "json_fields", text("measure.json_fields"), "mean fields that are equal / fields of truth or answer",
        "Jaccard, New Phytologist 11:37, 1912, over the fields of both objects; values compared as JSON", "higher",
        TEXTS, json_fields, paired=True,
    ),
    Measure(
        "json_schema", text("measure.json_schema"), "answers that keep to the schema in the truth / N",
        "JSON Schema draft 2020-12, Core and Validation, the keywords of reading/json_values.py", "higher", TEXTS,
        json_schema, guarantees=SHARE, paired=True,
    ),
)  # fmt: skip
