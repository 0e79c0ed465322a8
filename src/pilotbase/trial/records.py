"""Per-case records: questions, answers and truths, committed to by one salted leaf per batch under a Merkle root.

    leaf 0   salt_0 ‖ head ‖ the facts of the trial (canonical JSON), if there are any
    leaf i   salt_i ‖ head ‖ case numbers (int64) ‖ answers ‖ truth ‖ positions (int64) ‖ further columns
    salt_i   HMAC-SHA-256(salt of the records, i), so that a leaf can be shown without revealing the others

Numbers are float64, whole numbers int64, both little-endian; texts a JSON list. ``position`` is the place of a case in
the scoring order, −1 if it wasn't scored: its truth is then a stand-in (`pilotbase.trial.stored_records`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.answer_texts import SEPARATOR
from pilotbase.documents.contract import Prediction
from pilotbase.workspace.log.merkle import leaf_hash

Ints = NDArray[np.int64]

REPEATED, RUN = "repeated_case", "run"
"""The unit that groups the answers to one case, if it is asked several times, and the column that distinguishes
them."""
_FORMULA_STARTS = tuple("=+-@\t\r")
_FORMULA = r"^[=+\-@\t\r]"


@dataclass(frozen=True)
class CaseRecords:
    """Records of one attempt, every array of shape (cases,): ``cases`` are case numbers of the hidden set."""

    cases: Ints
    answers: NDArray[Any]
    truth: NDArray[Any]
    position: Ints
    prediction: Prediction
    batch_rows: int
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Further answers (baseline, perturbed), units and groups, by name."""
    facts: bytes = b""
    """What else is committed to: how the trial was decided and how its run went."""


def cases_csv(table: pl.DataFrame) -> str:
    """Return a table of cases as CSV for people: no text cell or column name is a formula to a spreadsheet.

    Text that begins with ``= + - @``, a tab or a carriage return gets a leading apostrophe (OWASP, CSV injection).
    """
    quoted = table.with_columns(pl.col(pl.String).str.replace(_FORMULA, "'${0}"))
    renamed = {name: f"'{name}" for name in table.columns if name.startswith(_FORMULA_STARTS)}
    return quoted.rename(renamed).write_csv()


def leaf_hashes(records: CaseRecords, salt: bytes) -> list[bytes]:
    """Return the hash of each leaf, in order: with them a record that was altered can be found."""
    return [leaf_hash(leaf) for leaf in record_leaves(records, salt)]


def record_leaves(records: CaseRecords, salt: bytes) -> Iterator[bytes]:
    """Yield the data of each leaf: its own salt, a short head, then facts, or a batch's columns one after the other."""
    if records.facts:
        yield _own_salt(salt, 0) + b"pilotbase records 2 facts\n" + records.facts
    columns = {"answers": records.answers, "truth": records.truth, "position": records.position, **records.columns}
    names = json.dumps(list(records.columns), ensure_ascii=False)
    for number, start in enumerate(range(0, len(records.cases), records.batch_rows), start=bool(records.facts)):
        rows = slice(start, start + records.batch_rows)
        cases = _as_bytes(records.cases[rows])
        head = f"pilotbase records 2 {number} {len(cases) // 8} {names}\n".encode()
        yield b"".join((_own_salt(salt, number), head, cases, *(_as_bytes(item[rows]) for item in columns.values())))


def _own_salt(salt: bytes, number: int) -> bytes:
    return hmac.digest(salt, number.to_bytes(8, "big"), hashlib.sha256)


def _as_bytes(values: NDArray[Any]) -> bytes:
    if values.dtype.kind == "f":
        # One spelling of "no answer": a program can return any of 2⁵² bit patterns that are no number.
        return np.where(np.isnan(values), np.nan, values).astype("<f8", copy=False).tobytes()
    if values.dtype.kind in "iub":
        return values.astype("<i8", copy=False).tobytes()
    return json.dumps(values.tolist(), ensure_ascii=False).encode() + b"\n"


def format_answers(values: NDArray[Any], prediction: Prediction) -> list[Any]:
    """Return codes as labels, numbers and texts as they are, an interval as ``lower|upper``; None for an abstention."""
    if values.dtype == object:
        return list(values.tolist())
    if prediction.classes and values.dtype.kind in "iu":
        return [prediction.classes[code] if code >= 0 else None for code in values.tolist()]
    if values.ndim == 2:
        return [None if np.isnan(ends).any() else f"{ends[0]}{SEPARATOR}{ends[1]}" for ends in values]
    return [None if np.isnan(value) else value for value in values.astype(float).tolist()]
