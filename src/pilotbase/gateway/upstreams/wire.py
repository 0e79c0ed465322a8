"""How a question is put to an endpoint of others: what every adapter of a protocol gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pilotbase.documents.service import EndpointRoute
from pilotbase.protocols.upstream import UpstreamCall


@dataclass(frozen=True)
class WireRequest:
    """What is sent to an endpoint."""

    url: str
    body: bytes
    headers: Mapping[str, str]


UpstreamWire = Callable[[EndpointRoute, UpstreamCall], WireRequest]
"""Returns what is sent for a question, under the endpoint's own name of the model.

Raises `WireError` ``wire.other_protocol`` where the caller speaks one that the endpoint's protocol has no place for.
"""
