"""Observations and labels from the operator's own files: CSV, Parquet, XLSX and JSON Lines.

One row a case. Ours are the columns ``case``, ``at``, ``answer``, ``label``, ``end``, ``version`` and ``milliseconds``;
every other column is an input, and ``input:label`` is an input whose name is one of ours. With ``at`` a row is an
observation, with ``label`` a label, with both it is both. A line of JSON Lines may be a whole batch as well.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pydantic

from pilotbase.data.column_types import type_column
from pilotbase.data.sources.opening import read_table
from pilotbase.data.sources.source import MOST_BYTES
from pilotbase.documents.api.watch import AuditWork
from pilotbase.documents.contract import Contract, DataType
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.files import read_bounded
from pilotbase.documents.hashes import DIGEST_PATTERN, digest_file, hex_of
from pilotbase.documents.loading import issues_of
from pilotbase.documents.observation import CASE_ID_PATTERN, LabelBatch, ObservationBatch, Scalar, Taken
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.watch.labels import sum_of
from pilotbase.watch.losses import promised_of
from pilotbase.watch.observations import Batch, ingest
from pilotbase.watch.packs import Pack, PackedBatch, microseconds
from pilotbase.watch.standings import own_service
from pilotbase.workspace.store import View

OURS = ("case", "at", "answer", "label", "end", "version", "milliseconds")
INPUT = "input:"
"""Before the name of an input that is called like a column of ours."""
LINES = (".jsonl", ".ndjson")
AT_ONCE = 10_000
"""Cases that are taken in one transaction: what was taken of a file stays taken when the next portion fails."""
SHOWN = 20
"""So many problems of one column are named."""
_WHOLE: Mapping[str, type[ObservationBatch | LabelBatch]] = {
    "observation-batch/1": ObservationBatch,
    "label-batch/1": LabelBatch,
}
Columns = dict[str, list[Any]]


def read_batches(path: Path, service: str, contract: Contract | None) -> Iterator[list[Batch]]:
    """Yield what a file holds, in portions that are to be taken together; a file read again gives the same batches.

    ``contract``: by which texts of a CSV become numbers; what does not fit stays as it is, for a detector to see.

    Raises:
        InputError: it cannot be read (`data.read_table`), has no cases, or neither ``at`` nor ``label``; a case has no
            identifier, or a time, an end, a version or a number that is none: all problems at once.
    """
    if path.suffix.lower() in LINES:
        columns, whole = _read_lines(path)
        for batch in whole:
            yield [batch]
    else:
        frame = read_table(path)
        columns = {name.strip(): frame[name].to_list() for name in frame.columns}
    if columns:
        yield from _portions(path, service, _Table(path.name, columns, contract))


class _Table:
    """The columns of a file, read one after the other; keeps what is wrong with them."""

    def __init__(self, file: str, columns: Columns, contract: Contract | None) -> None:
        self._file, self._columns, self._contract = file, columns, contract
        self._issues: list[Issue] = []
        self.ids: list[str] = []

    def __len__(self) -> int:
        return len(self.ids)

    def read(self) -> tuple[Pack | None, list[Scalar]]:
        """Return the observations, None where the file has only labels, and the labels of all rows, [] without."""
        self._require_columns()
        self.ids = self._read_ids()
        labels = [_scalar(value) for value in self._columns.get("label", [])]
        pack = self._read_pack() if "at" in self._columns else None
        if self._issues:
            raise InputError.from_issues(self._file, self._issues)
        return pack, labels

    def _require_columns(self) -> None:
        if "case" not in self._columns or not {"at", "label"} & self._columns.keys():
            found = ", ".join(list(self._columns)[:SHOWN])
            raise InputError("observation.columns_missing", file=self._file, found=found)

    def _read_ids(self) -> list[str]:
        ids = [str(value) if isinstance(value, str | int) else "" for value in self._columns["case"]]
        wrong = [row for row, case in enumerate(ids) if re.fullmatch(CASE_ID_PATTERN, case) is None]
        self._report("case", wrong, lambda row: text("observation.no_case_id", found=str(self._columns["case"][row])))
        first: dict[str, int] = {}
        again = [row for row, case in enumerate(ids) if first.setdefault(case, row) != row and case]
        self._report("case", again, lambda row: text("observation.case_again", found=ids[row]))
        return ids

    def _read_pack(self) -> Pack:
        count = len(self.ids)
        answers = [_scalar(value) for value in self._columns.get("answer", [])]
        return Pack(
            ids=self.ids,
            at=self._read_times(),
            milliseconds=self._read_numbers("milliseconds", count),
            versions=self._read_words("version", lambda word: re.fullmatch(DIGEST_PATTERN, word) is not None, None),
            ends=[str(end) for end in self._read_words("end", lambda word: word in list(CallEnd), CallEnd.ANSWERED)],
            inputs=self._read_inputs(),
            answers=self._typed_answers(answers),
        )

    def _read_times(self) -> list[int]:
        values = self._columns["at"]
        moments = values if all(isinstance(value, datetime) for value in values) else self._parsed_times(values)
        wrong = [row for row, moment in enumerate(moments) if moment is None]
        self._report("at", wrong, lambda row: text("observation.no_time", found=str(values[row])))
        return [0 if moment is None else microseconds(_in_utc(moment)) for moment in moments]

    def _parsed_times(self, values: Sequence[Any]) -> list[datetime | None]:
        spelled = [value.isoformat() if isinstance(value, date) else value for value in values]
        texts = [None if value is None else str(value) for value in spelled]
        return list(type_column(pl.Series("at", texts, dtype=pl.String), DataType.DATETIME).values)

    def _read_numbers(self, name: str, count: int) -> list[float | None]:
        values = self._columns.get(name, [None] * count)
        texts = pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)
        typed = type_column(texts, DataType.FLOAT)
        wrong = [
            row for row, (bad, value) in enumerate(zip(typed.wrong, typed.values, strict=True)) if bad or _below(value)
        ]
        self._report(name, wrong, lambda row: text("observation.no_duration", found=str(values[row])))
        return typed.values.to_list()

    def _read_words(self, name: str, allows: Callable[[str], bool], default: str | None) -> list[str | None]:
        values = [default if value is None else str(value) for value in self._columns.get(name, [None] * len(self.ids))]
        wrong = [row for row, word in enumerate(values) if word is not None and not allows(word)]
        self._report(name, wrong, lambda row: text(f"observation.no_{name}", found=str(values[row])))
        return values

    def _read_inputs(self) -> dict[str, list[Scalar]]:
        names = [name for name in self._columns if name not in OURS]
        return {name.removeprefix(INPUT): self._typed_input(name) for name in names}

    def _typed_input(self, name: str) -> list[Scalar]:
        values = [_scalar(value) for value in self._columns[name]]
        fields = self._contract.features if self._contract else ()
        known = next((field for field in fields if field.name == name.removeprefix(INPUT)), None)
        return _typed(values, known.data_type) if known is not None else values

    def _typed_answers(self, answers: list[Scalar]) -> list[Scalar]:
        kind = self._contract.prediction.kind if self._contract else None
        return _typed(answers, DataType.FLOAT) if kind in ("probability", "value") else answers

    def _report(self, column: str, rows: Sequence[int], problem: Callable[[int], Text]) -> None:
        """Name what is wrong in ``rows``; a file's line is two after the row: it has a header and counts from one."""
        lines = 1 if Path(self._file).suffix.lower() in LINES else 2
        found = (Issue(file=self._file, path=column, problem=problem(row), line=row + lines) for row in rows[:SHOWN])
        self._issues.extend(found)


