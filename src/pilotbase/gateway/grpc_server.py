"""The Open Inference Protocol over gRPC: each call is put to this gateway as the same call over REST.

So keys, budgets, limits and errors are those of REST. Messages are described here, by the numbers of the protocol
(kserve/open-inference-protocol, ``open_inference_grpc.proto``; Triton, ``grpc_service.proto`` and
``model_config.proto`` for configuration, statistics and index), in a pool of their own. What a client sends as typed
contents becomes JSON; raw contents stay raw, and answers are raw.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.extras import packages_of
from pilotbase.protocols.open_inference import BYTES, HEADER_LENGTH, binary_data, read_infer_response
from pilotbase.protocols.strict_json import WireError, write_json

SERVICE = "inference.GRPCInferenceService"
_MESSAGES = """
ServerLiveRequest
ServerLiveResponse live:bool=1
ServerReadyRequest
ServerReadyResponse ready:bool=1
ModelReadyRequest name:string=1 version:string=2
ModelReadyResponse ready:bool=1
ServerMetadataRequest
ServerMetadataResponse name:string=1 version:string=2 extensions:string*=3
ModelMetadataRequest name:string=1 version:string=2
ModelMetadataResponse name:string=1 versions:string*=2 platform:string=3 inputs:Described*=4 outputs:Described*=5
Described name:string=1 datatype:string=2 shape:int64*=3
Parameter bool_param:bool=1 int64_param:int64=2 string_param:string=3 double_param:double=4 uint64_param:uint64=5
ParameterEntry key:string=1 value:Parameter=2
Contents bool_contents:bool*=1 int_contents:int32*=2 int64_contents:int64*=3 uint_contents:uint32*=4 \
uint64_contents:uint64*=5 fp32_contents:float*=6 fp64_contents:double*=7 bytes_contents:bytes*=8
Tensor name:string=1 datatype:string=2 shape:int64*=3 parameters:ParameterEntry*=4 contents:Contents=5
Requested name:string=1 parameters:ParameterEntry*=2
ModelInferRequest model_name:string=1 model_version:string=2 id:string=3 parameters:ParameterEntry*=4 inputs:Tensor*=5 \
outputs:Requested*=6 raw_input_contents:bytes*=7
ModelInferResponse model_name:string=1 model_version:string=2 id:string=3 parameters:ParameterEntry*=4 \
outputs:Tensor*=5 raw_output_contents:bytes*=6
ModelConfigRequest name:string=1 version:string=2
ModelConfigResponse config:Config=1
Config name:string=1 platform:string=2 max_batch_size:int32=4 input:ConfiguredInput*=5 output:ConfiguredOutput*=6
ConfiguredInput name:string=1 data_type:int32=2 dims:int64*=4
ConfiguredOutput name:string=1 data_type:int32=2 dims:int64*=3
ModelStatisticsRequest name:string=1 version:string=2
ModelStatisticsResponse model_stats:Statistics*=1
Statistics name:string=1 version:string=2 last_inference:uint64=3 inference_count:uint64=4 execution_count:uint64=5 \
inference_stats:Ends=6
Ends success:Duration=1 fail:Duration=2
Duration count:uint64=1 ns:uint64=2
RepositoryIndexRequest repository_name:string=1 ready:bool=2
RepositoryIndexResponse models:Indexed*=1
Indexed name:string=1 version:string=2 state:string=3 reason:string=4
"""
"""A message a line: its fields with type and number, ``*`` where they are repeated."""
_FIELD = re.compile(r"(\w+):(\w+)(\*?)=(\d+)")
_DATATYPES = [
    "INVALID",
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "FP32",
    "FP64",
    "STRING",
]
"""In the order of the protocol's numbers."""
_CODES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    413: "RESOURCE_EXHAUSTED",
    415: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Status over REST → code of gRPC; of others: UNKNOWN."""
_PASSED = ("authorization", "x-request-id", "accept-language", "traceparent")
"""Metadata that means the same as a header."""
_READINESS = frozenset({"ServerReady", "ModelReady"})
_CONTENTS: Mapping[str, str] = {
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "INT64": "int64_contents",
    "UINT64": "uint64_contents",
    "BOOL": "bool_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}
_MORE = 4096
"""A message may be larger than a body by so many bytes."""
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


@cache
def message_types() -> Mapping[str, Any]:
    """Return name → class of each message; raises `PilotbaseError` where the extra ``grpc`` is not installed."""
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ModuleNotFoundError:
        raise PilotbaseError("gateway.no_grpc", packages=packages_of("grpc")) from None
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="pilotbase_inference.proto", package="inference", syntax="proto3")
    for line in _MESSAGES.strip().splitlines():
        message = file.message_type.add(name=line.split(" ", 1)[0])
        for name, kind, many, number in _FIELD.findall(line):
            added = message.field.add(name=name, number=int(number))
            added.label = kinds.LABEL_REPEATED if many else kinds.LABEL_OPTIONAL
            if kind[0].isupper():
                added.type, added.type_name = kinds.TYPE_MESSAGE, f".inference.{kind}"
            else:
                added.type = getattr(kinds, f"TYPE_{kind.upper()}")
            if message.name == "Parameter":
                added.oneof_index = 0
        if message.name == "Parameter":
            message.oneof_decl.add(name="parameter_choice")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        one.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"inference.{one.name}"))
        for one in file.message_type
    }


class GrpcServer:
    """Answers at ``host:port``, beside the REST server and in its event loop."""

    def __init__(self, app: Asgi, host: str, port: int, body_bytes: int) -> None:
        """Raises `PilotbaseError` where the extra ``grpc`` is not installed."""
        try:
            import grpc
        except ModuleNotFoundError:
            raise PilotbaseError("gateway.no_grpc", packages=packages_of("grpc")) from None
        self._grpc, self._app, self._place, self._most = grpc, app, f"{host}:{port}", body_bytes + _MORE
        self._types = message_types()
        self._server: Any = None
        self.port = 0

    async def start(self) -> None:
        """Listen."""
        grpc = self._grpc
        options = [("grpc.max_receive_message_length", self._most), ("grpc.so_reuseport", 0)]
        self._server = grpc.aio.server(options=options)
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                self._handler(name),
                request_deserializer=self._types[f"{name}Request"].FromString,
                response_serializer=self._types[f"{name}Response"].SerializeToString,
            )
            for name in _CALLS
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.port = self._server.add_insecure_port(self._place)
        await self._server.start()

    async def close(self, seconds: float) -> None:
        """Let calls under way end, for so long at most."""
        if self._server is not None:
            await self._server.stop(seconds)

    def _handler(self, name: str) -> Callable[[Any, Any], Awaitable[Any]]:
        asked, answered = _CALLS[name]
        told = (200, 503) if name in _READINESS else (200,)

        async def answer(request: Any, context: Any) -> Any:
            known = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
            reply = await _put(self._app, asked(request), known)
            if reply.status not in told:
                await self._refuse(context, reply)
            try:
                message = self._filled(f"{name}Response", answered(reply))
            except WireError as problem:  # of an endpoint, which speaks the protocol badly
                await context.abort(self._grpc.StatusCode.UNAVAILABLE, problem.render("en"), reply.told)
            context.set_trailing_metadata(reply.told)
            return message

        return answer

    def _filled(self, name: str, fields: Mapping[str, Any]) -> Any:
        from google.protobuf.json_format import ParseDict

        raw = fields.get("raw_output_contents", ())
        plain = {key: value for key, value in fields.items() if key != "raw_output_contents"}
        message = ParseDict(plain, self._types[name](), ignore_unknown_fields=True)
        if raw:
            message.raw_output_contents.extend(raw)
        return message

    async def _refuse(self, context: Any, reply: _Reply) -> None:
        code = getattr(self._grpc.StatusCode, _CODES.get(reply.status, "UNKNOWN"))
        told = json.loads(reply.body).get("error", "") if reply.body else ""
        wait = reply.headers.get("retry-after")
        again = () if wait is None else (("grpc-retry-pushback-ms", str(int(wait) * 1000)),)
        await context.abort(code, told, (*reply.told, *again))


@dataclass(frozen=True)
class _Asked:
    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Reply:
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def told(self) -> tuple[tuple[str, str], ...]:
        """What comes with an answer, as trailing metadata."""
        return tuple(one for one in self.headers.items() if one[0].startswith(("pilotbase-", "x-request-id")))


async def _put(app: Asgi, asked: _Asked, known: Mapping[str, str]) -> _Reply:
    """Put a call to the REST side and return its reply; ``known``: what came with it, such as the key."""
    passed = {name: known[name] for name in _PASSED if name in known}
    headers = {**passed, **asked.headers, "content-length": str(len(asked.body))}
    scope = {
        "type": "http",
        "http_version": "2",
        "method": asked.method,
        "scheme": "http",
        "path": asked.path,
        "raw_path": asked.path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": None,
        "server": None,
    }
    reply, left = _Reply(), [asked.body]

    async def receive() -> MutableMapping[str, Any]:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        await asyncio.Event().wait()  # where the caller goes, this task is cancelled
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            reply.body += message.get("body", b"")

    await app(scope, receive, send)
    return reply


def _model(name: str, version: str) -> str:
    return f"/v2/models/{name}/versions/{version}" if version else f"/v2/models/{name}"


def _get(path: str) -> Callable[[Any], _Asked]:
    return lambda _: _Asked("GET", path)


def _of_model(part: str) -> Callable[[Any], _Asked]:
    return lambda request: _Asked("GET", f"{_model(request.name, request.version)}{part}")


def _statistics_asked(request: Any) -> _Asked:
    return _Asked("GET", f"{_model(request.name, request.version)}/stats" if request.name else "/v2/models/stats")


def _infer_asked(request: Any) -> _Asked:
    """Return the call over REST: JSON, and behind it the tensors that came raw or hold bytes."""
    given, raw, described = iter(request.raw_input_contents), list[bytes](), list[Mapping[str, object]]()
    for tensor in request.inputs:
        one = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
        if tensor.HasField("contents"):
            values = list(getattr(tensor.contents, _CONTENTS.get(tensor.datatype, "bytes_contents")))
            if tensor.datatype != BYTES:
                described.append({**one, "data": values})
                continue
            raw.append(b"".join(len(value).to_bytes(4, "little") + value for value in values))
        else:
            raw.append(next(given, b""))
        described.append({**one, "parameters": {"binary_data_size": len(raw[-1])}})
    raw.extend(given)  # more than there are inputs for: the reader says so
    told = {
        entry.key: getattr(entry.value, entry.value.WhichOneof("parameter_choice") or "bool_param")
        for entry in request.parameters
    }
    message: dict[str, object] = {"inputs": described, "parameters": {**told, "binary_data_output": True}}
    message |= {"id": request.id} if request.id else {}
    message |= {"outputs": [{"name": one.name} for one in request.outputs]} if request.outputs else {}
    head = write_json(message)
    headers = {HEADER_LENGTH: str(len(head))}
    return _Asked("POST", f"{_model(request.model_name, request.model_version)}/infer", b"".join([head, *raw]), headers)


def _inferred(reply: _Reply) -> Mapping[str, Any]:
    """Return the fields of the answer, its tensors raw; raises `WireError`."""
    told = reply.headers.get(HEADER_LENGTH)
    length = None if told is None else int(told)
    head = json.loads(reply.body[:length])
    tensors = read_infer_response(reply.body, length).outputs if head.get("outputs") else ()
    parameters = [
        {"key": key, "value": {_parameter(value): value}} for key, value in head.get("parameters", {}).items()
    ]
    return {
        "model_name": head.get("model_name", ""),
        "model_version": str(head.get("model_version", "")),
        "id": head.get("id", ""),
        "parameters": parameters,
        "outputs": [one.described for one in tensors],
        "raw_output_contents": [binary_data(one) for one in tensors],
    }


def _parameter(value: object) -> str:
    kinds = {bool: "bool_param", int: "int64_param", float: "double_param"}
    return kinds.get(type(value), "string_param")


def _configured(reply: _Reply) -> Mapping[str, Any]:
    config = reply.message
    for tensor in (*config["input"], *config["output"]):
        tensor["data_type"] = _DATATYPES.index(tensor["data_type"].removeprefix("TYPE_"))
    return {"config": config}


_CALLS: Mapping[str, tuple[Callable[[Any], _Asked], Callable[[_Reply], Mapping[str, Any]]]] = {
    "ServerLive": (_get("/v2/health/live"), lambda reply: {"live": True}),
    "ServerReady": (_get("/v2/health/ready"), lambda reply: {"ready": reply.status == 200}),
    "ServerMetadata": (_get("/v2"), lambda reply: reply.message),
    "ModelReady": (_of_model("/ready"), lambda reply: {"ready": reply.status == 200}),
    "ModelMetadata": (_of_model(""), lambda reply: reply.message),
    "ModelConfig": (_of_model("/config"), _configured),
    "ModelStatistics": (_statistics_asked, lambda reply: reply.message),
    "RepositoryIndex": (lambda _: _Asked("POST", "/v2/repository/index"), lambda reply: {"models": reply.message}),
    "ModelInfer": (_infer_asked, _inferred),
}
"""Name → the call over REST, and what its reply fills the answer with."""
