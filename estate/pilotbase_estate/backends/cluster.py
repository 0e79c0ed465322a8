"""The backend of a Ray cluster: Ray finds the room and keeps the node; on the node the backend of one machine runs.

An attempt is a named host, so every process finds the same one and it is made once. The results of an ended attempt are
fetched at once, because a node may disappear at any time: an attempt whose host disappears first is lost. Ray gives no
isolation between tenants, and none is expected of it: the box on the node is the same as here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pilotbase.documents.errors import PilotbaseError
from pilotbase_estate.backends.attempt_folder import AttemptRecord
from pilotbase_estate.backends.backend import (
    AttemptPhase,
    BackendAwayError,
    BackendNode,
    EndCause,
    JobSpec,
    LogPart,
    MemberAttempt,
    Status,
    read_status,
    require_room,
    write_spec,
)
from pilotbase_estate.backends.parcels import pack, parcel_name, send_parcels
from pilotbase_estate.backends.ray_cluster import Cluster, Host, HostGoneError, HostSilentError

_HOST = "pilotbase_estate.backends.local:NodeHost"
_LOST = Status(AttemptPhase.ENDED, EndCause.LOST)
_UNKNOWN = Status(AttemptPhase.UNKNOWN)
_UNSEEN = frozenset({"disk"})
"""What Ray doesn't report about a node."""


class RayBackend:
    """Runs attempts on the nodes of a cluster; ``folder`` keeps what was fetched of each.

    ``host_folder``: where nodes keep parcels and attempts; empty: their temporary folder.
    """

    engine = "ray"
    holds_room = True

    def __init__(self, folder: Path, cluster: Cluster, host_folder: str = "") -> None:
        self.folder, self._cluster, self._host_folder = folder, cluster, host_folder

    def capacity(self) -> list[BackendNode]:
        return self._cluster.nodes(measured=True)

    def start(self, spec: JobSpec) -> None:
        home = self._home(spec.attempt)
        home.prepare(spec)
        if home.recorded().phase is AttemptPhase.ENDED:
            return
        require_room(spec.demand, self.capacity(), spec.node, _UNSEEN)
        name = spec.attempt.name
        try:
            if home.begun() and self._cluster.ask(name, "poll") is not None:
                return
            self._hand_over(home, spec)
        except HostGoneError:
            home.begin()
            home.end(_LOST)
        except HostSilentError:
            self._cluster.remove(name)
            seconds = self._cluster.settings.start_seconds
            raise PilotbaseError("compute.node_silent", job=name, seconds=seconds) from None

    def poll(self, attempt: MemberAttempt) -> Status:
        home = self._home(attempt)
        if home.recorded().phase is not AttemptPhase.RUNNING:
            return home.recorded()
        if not home.begun():
            return _UNKNOWN
        try:
            told = self._told(attempt, "poll", home.log_bytes())
        except HostGoneError:
            return self._brought_home(attempt, home, _LOST)
        if told is None:  # it was never started there: who wanted to has been cut off
            return _UNKNOWN
        status, printed = read_status(told[0]), told[1]
        if status.phase is AttemptPhase.ENDED:
            return self._brought_home(attempt, home, status)
        home.add_to_log(printed)
        home.note_used(status.metered)
        return status

    def stop(self, attempt: MemberAttempt, grace_seconds: float) -> None:
        if self.poll(attempt).phase is not AttemptPhase.RUNNING:
            return
        wait = grace_seconds + self._cluster.settings.answer_seconds
        self._told_if_there(attempt, "stop", grace_seconds, seconds=wait)
        self.poll(attempt)

    def logs(self, attempt: MemberAttempt, offset: int) -> LogPart:
        home = self._home(attempt)
        if home.recorded().phase is not AttemptPhase.RUNNING:
            return home.log(offset)
        told = self._told_if_there(attempt, "logs", offset)
        return LogPart(told or b"", offset, lost=told is None)

    def output(self, attempt: MemberAttempt) -> bytes | None:
        return self._home(attempt).output()

    def forget(self, attempt: MemberAttempt) -> None:
        if self._home(attempt).recorded().phase is AttemptPhase.ENDED:
            self._home(attempt).remove()

    def _home(self, attempt: MemberAttempt) -> AttemptRecord:
        return AttemptRecord(self.folder / attempt.name)

    def _hand_over(self, home: AttemptRecord, spec: JobSpec) -> None:
        """Make a host for the attempt, send it the files that it lacks, and start it.

        Raises:
            HostGoneError: its node no longer exists.
            HostSilentError: no node took it in time.
            PilotbaseError: ``compute.node_failed``: the node's own work failed.
        """
        work, name = spec.work, spec.attempt.name
        folder, environment = parcel_name(work.folder), parcel_name(work.environment) if work.environment else ""
        parcels = {folder: work.folder, **({environment: work.environment} if work.environment else {})}
        data = {name: pack(place) for name, place in work.data.items()}
        made = Host(_HOST, (write_spec(spec), self._host_folder), spec.demand, name, spec.node)
        key, seconds = self._cluster.make(made), self._cluster.settings.start_seconds

        def ask(method: str, *arguments: Any) -> Any:
            return self._cluster.ask(key, method, *arguments, seconds=seconds)

        send_parcels(ask, parcels)
        home.begin()
        ask("start", folder, environment, data)

    def _told(self, attempt: MemberAttempt, method: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Return what the attempt's host answers.

        Raises:
            HostGoneError: it no longer exists, or it was silent for too long; anything it still does is ignored.
            BackendAwayError: the cluster itself does not answer; nothing is known.
        """
        try:
            return self._cluster.ask(attempt.name, method, *arguments, seconds=seconds)
        except HostSilentError:
            if not self._cluster.nodes():
                raise BackendAwayError from None
            self._cluster.remove(attempt.name)
            raise HostGoneError from None

    def _told_if_there(self, attempt: MemberAttempt, method: str, *arguments: Any, seconds: float | None = None) -> Any:
        try:
            return self._told(attempt, method, *arguments, seconds=seconds)
        except HostGoneError:
            return None

    def _brought_home(self, attempt: MemberAttempt, home: AttemptRecord, status: Status) -> Status:
        """Keep log and output of an ended attempt here, release its host, and return how it ended."""
        printed = self._told_if_there(attempt, "logs", 0)
        if printed is not None:
            home.keep_log(printed)
        left = self._told_if_there(attempt, "output")
        if left is not None:
            home.keep_output(left)
        if printed is not None:
            self._told_if_there(attempt, "forget")
            self._cluster.remove(attempt.name)
        home.end(status)
        return home.recorded()
