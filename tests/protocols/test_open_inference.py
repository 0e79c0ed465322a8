"""Tensors and messages of the Open Inference Protocol there and back; whatever strangers send is read or refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from pilotbase.protocols.open_inference import (
    BYTES,
    NUMERIC,
    InferResponse,
    Tensor,
    binary_data,
    json_data,
    read_infer_request,
    texts_tensor,
    write_infer_response,
)
from pilotbase.protocols.strict_json import WireError


def numbers(datatype):
    dtype = NUMERIC[datatype]
    if dtype.kind == "b":
        return some.booleans()
    if dtype.kind == "f":
        return some.floats(allow_nan=False, allow_infinity=False, width=dtype.itemsize * 8)
    return some.integers(np.iinfo(dtype).min, np.iinfo(dtype).max)


def one_tensor(tensor, binary):
    described = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
    if not binary:
        return json.dumps({"inputs": [{**described, "data": json_data(tensor)}]}).encode(), None
    raw = binary_data(tensor)
    head = json.dumps({"inputs": [{**described, "parameters": {"binary_data_size": len(raw)}}]}).encode()
    return head + raw, len(head)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("datatype", sorted(NUMERIC))
@settings(max_examples=25)
@given(data=some.data())
def test_numbers_there_and_back(datatype, binary, data):
    values = data.draw(some.lists(numbers(datatype), min_size=1, max_size=6))
    tensor = Tensor("x", datatype, (len(values), 1), np.array(values, dtype=NUMERIC[datatype]))
    (read,) = read_infer_request(*one_tensor(tensor, binary)).inputs
    assert (read.shape, read.values.dtype) == (tensor.shape, tensor.values.dtype)
    np.testing.assert_array_equal(read.values, tensor.values)


@pytest.mark.parametrize("binary", [True, False])
@given(texts=some.lists(some.text(some.characters(exclude_categories=["Cs"])), max_size=6))
def test_texts_there_and_back(binary, texts):
    (read,) = read_infer_request(*one_tensor(texts_tensor("x", texts, (len(texts),)), binary)).inputs
    assert [value.decode() for value in read.values] == texts


def test_missing_numbers_and_texts_are_null_in_json():
    body = {
        "inputs": [
            {"name": "x", "datatype": "FP64", "shape": [2], "data": [1.5, None]},
            {"name": "y", "datatype": "BYTES", "shape": [2], "data": ["a", None]},
        ]
    }
    x, y = read_infer_request(json.dumps(body).encode()).inputs
    np.testing.assert_array_equal(x.values, [1.5, np.nan])
    assert y.values.tolist() == [b"a", None]
    assert json_data(x) == [1.5, None]


def test_nested_data_are_read_row_by_row():
    tensor = {"name": "x", "datatype": "INT8", "shape": [2, 2, 1], "data": [[[1], [2]], [[3], [4]]]}
    (read,) = read_infer_request(json.dumps({"inputs": [tensor]}).encode()).inputs
    assert read.values.tolist() == [1, 2, 3, 4]


def test_outputs_are_raw_only_where_they_are_wanted_so():
    outputs = (texts_tensor("label", ["a"], (1,)), Tensor("score", "FP64", (1,), np.array([0.5])))
    response = InferResponse("m", "1", "call", outputs, {"pilotbase.handed_over": True})
    body, length = write_infer_response(response, frozenset({"score"}))
    head = json.loads(body[:length])
    assert head["outputs"][0]["data"] == ["a"]
    assert head["outputs"][1]["parameters"] == {"binary_data_size": 8}
    assert body[length:] == np.array([0.5]).tobytes()
    assert head["parameters"] == {"pilotbase.handed_over": True}
    plain, none = write_infer_response(response, False)
    assert none is None
    assert json.loads(plain)["outputs"][1]["data"] == [0.5]


@pytest.mark.parametrize(
    ("asked", "binary"),
    [
        ({}, False),
        ({"parameters": {"binary_data_output": True}}, True),
        ({"outputs": [{"name": "a", "parameters": {"binary_data": True}}, {"name": "b"}]}, frozenset("a")),
        (
            {
                "parameters": {"binary_data_output": True},
                "outputs": [{"name": "a", "parameters": {"binary_data": False}}],
            },
            frozenset(),
        ),
    ],
)
def test_which_outputs_are_wanted_raw(asked, binary):
    tensor = {"name": "x", "datatype": "INT8", "shape": [1], "data": [1]}
    assert read_infer_request(json.dumps({"inputs": [tensor], **asked}).encode()).binary == binary


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=8,
)
keys = some.sampled_from(["name", "datatype", "shape", "data", "parameters", "binary_data_size"])
tensors = some.dictionaries(keys, json_values | some.sampled_from(["FP64", BYTES, [1], [2, 1]]), max_size=6)


@pytest.mark.prove
@given(some.binary() | some.builds(lambda one: json.dumps({"inputs": one}).encode(), some.lists(tensors, max_size=3)))
def test_whatever_is_sent_is_read_or_refused(body):
    try:
        read_infer_request(body)
    except WireError as error:
        assert error.render("en")
        assert error.render("zh")


@given(some.binary(max_size=60), some.integers(0, 60))
def test_whatever_raw_bytes_are_sent_are_read_or_refused(raw, size):
    described = {"name": "x", "datatype": BYTES, "shape": [2], "parameters": {"binary_data_size": size}}
    head = json.dumps({"inputs": [described]}).encode()
    try:
        (tensor,) = read_infer_request(head + raw, len(head)).inputs
    except WireError:
        return
    assert binary_data(tensor) == raw
