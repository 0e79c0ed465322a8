"""Every setting of the gateway: its environment variable, its type, its default. Documented in docs/run-a-hub.md."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pilotbase.documents.errors import InputError, Issue, offer
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.endpoints.operator import is_named_key
from pilotbase.workspace.home import HUB_URL

ENVIRONMENT = "environment"
PREFIX = "PILOTBASE_GATEWAY_"
KNOWN = tuple(f"{PREFIX}{name}" for name in ("BODY_BYTES", "ALLOW", "ENDPOINT_KEYS_FILE", "METRICS_FROM", "URL"))
BODY_BYTES, ALLOW, ENDPOINT_KEYS, METRICS_FROM, URL = KNOWN
TRACES, TRACE_HEADERS, TRACE_NAME = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SERVICE_NAME"
"""As every exporter of OpenTelemetry reads them."""
DEFAULT_BODY_BYTES = 8 << 20
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class GatewayConfiguration:
    """The settings of one gateway."""

    body_bytes: int = DEFAULT_BODY_BYTES
    """Largest body of any service; the terms of a service may say less."""
    allow: tuple[str, ...] = ()
    """Hosts and networks that endpoints are reached at though they are private, and by plain http."""
    endpoint_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Address of an endpoint, as its route has it → the key that is shown there.

    The file may hold keys of applications besides, which `pilotbase.sandbox.endpoints.operator` reads.
    """

    hub: str = ""
    """The hub's public address, at which people decide about acts of agents; the hub itself reads it too."""
    metrics_from: tuple[Network, ...] = ()
    """Networks whose programs read ``/metrics``, besides those of this machine."""
    traces: str = ""
    """Address of a collector of spans (OTLP over HTTP); empty: calls are not traced."""
    trace_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    trace_name: str = "pilotbase-gateway"
    url: str = ""
    """The gateway's own public address, which agent cards name; empty: as each caller wrote it."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> GatewayConfiguration:
        """Return the settings that ``environment`` spells; raises `InputError` with every problem at once."""
        problems: list[tuple[str, Text]] = [
            (name, text("gateway.setting_unknown", allowed=offer(name, KNOWN)))
            for name in sorted(environment)
            if name.startswith(PREFIX) and name not in KNOWN
        ]
        size = _size(environment.get(BODY_BYTES, ""), problems)
        names = tuple(name.strip() for name in environment.get(ALLOW, "").split(",") if name.strip())
        keys = _keys(environment.get(ENDPOINT_KEYS, ""), problems)
        networks = _networks(environment.get(METRICS_FROM, ""), problems)
        hub, url, traces = (_address(name, environment.get(name, ""), problems) for name in (HUB_URL, URL, TRACES))
        headers = dict(one.strip().split("=", 1) for one in environment.get(TRACE_HEADERS, "").split(",") if "=" in one)
        if problems:
            issues = [Issue(file=ENVIRONMENT, path=name, problem=problem) for name, problem in problems]
            raise InputError.from_issues(ENVIRONMENT, issues)
        return cls(
            size, names, keys, hub, networks, traces, headers, environment.get(TRACE_NAME) or cls.trace_name, url
        )


def _address(name: str, value: str, problems: list[tuple[str, Text]]) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname):
        problems.append((name, text("gateway.setting_invalid", found=value[:80])))
    return value.rstrip("/")


def _networks(value: str, problems: list[tuple[str, Text]]) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(one.strip()) for one in value.split(",") if one.strip())
    except ValueError:
        problems.append((METRICS_FROM, text("gateway.setting_no_network", found=value[:80])))
        return ()


def _size(value: str, problems: list[tuple[str, Text]]) -> int:
    if not value:
        return DEFAULT_BODY_BYTES
    if not value.isdigit() or not 1024 <= int(value) <= 256 << 20:
        problems.append((BODY_BYTES, text("gateway.setting_invalid", found=value[:40])))
        return DEFAULT_BODY_BYTES
    return int(value)


def _keys(value: str, problems: list[tuple[str, Text]]) -> Mapping[str, str]:
    """Return the keys in the file that ``value`` names: a JSON object of texts, readable by its owner only."""
    if not value:
        return {}
    path = Path(value)
    try:
        if path.stat().st_mode & 0o077:
            problems.append((ENDPOINT_KEYS, text("gateway.setting_exposed", file=path)))
            return {}
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not all(_is_key(key) or is_named_key(key) for key in found.values()):
        problems.append((ENDPOINT_KEYS, text("gateway.setting_no_keys", file=path)))
        return {}
    return {address: key for address, key in found.items() if _is_key(key)}


def _is_key(entry: object) -> bool:
    return isinstance(entry, str) and entry != ""
