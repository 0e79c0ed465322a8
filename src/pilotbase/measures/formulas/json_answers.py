"""Measures of answers that are JSON: whether they can be read, keep to a schema, and hold the right fields."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np

from pilotbase.documents.errors import InputError, offer
from pilotbase.measures.definition import SHARE, TEXTS, Measure
from pilotbase.measures.observation import MeasureInput, MeasurePart, indicator
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
        "json_valid", "answers that are JSON / N", "RFC 8259", "higher", TEXTS, json_valid, guarantees=SHARE,
        paired=True,
    ),
    Measure(
        "json_fields", "mean fields that are equal / fields of truth or answer",
        "Jaccard, New Phytologist 11:37, 1912, over the fields of both objects; values compared as JSON", "higher",
        TEXTS, json_fields, paired=True,
    ),
    Measure(
        "json_schema", "answers that keep to the schema in the truth / N",
        "JSON Schema draft 2020-12, Core and Validation, the keywords of json_answers.py", "higher", TEXTS, json_schema,
        guarantees=SHARE, paired=True,
    ),
)  # fmt: skip


_DEEPEST = 100
"""Levels; deeper nesting isn't accepted as JSON."""

Path = tuple[str, ...]
Schema = Mapping[str, Any]
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0,
}
_ANNOTATIONS = frozenset({"$schema", "$id", "$comment", "title", "description", "default", "examples"})
_NUMBER, _TEXT, _LIST, _OBJECT = (_TYPES[name] for name in ("number", "string", "array", "object"))


def read_json(text: str) -> Any:
    """Return the value that ``text`` spells, RFC 8259: no NaN, no words around it.

    Raises:
        ValueError: it is none, or nested too deeply.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        level = [inner for outer in level for inner in _inside(outer)]
    return value


def fields_of(value: Mapping[str, Any]) -> dict[Path, Any]:
    """Return the fields of an object by their path, objects inside it spread out; lists are one value."""
    found: dict[Path, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, dict) and inner:
            found |= {(name, *path): leaf for path, leaf in fields_of(inner).items()}
        else:
            found[(name,)] = inner
    return found


def equal(one: Any, two: Any) -> bool:
    """Return whether two values are equal: 1 is 1.0, true isn't 1, texts in one width and without outer spaces."""
    if isinstance(one, bool) or isinstance(two, bool) or one is None or two is None:
        return one is two
    if isinstance(one, str) and isinstance(two, str):
        return _plain(one) == _plain(two)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(equal, one, two))
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(equal(value, two[name]) for name, value in one.items())
    return isinstance(one, int | float) and isinstance(two, int | float) and one == two


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


# Keyword → the kinds of value it applies to, and whether a value conforms to it.
_RULES: Mapping[str, tuple[Callable[[Any], bool], Callable[[Any, Any], bool]]] = {
    "type": (lambda _: True, lambda value, types: any(_TYPES[name](value) for name in _listed(types))),
    "enum": (lambda _: True, lambda value, allowed: any(equal(value, one) for one in allowed)),
    "const": (lambda _: True, equal),
    "required": (_OBJECT, lambda value, names: set(names) <= value.keys()),
    "properties": (_OBJECT, lambda value, of: all(fits(value[name], of[name]) for name in of.keys() & value.keys())),
    "items": (_LIST, lambda value, schema: all(fits(one, schema) for one in value)),
    "minItems": (_LIST, lambda value, least: len(value) >= least),
    "maxItems": (_LIST, lambda value, most: len(value) <= most),
    "minimum": (_NUMBER, lambda value, least: value >= least),
    "maximum": (_NUMBER, lambda value, most: value <= most),
    "exclusiveMinimum": (_NUMBER, lambda value, below: value > below),
    "exclusiveMaximum": (_NUMBER, lambda value, above: value < above),
    "minLength": (_TEXT, lambda value, least: len(value) >= least),
    "maxLength": (_TEXT, lambda value, most: len(value) <= most),
}
_SHAPES: Mapping[str, Callable[[Any], bool]] = {
    "type": lambda given: bool(_listed(given)) and all(_TEXT(one) and one in _TYPES for one in _listed(given)),
    "enum": _LIST,
    "const": lambda _: True,
    "required": lambda given: _LIST(given) and all(map(_TEXT, given)),
    "properties": _OBJECT,
    "items": _OBJECT,
    "additionalProperties": lambda given: isinstance(given, bool),
}


def check_schema(schema: Any) -> None:
    """Return when every keyword of ``schema`` is known here and has a value that it can have.

    Raises:
        InputError: ``measure.schema_keyword``.
    """
    known = {*_RULES, *_SHAPES}
    if not isinstance(schema, dict):
        raise InputError("measure.schema_keyword", found=str(schema)[:60], allowed=", ".join(sorted(known)))
    for keyword, given in schema.items():
        if keyword in _ANNOTATIONS:
            continue
        if keyword not in known or not _SHAPES.get(keyword, _NUMBER)(given):
            found = f"{keyword}: {str(given)[:60]}"
            raise InputError("measure.schema_keyword", found=found, allowed=offer(keyword, sorted(known)))
    for inner in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        check_schema(inner)


def fits(value: Any, schema: Schema) -> bool:
    """Return whether ``value`` conforms to a schema that `check_schema` has accepted."""
    closed = schema.get("additionalProperties") is False and isinstance(value, dict)
    if closed and not value.keys() <= schema.get("properties", {}).keys():
        return False
    applied = ((_RULES[keyword], given) for keyword, given in schema.items() if keyword in _RULES)
    return all(kept(value, given) for (speaks_of, kept), given in applied if speaks_of(value))


def _listed(types: Any) -> list[Any]:
    return types if isinstance(types, list) else [types]
