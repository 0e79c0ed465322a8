"""An independent client of the Open Inference Protocol (Triton's, unmodified), and messages that no client sends."""

import json
import struct
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from pilotbase.certificate.revoking import reinstate, suspend
from pilotbase.documents.certificate import RISK_WARNING
from pilotbase.documents.texts import text
from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.protocols.open_inference import EXTENSIONS
from pilotbase.service.standing import ask_human
from tests.gateway.gateways_for_tests import listening

COLUMNS = {
    "pressure": ("FP64", np.array([7.5, 1.0, 6.75])),
    "age": ("INT64", np.array([3, 4, 5])),
    "site": ("BYTES", np.array(["north", "south", "north"], dtype=object)),
}


def client(live):
    return triton.InferenceServerClient(live.url.removeprefix("http://"))


def headers(key):
    return {"Authorization": f"Bearer {key}"}  # a new one a call: the client writes into it


def tensors(binary=True, shape=(3,), columns=COLUMNS):
    made = []
    for name, (datatype, values) in columns.items():
        tensor = triton.InferInput(name, list(shape), datatype)
        made.append(tensor.set_data_from_numpy(values.reshape(shape), binary_data=binary))
    return made


@pytest.mark.parametrize("asked", ["binary", "json"])
@pytest.mark.parametrize("answered", ["binary", "json", "as the client has it"])
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_tensors_in_json_and_in_raw_bytes(live, place, served, asked, answered, shape):
    outputs = None
    if answered != "as the client has it":
        outputs = [triton.InferRequestedOutput("prediction", binary_data=answered == "binary")]
    inputs = tensors(asked == "binary", shape)
    result = client(live).infer(served, inputs, outputs=outputs, headers=headers(place.key(served)), request_id="a-1")
    assert [label.decode() if isinstance(label, bytes) else label for label in result.as_numpy("prediction")] == [
        "broken",
        "fine",
        "",
    ]
    assert result.get_response()["id"] == "a-1"


def test_what_there_is_is_told_as_the_protocol_has_it(live, place, served):
    own, key = client(live), place.key(served)
    assert own.is_server_live()
    assert own.is_server_ready()
    assert own.get_server_metadata()["extensions"] == list(EXTENSIONS)
    described = own.get_model_metadata(served, headers=headers(key))
    assert [(tensor["name"], tensor["datatype"]) for tensor in described["inputs"]] == [
        (name, datatype) for name, (datatype, _) in COLUMNS.items()
    ]
    (version,) = described["versions"]
    own.infer(served, tensors(), model_version=version, headers=headers(key))
    assert own.is_model_ready(served, version, headers=headers(key))
    with pytest.raises(InferenceServerException, match="no version"):
        own.infer(served, tensors(), model_version="7", headers=headers(key))


