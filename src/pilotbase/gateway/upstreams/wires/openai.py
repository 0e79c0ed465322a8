"""Chat completions and embeddings as OpenAI has them."""

from __future__ import annotations

from pilotbase.documents.service import EndpointRoute
from pilotbase.protocols.open_inference import InferRequest
from pilotbase.protocols.openai_wire import ChatRequest
from pilotbase.protocols.strict_json import WireError, write_json
from pilotbase.protocols.upstream import JSON, UpstreamCall, WireRequest


def asked(route: EndpointRoute, question: UpstreamCall) -> WireRequest:
    """Pass the caller's fields on; an answer is never longer than was reserved, and a stream tells its usage."""
    content = question.content
    if isinstance(content, InferRequest):
        raise WireError("wire.other_protocol", field="model", spoken="OpenAI")
    fields = {**content.fields, "model": route.model}
    if isinstance(content, ChatRequest):
        fields |= {} if content.bounded else {"max_tokens": content.most_tokens}
        fields |= {"stream_options": {"include_usage": True}} if content.stream else {}
    place = "chat/completions" if isinstance(content, ChatRequest) else "embeddings"
    return WireRequest(f"{route.url.rstrip('/')}/{place}", write_json(fields), {"Content-Type": JSON})
