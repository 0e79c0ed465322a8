"""Per-case records: questions, answers and truths, committed to by one salted leaf per batch under a Merkle root.

    leaf 0   salt_0 ‖ head ‖ the facts of the trial (canonical JSON), if there are any
    leaf i   salt_i ‖ head ‖ case numbers (int64) ‖ answers ‖ truth ‖ positions (int64) ‖ further columns
    salt_i   HMAC-SHA-256(salt of the records, i), so that a leaf can be shown without revealing the others

Numbers are float64, whole numbers int64, both little-endian; texts a JSON list. ``position`` is the place of a case in
the scoring order, −1 if it wasn't scored.

As a file they are a Parquet table for people and programs, with all that a replay needs in its metadata. The metadata's
entry ``pilotbase`` is JSON: ``facts`` (canonical JSON, the first leaf), ``salt`` (hex; for these records only, so its
owner may know it) and ``leaves`` (hex; the hash of each leaf, so that an altered record can be named).

All cases of an attempt are used up, scored or not, so every truth stands as it is, and figures are of all. Older
records kept the truths of unscored cases back: mostly shuffled among cases with the same answers, groups and unit,
which keeps every count that a criterion reads.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import pydantic
from numpy.typing import NDArray

from pilotbase.documents.answer_texts import SEPARATOR
from pilotbase.documents.base import Part
from pilotbase.documents.contract import TARGETS, Prediction
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest, canonical_json, digest_of
from pilotbase.documents.limits import EndReason
from pilotbase.measures import Cases
from pilotbase.trial.performance import Load
from pilotbase.workspace.log.merkle import MerkleTree, leaf_hash

Ints = NDArray[np.int64]

REPEATED, RUN = "repeated_case", "run"
"""The unit that groups the answers to one case, if it is asked several times, and the column that distinguishes
them."""
_FORMULA_STARTS = tuple("=+-@\t\r")
_FORMULA = r"^[=+\-@\t\r]"
OTHERS = ("baseline", "people")
GROUP, ARM, GIVEN, SCORE = "group:", "prediction under ", "given:", "score:"
"""Prefixes in column names: of a group, of the perturbation under which answers were given, of a column that a
measure reads, and of the scorer of a recorded run."""
_ENTRY = "pilotbase"
Column = NDArray[Any]
Unscored = Literal["none", "shuffled", "exact", "shown"]
"""Older records have ``none`` if every case was scored, ``exact`` if a shuffle would change what a criterion reads."""


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


class RecordedFacts(Part):
    """What decides a trial beside its plan and its cases."""

    format: Literal["trial-records/1"] = "trial-records/1"
    plan: Digest
    attempt: int = pydantic.Field(ge=1)
    alpha_of_all: float = pydantic.Field(gt=0, lt=1)
    order_secret: str = pydantic.Field(pattern=r"^[0-9a-f]{2,128}$")
    answers: Digest
    """Commitment to all answers, fixed before the order was opened."""
    end: EndReason
    answered: int
    unscored: Unscored
    """How truths of cases that were not scored stand here."""
    load: Load
    by_unit: Literal[True] | None = None
    """Scores of baseline, people and groups count units where the criterion does; None: an older report's do not."""
    by_all: Literal[True] | None = None
    """All answers decide a claim about the hidden cases; None: in an older report the first ones could."""
    described: Literal[True] | None = None
    """Scores and bounds are of all answers, whenever the verdict was reached; None: an older report's are not."""


@dataclass(frozen=True)
class StoredRecords:
    """Records with what commits to them; ``leaves``: the hash of each leaf."""

    records: CaseRecords
    facts: RecordedFacts
    salt: bytes
    leaves: tuple[bytes, ...]

    @property
    def root(self) -> Digest:
        """Return the Merkle root over the leaves."""
        tree = MerkleTree()
        for leaf in self.leaves:
            tree.append_hash(leaf)
        return digest_of(tree.root().hex())


def further_columns(cases: Cases) -> dict[str, Column]:
    """Return the columns beside truth and prediction that criteria read of ``cases``, and what people decided."""
    units = {} if cases.units is None else {"unit": cases.units}
    times = {} if cases.times is None else {"time": cases.times}
    arms = {f"{ARM}{name}": answers for name, answers in cases.perturbed.items()}
    named = {f"{GROUP}{name}": values for name, values in cases.groups.items()}
    given = {f"{GIVEN}{name}": values for name, values in cases.given.items()}
    return {**cases.others, **arms, **units, **times, **named, **given}


def restored_cases(records: CaseRecords, positive: str | None) -> Cases:
    """Return the cases as the trial's measures read them."""
    columns, prediction = records.columns, records.prediction
    return Cases(
        truth=records.truth,
        answers=records.answers,
        groups={name.removeprefix(GROUP): values for name, values in columns.items() if name.startswith(GROUP)},
        units=columns.get("unit"),
        baseline=columns.get("baseline"),
        classes=prediction.classes,
        positive=positive,
        kind=prediction.kind,
        perturbed={name.removeprefix(ARM): values for name, values in columns.items() if name.startswith(ARM)},
        given={name.removeprefix(GIVEN): values for name, values in columns.items() if name.startswith(GIVEN)},
        times=columns.get("time"),
        people=columns.get("people"),
    )


