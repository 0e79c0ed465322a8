"""Hosts: what runs on a node of a cluster for us, and how asking one can end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pilotbase.documents.errors import PilotbaseError
from pilotbase_estate.documents.resources import Vector


@dataclass(frozen=True)
class Host:
    """A host to be made on some node."""

    kind: str
    """``module:Class``, which every node has as we do."""
    arguments: tuple[Any, ...]
    demand: Vector
    name: str = ""
    """One with a name is made once, found by whoever asks, and stays when its maker goes."""
    node: str | None = None
    """Where; None: wherever there is room."""


@dataclass(frozen=True)
class Ended:
    """How a question to the cluster ended."""

    value: Any = None
    error: PilotbaseError | None = None


class HostGoneError(PilotbaseError):
    """There is no such host any more: its node or its process has gone, and what it did with it."""

    def __init__(self, code: str = "compute.worker_lost", /, **params: object) -> None:
        super().__init__(code, **params)


class HostSilentError(PilotbaseError):
    """A host did not answer in time, or has found no node yet."""

    def __init__(self, code: str = "compute.worker_lost", /, **params: object) -> None:
        super().__init__(code, **params)
