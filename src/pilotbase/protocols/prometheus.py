"""The text format of Prometheus (exposition format 0.0.4), and the same as a Grafana dashboard."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
    kind: Literal["gauge", "counter", "histogram"] = "gauge"


_REQUESTS = Gauge("requests_total", "Requests answered.", {}, "status", "counter")
_SECONDS = Gauge("request_seconds", "How long requests took.", {}, "route", "histogram")


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

    def grafana_dashboard(self, gauges: Sequence[Gauge], title: str) -> dict[str, Any]:
        """Return a dashboard, as Grafana imports it (schema version 39), with a panel for each measurement.

        Counters are shown by the second, histograms as median and 95th percentile.
        """
        return {
            "uid": title.lower().replace(" ", "-"),
            "title": title,
            "schemaVersion": 39,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus"}]},
            "panels": [_panel(place, metric) for place, metric in enumerate((_REQUESTS, _SECONDS, *gauges))],
        }

    def _counters(self) -> Iterator[str]:
        yield from _head(_REQUESTS)
        for (method, route, status), count in sorted(self._requests.items()):
            labels = f'method="{method}",route="{_escaped(route)}",status="{status}"'
            yield f"pilotbase_requests_total{{{labels}}} {count}"

    def _histograms(self) -> Iterator[str]:
        yield from _head(_SECONDS)
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
            yield from _head(gauge)
            for label, value in gauge.values.items():
                shown = f'{{{gauge.label}="{_escaped(label)}"}}' if label else ""
                yield f"pilotbase_{gauge.name}{shown} {value:.3f}".removesuffix(".000")


def _head(metric: Gauge) -> Iterator[str]:
    yield f"# HELP pilotbase_{metric.name} {metric.help}"
    yield f"# TYPE pilotbase_{metric.name} {metric.kind}"


_SOURCE = {"type": "prometheus", "uid": "${source}"}
_ACROSS, _HIGH = 2, 8
_WIDE = 24 // _ACROSS
"""Panels side by side, and their size; a dashboard is 24 units wide."""
_UNITS = {"counter": "cps", "histogram": "s"}


def _panel(place: int, metric: Gauge) -> dict[str, Any]:
    row, column = divmod(place, _ACROSS)
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": metric.help.rstrip("."),
        "gridPos": {"x": column * _WIDE, "y": row * _HIGH, "w": _WIDE, "h": _HIGH},
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": _UNITS.get(metric.kind, "short"), "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
            for number, (expression, legend) in enumerate(_lines(metric))
        ],
    }


def _lines(metric: Gauge) -> list[tuple[str, str]]:
    """Return the expressions of one panel, each with the legend of its lines: one for each value of the label."""
    name, by = f"pilotbase_{metric.name}", [metric.label] if metric.label else []
    legend = "".join(f"{{{{{label}}}}}" for label in by)
    if metric.kind == "histogram":
        rates = f"sum by ({', '.join(['le', *by])}) (rate({name}_bucket[5m]))"
        return [(f"histogram_quantile({share}, {rates})", f"{legend} p{share[2:]}") for share in ("0.50", "0.95")]
    grouped = f"sum by ({metric.label})" if by else "sum"
    return [(f"{grouped} (rate({name}[5m]))" if metric.kind == "counter" else f"{grouped} ({name})", legend)]


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
