"""The engine of a Ray cluster: boxes that answer batches are opened on its nodes, and called from here.

For one box a host runs on a node: the warm worker, called remotely.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import PilotbaseError, RefusedError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch, Following
from pilotbase.sandbox.box.box import BoxFacts
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded, Logs, WorkerLostError
from pilotbase.sandbox.box.environments import Environment
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.sandbox.box.warm_worker import WarmWorker, start_worker
from pilotbase.sandbox.engines import Worker
from pilotbase_estate.backends.backend import BackendAwayError, require_room
from pilotbase_estate.backends.parcels import ParcelHost, parcel_name, send_parcels
from pilotbase_estate.backends.ray_cluster import Cluster, Host, HostGoneError, HostSilentError, RaySettings
from pilotbase_estate.documents.resources import MILLI

_HOST = "pilotbase_estate.backends.sessions:SessionHost"
_SLACK_SECONDS = 30.0
"""How much longer than the box itself its node may take to answer."""


@dataclass(frozen=True)
class BoxOpening:
    """What a box is opened with; every node has the same version of these classes as we do."""

    application: str
    """Parcel of the application's files."""
    form: Form
    contract: Contract
    environment: tuple[str, tuple[str, ...], str]
    """Digest, packages, seal; the seal names its parcel."""
    settings: BoxSettings
    """Without how the box is started and watched: that is for the node."""


@dataclass(frozen=True)
class BoxReply:
    """The result of a call to a box: a value, or how it ended, or an error of ours."""

    value: Any = None
    end: BoxEnd | None = None
    error: PilotbaseError | None = None


class SessionHost(ParcelHost):
    """One warm worker on this node."""

    def __init__(self, folder: str = "") -> None:
        super().__init__(folder)
        self._worker: WarmWorker | None = None

    def open(self, opening: BoxOpening) -> BoxReply:
        """Open the box and load the application; the value is its facts and how long it loaded."""
        digest, packages, seal = opening.environment
        environment = Environment(digest, self.parcel(hex_of(seal)), packages, seal)
        application = self.parcel(opening.application)

        def opened() -> tuple[BoxFacts, float]:
            self._worker = start_worker(application, opening.form, opening.contract, environment, opening.settings)
            return self._worker.facts, self._worker.load_seconds

        return _reply(opened)

    def predict(self, columns: Mapping[str, Any], rows: int) -> BoxReply:
        """Return the values of the answers to one batch."""
        return _reply(lambda: self._opened.predict(FeatureBatch(dict(columns), rows)).values)

    def usage(self) -> BoxUsage:
        """Return what the box has used."""
        return self._opened.usage()

    def logs(self) -> Logs:
        """Return what the log policy releases."""
        return self._opened.logs()

    def close(self, reason: EndReason) -> None:
        """End the box."""
        if self._worker is not None:
            self._worker.close(reason)

    @property
    def _opened(self) -> WarmWorker:
        assert self._worker is not None
        return self._worker


def _reply(ask: Callable[[], Any]) -> BoxReply:
    try:
        return BoxReply(ask())
    except BoxEnded as ended:
        return BoxReply(end=BoxEnd(ended.reason, ended.end.batch, ended.detail))
    except PilotbaseError as error:
        return BoxReply(error=error)


@dataclass
class RayEngine:
    """Opens boxes on the nodes of a cluster."""

    cluster: Cluster
    host_folder: str = ""
    """Where nodes keep parcels; empty: their temporary folder."""
    name = "ray"

    def start_worker(
        self, application: Path, form: Form, contract: Contract, environment: Environment, settings: BoxSettings
    ) -> Worker:
        if form.image is not None:
            raise RefusedError("compute.image_stays")
        environment.verify()
        sent = {parcel_name(application): application, hex_of(environment.seal): environment.path}
        opening = BoxOpening(
            application=parcel_name(application),
            form=form,
            contract=contract,
            environment=(environment.digest, environment.packages, environment.seal),
            settings=BoxSettings(settings.limits, settings.level, settings.uid, settings.logs),
        )
        demand = {"cpu": settings.limits.threads * MILLI, "memory": settings.limits.memory_bytes}
        require_room(demand, self.cluster.nodes())
        key = self.cluster.make(Host(_HOST, (self.host_folder,), demand))
        return RemoteWorker(self.cluster, key, sent, opening, settings)


