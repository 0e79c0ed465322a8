"""Why a value is refused, in our sentences: pydantic's own are English only."""

from __future__ import annotations

from pydantic_core import ErrorDetails

from pilotbase.documents.texts import Text, text

_NO_TEXT, _NO_NUMBER, _NO_WHOLE = "input.reason.no_text", "input.reason.no_number", "input.reason.no_whole_number"
_NO_LIST, _NO_FIELDS, _NO_MOMENT = "input.reason.no_list", "input.reason.no_fields", "input.reason.no_moment"
_REASONS: dict[str, str] = {
    "string_type": _NO_TEXT,
    "string_unicode": _NO_TEXT,
    "string_too_short": "input.reason.short",
    "string_too_long": "input.reason.long",
    "string_pattern_mismatch": "input.reason.pattern",
    "int_type": _NO_WHOLE,
    "int_parsing": _NO_WHOLE,
    "int_parsing_size": _NO_WHOLE,
    "int_from_float": _NO_WHOLE,
    "float_type": _NO_NUMBER,
    "float_parsing": _NO_NUMBER,
    "finite_number": _NO_NUMBER,
    "bool_type": "input.reason.no_truth",
    "bool_parsing": "input.reason.no_truth",
    "greater_than": "input.reason.greater",
    "greater_than_equal": "input.reason.at_least",
    "less_than": "input.reason.less",
    "less_than_equal": "input.reason.at_most",
    "list_type": _NO_LIST,
    "tuple_type": _NO_LIST,
    "too_short": "input.reason.few",
    "too_long": "input.reason.many",
    "dict_type": _NO_FIELDS,
    "model_type": _NO_FIELDS,
    "model_attributes_type": _NO_FIELDS,
    "datetime_type": _NO_MOMENT,
    "datetime_parsing": _NO_MOMENT,
    "datetime_from_date_parsing": _NO_MOMENT,
    "timezone_aware": _NO_MOMENT,
}
"""pydantic's type of error → our sentence."""
_BOUNDS = ("min_length", "max_length", "pattern", "gt", "ge", "lt", "le")


def reason_of(error: ErrorDetails) -> Text | str:
    """Return why ``error`` refuses a value: our sentence, or pydantic's where a validator of its own speaks."""
    code = _REASONS.get(error["type"])
    if code is None:
        return error["msg"]
    context = error.get("ctx", {})
    bound = next((context[name] for name in _BOUNDS if name in context), "")
    return text(code, bound=bound)