def write_work(path: Path, work: AuditWork) -> None:
    """Write cases that wait for labels as a table whose empty column ``label`` is to be filled in and taken."""
    names = sorted({name for one in work.items for name in one.inputs})
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["case", "label", *(f"{INPUT}{name}" if name in OURS else name for name in names)])
        table.writerows([[one.case, "", *(one.inputs.get(name) for name in names)] for one in work.items])


def take_file(view: View, service: str, path: Path) -> Taken:
    """Take in what a file holds and return what came of it; the same file again changes nothing.

    Raises:
        NotFoundError: the actor sees no such service.
        RefusedError: it may hand in nothing for it.
        InputError: as `read_batches`; nothing was taken.
    """
    promised = promised_of(view, own_service(view, service))
    contract = None if promised is None else promised.plan.contract
    return sum_of(ingest(view, portion) for portion in read_batches(path, service, contract))


def _portions(path: Path, service: str, table: _Table) -> Iterator[list[Batch]]:
    pack, labels = table.read()
    name = hex_of(digest_file(path))[:24]
    for number, start in enumerate(range(0, len(table), AT_ONCE)):
        rows = range(start, min(start + AT_ONCE, len(table)))
        portion: list[Batch] = []
        if pack is not None:
            portion.append(PackedBatch(service, f"{name}-{number}", pack.among(rows)))
        known = {table.ids[row]: labels[row] for row in rows if labels and labels[row] is not None}
        if known:
            portion.append(LabelBatch(service=service, batch=f"{name}-{number}", labels=known))
        if portion:
            yield portion


def _read_lines(path: Path) -> tuple[Columns, list[ObservationBatch | LabelBatch]]:
    rows: list[dict[str, Any]] = []
    whole: list[ObservationBatch | LabelBatch] = []
    for number, line in enumerate(read_bounded(path, MOST_BYTES).splitlines(), start=1):
        value = _parsed(line, path.name, number)
        model = _WHOLE.get(str(value.get("document"))) if value else None
        if model is not None:
            whole.append(_whole(model, line, path.name))
        elif value:
            rows.append(value)
    if not rows and not whole:
        raise InputError("data.no_rows", file=path.name)
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}, whole


def _parsed(line: bytes, file: str, number: int) -> dict[str, Any]:
    """Return the object of a line, empty for an empty line."""
    if not line.strip():
        return {}
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InputError("observation.no_line", file=file, line=number)
    return value


def _whole(model: type[ObservationBatch | LabelBatch], line: bytes, file: str) -> ObservationBatch | LabelBatch:
    try:
        return model.model_validate_json(line)
    except pydantic.ValidationError as error:
        raise InputError.from_issues(file, issues_of(file, error, model)) from None


def _typed(values: list[Scalar], data_type: DataType) -> list[Scalar]:
    """Return texts as what they spell; what is no text, or spells nothing of this type, stays as it is."""
    if data_type not in (DataType.FLOAT, DataType.INTEGER, DataType.BOOLEAN):
        return values
    texts = [value if isinstance(value, str) else None for value in values]
    if not any(word is not None for word in texts):
        return values
    typed = type_column(pl.Series("", texts, dtype=pl.String), data_type).values.to_list()
    return [value if read is None else read for value, read in zip(values, typed, strict=True)]


def _scalar(value: object) -> Scalar:
    """Return a cell as JSON knows it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return _in_utc(value).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _below(value: float | None) -> bool:
    return value is not None and value < 0
