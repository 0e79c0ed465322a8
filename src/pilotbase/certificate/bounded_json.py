"""Untrusted JSON: bounded in size and depth, no duplicate keys, no NaN."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

import pydantic

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.files import read_bounded
from pilotbase.documents.json_reader import load_strict
from pilotbase.documents.texts import Text, text
from pilotbase.documents.yaml_reader import Plain

MAXIMUM_BYTES = 1 << 20
MAXIMUM_DEPTH = 24
Model = TypeVar("Model", bound=pydantic.BaseModel)
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
CERTIFICATE = text("certificate.what.certificate")
DELEGATION = text("certificate.what.delegation")
REVOCATIONS = text("certificate.what.revocations")
ROOTS = text("certificate.what.roots")


def read_evidence(path: Path) -> bytes:
    """Return the bytes of a certificate, a revocation list or trust roots, at most `MAXIMUM_BYTES`.

    Raises:
        InputError: the file doesn't exist, can't be read, or is too large.
    """
    return read_bounded(path, MAXIMUM_BYTES)


def parse_model(model: type[Model], data: bytes, what: Text) -> Model:
    """Parse the JSON in ``data`` into ``model``; ``what`` names it in error messages.

    Raises:
        InvalidProofError: not UTF-8, not JSON, too large, too deep, a duplicate key, or it doesn't match the model.
    """
    try:
        return model.model_validate(parse_json(data))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise _malformed(what, f"{place}: {first['msg']}") from None
    except ValueError as error:
        raise _malformed(what, str(error)) from None


def parse_json(data: bytes) -> Plain:
    """Return the plain value that ``data`` encodes; raises `ValueError` with the reason if it is malformed."""
    if len(data) > MAXIMUM_BYTES:
        raise ValueError(f"more than {MAXIMUM_BYTES} bytes")
    content = data.decode("utf-8")
    _check_depth(content)
    return load_strict(content)


def _check_depth(content: str) -> None:
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(content):
        first = found[0][0]
        depth += (first in "[{") - (first in "]}")
        if depth > MAXIMUM_DEPTH:
            raise ValueError(f"nested deeper than {MAXIMUM_DEPTH} levels")


def _malformed(what: Text, reason: str) -> InvalidProofError:
    return InvalidProofError("certificate.malformed", what=what, reason=reason[:300])
