"""Routes of the Open Inference Protocol, version 2."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pilotbase import __version__
from pilotbase.documents.service import Route as ServiceRoute
from pilotbase.documents.service import Service
from pilotbase.gateway.calls import version_of
from pilotbase.gateway.door import Door, Gateway, ProblemMessage, call_of, language_of, secret_of
from pilotbase.gateway.tracing import AnswerTimes
from pilotbase.gateway.upstreams.certified import CertifiedUpstream
from pilotbase.protocols import open_inference
from pilotbase.protocols.contract_tensors import input_metadata, output_metadata
from pilotbase.protocols.open_inference import HEADER_LENGTH, Tensors, read_header_length, read_infer_request
from pilotbase.protocols.upstream import JSON, UpstreamCall
from pilotbase.workspace.failures import NotFoundError

SERVER = "pilotbase"
PLATFORM, ENDPOINT = "pilotbase_python", "endpoint"


def oip_routes(gateway: Gateway) -> list[Route]:
    """Return the routes under /v2."""
    door = _InferenceDoor(gateway, error_body)
    model = "/v2/models/{model}"
    version = f"{model}/versions/{{version}}"
    return [
        door.route("/v2", door.server),
        door.route("/v2/health/live", door.live),
        door.route("/v2/health/ready", door.ready),
        *(door.route(path, door.metadata) for path in (model, version)),
        *(door.route(f"{path}/ready", door.model_ready) for path in (model, version)),
        *(door.route(f"{path}/config", door.config) for path in (model, version)),
        *(door.route(f"{path}/stats", door.statistics) for path in (model, version)),
        door.route("/v2/models/stats", door.statistics),
        door.route("/v2/repository/index", door.index, "POST"),
        *(door.route(f"{path}/infer", door.infer, "POST") for path in (model, version)),
    ]


def error_body(problem: ProblemMessage) -> bytes:
    """Return a problem as the clients of the protocol read it."""
    return open_inference.error_body(problem.message)


class _InferenceDoor(Door):
    async def server(self, _: Request) -> Response:
        """Describe this server."""
        return Response(open_inference.server_metadata(SERVER, __version__), media_type=JSON)

    async def live(self, _: Request) -> Response:
        """Answer while the process does."""
        return Response()

    async def ready(self, _: Request) -> Response:
        """Answer whether calls can be admitted."""
        return Response(status_code=200 if await self.gateway.desk.ready() else 503)

    async def metadata(self, request: Request) -> Response:
        """Describe one service: its versions, and the tensors of the first of them, or of the one that is named."""
        service, route = await self._addressed(request)
        platform, tensors = self._described(service, route)
        versions = [version_of(one) for one in service.routes]
        return Response(open_inference.model_metadata(service.name, versions, platform, tensors), media_type=JSON)

    async def config(self, request: Request) -> Response:
        """Describe the same as the configuration of a model: cases come as rows of its tensors, not as a batch."""
        service, route = await self._addressed(request)
        platform, tensors = self._described(service, route)
        return Response(open_inference.model_config(service.name, platform, tensors), media_type=JSON)

    async def statistics(self, request: Request) -> Response:
        """Return what this gateway has counted of the service since it was started."""
        service, route = await self._addressed(request)
        answers = self.gateway.measurements.answers
        ends = [answers.get((service.name, answered), AnswerTimes()) for answered in (True, False)]
        answered, failed = ((one.count, one.nanoseconds) for one in ends)
        last = max(one.last for one in ends)
        body = open_inference.model_statistics(service.name, version_of(route), answered, failed, last)
        return Response(body, media_type=JSON)

    async def index(self, request: Request) -> Response:
        """List what the key opens: each version, and whether it would answer at once; nothing is started."""
        service = await self.gateway.desk.service(secret_of(request))
        may = await self.gateway.desk.may_answer(service.name)
        ready = self.gateway.upstreams.is_ready
        states = {version_of(one): one in may and ready(service, one) for one in service.routes}
        return Response(open_inference.repository_index(service.name, states), media_type=JSON)

    async def model_ready(self, request: Request) -> Response:
        """Return whether something that may answer would do so at once; what is to answer and sleeps is woken.

        What may not answer, because it is barred or has expired, makes nothing ready and is never started.
        """
        service, named = await self._addressed(request)
        may = await self.gateway.desk.may_answer(service.name)
        if "version" in request.path_params:
            may = [route for route in may if route == named]
        upstreams = self.gateway.upstreams
        for route in may[:1]:
            upstreams.wake(service, route)
        ready = any(upstreams.is_ready(service, route) for route in may)
        body = open_inference.readiness(service.name, ready)
        return Response(body, 200 if ready else 503, media_type=JSON)

    async def infer(self, request: Request) -> Response:
        """Answer a call."""
        secret, service, body = await self.received(request, request.path_params["model"])
        length = read_header_length(request.headers.get(HEADER_LENGTH), len(body))
        asked = read_infer_request(body, length)
        question = UpstreamCall(
            call=call_of(request, asked.id),
            service=service.name,
            body=body,
            content=asked,
            created=int(time.time()),
            header_length=length,
            version=request.path_params.get("version"),
            language=language_of(request),
        )
        return await self.answered(request, secret, question)

    def _described(self, service: Service, route: ServiceRoute) -> tuple[str, Tensors]:
        """Return what a route is answered by, and its tensors: unknown of an endpoint."""
        upstream = self.gateway.upstreams.of(service, route)
        if not isinstance(upstream, CertifiedUpstream):
            return ENDPOINT, ((), ())
        contract = upstream.model.contract
        return PLATFORM, (input_metadata(contract), output_metadata(contract.prediction))

    async def _addressed(self, request: Request) -> tuple[Service, ServiceRoute]:
        """Return the service that the address names, and its first route, or the one of the version that it names."""
        service = await self.gateway.desk.service(secret_of(request), request.path_params.get("model"))
        version = request.path_params.get("version")
        for route in service.routes:
            if version in (None, version_of(route)):
                return service, route
        raise NotFoundError("gateway.unknown_version", version=version)
