"""The way to a Ray cluster: never without a token, never beyond this machine unless an address says so."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Mapping
from typing import Any

import ray

from pilotbase.compute.backends.backend import Node
from pilotbase.compute.ray_settings import ADDRESS, LOCAL, NAMESPACE, RaySettings, require_version
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.resources import MILLI, Vector

_ACCELERATOR = "accelerator_type:"
_TRACE = 0.001
"""How much of a node's mark an attempt takes, so that it is placed on a node with that mark."""


def connect(settings: RaySettings) -> None:
    """Connect this process, once, or start a cluster of this machine's own; `ray_settings.prepare` came before.

    Raises:
        PilotbaseError: ``compute.ray_too_old``; ``compute.cluster_away``: nobody answers there.
    """
    require_version(ray.__version__)
    if ray.is_initialized():
        return
    own: dict[str, Any] = {}
    if settings.address == LOCAL:
        own = {"include_dashboard": False, "_temp_dir": tempfile.mkdtemp(prefix="pilotbase-ray-")}
    try:
        ray.init(address=settings.address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise PilotbaseError("compute.cluster_away") from error
    if settings.address == LOCAL:
        os.environ[ADDRESS] = ray.get_runtime_context().gcs_address  # for the processes that this one starts


def nodes() -> list[Node]:
    """Return the nodes that the cluster takes for alive, with what they say that they have."""
    return [Node(node["NodeID"], _vector(node["Resources"])) for node in _told() if node["Alive"]]


def resources_of(demand: Vector) -> dict[str, Any]:
    """Return a demand as Ray's options: cores, memory, GPUs with the mark of their kind, licences by name."""
    gpus = {name: amount for name, amount in demand.items() if name.startswith("gpu/") and amount}
    marks = {_ACCELERATOR + name.removeprefix("gpu/").upper(): _TRACE for name in gpus if name != "gpu/any"}
    licences = {name: amount for name, amount in demand.items() if name.startswith("licence/") and amount}
    return {
        "num_cpus": demand.get("cpu", 0) / MILLI,
        "num_gpus": sum(gpus.values()) / MILLI,
        "memory": demand.get("memory", 0) or None,
        "resources": {**marks, **licences},
    }


def _told() -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return told


def _vector(resources: Mapping[str, float]) -> Vector:
    kinds = [name.removeprefix(_ACCELERATOR).lower() for name in resources if name.startswith(_ACCELERATOR)]
    found = {name: int(amount) for name, amount in resources.items() if name.startswith("licence/")}
    found["cpu"] = round(resources.get("CPU", 0) * MILLI)
    found["memory"] = int(resources.get("memory", 0))
    if resources.get("GPU"):
        found[f"gpu/{kinds[0] if kinds else 'any'}"] = round(resources["GPU"] * MILLI)
    return found
