"""Inference as the Open Inference Protocol has it, version 2."""

from __future__ import annotations

from urllib.parse import quote

from pilotbase.documents.service import EndpointRoute
from pilotbase.protocols.open_inference import HEADER_LENGTH, InferRequest
from pilotbase.protocols.strict_json import WireError
from pilotbase.protocols.upstream import JSON, UpstreamCall, WireRequest


def asked(route: EndpointRoute, question: UpstreamCall) -> WireRequest:
    """Pass the body on as it came, raw tensors too."""
    if not isinstance(question.content, InferRequest):
        raise WireError("wire.other_protocol", field="model", spoken="Open Inference Protocol")
    headers = {"Content-Type": JSON}
    if question.header_length is not None:
        headers = {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(question.header_length)}
    url = f"{route.url.rstrip('/')}/v2/models/{quote(route.model, safe='')}/infer"
    return WireRequest(url, question.body, headers)