def open_cluster(settings: RaySettings) -> RayEngine:
    """Return the engine of a cluster; one of this machine's own is started first, so that our child processes find it.

    Raises as `Cluster.connect`.
    """
    cluster = Cluster(settings)
    if cluster.is_own:
        cluster.connect()
    return RayEngine(cluster)


class RemoteWorker:
    """A warm worker on a node of the cluster."""

    def __init__(
        self, cluster: Cluster, key: str, sent: Mapping[str, Path], opening: BoxOpening, settings: BoxSettings
    ) -> None:
        self._cluster, self._key, self._limits = cluster, key, settings.limits
        self._usage, self._logs, self._open = BoxUsage(0.0, 0.0, 0), Logs("", 0, True), True
        self.facts: BoxFacts
        self.load_seconds: float
        self._cancelled = False
        self.end: BoxEnd | None = None
        seconds = self._limits.load_seconds + _SLACK_SECONDS
        try:
            self._await_room(opening.application)
            send_parcels(lambda method, *arguments: self._ask(method, *arguments, seconds=seconds), sent)
            self.facts, self.load_seconds = self._value("open", opening, seconds=seconds)
        except BaseException:
            self._let_go()
            raise

    @property
    def running(self) -> bool:
        """Return whether the box may still answer."""
        return self._open and self.end is None

    def cancel(self) -> None:
        """End the box from another thread: a `predict` under way raises `BoxEnded`."""
        self._cancelled = True
        self._cluster.remove(self._key)

    def predict(self, batch: FeatureBatch, following: Following = lambda: None) -> AnswerBatch:
        """Return one answer for each case; raises as `WarmWorker.predict`, and `WorkerLostError`."""
        seconds = self._limits.batch_seconds + _SLACK_SECONDS
        return AnswerBatch(self._value("predict", batch.columns, batch.rows, seconds=seconds))

    def usage(self) -> BoxUsage:
        """Return what the box has used until now, or until its end."""
        if self._open:
            self._usage = self._ask("usage")
        return self._usage

    def logs(self) -> Logs:
        """Return what the log policy releases."""
        if self._open:
            self._logs = self._ask("logs")
        return self._logs

    def close(self, reason: EndReason = EndReason.FINISHED) -> None:
        """End the box; its usage and output can still be read."""
        if not self._open:
            return
        try:
            self._ask("close", reason)
            self.usage()
            self.logs()
        except WorkerLostError:
            self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(EndReason.FINISHED if problem is None else EndReason.CANCELLED)
        self._let_go()

    def _await_room(self, what: str) -> None:
        """Return once a node has the host; raises ``compute.node_silent`` if none has had room for too long."""
        seconds = self._cluster.settings.room_seconds
        try:
            self._cluster.ask(self._key, "__ray_ready__", seconds=seconds)
        except HostSilentError:
            raise PilotbaseError("compute.node_silent", job=what, seconds=seconds) from None
        except HostGoneError:
            raise WorkerLostError("compute.worker_lost") from None

    def _value(self, method: str, *arguments: Any, seconds: float) -> Any:
        """Return the value of a reply, or raise the error that it reports."""
        reply: BoxReply = self._ask(method, *arguments, seconds=seconds)
        if reply.end is not None:
            self.end = reply.end
            raise BoxEnded(reply.end)
        if reply.error is not None:
            raise WorkerLostError("box.killed") if reply.error.code == "box.killed" else reply.error
        return reply.value

    def _ask(self, method: str, *arguments: Any, seconds: float = _SLACK_SECONDS) -> Any:
        try:
            return self._cluster.ask(self._key, method, *arguments, seconds=seconds)
        except (HostGoneError, HostSilentError) as error:
            self._open = False
            if self._cancelled:
                self.end = BoxEnd(EndReason.CANCELLED, 0, "")
                raise BoxEnded(self.end) from None
            raise WorkerLostError("compute.worker_lost") from error

    def _let_go(self) -> None:
        self._open = False
        with suppress(BackendAwayError):
            self._cluster.remove(self._key)
