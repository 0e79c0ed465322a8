"""Hosts: what runs for us on a node of a cluster, and how a call to one can end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pilotbase.documents.errors import PilotbaseError
from pilotbase_estate.documents.resources import Vector


@dataclass(frozen=True)
class Host:
    """A host to be made on a node."""

    kind: str
    """``module:Class``, which every node has installed as we do."""
    arguments: tuple[Any, ...]
    demand: Vector
    name: str = ""
    """A named one is made once, is found by every process, and stays when its maker exits."""
    node: str | None = None
    """Where; None: wherever there is room."""


@dataclass(frozen=True)
class Ended:
    """How a call to the cluster ended."""

    value: Any = None
    error: PilotbaseError | None = None


class _HostError(PilotbaseError):
    def __init__(self, code: str = "compute.worker_lost", /, **params: object) -> None:
        super().__init__(code, **params)


class HostGoneError(_HostError):
    """The node or process of the host no longer exists, and its work is lost."""


class HostSilentError(_HostError):
    """A host did not answer in time, or has not found a node yet."""
