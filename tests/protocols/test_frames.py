"""The binary form of batches and answers, on our side of the wall."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.documents.errors import InputError
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.frames import (
    HEADER,
    MAGIC,
    AnswerBatch,
    FeatureBatch,
    FrameError,
    FrameKind,
    Header,
    answer_dtype,
    check_answer_header,
    decode_answers,
    decode_header,
    encode_batch,
)
from pilotbase.sandbox.box import runner, work_program
from pilotbase.sandbox.box.channel import SLOTS

FLOATS = Contract(
    features=tuple(Field(name=f"x{index}", dataType="sc:Float") for index in range(3)),
    prediction=Prediction(kind="value"),
)
LABEL = Prediction(kind="label", classes=("no", "yes"))


def contract(data_type: str) -> Contract:
    return Contract(features=(Field(name="x", dataType=data_type),), prediction=Prediction(kind="value"))


def payload(batch: FeatureBatch, agreed: Contract) -> bytes:
    return b"".join(bytes(buffer) for buffer in encode_batch(batch, agreed, 7)[1:])


def test_the_programs_in_the_box_speak_the_same_frames():
    for program in (runner, work_program):
        assert (program.MAGIC, program.HEADER.format) == (MAGIC, HEADER.format)
        assert [getattr(program, kind.name) for kind in FrameKind] == list(FrameKind)
    assert runner.SLOTS == SLOTS


def test_floats_are_one_block_in_the_order_of_the_contract():
    matrix = np.arange(12, dtype=np.float64).reshape(4, 3)
    shuffled = FeatureBatch({name: matrix[:, int(name[1])] for name in ("x2", "x0", "x1")}, 4)
    assert payload(shuffled, FLOATS) == b"ddd\0\0\0\0\0" + matrix.T.tobytes()
    header = decode_header(encode_batch(shuffled, FLOATS, 7)[0])
    assert header == Header(FrameKind.BATCH, 7, 4, 8 + 12 * 8)


def test_contiguous_columns_are_not_copied():
    column = np.arange(5, dtype=np.float64)
    buffers = encode_batch(FeatureBatch({"x": column}, 5), contract("sc:Float"), 1)
    assert np.shares_memory(np.frombuffer(buffers[2]), column)


def test_texts_carry_offsets_and_presence():
    batch = FeatureBatch({"x": np.array(["中", None, ""], dtype=object)}, 3)
    expected = b"t\0\0\0\0\0\0\0" + struct.pack("<4q", 0, 3, 3, 3) + b"\1\0\1\0\0\0\0\0" + "中".encode() + b"\0" * 5
    assert payload(batch, contract("sc:Text")) == expected


@pytest.mark.parametrize(
    ("data_type", "column"),
    [
        ("sc:Float", np.array(["1"])),
        ("sc:Integer", np.array([True])),
        ("sc:Boolean", np.array([1, 2])),
        ("sc:Text", np.array([1.0])),
        ("sc:Date", np.array(["2026-01-01"], dtype="datetime64[D]")),
        ("sc:Float", np.array([1j])),
    ],
)
def test_a_dtype_that_cannot_carry_the_type_is_refused(data_type, column):
    with pytest.raises(InputError) as refused:
        encode_batch(FeatureBatch({"x": column}, len(column)), contract(data_type), 1)
    assert refused.value.code == "box.batch_dtype"


def test_texts_hold_nothing_but_texts():
    with pytest.raises(InputError) as refused:
        encode_batch(FeatureBatch({"x": np.array(["a", float("nan")], dtype=object)}, 2), contract("sc:Text"), 1)
    assert refused.value.code == "box.batch_text"


@pytest.mark.parametrize("names", [("x0", "x1"), ("x0", "x1", "x2", "label"), ("x0", "x1", "y")])
def test_only_the_features_of_the_contract_cross(names):
    with pytest.raises(InputError) as refused:
        encode_batch(FeatureBatch({name: np.zeros(2) for name in names}, 2), FLOATS, 1)
    assert refused.value.code == "box.batch_columns"


def test_columns_of_another_length_are_refused():
    with pytest.raises(InputError):
        FeatureBatch({"x": np.zeros(3)}, 2)


def test_an_empty_batch_is_a_batch():
    assert len(payload(FeatureBatch({f"x{index}": np.zeros(0) for index in range(3)}, 0), FLOATS)) == 8


@pytest.mark.parametrize("position", [0, 4, 5, 6, 7])
def test_a_header_is_strict(position):
    data = bytearray(Header(FrameKind.ANSWER, 1, 2, 16).pack())
    assert decode_header(data) == Header(FrameKind.ANSWER, 1, 2, 16)
    data[position] = 200
    with pytest.raises(FrameError) as refused:
        decode_header(data)
    assert refused.value.reason is EndReason.BROKEN_PROTOCOL


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"kind": FrameKind.READY}, EndReason.BROKEN_PROTOCOL),
        ({"sequence": 8}, EndReason.BROKEN_PROTOCOL),
        ({"rows": 4}, EndReason.WRONG_COUNT),
        ({"rows": 4, "length": 16}, EndReason.OVERSIZED_ANSWER),
        ({"length": 8}, EndReason.BROKEN_PROTOCOL),
    ],
)
def test_an_answer_is_refused_by_its_header(changes, reason):
    header = replace(Header(FrameKind.ANSWER, 7, 3, 12), **changes)
    if reason is None:
        check_answer_header(header, LABEL, rows=3, sequence=7)
        return
    with pytest.raises(FrameError) as refused:
        check_answer_header(header, LABEL, rows=3, sequence=7)
    assert refused.value.reason is reason


def test_labels_are_codes_and_minus_one_abstains():
    codes = np.array([1, -1, 0], dtype="<i4")
    assert decode_answers(codes.tobytes(), LABEL, 3).labels(LABEL.classes) == ["yes", None, "no"]
    for strange in (-2, 2, 2**31 - 1):
        with pytest.raises(FrameError) as refused:
            decode_answers(np.array([0, strange], dtype="<i4").tobytes(), LABEL, 2)
        assert refused.value.reason is EndReason.UNKNOWN_CLASS


def test_values_may_be_anything_finite():
    values = np.array([-1e300, 0.0, np.nan])
    np.testing.assert_array_equal(
        decode_answers(values.tobytes(), Prediction(kind="value"), len(values)).values, values
    )
    with pytest.raises(FrameError):
        decode_answers(np.array([-np.inf]).tobytes(), Prediction(kind="value"), 1)


def test_answers_have_the_dtype_of_their_kind():
    assert answer_dtype(LABEL) == np.int32 and answer_dtype(Prediction(kind="probability")) == np.float64
    assert len(AnswerBatch(np.zeros(4))) == 4
