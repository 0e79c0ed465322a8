"""The only process that speaks to a Ray cluster: Ray ends it when the head of the cluster disappears.

``python -m pilotbase_estate.backends.ray_driver FD``: `ray_cluster.Cluster` starts it and calls it through a socket. It
ends with the process that started it, because the socket then closes; the hosts without a name end with it.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import threading
import uuid
from collections.abc import Mapping
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

import ray
from ray.exceptions import (
    GetTimeoutError,
    LocalRayletDiedError,
    NodeDiedError,
    ObjectLostError,
    RayActorError,
    RayError,
    RaySystemError,
    RayTaskError,
    RpcError,
)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from pilotbase.documents.errors import PilotbaseError
from pilotbase_estate.backends.backend import BackendAwayError, BackendNode, measured
from pilotbase_estate.backends.ray_cluster import (
    LOCAL,
    NAMESPACE,
    OWN_NODE,
    Ended,
    Host,
    HostGoneError,
    HostSilentError,
    RaySettings,
    require_version,
)
from pilotbase_estate.documents.resources import MILLI, Vector

_ACCELERATOR = "accelerator_type:"
_TRACE = 0.001
"""How much of a node's mark an attempt takes, so that it is placed on a node with that mark."""
_MEASURE_SECONDS = 20.0
_AWAY = (
    ConnectionError,
    TimeoutError,
    RaySystemError,
    RpcError,
    LocalRayletDiedError,
    NodeDiedError,
    ObjectLostError,
)
"""Errors that mean that nobody answers. Every other error is a failure, and is reported as one."""
_OTHER_VERSION = "Version mismatch"
"""A cluster that answers, although Ray raises the same error as for one that does not."""
_SAID_CHARACTERS = 300


class Driver:
    """The cluster, as far as we use it."""

    def __init__(self) -> None:
        self._hosts: dict[str, Any] = {}
        self._measured: dict[str, Vector] = {}
        self._folder = ""

    def connect(self, settings: RaySettings) -> str:
        """Connect, or start a cluster of this machine's own; return its address.

        Raises:
            PilotbaseError: ``compute.ray_too_old``.
            BackendAwayError: nobody answers there.
            Exception: the cluster found cannot be used, or a cluster of this machine's own cannot be started.
        """
        require_version(ray.__version__)
        own: dict[str, Any] = {}
        if settings.address == LOCAL:
            self._folder = tempfile.mkdtemp(prefix="pilotbase-ray-")
            own = {"include_dashboard": False, "_temp_dir": self._folder, "_node_name": OWN_NODE}
        try:
            ray.init(
                address=settings.address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR, **own
            )
        except RuntimeError as error:
            if own or _OTHER_VERSION in str(error):
                raise
            raise BackendAwayError() from error
        return str(ray.get_runtime_context().gcs_address)

    def nodes(self, measured: bool) -> list[BackendNode]:
        """Return the nodes that are alive, with what they report to have, under their own names if these are valid.

        ``measured``: only nodes that were measured, and no more than was found there. A node without a name, or with
        the name of another, goes by its number.
        """
        told: list[dict[str, Any]] = [one for one in ray.nodes() if one["Alive"]]
        if measured:
            self._measure({one["NodeID"] for one in told})
        called = [one["NodeName"] for one in told]
        found = []
        for one in told:
            number, name, said = one["NodeID"], one["NodeName"], _vector(one["Resources"])
            unique = called.count(name) == 1 and name != one["NodeManagerAddress"]
            if not measured:
                found.append(BackendNode(name if unique else number, said))
            elif number in self._measured:
                found.append(BackendNode(name if unique else number, _least(said, self._measured[number])))
        return found

    def make(self, host: Host) -> str:
        """Make a host, unless one of its name exists; return its handle."""
        options: dict[str, Any] = {**resources_of(host.demand), "max_restarts": 0, "max_task_retries": 0}
        if host.name:
            options |= {"name": host.name, "namespace": NAMESPACE, "lifetime": "detached", "get_if_exists": True}
        if host.node is not None:
            options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(self._number(host.node), soft=False)
        module, _, kind = host.kind.partition(":")
        made = ray.remote(getattr(import_module(module), kind)).options(**options).remote(*host.arguments)
        key = host.name or uuid.uuid4().hex
        self._hosts[key] = made
        return key

    def ask(self, key: str, method: str, arguments: tuple[Any, ...], seconds: float) -> Any:
        """Return what a host answers.

        Raises:
            HostGoneError: there is none any more.
            HostSilentError: it does not answer within ``seconds``.
            PilotbaseError: ``compute.node_failed``: its own work failed.
        """
        try:
            host = self._host(key)
        except ValueError:
            raise HostGoneError from None
        try:
            return ray.get(getattr(host, method).remote(*arguments), timeout=seconds)
        except RayActorError:
            self._hosts.pop(key, None)
            raise HostGoneError from None
        except GetTimeoutError:
            raise HostSilentError from None
        except RayTaskError as error:
            raise PilotbaseError("compute.node_failed", error=type(error.cause).__name__) from None

    def remove(self, key: str) -> None:
        """Remove a host, if there is one."""
        try:
            ray.kill(self._host(key))
        except ValueError:
            return
        finally:
            self._hosts.pop(key, None)

    def leave(self) -> None:
        """Disconnect from the cluster; one of this machine's own ends."""
        ray.shutdown()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _host(self, key: str) -> Any:
        if key not in self._hosts:
            self._hosts[key] = ray.get_actor(key, NAMESPACE)
        return self._hosts[key]

    def _number(self, node: str) -> str:
        """Return the number under which Ray knows a node."""
        alive = (one for one in ray.nodes() if one["Alive"])
        return next((str(one["NodeID"]) for one in alive if one["NodeName"] == node), node)

    def _measure(self, numbers: set[str]) -> None:
        """Ask all new nodes at once what they have; forget those that left."""
        self._measured = {number: has for number, has in self._measured.items() if number in numbers}
        task = ray.remote(measured)
        asked = {}
        for number in numbers - self._measured.keys():
            there = NodeAffinitySchedulingStrategy(number, soft=False)
            asked[number] = task.options(num_cpus=0, max_retries=0, scheduling_strategy=there).remote()
        ready, _ = (
            ray.wait(list(asked.values()), num_returns=len(asked), timeout=_MEASURE_SECONDS) if asked else ([], [])
        )
        for number, answer in asked.items():
            if answer in ready:
                try:
                    self._measured[number] = ray.get(answer)
                except RayError:
                    continue  # it left meanwhile, or lacks Pilotbase: nothing could run on this node


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


