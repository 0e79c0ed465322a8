"""The text format of Prometheus (exposition format 0.0.4): counts and times of requests, gauges and counters."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True)
class Gauge:
    """A value that goes up and down, or one for each value of ``label``; of kind ``counter`` it only goes up."""

    name: str
    help: str
    values: Mapping[str, float]
    """Value of the label → value now; a gauge without a label has the empty string."""
    label: str = ""
    kind: Literal["gauge", "counter"] = "gauge"


class Measurements:
    """Counts of requests by method, route and status, and how long they took. Safe between threads.

    ``started``: when the process did, in seconds since 1970.
    """

    def __init__(self, started: float) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str, int], int] = defaultdict(int)
        self._buckets: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
        self._seconds: dict[str, float] = defaultdict(float)
        self._started = started

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; methods that HTTP does not name are one."""
        place = sum(seconds > bound for bound in BOUNDS)
        with self._lock:
            self._requests[method if method in _METHODS else "OTHER", route, status] += 1
            self._buckets[route][place] += 1
            self._seconds[route] += seconds

    def render(self, gauges: Sequence[Gauge]) -> str:
        """Return all measurements, and ``gauges`` as they are now."""
        with self._lock:
            return "\n".join([*self._counters(), *self._histograms(), *self._gauges(gauges), ""])

    def _counters(self) -> Iterator[str]:
        yield "# HELP pilotbase_requests_total Requests answered."
        yield "# TYPE pilotbase_requests_total counter"
        for (method, route, status), count in sorted(self._requests.items()):
            labels = f'method="{method}",route="{_escaped(route)}",status="{status}"'
            yield f"pilotbase_requests_total{{{labels}}} {count}"

    def _histograms(self) -> Iterator[str]:
        yield "# HELP pilotbase_request_seconds How long requests took."
        yield "# TYPE pilotbase_request_seconds histogram"
        for route, counts in sorted(self._buckets.items()):
            label, running = f'route="{_escaped(route)}"', 0
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
                running += count
                yield f'pilotbase_request_seconds_bucket{{{label},le="{bound}"}} {running}'
            yield f"pilotbase_request_seconds_sum{{{label}}} {self._seconds[route]:.6f}"
            yield f"pilotbase_request_seconds_count{{{label}}} {running}"

    def _gauges(self, gauges: Sequence[Gauge]) -> Iterator[str]:
        started = Gauge("start_time_seconds", "When this process started, in seconds since 1970.", {"": self._started})
        for gauge in (*gauges, started):
            yield f"# HELP pilotbase_{gauge.name} {gauge.help}"
            yield f"# TYPE pilotbase_{gauge.name} {gauge.kind}"
            for label, value in gauge.values.items():
                shown = f'{{{gauge.label}="{_escaped(label)}"}}' if label else ""
                yield f"pilotbase_{gauge.name}{shown} {value:.3f}".removesuffix(".000")


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
