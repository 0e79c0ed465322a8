"""Chat completions and the other tasks of OpenAI's API, and rerank beside them."""

from __future__ import annotations

from pilotbase.documents.service import EndpointRoute
from pilotbase.protocols.open_inference import InferRequest
from pilotbase.protocols.strict_json import WireError
from pilotbase.protocols.upstream import UpstreamCall, WireRequest


def asked(route: EndpointRoute, question: UpstreamCall) -> WireRequest:
    """Pass the caller's fields on, at the address of their task."""
    content = question.content
    if isinstance(content, InferRequest):
        raise WireError("wire.other_protocol", field="model", spoken="OpenAI")
    body, media_type = content.sent(route.model)
    return WireRequest(f"{route.url.rstrip('/')}/{content.place}", body, {"Content-Type": media_type})
