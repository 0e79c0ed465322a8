"""Triton's client of gRPC, unmodified, on a certified application in a real box and on an endpoint of others."""

import asyncio
import contextlib
import socket

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import model_config_pb2, service_pb2
from tritonclient.utils import InferenceServerException

from pilotbase.documents.texts import text
from pilotbase.gateway.app import make_app, open_gateway
from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.gateway.grpc_server import SERVICE, message_types
from pilotbase.service.standing import take_offline
from pilotbase.service.terms import list_budgets
from tests.gateway.gateways_for_tests import Live, serving

COLUMNS = {
    "pressure": ("FP64", np.array([7.5, 1.0, 6.75])),
    "age": ("INT64", np.array([3, 4, 5])),
    "site": ("BYTES", np.array(["north", "south", "north"], dtype=object)),
}


@pytest.fixture(scope="module")
def spoken(place):
    """Return a gateway that speaks gRPC too, and the client's connection to it."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    gateway = open_gateway(place.base.lab, GatewayConfiguration(allow=("127.0.0.1",)))
    app = make_app(gateway, place.base.lab, ("127.0.0.1", port))
    with serving(app) as url, triton.InferenceServerClient(f"127.0.0.1:{port}") as client:
        yield Live(url, gateway), client, port


def key_of(secret):
    return {"authorization": f"Bearer {secret}"}


def tensors(columns=COLUMNS):
    made = []
    for name, (datatype, values) in columns.items():
        made.append(triton.InferInput(name, list(values.shape), datatype).set_data_from_numpy(values))
    return made


def test_a_case_is_answered_as_over_rest(spoken, place, served):
    _, client, _ = spoken
    result = client.infer(served, tensors(), headers=key_of(place.key(served)), request_id="shift-7")
    assert result.as_numpy("prediction").tolist() == [b"broken", b"fine", b""]
    assert result.get_response().id == "shift-7" and result.get_response().model_version.startswith("sha256:")


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
def test_a_compressed_message_is_the_same_message(spoken, place, served, compression):
    _, client, _ = spoken
    result = client.infer(served, tensors(), headers=key_of(place.key(served)), compression_algorithm=compression)
    assert result.as_numpy("prediction").tolist() == [b"broken", b"fine", b""]


def test_typed_contents_are_read_and_what_came_is_told_in_the_trailing_metadata(spoken, place, served):
    _, _, port = spoken
    request = service_pb2.ModelInferRequest(model_name=served)
    for name, (datatype, values) in COLUMNS.items():
        tensor = request.inputs.add(name=name, datatype=datatype, shape=[3])
        field = {"FP64": "fp64_contents", "INT64": "int64_contents", "BYTES": "bytes_contents"}[datatype]
        getattr(tensor.contents, field).extend(
            [value.encode() if isinstance(value, str) else value for value in values.tolist()]
        )
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(
            f"/{SERVICE}/ModelInfer",
            request_serializer=service_pb2.ModelInferRequest.SerializeToString,
            response_deserializer=service_pb2.ModelInferResponse.FromString,
        )
        answer, told = call.with_call(request, metadata=list(key_of(place.key(served)).items()), timeout=60)
    assert answer.raw_output_contents[0] == b"\x06\0\0\0broken\x04\0\0\0fine\0\0\0\0"
    trailing = dict(told.trailing_metadata())
    assert trailing["pilotbase-standing"] == "serving" and trailing["x-request-id"]


def test_what_is_asked_about_server_and_model_is_answered(spoken, place, served):
    _, client, _ = spoken
    headers = key_of(place.key(served))
    assert client.is_server_live() and client.is_server_ready()
    assert "statistics" in client.get_server_metadata().extensions
    client.infer(served, tensors(), headers=headers)
    assert client.is_model_ready(served, headers=headers)
    described = client.get_model_metadata(served, headers=headers)
    assert [one.name for one in described.inputs] == list(COLUMNS) and described.outputs[0].datatype == "BYTES"
    config = client.get_model_config(served, headers=headers).config
    assert [one.data_type for one in config.input] == [model_config_pb2.TYPE_FP64, model_config_pb2.TYPE_INT64, 13]
    assert (config.output[0].name, list(config.output[0].dims)) == ("prediction", [-1])
    (counted,) = client.get_inference_statistics(served, headers=headers).model_stats
    assert counted.inference_count >= 1 and counted.inference_stats.success.ns > 0
    (one,) = client.get_model_repository_index(headers=headers).models
    assert (one.name, one.version, one.state) == (served, described.versions[0], "READY")


def test_keys_budgets_and_contracts_hold_as_over_rest(spoken, place, served, name):
    live, client, _ = spoken
    refused = {
        "UNAUTHENTICATED": lambda: client.infer(served, tensors()),
        "NOT_FOUND": lambda: client.infer("other", tensors(), headers=key_of(place.key(served))),
        "INVALID_ARGUMENT": lambda: client.infer(served, tensors()[:2], headers=key_of(place.key(served))),
    }
    place.serve(name, timeout_seconds=20)
    place.budget("calls", name, calls=2)
    key = key_of(place.key(name, budget="calls"))
    for _ in range(2):
        client.infer(name, tensors(), headers=key)
    refused["RESOURCE_EXHAUSTED"] = lambda: client.infer(name, tensors(), headers=key)
    for code, call in refused.items():
        with pytest.raises(InferenceServerException) as caught:
            call()
        assert caught.value.status() == f"StatusCode.{code}" and caught.value.message()
    live.gateway.desk.desk.give_back()
    (budget,) = list_budgets(place.base.lab.view, name)
    assert budget.used_calls + budget.held_calls == 2


def test_a_service_that_is_stopped_is_not_ready_and_is_not_asked(spoken, place, name):
    _, client, _ = spoken
    place.serve(name)
    take_offline(place.base.lab.view, name, text("service.reason.by_hand", reason="a test"))
    headers = key_of(place.key(name))
    assert client.is_model_ready(name, headers=headers) is False
    with pytest.raises(InferenceServerException) as caught:
        client.infer(name, tensors(), headers=headers)
    assert caught.value.status() == "StatusCode.PERMISSION_DENIED"


def test_an_endpoint_that_speaks_it_over_rest_is_asked_through_it(spoken, place, name, endpoint):
    _, client, _ = spoken
    place.endpoint(endpoint.url, name, protocol="oip")
    inputs = tensors({"x": ("FP64", np.array([1.5]))})
    assert client.infer(name, inputs, headers=key_of(place.key(name))).as_numpy("y").tolist() == [2.5]


def test_a_caller_who_goes_is_settled(spoken, place, name):
    live, client, _ = spoken
    place.serve(name, timeout_seconds=20)
    slow = {**COLUMNS, "pressure": ("FP64", np.array([6.25, 6.25, 6.25]))}
    with pytest.raises(InferenceServerException) as caught:
        client.infer(name, tensors(slow), headers=key_of(place.key(name)), client_timeout=1.0)
    assert caught.value.status() == "StatusCode.DEADLINE_EXCEEDED"

    async def settled():
        while live.counts(name):
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(settled(), 60))


@pytest.mark.parametrize("change", ["fewer", "more", "wrong type"])
def test_tensors_that_do_not_fit_their_bytes_are_refused(spoken, place, served, change):
    _, _, port = spoken
    request = service_pb2.ModelInferRequest(model_name=served)
    request.inputs.add(name="pressure", datatype="FP99" if change == "wrong type" else "FP64", shape=[1])
    request.raw_input_contents.extend({"fewer": [], "more": [bytes(8), b"x"], "wrong type": [bytes(8)]}[change])
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(
            f"/{SERVICE}/ModelInfer",
            request_serializer=service_pb2.ModelInferRequest.SerializeToString,
            response_deserializer=service_pb2.ModelInferResponse.FromString,
        )
        with pytest.raises(grpc.RpcError) as caught:
            call(request, metadata=list(key_of(place.key(served)).items()), timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_our_description_has_the_numbers_of_the_protocol():
    ours = message_types()
    theirs = {**vars(service_pb2), "Config": model_config_pb2.ModelConfig}
    theirs |= {"Parameter": service_pb2.InferParameter, "Contents": service_pb2.InferTensorContents}
    theirs |= {"Tensor": service_pb2.ModelInferRequest.InferInputTensor, "Statistics": service_pb2.ModelStatistics}
    theirs |= {"ConfiguredInput": model_config_pb2.ModelInput, "ConfiguredOutput": model_config_pb2.ModelOutput}
    theirs |= {"Ends": service_pb2.InferStatistics, "Duration": service_pb2.StatisticDuration}
    theirs |= {"Described": service_pb2.ModelMetadataResponse.TensorMetadata}
    compared = 0
    for name, kind in ours.items():
        known = theirs.get(name)
        if known is not None:
            numbers = {one.name: one.number for one in known.DESCRIPTOR.fields}
            assert all(numbers[one.name] == one.number for one in kind.DESCRIPTOR.fields), name
            compared += 1
    assert compared >= 24
