"""Nested columns made flat: the members of a structure get dotted names; lists of plain values stay lists."""

from __future__ import annotations

import polars as pl

DEEPEST = 12


MOST_DIGITS = 38
"""Of a decimal number that the table library decodes."""


def too_wide(frame: pl.LazyFrame) -> list[str]:
    """Return the columns of decimal numbers with so many digits that they cannot be decoded."""
    schema = frame.collect_schema()
    return [name for name, dtype in schema.items() if isinstance(dtype, pl.Decimal) and dtype.precision > MOST_DIGITS]


def lasting(frame: pl.LazyFrame) -> list[str]:
    """Return the columns of lengths of time."""
    return [name for name, dtype in frame.collect_schema().items() if dtype == pl.Duration]


def in_seconds(name: str) -> pl.Expr:
    """Return a column of lengths of time as numbers."""
    return (pl.col(name).dt.total_microseconds() / 1e6).alias(name)


def flattened(frame: pl.LazyFrame, whole: bool = False) -> tuple[pl.LazyFrame, list[str]]:
    """Return ``frame`` with ``address.city`` for the member ``city`` of ``address``, and the columns left out.

    Lists of structures or of lists, bytes and objects are left out: no field can describe them. Lengths of time inside
    structures or lists are, too. ``whole``: a column of which anything would be left out stays as it is.
    """
    expressions: list[pl.Expr] = []
    left_out: list[str] = []
    for name, dtype in frame.collect_schema().items():
        flat: list[pl.Expr] = []
        lost: list[str] = []
        _flatten(pl.col(name), name, dtype, flat, lost)
        expressions += [pl.col(name)] if lost and whole else flat
        left_out += lost
    return frame.select(expressions), left_out


def _flatten(value: pl.Expr, name: str, dtype: pl.DataType, found: list[pl.Expr], left_out: list[str]) -> None:
    if isinstance(dtype, pl.Struct) and name.count(".") < DEEPEST:
        for member in dtype.fields:
            inner = member.dtype if isinstance(member.dtype, pl.DataType) else member.dtype()
            _flatten(value.struct.field(member.name), f"{name}.{member.name}", inner, found, left_out)
    elif isinstance(dtype, pl.List) and not _inner(dtype).is_nested() and _inner(dtype) != pl.Duration:
        found.append(value.alias(name))
    elif dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Duration):
        left_out.append(name)
    else:
        found.append(value.alias(name))


def _inner(dtype: pl.List) -> pl.DataType:
    return dtype.inner if isinstance(dtype.inner, pl.DataType) else dtype.inner()
