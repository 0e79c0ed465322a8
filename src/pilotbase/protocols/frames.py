"""Frames: the binary form in which features enter the box and answers come back.

    header   24 bytes, little endian: magic ``PBX1``, kind u8, 3 zero bytes, sequence u32, rows u32, length u64
    BATCH    one code per column (padded to 8 bytes), then the columns in the contract's order, each padded to 8 bytes
    SHARED   a BATCH whose payload doesn't follow: it is in a file shared with the box, in one of two slots
    ANSWER   ``label``: int32 codes into the contract's classes, −1 abstains; numbers: float64, NaN abstains, two of
             them for an interval; answers as text: a column of texts, a missing one abstains
    others   JSON

Column codes: ``d`` float64 (NaN = missing), ``q`` int64, ``B`` uint8 (255 = missing), ``t`` text: int64 offsets
(rows + 1), uint8 presence (rows), UTF-8 bytes, each padded to 8 bytes; ``n`` arrays: the same with the bytes of a
``.npy`` file each. A run of float columns is one contiguous block, so that the box can view it as a matrix without
copying. Nothing is pickled. The other end is `sandbox/box/runner.py`.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate, pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pilotbase.documents.answer_texts import AnswerTextError, check_answer
from pilotbase.documents.contract import ARRAYS, Contract, DataType, Field, Prediction
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.array_cells import array_bytes

MAGIC = b"PBX1"
HEADER = struct.Struct("<4sB3xIIQ")
MAX_BATCH_BYTES = 256 << 20
MAX_JSON_BYTES = 64 << 10
MISSING_BOOLEAN = 255

Column = npt.NDArray[Any]
Buffer = bytes | memoryview

_ALLOWED_CODES: Mapping[DataType, frozenset[str]] = {
    DataType.FLOAT: frozenset("d"),
    DataType.INTEGER: frozenset("dq"),
    DataType.BOOLEAN: frozenset("dB"),
}
"""Of others: ``t``."""


class FrameKind(IntEnum):
    """The content of a frame."""

    STARTED = 1
    HELLO = 2
    READY = 3
    BATCH = 4
    ANSWER = 5
    ERROR = 6
    SHARED = 7


@dataclass(frozen=True)
class Header:
    """The head of a frame; ``length`` counts the bytes that follow."""

    kind: FrameKind
    sequence: int
    rows: int
    length: int

    def pack(self) -> bytes:
        return HEADER.pack(MAGIC, self.kind, self.sequence, self.rows, self.length)


@dataclass(frozen=True)
class FeatureBatch:
    """Features of some cases: one array of length ``rows`` a column.

    Dtypes: float64 (NaN = missing; also integers or booleans with missing values), int64, bool or uint8
    (255 = missing), str or object for texts and times, object for arrays (None = missing).
    """

    columns: Mapping[str, Column]
    rows: int

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            if column.shape != (self.rows,):
                raise InputError("box.batch_shape", column=name, shape=column.shape, rows=self.rows)

    @classmethod
    def from_matrix(cls, names: Iterable[str], matrix: npt.NDArray[np.float64]) -> Self:
        """Return the batch with the columns of ``matrix``, shape (rows, columns); views, best in order "F"."""
        return cls({name: matrix[:, index] for index, name in enumerate(names)}, len(matrix))


Following = Callable[[], FeatureBatch | None]
"""Returns the next batch, None after the last; called while a worker is busy with the one before."""


@dataclass(frozen=True)
class AnswerBatch:
    """One answer per case, in the order of the batch.

    ``values`` has shape (rows,): int32 codes into the contract's classes for ``label`` (−1 = abstention), texts as
    objects for spelled answers (None = abstention), otherwise float64 (NaN = abstention), shape (rows, 2) for an
    interval.
    """

    values: Column

    def __len__(self) -> int:
        return len(self.values)

    def labels(self, classes: tuple[str, ...]) -> list[str | None]:
        """Return the class of each case, None for an abstention."""
        return [None if code < 0 else classes[code] for code in self.values.tolist()]


class FrameError(PilotbaseError):
    """What came out of a box breaks the protocol or the contract; ``reason`` says how."""

    def __init__(self, reason: EndReason) -> None:
        super().__init__("box.frame", reason=reason.value)
        self.reason = reason


def encode_batch(batch: FeatureBatch, contract: Contract, sequence: int) -> list[Buffer]:
    """Return the buffers of a BATCH frame, header first; float64 and int64 columns are not copied.

    Raises:
        InputError: a column of the contract is missing, superfluous, or of a dtype that its type does not allow.
    """
    names = [field.name for field in contract.features]
    if len(batch.columns) != len(names) or any(name not in batch.columns for name in names):
        raise InputError("box.batch_columns", found=sorted(batch.columns), allowed=names)
    codes: list[str] = []
    body: list[Buffer] = []
    for field in contract.features:
        code, buffers = _encode_column(field, batch.columns[field.name])
        codes.append(code)
        body.extend(buffers)
    head = "".join(codes).encode()
    payload = [head + b"\0" * (-len(head) % 8), *body]
    length = sum(map(len, payload))
    if length > MAX_BATCH_BYTES:
        raise InputError("box.batch_size", bytes=length, allowed=MAX_BATCH_BYTES)
    return [Header(FrameKind.BATCH, sequence, batch.rows, length).pack(), *payload]


def as_shared(head: Buffer) -> Header:
    """Return the header of a BATCH frame converted to that of a SHARED one."""
    _, _, sequence, rows, length = HEADER.unpack(head)
    return Header(FrameKind.SHARED, sequence, rows, length)


def encode_json(kind: FrameKind, payload: bytes) -> list[Buffer]:
    """Return the buffers of a frame that carries JSON."""
    return [Header(kind, 0, 0, len(payload)).pack(), payload]


def decode_header(data: bytes | bytearray | memoryview) -> Header:
    """Return the header that 24 untrusted bytes spell.

    Raises:
        FrameError: wrong magic, unknown kind, or padding that is not zero (`EndReason.BROKEN_PROTOCOL`).
    """
    magic, kind, sequence, rows, length = HEADER.unpack(data)
    if magic != MAGIC or kind not in _KINDS or bytes(data[5:8]) != b"\0\0\0":
        raise FrameError(EndReason.BROKEN_PROTOCOL)
    return Header(FrameKind(kind), sequence, rows, length)


def check_answer_header(header: Header, prediction: Prediction, rows: int, sequence: int) -> None:
    """Refuse an answer before any of its bytes is read.

    Raises:
        FrameError: it is no answer to this batch, has another count of rows, or claims more bytes than that needs.
    """
    if header.kind is not FrameKind.ANSWER or header.sequence != sequence:
        raise FrameError(EndReason.BROKEN_PROTOCOL)
    least, most = _answer_bytes(prediction, rows)
    if header.length > most:
        raise FrameError(EndReason.OVERSIZED_ANSWER)
    if header.rows != rows:
        raise FrameError(EndReason.WRONG_COUNT)
    if header.length < least:
        raise FrameError(EndReason.BROKEN_PROTOCOL)


def decode_answers(payload: bytes | bytearray, prediction: Prediction, rows: int) -> AnswerBatch:
    """Return the ``rows`` answers in an ANSWER frame whose header has been checked.

    Raises:
        FrameError: a code outside the classes, a probability outside [0, 1], an infinite value, a text that is none or
            no answer of its kind.
    """
    if prediction.is_spelled:
        return AnswerBatch(_checked_texts(decode_texts(payload, rows), prediction))
    values = np.frombuffer(payload, dtype=answer_dtype(prediction))
    if prediction.kind == "label":
        if values.size and (values.min() < -1 or values.max() >= len(prediction.classes)):
            raise FrameError(EndReason.UNKNOWN_CLASS)
    elif prediction.kind == "probability":
        if bool(((values < 0) | (values > 1)).any()):
            raise FrameError(EndReason.OUT_OF_RANGE)
    elif bool(np.isinf(values).any()):
        raise FrameError(EndReason.OUT_OF_RANGE)
    return AnswerBatch(values)


def answer_dtype(prediction: Prediction) -> np.dtype[Any]:
    """Return the dtype of such answers in a frame; for spelled answers, the dtype in which they are stored."""
    if prediction.is_spelled:
        return np.dtype(object)
    if prediction.kind == "interval":
        return np.dtype("(2,)<f8")
    return np.dtype("<i4") if prediction.kind == "label" else np.dtype("<f8")


def abstentions(rows: int, prediction: Prediction) -> Column:
    """Return ``rows`` abstentions, shape (rows,), of intervals (rows, 2): −1, NaN or None."""
    if prediction.kind == "label":
        return np.full(rows, -1, dtype=np.int32)
    if prediction.is_spelled:
        return np.full(rows, None, dtype=object)
    return np.full((rows, 2) if prediction.kind == "interval" else rows, np.nan)


def encode_texts(values: Iterable[str | None]) -> bytes:
    """Return a column of texts as it crosses the wall; None is missing."""
    encoded = [None if value is None else value.encode() for value in values]
    return b"".join(_encode_bytes(encoded))


def decode_texts(payload: bytes | bytearray, rows: int) -> Column:
    """Decode ``rows`` texts from untrusted bytes, None if one is missing.

    Raises:
        FrameError: invalid offsets, or bytes that aren't UTF-8.
    """
    head = 8 * (rows + 1)
    present = bytes(payload[head : head + rows])
    start = head + rows + -rows % 8
    texts = bytes(payload[start:])
    offsets = np.frombuffer(payload, dtype="<i8", count=rows + 1).tolist() if len(payload) >= start else []
    ordered = all(first <= second for first, second in pairwise(offsets))
    if not offsets or offsets[0] != 0 or not ordered or offsets[-1] + -offsets[-1] % 8 != len(texts):
        raise FrameError(EndReason.BROKEN_PROTOCOL)
    values = np.empty(rows, dtype=object)
    try:
        values[:] = [texts[offsets[row] : offsets[row + 1]].decode() if present[row] else None for row in range(rows)]
    except UnicodeDecodeError:
        raise FrameError(EndReason.WRONG_TYPE) from None
    return values


def _answer_bytes(prediction: Prediction, rows: int) -> tuple[int, int]:
    """Return how many bytes the answers to ``rows`` cases have at least and at most."""
    if prediction.is_spelled:
        least = 8 * (rows + 1) + rows + -rows % 8
        return least, min(least + rows * prediction.most_bytes + 7, MAX_BATCH_BYTES)
    exact = rows * answer_dtype(prediction).itemsize
    return exact, exact


def _checked_texts(values: Column, prediction: Prediction) -> Column:
    try:
        for value in values.tolist():
            if value is not None:
                if len(value) > prediction.most_bytes or len(value.encode()) > prediction.most_bytes:
                    raise FrameError(EndReason.OVERSIZED_ANSWER)
                check_answer(value, prediction.kind, prediction.classes)
    except AnswerTextError as error:
        raise FrameError(error.reason) from None
    return values


_KINDS = frozenset(int(kind) for kind in FrameKind)
_CODES = {"f": "d", "i": "q", "u": "q", "b": "B", "O": "t", "U": "t"}
_DTYPES: Mapping[str, np.dtype[Any]] = {"d": np.dtype("<f8"), "q": np.dtype("<i8"), "B": np.dtype("u1")}


def _encode_column(field: Field, column: Column) -> tuple[str, list[Buffer]]:
    code = _code_of(column)
    if code not in _ALLOWED_CODES.get(field.data_type, "t"):
        raise InputError("box.batch_dtype", column=field.name, dtype=str(column.dtype), type=field.data_type.value)
    if field.data_type in ARRAYS:
        return "n", _encode_bytes([None if cell is None else array_bytes(cell) for cell in column.tolist()])
    if code == "t":
        return code, _encode_column_of_texts(field.name, column)
    return code, _padded(_bytes_of(np.ascontiguousarray(column, dtype=_DTYPES[code])))


def _code_of(column: Column) -> str:
    kind = column.dtype.kind
    if kind == "u" and column.dtype.itemsize == 1:
        return "B"
    return _CODES.get(kind, "?")


def _encode_column_of_texts(name: str, column: Column) -> list[Buffer]:
    values = column.tolist()
    strange = next((value for value in values if value is not None and not isinstance(value, str)), None)
    if strange is not None:
        raise InputError("box.batch_text", column=name, found=type(strange).__name__)
    return _encode_bytes([None if value is None else value.encode() for value in values])


def _encode_bytes(values: list[bytes | None]) -> list[Buffer]:
    """Return byte strings of any length: where each ends, which are there, and one after the other."""
    encoded = [value or b"" for value in values]
    offsets = array("q", accumulate(map(len, encoded), initial=0)).tobytes()
    present = bytes(value is not None for value in values)
    return [offsets, *_padded(present), *_padded(b"".join(encoded))]


def _bytes_of(column: Column) -> Buffer:
    return column.data.cast("B") if column.size else b""


def _padded(data: Buffer) -> list[Buffer]:
    gap = -len(data) % 8
    return [data, b"\0" * gap] if gap else [data]
