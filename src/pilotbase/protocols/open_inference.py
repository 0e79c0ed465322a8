"""Messages of the Open Inference Protocol, version 2, over REST: bytes to frozen dataclasses and back.

Sources: kserve/open-inference-protocol, ``inference_rest.md``; the binary tensor data extension of Triton, in which the
header ``Inference-Header-Content-Length`` says where the JSON ends and the raw tensors begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pilotbase.protocols.oip_tensors import (
    BYTES,
    NUMERIC,
    Tensor,
    binary_data,
    json_data,
    read_shape,
    tensor_from_binary,
    tensor_from_json,
)
from pilotbase.protocols.strict_json import WireError, read_object, write_json

HEADER_LENGTH = "inference-header-content-length"
MAXIMUM_TENSORS = 10_000
MAXIMUM_HEADER_BYTES = 4 << 20
_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,79}")
_DATATYPES = frozenset({*NUMERIC, BYTES})


@dataclass(frozen=True)
class InferRequest:
    """What is asked of a model."""

    id: str | None
    inputs: tuple[Tensor, ...]
    outputs: tuple[str, ...]
    """Names of the tensors that are wanted; empty: all."""
    binary: frozenset[str] | bool
    """Which outputs are wanted as raw bytes; True: every one that is not named in ``outputs``."""


@dataclass(frozen=True)
class InferResponse:
    """What a model answers; ``parameters`` are of the whole answer."""

    model: str
    version: str
    id: str | None
    outputs: tuple[Tensor, ...]
    parameters: Mapping[str, bool | int | str]


@dataclass(frozen=True)
class TensorMetadata:
    """What the metadata of a model say of one tensor; −1 stands for any size."""

    name: str
    datatype: str
    shape: tuple[int, ...]


def read_header_length(value: str | None, size: int) -> int | None:
    """Return the length of the JSON before the raw tensors, None where there are none; raises `WireError`."""
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 10 or int(value) > min(size, MAXIMUM_HEADER_BYTES):
        raise WireError("wire.header_length", field="Inference-Header-Content-Length")
    return int(value)


def read_infer_request(body: bytes, header_length: int | None = None) -> InferRequest:
    """Return the request in ``body``, of which the first ``header_length`` bytes are JSON (None: all are).

    Raises:
        WireError: it is no request of the protocol: no JSON, a tensor whose data do not fit its shape or datatype, raw
            bytes missing or left over.
    """
    view = memoryview(body)
    split = len(view) if header_length is None else header_length
    message = read_object(view[:split])
    inputs, used = _read_tensors(message.get("inputs"), view[split:], "inputs")
    if split + used != len(view):
        raise WireError("wire.bytes_left", found=len(view) - split, wanted=used)
    outputs, binary = _read_outputs(message)
    return InferRequest(_read_id(message.get("id")), inputs, outputs, binary)


def write_infer_response(response: InferResponse, binary: frozenset[str] | bool) -> tuple[bytes, int | None]:
    """Return the body of a response and the length of its JSON, None where no tensor follows it in raw bytes."""
    raw: list[bytes] = []
    outputs: list[Mapping[str, object]] = []
    for tensor in response.outputs:
        described = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
        if binary is True or (not isinstance(binary, bool) and tensor.name in binary):
            raw.append(binary_data(tensor))
            outputs.append({**described, "parameters": {"binary_data_size": len(raw[-1])}})
        else:
            outputs.append({**described, "data": json_data(tensor)})
    message: dict[str, object] = {"model_name": response.model, "model_version": response.version}
    if response.id is not None:
        message["id"] = response.id
    if response.parameters:
        message["parameters"] = dict(response.parameters)
    head = write_json({**message, "outputs": outputs})
    return (b"".join([head, *raw]), len(head)) if raw else (head, None)


def write_infer_request(inputs: Sequence[Tensor], outputs: Sequence[str] = ()) -> bytes:
    """Return the body of a request, all of it JSON; ``outputs`` names the tensors that are wanted, none: all."""
    described = [
        {"name": one.name, "datatype": one.datatype, "shape": list(one.shape), "data": json_data(one)} for one in inputs
    ]
    wanted = {"outputs": [{"name": name} for name in outputs]} if outputs else {}
    return write_json({"inputs": described, **wanted})


def read_infer_response(body: bytes, header_length: int | None = None) -> InferResponse:
    """Return the response in ``body``, of which the first ``header_length`` bytes are JSON (None: all are).

    Raises:
        WireError: it is no response of the protocol.
    """
    view = memoryview(body)
    split = len(view) if header_length is None else header_length
    message = read_object(view[:split])
    outputs, used = _read_tensors(message.get("outputs"), view[split:], "outputs")
    if split + used != len(view):
        raise WireError("wire.bytes_left", found=len(view) - split, wanted=used)
    name, version = message.get("model_name"), message.get("model_version")
    return InferResponse(name if isinstance(name, str) else "", _word(version), None, outputs, {})


def server_metadata(name: str, version: str) -> bytes:
    """Return the metadata of the server."""
    return write_json({"name": name, "version": version, "extensions": ["binary_tensor_data"]})


def model_metadata(
    name: str,
    versions: Sequence[str],
    platform: str,
    tensors: tuple[Sequence[TensorMetadata], Sequence[TensorMetadata]],
) -> bytes:
    """Return the metadata of a model; ``tensors`` are its inputs and its outputs."""
    inputs, outputs = ([_described(tensor) for tensor in side] for side in tensors)
    described = {"name": name, "versions": list(versions), "platform": platform, "inputs": inputs, "outputs": outputs}
    return write_json(described)


def readiness(name: str, ready: bool) -> bytes:
    """Return what is said of the readiness of a model."""
    return write_json({"name": name, "ready": ready})


def error_body(message: str) -> bytes:
    """Return the body of an error."""
    return write_json({"error": message})


def _read_id(found: object) -> str | None:
    if found is None or found == "":
        return None
    if not isinstance(found, str) or _IDENTITY.fullmatch(found) is None:
        raise WireError("wire.identity", field="id")
    return found


def _word(found: object) -> str:
    """Return a version as text: some servers spell it as a number."""
    return str(found) if isinstance(found, str | int) else ""


def _read_tensors(found: object, raw: memoryview, field: str) -> tuple[tuple[Tensor, ...], int]:
    """Return the tensors of a message, and how many of the ``raw`` bytes they took."""
    if not isinstance(found, list) or not 1 <= len(found) <= MAXIMUM_TENSORS:
        if field == "outputs":
            raise WireError("wire.no_outputs", field=field)
        raise WireError("wire.no_inputs", field=field)
    tensors: list[Tensor] = []
    used = 0
    for place, described in enumerate(found):
        tensor, size = _read_tensor(described, f"{field}[{place}]", raw[used:])
        tensors.append(tensor)
        used += size
    names = [tensor.name for tensor in tensors]
    if len(set(names)) != len(names):
        raise WireError("wire.tensor_twice", field=field)
    return tuple(tensors), used


def _read_tensor(described: object, place: str, raw: memoryview) -> tuple[Tensor, int]:
    if not isinstance(described, dict):
        raise WireError("wire.tensor_form", field=place)
    name, datatype = described.get("name"), described.get("datatype")
    if not isinstance(name, str) or not 1 <= len(name) <= 200:
        raise WireError("wire.tensor_form", field=place)
    if not isinstance(datatype, str) or datatype not in _DATATYPES:
        raise WireError("wire.datatype", field=name, allowed=", ".join(sorted(_DATATYPES)))
    shape, size = read_shape(described.get("shape"), name), _binary_size(described, name)
    if size is None:
        return tensor_from_json(name, datatype, shape, described.get("data")), 0
    if "data" in described or size > len(raw):
        raise WireError("wire.tensor_bytes", field=name, found=len(raw), wanted=size)
    return tensor_from_binary(name, datatype, shape, raw[:size]), size


def _binary_size(described: Mapping[str, object], name: str) -> int | None:
    size = _parameters(described, name).get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise WireError("wire.tensor_form", field=name)
    return size


def _read_outputs(message: Mapping[str, object]) -> tuple[tuple[str, ...], frozenset[str] | bool]:
    """Return the names of the outputs that are wanted, and which of them as raw bytes."""
    every = _flag(_parameters(message, "parameters"), "binary_data_output") or False
    found = message.get("outputs")
    if found is None:
        return (), every
    if not isinstance(found, list) or len(found) > MAXIMUM_TENSORS:
        raise WireError("wire.tensor_form", field="outputs")
    wanted = list(_output_flags(found))
    binary = frozenset(name for name, flag in wanted if (every if flag is None else flag))
    return tuple(name for name, _ in wanted), binary


def _output_flags(found: Sequence[object]) -> Iterator[tuple[str, bool | None]]:
    for place, described in enumerate(found):
        name = described.get("name") if isinstance(described, dict) else None
        if not isinstance(described, dict) or not isinstance(name, str):
            raise WireError("wire.tensor_form", field=f"outputs[{place}]")
        yield name, _flag(_parameters(described, name), "binary_data")


def _flag(parameters: Mapping[str, object], name: str) -> bool | None:
    flag = parameters.get(name)
    if flag is None or isinstance(flag, bool):
        return flag
    raise WireError("wire.tensor_form", field=name)


def _parameters(described: Mapping[str, object], field: str) -> Mapping[str, object]:
    found = described.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise WireError("wire.tensor_form", field=field)
    return found


def _described(tensor: TensorMetadata) -> Mapping[str, object]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
