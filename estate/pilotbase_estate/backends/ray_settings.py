"""How a Ray cluster is reached: its address, and the token that every connection needs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.extras import packages_of

FLOOR = (2, 54)
"""The first release without a known way in: CVE-2023-48022 (no authentication) and CVE-2026-27482 (open DELETE)."""
NAMESPACE = "pilotbase"
DISTRIBUTION = "pilotbase-estate"
ADDRESS = "PILOTBASE_RAY_ADDRESS"
LOCAL = "local"
OWN_NODE = "local"
"""The name of the one node of a cluster of this machine's own."""


@dataclass(frozen=True)
class RaySettings:
    """``address``: ``host:port`` of the head, or ``local`` for a cluster of this machine's own."""

    address: str
    token: str
    start_seconds: float = 60.0
    """How long an attempt may take to begin on a node."""
    answer_seconds: float = 20.0
    """How long a node may be silent before it counts as lost."""
    room_seconds: float = 600.0
    """How long a trial's box may wait until a node has room for it."""


def settings_of(environment: Mapping[str, str]) -> RaySettings:
    """Return the settings from ``PILOTBASE_RAY_ADDRESS`` and ``RAY_AUTH_TOKEN``.

    Raises:
        InputError: ``compute.ray_no_token``: an address without a token.
    """
    address, token = environment.get(ADDRESS, LOCAL), environment.get("RAY_AUTH_TOKEN")
    if address != LOCAL and not token:
        raise InputError("compute.ray_no_token", address=address)
    return RaySettings(address, token or secrets.token_hex(32))


def prepare(settings: RaySettings) -> None:
    """Set this process's environment for Ray, which reads it once, when it is first imported."""
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=settings.token, RAY_USAGE_STATS_ENABLED="0")
    if settings.address == LOCAL:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # the one setting that keeps Ray to the loopback


def require_version(found: str) -> None:
    """Require a release of Ray without a known way in.

    Raises:
        PilotbaseError: ``compute.ray_too_old``.
    """
    numbers = tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
    if numbers < FLOOR:
        least = ".".join(map(str, FLOOR))
        raise PilotbaseError("compute.ray_too_old", found=found, least=least, packages=packages_of("ray", DISTRIBUTION))