def test_readiness_neither_starts_nor_counts_a_version_that_is_barred(live, place, name):
    place.serve(name)
    key, base, own = place.key(name), place.base, client(live)

    def boxes() -> int:
        return sum(upstream.boxes for service, upstream in live.gateway.upstreams.made() if service == name)

    now = base.lab.view.store.clock
    suspend(base.trust, base.lab.view, base.revocations, place.certificate, RISK_WARNING, now())
    try:
        assert not own.is_model_ready(name, headers=headers(key))
        (version,) = own.get_model_metadata(name, headers=headers(key))["versions"]
        assert not own.is_model_ready(name, version, headers=headers(key))
        time.sleep(3)
        assert boxes() == 0
        with listening(base, GatewayConfiguration()) as fresh:  # nor is it woken when a gateway starts
            time.sleep(1)
            assert not any(upstream.boxes for service, upstream in fresh.gateway.upstreams.made() if service == name)
    finally:
        reinstate(base.trust, base.lab.view, base.revocations, place.certificate, now())
    deadline = time.monotonic() + 60
    while not own.is_model_ready(name, headers=headers(key)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert boxes() == 1


def test_without_a_key_there_is_nothing(live, served):
    with pytest.raises(InferenceServerException, match="401"):
        client(live).infer(served, tensors())
    with pytest.raises(InferenceServerException, match="401"):
        client(live).get_model_metadata(served)


def test_more_cases_than_a_batch_of_the_trial_are_answered_in_order(live, place, served):
    pressure = np.linspace(0, 6, 99)
    pressure[50] = 7
    columns = {
        "pressure": ("FP64", pressure),
        "age": ("INT64", np.arange(99)),
        "site": ("BYTES", np.array(["x"] * 99, dtype=object)),
    }
    result = client(live).infer(served, tensors(shape=(99,), columns=columns), headers=headers(place.key(served)))
    assert [row for row, label in enumerate(result.as_numpy("prediction")) if label == b"broken"] == [50]


def test_a_question_for_a_person_is_an_abstention_that_says_so(live, place, name):
    place.serve(name, ask_human=True)
    ask_human(place.base.lab.view, name, text("gateway.handed_over"))
    result = client(live).infer(name, tensors(), headers=headers(place.key(name)))
    assert list(result.as_numpy("prediction")) == [b""] * 3
    assert result.get_response()["parameters"] == {"pilotbase.handed_over": True}


def post(live, key, service, body, length=None):
    """Return status and error of a raw request."""
    fields = {**headers(key), "Content-Type": "application/octet-stream"}
    if length is not None:
        fields["Inference-Header-Content-Length"] = str(length)
    request = urllib.request.Request(f"{live.url}/v2/models/{service}/infer", body, fields)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def message(**changes):
    tensor = {"name": "pressure", "datatype": "FP64", "shape": [1], "data": [7.5]}
    others = [
        {"name": "age", "datatype": "INT64", "shape": [1], "data": [3]},
        {"name": "site", "datatype": "BYTES", "shape": [1], "data": ["north"]},
    ]
    return json.dumps({"inputs": [{**tensor, **changes}, *others]}).encode()


def test_a_plain_request_by_hand(live, place, served):
    status, answer = post(live, place.key(served), served, message())
    assert status == 200
    assert answer["outputs"][0]["data"] == ["broken"]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "no input tensors"),
        (b"[" * 3000, "not JSON"),
        (message(shape=[2]), "1 element sent, but its shape needs 2"),
        (message(shape=[1, 1, 1], data=[[[7.5]]]), "shape [n] or [n, 1]"),
        (message(shape=[2, 1], data=[[1, 2]]), "nested otherwise"),
        (message(shape=[-1]), "its shape is none"),
        (message(shape=[1 << 40, 1 << 40], data=[]), "its shape is none"),
        (message(shape=True), "its shape is none"),
        (message(datatype="FP16"), "unknown datatype"),
        (message(datatype="INT8", data=[300]), "not elements of INT8"),
        (message(data=["7.5"]), "not elements of FP64"),
        (message(data=[10**400]), "not elements of FP64"),
        (message(data=None), "not elements of FP64"),
        (message(name="age"), "same name"),
        (message(parameters={"binary_data_size": 8}), "of raw data"),
        (message(parameters={"binary_data_size": -1}), "not as the protocol has it"),
        (message(data=[11]), "above the maximum"),
        (message(name="colour"), "pressure: the field is missing"),
    ],
)
def test_malformed_tensors_are_told(live, place, served, body, said):
    status, answer = post(live, place.key(served), served, body)
    assert status == 400
    assert said in answer["error"]


@pytest.mark.parametrize("length", ["99999", "-1", "x", "4"])
def test_a_length_of_the_json_that_is_none_is_told(live, place, served, length):
    status, answer = post(live, place.key(served), served, message(), length)
    assert (status, list(answer)) == (400, ["error"])


def test_raw_bytes_that_do_not_fit_are_told(live, place, served):
    def ask(raw, size):
        described = {"name": "site", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": size}}
        head = json.dumps({"inputs": [described]}).encode()
        return post(live, place.key(served), served, head + raw, len(head))

    assert "of raw data" in ask(struct.pack("<I", 9) + b"north", 9)[1]["error"]
    assert "of raw data" in ask(b"\x05", 1)[1]["error"]
    assert "after the JSON" in ask(struct.pack("<I", 5) + b"north!", 9)[1]["error"]
    assert "UTF-8" in ask(struct.pack("<I", 2) + b"\xff\xff", 6)[1]["error"]


def test_other_addresses_are_told_in_the_shape_of_the_protocol(live):
    for path, shape in (("/v2/models/x/y/z", str), ("/v1/nothing", dict)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(live.url + path, timeout=60)
        assert caught.value.code == 404
        assert isinstance(json.load(caught.value)["error"], shape)
