"""Engines: where the boxes of applications are opened. The box is the same everywhere; so is what it is asked."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from pilotbase.compute.box.box import BoxFacts
from pilotbase.compute.box.ends import BoxEnd
from pilotbase.compute.box.environments import Environment
from pilotbase.compute.box.logs import Logs
from pilotbase.compute.box.settings import BoxSettings
from pilotbase.compute.box.supervisor import BoxUsage
from pilotbase.compute.box.warm_worker import start_worker
from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.limits import EndReason
from pilotbase.documents.nearest import offer
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch
from pilotbase_estate.backends.ray_settings import prepare, settings_of

ENGINES = ("local", "ray")


class Worker(Protocol):
    """A loaded application that answers batches, as `WarmWorker` says; `predict` may raise `WorkerLostError`."""

    load_seconds: float

    @property
    def facts(self) -> BoxFacts: ...

    @property
    def running(self) -> bool: ...

    @property
    def end(self) -> BoxEnd | None: ...

    def cancel(self) -> None: ...

    def predict(self, batch: FeatureBatch, following: FeatureBatch | None = None) -> AnswerBatch: ...

    def usage(self) -> BoxUsage: ...

    def logs(self) -> Logs: ...

    def close(self, reason: EndReason = EndReason.FINISHED) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Engine(Protocol):
    """Opens boxes somewhere."""

    @property
    def name(self) -> str:
        """``local`` or ``ray``."""
        ...

    def start_worker(
        self, application: Path, form: Form, contract: Contract, environment: Environment, settings: BoxSettings
    ) -> Worker:
        """Return a worker that has loaded the application; raises as `warm_worker.start_worker`."""
        ...


class LocalEngine:
    """Opens boxes on this machine."""

    name = "local"

    def start_worker(
        self, application: Path, form: Form, contract: Contract, environment: Environment, settings: BoxSettings
    ) -> Worker:
        return start_worker(application, form, contract, environment, settings)


LOCAL: Engine = LocalEngine()


def open_engine(name: str) -> Engine:
    """Return the engine of that name; ``ray`` is reached as ``PILOTBASE_RAY_ADDRESS`` and ``RAY_AUTH_TOKEN`` say.

    Raises:
        InputError, PilotbaseError: as `require_engine`; and, where it is a cluster of this machine's own, as
            `Cluster.connect`.
    """
    require_engine(name)
    if name == "local":
        return LOCAL
    settings = settings_of(os.environ)
    prepare(settings)
    engine: Engine = import_module("pilotbase_estate.backends.sessions").open_cluster(settings)
    return engine


def require_engine(name: str) -> None:
    """Return if there is an engine of that name, and what it needs here.

    Raises:
        InputError: ``compute.unknown_engine``; ``compute.ray_no_token``.
        PilotbaseError: ``compute.ray_missing``.
    """
    if name not in ENGINES:
        raise InputError("compute.unknown_engine", found=name, allowed=offer(name, ENGINES))
    if name == "ray":
        if find_spec("ray") is None:
            raise PilotbaseError("compute.ray_missing", packages=packages_of("ray"))
        settings_of(os.environ)
