"""Engines: where the boxes of applications are opened. Boxes and their questions are the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plugins import mirrored
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch, Following
from pilotbase.sandbox.box.box import BoxFacts
from pilotbase.sandbox.box.ends import BoxEnd, Logs
from pilotbase.sandbox.box.environments import Environment
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.sandbox.box.warm_worker import start_worker


class Worker(Protocol):
    """A loaded application that answers batches, like `WarmWorker`; `predict` may raise `WorkerLostError`."""

    load_seconds: float

    @property
    def facts(self) -> BoxFacts: ...

    @property
    def running(self) -> bool: ...

    @property
    def end(self) -> BoxEnd | None: ...

    def cancel(self) -> None: ...

    def predict(self, batch: FeatureBatch, following: Following = lambda: None) -> AnswerBatch: ...

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
        """``local``, or the plug-in's name for it."""
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


@dataclass(frozen=True)
class EngineKind:
    """An engine that ``--engine`` may name: its requirements here, checked by ``require``, and how it is opened."""

    require: Callable[[], None]
    open: Callable[[], Engine]


ENGINES: Mapping[str, EngineKind] = {LOCAL.name: EngineKind(lambda: None, lambda: LOCAL)}
"""Name → engine; a plug-in's module of this name has its own."""


def open_engine(name: str) -> Engine:
    """Return the engine of that name; raises as `require_engine`, and as the engine is opened."""
    if name == LOCAL.name:  # loads nothing of a plug-in
        return LOCAL
    found = _engine(name)
    found.require()
    return found.open()


def require_engine(name: str) -> None:
    """Return if there is an engine of that name, and its requirements are met here.

    Raises:
        InputError: ``compute.unknown_engine``; and as the engine's ``require``.
    """
    _engine(name).require()


def _engine(name: str) -> EngineKind:
    found = dict(ENGINES)
    for module in mirrored("sandbox.engines"):
        found |= module.ENGINES
    if name not in found:
        raise InputError("compute.unknown_engine", found=name, allowed=offer(name, tuple(found)))
    return found[name]
