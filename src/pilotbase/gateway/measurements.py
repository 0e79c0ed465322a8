"""What a gateway has counted, for Prometheus: requests, calls by how they ended, tokens, boxes, waiting calls."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator

from pilotbase.documents.vocabularies import CallEnd
from pilotbase.gateway.upstreams.registry import Upstreams
from pilotbase.protocols.prometheus import Gauge, Measurements


class GatewayMeasurements:
    """Counts of one gateway; services are those of the base, so their names are few."""

    def __init__(self) -> None:
        self.requests = Measurements(time.time())
        self.ends: dict[str, int] = {end.value: 0 for end in CallEnd}
        """How a call ended → how many did."""
        self._calls: dict[str, int] = defaultdict(int)
        self._tokens: dict[str, int] = defaultdict(int)

    def settled(self, service: str, end: CallEnd, tokens: int) -> None:
        """Count a call that was settled."""
        self.ends[end.value] += 1
        self._calls[service] += 1
        self._tokens[service] += tokens

    def render(self, upstreams: Upstreams) -> str:
        """Return everything as text."""
        return self.requests.render([*self._gauges(upstreams)])

    def _gauges(self, upstreams: Upstreams) -> Iterator[Gauge]:
        pending: dict[str, float] = defaultdict(float)
        boxes: dict[str, float] = defaultdict(float)
        for service, upstream in upstreams:
            pending[service] += upstream.pending
            boxes[service] += upstream.boxes
        yield Gauge("calls_total", "Calls by how they ended.", dict(self.ends), "end", "counter")
        yield Gauge("service_calls_total", "Calls by service.", dict(self._calls), "service", "counter")
        yield Gauge("service_tokens_total", "Tokens by service.", dict(self._tokens), "service", "counter")
        yield Gauge("service_pending", "Calls under way or waiting.", pending, "service")
        yield Gauge("service_boxes", "Boxes that run.", boxes, "service")
