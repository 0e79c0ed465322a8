"""How a question is put to an endpoint of others: what every adapter of a protocol gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pilotbase.documents.service import EndpointRoute
from pilotbase.protocols.upstream import UpstreamCall


@dataclass(frozen=True)
class WireRequest:
    """What is sent to an endpoint."""

    url: str
    body: bytes
    headers: Mapping[str, str]


class UpstreamWire(Protocol):
    """One protocol that endpoints of others speak."""

    def asked(self, route: EndpointRoute, question: UpstreamCall) -> WireRequest:
        """Return what is sent for ``question``, under the endpoint's own name of the model.

        Raises:
            WireError: ``wire.other_protocol``, where the caller speaks one that this cannot be put in.
        """
