"""Canonical JSON (RFC 8785) and SHA-256: the name of every document and blob."""

from __future__ import annotations

import hashlib
import json
import re
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any

import rfc8785
from pydantic import StringConstraints

from pilotbase.documents.errors import InputError

HEX = r"[0-9a-f]{64}"
DIGEST_PATTERN = f"^sha256:{HEX}$"
Digest = Annotated[str, StringConstraints(pattern=DIGEST_PATTERN)]


def digest_of(hex_digits: str) -> str:
    """Return the digest with these hex digits."""
    return "sha256:" + hex_digits


def hex_of(digest: str) -> str:
    """Return the hex digits of a digest, as used in files and addresses; hex digits are returned unchanged."""
    return digest.removeprefix("sha256:")


def abbreviated(digest: str) -> str:
    """Return a digest for people, with its first twelve digits; anything else unchanged."""
    algorithm, _, value = digest.partition(":")
    return f"{algorithm}:{value[:12]}…" if value else digest


def canonical_json(value: Any) -> bytes:
    """Return the canonical JSON of ``value`` (RFC 8785).

    Raises:
        InputError: a number in it is NaN, infinite, or an integer beyond 2⁵³.
    """
    try:
        return _dumps(value).encode() if _is_plain(value) else rfc8785.dumps(value)
    except (rfc8785.IntegerDomainError, rfc8785.FloatDomainError) as error:
        raise InputError("input.number_out_of_range", reason=str(error)) from None


_dumps = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")).encode
"""What the library writes, in compiled code, of values without whole, tiny or infinite floats."""
_MOST = 2**53 - 1
_LEAST = 1e-4
"""Below it Python writes an exponent."""
_PLAIN = frozenset({bool, type(None)})
_LONE = re.compile("[\ud800-\udfff]")
_ABOVE = re.compile("[\ud800-\U0010ffff]")
"""Characters whose order in UTF-16, by which names are sorted, is not that of their numbers, and lone surrogates."""


def _is_plain(value: Any) -> bool:
    """Return whether `_dumps` writes ``value`` as RFC 8785 wants it."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if kind is dict:
            if not all(type(name) is str and (name.isascii() or not _ABOVE.search(name)) for name in one):
                return False
            waiting += one.values()
        elif kind is list or kind is tuple:
            waiting += one
        elif kind is str:
            if not one.isascii() and _LONE.search(one):
                return False
        elif kind is int:
            if not -_MOST <= one <= _MOST:
                return False
        elif kind is float:
            if one.is_integer() or not _LEAST <= abs(one) < _MOST:
                return False
        elif kind not in _PLAIN:
            return False
    return True


def digest_bytes(data: bytes | bytearray | memoryview) -> str:
    """Return ``sha256:<hex>`` of ``data``."""
    return digest_of(hashlib.sha256(data).hexdigest())


def digest_json(value: Any) -> str:
    """Return ``sha256:<hex>`` of the canonical JSON of ``value``."""
    return digest_bytes(canonical_json(value))


def digest_file(path: Path) -> str:
    """Return ``sha256:<hex>`` of a file's bytes, read in chunks."""
    with path.open("rb") as stream:
        return digest_stream(stream)


def digest_stream(stream: BufferedReader) -> str:
    """Return ``sha256:<hex>`` of the bytes that are still to be read from ``stream``."""
    return digest_of(hashlib.file_digest(stream, "sha256").hexdigest())


def hash_secret(secret: str) -> str:
    """Return the hex SHA-256 that is stored for a secret; it has 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_digest(value: str) -> bool:
    """Return whether ``value`` is a digest in the form of `digest_bytes`."""
    return re.fullmatch(DIGEST_PATTERN, value) is not None
