"""Routes of the OpenAI API, and rerank beside them, at the addresses at which its clients look for it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pilotbase.documents.service import CertifiedRoute, EndpointRoute, Service
from pilotbase.gateway.door import Door, Gateway, Handler, ProblemMessage, call_of, language_of, secret_of
from pilotbase.protocols import openai_tasks, openai_wire
from pilotbase.protocols.open_inference import InferRequest
from pilotbase.protocols.openai_tasks import TaskRequest
from pilotbase.protocols.openai_wire import ChatRequest
from pilotbase.protocols.responses_wire import ResponseWriter, read_responses_request
from pilotbase.protocols.strict_json import write_json
from pilotbase.protocols.upstream import JSON, UpstreamCall
from pilotbase.service.calls import NOTHING, Cost, in_billionths

ReadTask = Callable[[bytes, str], ChatRequest | TaskRequest]
"""Reads a body of a media type; raises `WireError`."""


def _of_json(read: Callable[[bytes], ChatRequest | TaskRequest]) -> ReadTask:
    return lambda body, _: read(body)


_RERANK = _of_json(openai_tasks.read_rerank_request)
_TASKS: Mapping[str, ReadTask] = {
    "/v1/completions": _of_json(openai_tasks.read_completion_request),
    "/v1/embeddings": _of_json(openai_tasks.read_embedding_request),
    "/v1/audio/transcriptions": openai_tasks.read_transcription_request,
    "/v1/images/generations": _of_json(openai_tasks.read_image_request),
    "/v1/rerank": _RERANK,
    "/v2/rerank": _RERANK,
    "/rerank": _RERANK,
}


def openai_routes(gateway: Gateway) -> list[Route]:
    """Return the routes under /v1."""
    door = _OpenAIDoor(gateway, error_body)
    return [
        door.route("/v1/chat/completions", door.chat, "POST"),
        door.route("/v1/responses", door.respond, "POST"),
        *(door.route(path, door.task(read), "POST") for path, read in _TASKS.items()),
        door.route("/v1/models", door.models),
        door.route("/v1/models/{model}", door.model),
    ]


def error_body(problem: ProblemMessage) -> bytes:
    """Return a problem as the clients of OpenAI read it."""
    kind = problem.kind
    return openai_wire.error_body(problem.message, kind.type, kind.code or problem.code, problem.param)


class _OpenAIDoor(Door):
    async def chat(self, request: Request) -> Response:
        """Answer a chat completion, whole or streamed."""
        secret, service, body = await self.received(request)
        asked = openai_wire.read_chat_request(body)
        question = question_of(request, body, asked)
        return await self.answered(request, secret, question, most_cost(service, question))

    async def respond(self, request: Request) -> Response:
        """Answer the same in the shape of the Responses API, which keeps nothing between two requests."""
        secret, service, body = await self.received(request)
        sent, chat = read_responses_request(body)
        body = write_json(chat)
        question = question_of(request, body, openai_wire.read_chat_request(body))
        form = ResponseWriter(sent, question.call, question.created)
        return await self.answered(request, secret, question, most_cost(service, question), form)

    def task(self, read: ReadTask) -> Handler:
        """Return what answers a task with an address of its own."""

        async def answer(request: Request) -> Response:
            secret, service, body = await self.received(request)
            asked = read(body, request.headers.get("content-type", ""))
            question = question_of(request, body, asked)
            return await self.answered(request, secret, question, most_cost(service, question))

        return answer

    async def models(self, request: Request) -> Response:
        """List what the key opens."""
        service = await self.gateway.desk.service(secret_of(request))
        return Response(openai_wire.write_models({service.name: 0}, service.organisation), media_type=JSON)

    async def model(self, request: Request) -> Response:
        """Describe one service."""
        service = await self.gateway.desk.service(secret_of(request), request.path_params["model"])
        return Response(openai_wire.write_model(service.name, 0, service.organisation), media_type=JSON)


def question_of(request: Request, body: bytes, asked: ChatRequest | TaskRequest) -> UpstreamCall:
    """Return the call that a request makes."""
    return UpstreamCall(
        call=call_of(request),
        service=asked.model,
        body=body,
        content=asked,
        created=int(time.time()),
        language=language_of(request),
    )


def most_cost(service: Service, question: UpstreamCall) -> Cost:
    """Return the most that the answer to a request may cost."""
    asked = question.content
    assert not isinstance(asked, InferRequest)
    most = asked.most(len(question.body)) if _counts_tokens(service) else 0
    return Cost(1, most).at_least(_most_by_model(service))


def _counts_tokens(service: Service) -> bool:
    """Return whether answers of ``service`` may use tokens: certified applications themselves use none."""
    return any(isinstance(route, EndpointRoute) for route in service.routes)


def _most_by_model(service: Service) -> Cost:
    """Return the most that an agent of ``service`` may use before it answers: the budget of its whole dialogue."""
    doors = [route.door for route in service.routes if isinstance(route, CertifiedRoute)]
    most = (Cost(0, door.tokens, in_billionths(door.most_cost or Decimal(0))) for door in doors if door is not None)
    return functools.reduce(Cost.at_least, most, NOTHING)
