"""Routes of the OpenAI API: chat completions, responses, embeddings, models."""

from __future__ import annotations

import functools
import time
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pilotbase.documents.service import CertifiedRoute, EndpointRoute, Service
from pilotbase.gateway.door import Door, Gateway, call_of, language_of, secret_of
from pilotbase.gateway.problems import ProblemMessage
from pilotbase.protocols import openai_wire
from pilotbase.protocols.openai_wire import ChatRequest, EmbeddingRequest, most_prompt_tokens
from pilotbase.protocols.responses_wire import ResponseWriter, read_responses_request
from pilotbase.protocols.strict_json import write_json
from pilotbase.protocols.upstream import JSON, UpstreamCall
from pilotbase.service.calls import NOTHING, Cost, in_billionths


def openai_routes(gateway: Gateway) -> list[Route]:
    """Return the routes under /v1."""
    door = _OpenAIDoor(gateway, error_body)
    return [
        door.route("/v1/chat/completions", door.chat, "POST"),
        door.route("/v1/responses", door.respond, "POST"),
        door.route("/v1/embeddings", door.embed, "POST"),
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

    async def embed(self, request: Request) -> Response:
        """Answer with embeddings."""
        secret, service, body = await self.received(request)
        asked = openai_wire.read_embedding_request(body)
        most = Cost(1, most_prompt_tokens(len(body)) if _counts_tokens(service) else 0)
        return await self.answered(request, secret, question_of(request, body, asked), most)

    async def models(self, request: Request) -> Response:
        """List what the key opens."""
        service = await self.gateway.desk.service(secret_of(request))
        return Response(openai_wire.write_models({service.name: 0}, service.organisation), media_type=JSON)

    async def model(self, request: Request) -> Response:
        """Describe one service."""
        service = await self.gateway.desk.service(secret_of(request), request.path_params["model"])
        return Response(openai_wire.write_model(service.name, 0, service.organisation), media_type=JSON)


def question_of(request: Request, body: bytes, asked: ChatRequest | EmbeddingRequest) -> UpstreamCall:
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
    """Return the most that the answer to a chat request may cost."""
    asked = question.content
    assert isinstance(asked, ChatRequest)
    prompt = most_prompt_tokens(len(question.body), asked.messages)
    most = asked.most_tokens + prompt if _counts_tokens(service) else 0
    return Cost(1, most).at_least(_most_by_model(service))


def _counts_tokens(service: Service) -> bool:
    """Return whether answers of ``service`` may use tokens: certified applications themselves use none."""
    return any(isinstance(route, EndpointRoute) for route in service.routes)


def _most_by_model(service: Service) -> Cost:
    """Return the most that an agent of ``service`` may use before it answers: the budget of its whole dialogue."""
    doors = [route.door for route in service.routes if isinstance(route, CertifiedRoute)]
    most = (Cost(0, door.tokens, in_billionths(door.most_cost or Decimal(0))) for door in doors if door is not None)
    return functools.reduce(Cost.at_least, most, NOTHING)
