"""Per-case records: what was asked, answered and true, committed to by one salted leaf a batch under a Merkle root.

    leaf i   salt_i ‖ head ‖ case numbers (int64) ‖ answers (float64) ‖ truth (float64) ‖ positions (int64)
    salt_i   HMAC-SHA-256(salt of the records, i), so that a leaf can be shown without telling about the others

``position`` is the place of a case in the scoring order, −1 where it was not scored: its truth is then NaN.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.contract import Prediction
from pilotbase.workspace.merkle import merkle_root

Ints = NDArray[np.int64]
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

    def table(self) -> pl.DataFrame:
        """Return the records as a table: case, truth, prediction, position; labels spelled, truth only where scored."""
        scored = self.position >= 0
        truth = pl.Series("truth", spell_answers(self.truth, self.prediction))
        return pl.DataFrame(
            {
                "case": self.cases,
                "truth": pl.select(pl.when(pl.Series(scored)).then(truth)).to_series(),
                "prediction": spell_answers(self.answers, self.prediction),
                "position": self.position,
            }
        )


def cases_csv(table: pl.DataFrame) -> str:
    """Return a table of cases as CSV for people: no cell of text, nor a column's name, is a formula to a spreadsheet.

    Text that begins with ``= + - @``, a tab or a carriage return gets an apostrophe before it (OWASP, CSV injection).
    """
    quoted = table.with_columns(pl.col(pl.String).str.replace(_FORMULA, "'${0}"))
    renamed = {name: f"'{name}" for name in table.columns if name.startswith(_FORMULA_STARTS)}
    return quoted.rename(renamed).write_csv()


def records_root(records: CaseRecords, salt: bytes) -> tuple[str, int]:
    """Return the Merkle root (``sha256:…``) over the leaves and how many leaves there are."""
    root = merkle_root(record_leaves(records, salt))
    return f"sha256:{root.hex()}", -(-len(records.cases) // records.batch_rows)


def record_leaves(records: CaseRecords, salt: bytes) -> Iterator[bytes]:
    """Yield the data of each leaf: its own salt, then the batch's arrays in little-endian bytes under a short head."""
    for number, start in enumerate(range(0, len(records.cases), records.batch_rows)):
        rows = slice(start, start + records.batch_rows)
        own = hmac.digest(salt, number.to_bytes(8, "big"), hashlib.sha256)
        scored = records.position[rows] >= 0
        truth = np.where(scored, records.truth[rows], np.nan).astype("<f8", copy=False)
        cases, answers = records.cases[rows].astype("<i8"), records.answers[rows].astype("<f8")
        head = f"pilotbase records 1 {number} {len(cases)}\n".encode()
        columns = (cases, answers, truth, records.position[rows].astype("<i8"))
        yield b"".join((own, head, *(column.data for column in columns)))


def spell_answers(values: NDArray[Any], prediction: Prediction) -> list[Any]:
    """Return codes as labels and numbers as they are, None for an abstention."""
    if prediction.classes and values.dtype.kind in "iu":
        return [prediction.classes[code] if code >= 0 else None for code in values.tolist()]
    return [None if np.isnan(value) else value for value in values.astype(float).tolist()]
