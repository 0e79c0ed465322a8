"""The backend of a Ray cluster: Ray finds the room and keeps the node; on the node the backend of one machine runs.

An attempt is an actor with a name, so that the same one is found whoever asks, and is made once. What ends is taken
home at once, for a node may go at any time: an attempt whose actor has gone before is lost. Ray gives no isolation
between tenants, and is not asked for any: the box on the node is the same as here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from pilotbase.compute.backends.attempt_record import AttemptRecord
from pilotbase.compute.backends.backend import Attempt, Cause, JobSpec, LogPart, Node, Phase, Status
from pilotbase.compute.backends.node_host import NodeHost
from pilotbase.compute.backends.parcels import pack, parcel_name, send_parcels
from pilotbase.compute.backends.ray_connection import connect, nodes, resources_of
from pilotbase.compute.backends.room import require_room
from pilotbase.compute.backends.specs import read_status, write_spec
from pilotbase.compute.ray_settings import NAMESPACE, RaySettings
from pilotbase.documents.errors import PilotbaseError

_LOST = Status(Phase.ENDED, Cause.LOST)
_UNSEEN = frozenset({"disk"})
"""What Ray tells of no node."""


class RayBackend:
    """Runs attempts on the nodes of a cluster; ``folder`` keeps what has come home of each.

    ``host_folder``: where nodes keep parcels and attempts; empty: their folder for temporary files.
    """

    def __init__(self, folder: Path, settings: RaySettings, host_folder: str = "") -> None:
        self._folder, self._settings, self._host_folder = folder, settings, host_folder
        connect(settings)

    def capacity(self) -> list[Node]:
        return nodes()

    def start(self, spec: JobSpec) -> None:
        home = self._home(spec.attempt)
        home.prepare(spec)
        if home.recorded().phase is Phase.ENDED:
            return
        require_room(spec, self.capacity(), _UNSEEN)
        home.begin()
        try:
            self._hand_over(self._host(spec), spec)
        except RayActorError:
            home.end(_LOST)

    def poll(self, attempt: Attempt) -> Status:
        home = self._home(attempt)
        if home.recorded().phase is not Phase.RUNNING or not home.begun():
            return home.recorded()
        told = self._told(attempt, lambda host: host.poll.remote())
        status = _LOST if told is None else read_status(told)
        if status.phase is Phase.ENDED:
            self._bring_home(attempt, home)
            home.end(status)
            return home.recorded()
        home.note_used(status.metered)
        return status

    def stop(self, attempt: Attempt, grace_seconds: float) -> None:
        home = self._home(attempt)
        if home.recorded().phase is not Phase.RUNNING:
            return
        wait = grace_seconds + self._settings.answer_seconds
        self._told(attempt, lambda host: host.stop.remote(grace_seconds), wait)
        self.poll(attempt)

    def logs(self, attempt: Attempt, offset: int) -> LogPart:
        home = self._home(attempt)
        if home.recorded().phase is not Phase.RUNNING:
            return home.log(offset)
        told = self._told(attempt, lambda host: host.logs.remote(offset))
        return LogPart(told or b"", offset, lost=told is None)

    def output(self, attempt: Attempt) -> bytes | None:
        return self._home(attempt).output()

    def forget(self, attempt: Attempt) -> None:
        if self._home(attempt).recorded().phase is Phase.ENDED:
            self._home(attempt).remove()

    def _home(self, attempt: Attempt) -> AttemptRecord:
        return AttemptRecord(self._folder / attempt.name)

    def _host(self, spec: JobSpec) -> Any:
        """Return the actor of an attempt, made where there is none yet."""
        options: dict[str, Any] = {
            **resources_of(spec.demand),
            "name": spec.attempt.name,
            "namespace": NAMESPACE,
            "lifetime": "detached",
            "get_if_exists": True,
            "max_restarts": 0,
            "max_task_retries": 0,
        }
        if spec.node is not None:
            options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(spec.node, soft=False)
        return ray.remote(NodeHost).options(**options).remote(write_spec(spec), self._host_folder)

    def _hand_over(self, host: Any, spec: JobSpec) -> None:
        """Send the host what it lacks of the attempt's files, and let it start.

        Raises:
            PilotbaseError: ``compute.node_silent``: no node took it in time; what was asked for is taken back.
                ``compute.node_failed``: the node's own work failed.
        """
        work, seconds = spec.work, self._settings.start_seconds
        folder, environment = parcel_name(work.folder), parcel_name(work.environment) if work.environment else ""
        parcels = {folder: work.folder, **({environment: work.environment} if work.environment else {})}
        data = {name: pack(place) for name, place in work.data.items()}
        try:
            send_parcels(host, parcels, lambda asked: ray.get(asked, timeout=seconds))
            ray.get(host.start.remote(folder, environment, data), timeout=seconds)
        except GetTimeoutError:
            ray.kill(host)
            raise PilotbaseError("compute.node_silent", job=spec.attempt.name, seconds=seconds) from None
        except RayTaskError as error:
            raise PilotbaseError("compute.node_failed", error=type(error.cause).__name__) from error

    def _told(self, attempt: Attempt, ask: Callable[[Any], Any], seconds: float | None = None) -> Any:
        """Return what the attempt's host answers; None: it has gone.

        Raises:
            PilotbaseError: ``compute.cluster_away``: the cluster itself does not answer; nothing is known.
        """
        try:
            host = ray.get_actor(attempt.name, NAMESPACE)
            return ray.get(ask(host), timeout=seconds or self._settings.answer_seconds)
        except (ValueError, RayActorError):
            return None
        except GetTimeoutError:
            if nodes():
                return self._given_up(attempt)
            raise PilotbaseError("compute.cluster_away") from None
        except RayTaskError as error:
            raise PilotbaseError("compute.node_failed", error=type(error.cause).__name__) from error
        except RayError as error:
            raise PilotbaseError("compute.cluster_away") from error

    def _given_up(self, attempt: Attempt) -> None:
        """Remove a host that is silent for too long: what it may still do counts for nothing."""
        ray.kill(ray.get_actor(attempt.name, NAMESPACE))

    def _bring_home(self, attempt: Attempt, home: AttemptRecord) -> None:
        """Keep log and output of an ended attempt here, and let its host go."""
        printed = self._told(attempt, lambda host: host.logs.remote(0))
        if printed is not None:
            home.keep_log(printed)
        left = self._told(attempt, lambda host: host.output.remote())
        if left is not None:
            home.keep_output(left)
        if printed is not None:
            self._told(attempt, lambda host: host.forget.remote())
            self._given_up(attempt)