def store_records(records: CaseRecords, facts: RecordedFacts, salt: bytes) -> StoredRecords:
    """Return ``records`` with ``facts`` committed beside them."""
    records = replace(records, facts=canonical_json(facts.to_json_value()))
    return StoredRecords(records, facts, salt, tuple(leaf_hashes(records, salt)))


def write_records(stored: StoredRecords) -> bytes:
    """Return the Parquet file that `read_records` reads."""
    leaves = [leaf.hex() for leaf in stored.leaves]
    entry = {"facts": stored.records.facts.decode(), "salt": stored.salt.hex(), "leaves": leaves}
    file = io.BytesIO()
    _table(stored.records).write_parquet(file, metadata={_ENTRY: json.dumps(entry)})
    return file.getvalue()


def read_records(data: bytes, prediction: Prediction, batch_rows: int, file: str) -> StoredRecords:
    """Return the records in a Parquet file; their commitment isn't checked here.

    Raises:
        InputError: it isn't such a file, or is from a version that stored less.
    """
    try:
        entry = json.loads(pl.read_parquet_metadata(io.BytesIO(data))[_ENTRY])
        facts, salt = RecordedFacts.model_validate_json(entry["facts"]), bytes.fromhex(entry["salt"])
        leaves = tuple(bytes.fromhex(leaf) for leaf in entry["leaves"])
        table = pl.read_parquet(io.BytesIO(data))
        columns = {name: _column(table, name, prediction) for name in table.columns if name not in ("case", "position")}
        truth, answers = columns.pop("truth"), columns.pop("prediction")
        cases, position = (table[name].to_numpy().astype(np.int64) for name in ("case", "position"))
    except (pl.exceptions.PolarsError, pydantic.ValidationError, KeyError, TypeError, ValueError):
        raise InputError("trial.no_records", file=file) from None
    records = CaseRecords(
        cases, answers, truth, position, prediction, batch_rows, columns, str(entry["facts"]).encode()
    )
    return StoredRecords(records, facts, salt, leaves)


def how_unscored_stand(file: Path | io.BytesIO) -> Unscored:
    """Return how truths of cases that were not scored stand in a file; ``none`` where it holds no trial's records."""
    try:
        entry = json.loads(pl.read_parquet_metadata(file)[_ENTRY])
        return RecordedFacts.model_validate_json(entry["facts"]).unscored
    except (pl.exceptions.PolarsError, pydantic.ValidationError, OSError, KeyError, TypeError, ValueError):
        return "none"


def shown_cases(data: bytes) -> pl.DataFrame:
    """Return of a file of records what people are shown: case, truth unless it is kept back, answers, position."""
    table = pl.read_parquet(io.BytesIO(data))
    arms = [name for name in table.columns if name.startswith(ARM)]
    run, truth = [RUN] if RUN in table.columns else [], pl.col("truth")
    if how_unscored_stand(io.BytesIO(data)) != "shown":
        truth = pl.when(pl.col("position") >= 0).then(truth).alias("truth")
    return table.select("case", *run, truth, "prediction", "position", *arms)


def _read_intervals(column: pl.Series) -> Column:
    """Return intervals as records spell them, shape (cases, 2), NaN if there is none."""
    ends = column.cast(pl.String).str.split(SEPARATOR)
    numbers = [ends.list.get(place, null_on_oob=True).cast(pl.Float64).fill_null(float("nan")) for place in range(2)]
    return np.column_stack([end.to_numpy() for end in numbers])


def _table(records: CaseRecords) -> pl.DataFrame:
    """Return every column of ``records``; labels spelled."""
    return pl.DataFrame(
        {
            "case": records.cases,
            "truth": format_answers(records.truth, records.prediction),
            "prediction": format_answers(records.answers, records.prediction),
            "position": records.position,
            **{
                name: format_answers(values, records.prediction) if _is_answer(name) else pl.Series(values.tolist())
                for name, values in records.columns.items()
            },
        }
    )


def _is_answer(name: str) -> bool:
    return name in OTHERS or name.startswith(ARM)


def _column(table: pl.DataFrame, name: str, prediction: Prediction) -> Column:
    series = table[name]
    if name not in ("truth", "prediction") and not _is_answer(name):
        return np.array(series.to_list()) if series.dtype == pl.String else series.to_numpy().astype(np.int64)
    if prediction.classes and TARGETS[prediction.kind] == "labels" and (name == "truth" or prediction.kind == "label"):
        # A column without a single answer has no type of its own in the file.
        codes = series.cast(pl.String).replace_strict(
            list(prediction.classes), list(range(len(prediction.classes))), default=None, return_dtype=pl.Int32
        )
        return np.asarray(codes.fill_null(-1).to_numpy(), dtype=np.int32)
    if prediction.is_spelled:
        return np.array(series.cast(pl.String).to_list(), dtype=object)
    if prediction.kind == "interval" and name != "truth":
        return _read_intervals(series)
    return np.array(series.cast(pl.Float64).fill_null(float("nan")).to_numpy(), dtype=np.float64)