def _vector(resources: Mapping[str, float]) -> Vector:
    kinds = [name.removeprefix(_ACCELERATOR).lower() for name in resources if name.startswith(_ACCELERATOR)]
    found = {name: int(amount) for name, amount in resources.items() if name.startswith("licence/")}
    found["cpu"] = round(resources.get("CPU", 0) * MILLI)
    found["memory"] = int(resources.get("memory", 0))
    if resources.get("GPU"):
        found[f"gpu/{kinds[0] if kinds else 'any'}"] = round(resources["GPU"] * MILLI)
    return found


def _least(said: Vector, has: Vector) -> Vector:
    """Return what a node reports to have, and never more than was found there."""
    return {name: min(amount, has.get(name, amount)) for name, amount in said.items()}


def as_driver_error(error: Exception) -> PilotbaseError:
    """Return the error for the caller: that the cluster is away, or what went wrong, by its type and first words."""
    if isinstance(error, PilotbaseError):
        return error
    if isinstance(error, _AWAY):
        return BackendAwayError()
    said = " ".join(str(error).split())[:_SAID_CHARACTERS]
    return PilotbaseError("compute.driver_failed", error=type(error).__name__, said=said or "…")


def main() -> None:
    """Answer calls until the caller exits, each in its own thread.

    Except for the first call: what Ray starts for a cluster ends with the thread that started it.
    """
    connection, driver, sending = Connection(int(sys.argv[1])), Driver(), threading.Lock()

    def answer(number: int, method: str, arguments: tuple[Any, ...]) -> None:
        try:
            ended = Ended(getattr(driver, method)(*arguments))
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked
            ended = Ended(error=as_driver_error(error))
        with sending:
            connection.send((number, ended))

    while True:
        try:
            asked = connection.recv()
        except EOFError:
            break
        if asked[1] == "connect":
            answer(*asked)
            continue
        threading.Thread(target=answer, args=asked, daemon=True).start()
    driver.leave()
    os._exit(0)


if __name__ == "__main__":
    main()
