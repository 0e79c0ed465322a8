"""One application in a box on given cases: environment, worker, answers, and what the box was."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from pilotbase.catalogue.applications import Submission
from pilotbase.compute.adapters.registry import Adapter, adapter_of
from pilotbase.compute.box.ends import END_TEXTS, BoxEnded
from pilotbase.compute.box.environments import Environment, build_environment
from pilotbase.compute.box.installed import INSTALLED, installed_environment, lacking
from pilotbase.compute.box.settings import BoxSettings, LogPolicy
from pilotbase.compute.box.supervisor import Usage
from pilotbase.compute.engines import LOCAL, Engine, Worker, WorkerLostError
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import IsolationLevel, Limits
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.report import Isolation
from pilotbase.documents.texts import Text
from pilotbase.trial.answering import End, answer_cases
from pilotbase.trial.answers import AnswerLog
from pilotbase.trial.lab import Lab, organisation_uid
from pilotbase.trial.performance import Load

MOST_LOSSES = 3
"""Machines that may go under one run before it is given up."""


@dataclass(frozen=True)
class Candidate:
    """An application ready to run: its immutable copy and its installed requirements."""

    submission: Submission
    environment: Environment
    """Its installed requirements, or what loads its model."""
    uid: int
    """Real uid of its boxes when started as root: one per supplier."""
    engine: Engine = LOCAL
    """Where its boxes are opened."""

    @property
    def reference(self) -> ApplicationReference:
        application = self.submission.application
        return ApplicationReference(
            name=application.name,
            version=application.version,
            supplier=application.supplier,
            digest=self.submission.digest,
            environment=self.environment.digest,
        )

    @property
    def runtime(self) -> str:
        """Name what runs it: Python and this machine, and the libraries that load a model, with their versions."""
        python = f"CPython {platform.python_version()} {platform.machine()}"
        form = self.submission.application.form
        if form.command is not None:
            return f"{' '.join(form.command)} ({python})"
        adapter = adapter_of(form.runtime)
        libraries = adapter.needs if adapter is not None else ()
        versions = dict(package.split("==") for package in self.environment.packages)
        return ", ".join([*(f"{name} {versions[name]}" for name in libraries), python])


@dataclass(frozen=True)
class Terms:
    """Under which terms a box runs."""

    contract: Contract
    limits: Limits
    isolation: IsolationLevel
    batch_rows: int
    logs: LogPolicy


def _ignore(_: object) -> None:
    return


@dataclass(frozen=True)
class Hooks:
    """What a run tells while it goes on."""

    before_first: Callable[[], None] = lambda: None
    """The application has loaded and the next batch is about to leave."""
    on_batch: Callable[[int], None] = _ignore
    """So many cases have an answer."""
    on_usage: Callable[[Usage], None] = _ignore
    """What the box has used so far; after every batch."""


@dataclass(frozen=True)
class Run:
    """What came of it: how it ended, the box as it was, the load, and what was printed (if let out)."""

    end: End
    isolation: Isolation
    load: Load
    log: str

    @property
    def ending(self) -> Text:
        """Return in words how it ended."""
        return END_TEXTS[self.end.reason]


def prepare_candidate(lab: Lab, submission: Submission) -> Candidate:
    """Return the application with its requirements installed, or with what loads its model.

    Raises:
        InputError: the lock is refused, or something in it cannot be had as a wheel of that hash.
        PilotbaseError: what loads its model is not installed here.
    """
    supplier = submission.application.supplier.organisation
    uid = organisation_uid(lab, supplier)
    adapter = adapter_of(submission.application.runtime)
    if adapter is not None and adapter.needs:
        environment = _loading_environment(lab, adapter)
    else:
        file, cache = submission.application.requirements, lab.folder("environments", supplier)
        environment = build_environment(submission.lock, file, cache, BoxSettings(uid=uid))
    return Candidate(submission, environment, uid, lab.engine)


def _loading_environment(lab: Lab, adapter: Adapter) -> Environment:
    missing = lacking(adapter.needs)
    if missing:
        names = ", ".join(missing)
        raise PilotbaseError("compute.runtime_missing", runtime=adapter.runtime, lacking=names, extra=adapter.extra)
    return installed_environment(adapter.needs, lab.folder("environments", INSTALLED))


def run_candidate(
    candidate: Candidate,
    terms: Terms,
    features: Mapping[str, NDArray[Any]],
    log: AnswerLog,
    hooks: Hooks = Hooks(),
) -> Run:
    """Answer all cases of ``features`` that ``log`` has no answer for yet.

    An application that fails ends the run, with the reason; our own failures raise (`BoxStartError`, `OSError`). A
    machine that goes is no end: another box goes on where the committed answers end, `MOST_LOSSES` times.
    """
    for _ in range(MOST_LOSSES):
        with contextlib.suppress(WorkerLostError):
            return _run_once(candidate, terms, features, log, hooks)
    return _run_once(candidate, terms, features, log, hooks)


def _run_once(
    candidate: Candidate, terms: Terms, features: Mapping[str, NDArray[Any]], log: AnswerLog, hooks: Hooks
) -> Run:
    settings, cases = box_settings(candidate, terms), len(next(iter(features.values())))
    try:
        worker = start_candidate(candidate, terms)
    except BoxEnded as ended:
        end = End(ended.reason, ended.detail)
        return Run(
            end, _unstarted(settings, end), Load(log.seconds(), log.answered, terms.batch_rows, 0, None, None), ""
        )
    with worker:
        if log.answered < cases:
            hooks.before_first()

        def on_batch(done: int) -> None:
            hooks.on_usage(worker.usage())
            hooks.on_batch(done)

        end = answer_cases(worker, features, terms.batch_rows, log, on_batch)
        worker.close(end.reason)
        if terms.logs is LogPolicy.WITHHELD:
            worker.forget_files()
        usage, logs = worker.usage(), worker.logs()
    load = Load(
        batch_seconds=log.seconds(),
        cases=log.answered,
        batch_rows=terms.batch_rows,
        load_seconds=worker.load_seconds,
        cpu_seconds=usage.cpu_seconds,
        memory_peak_bytes=usage.memory_peak_bytes,
    )
    return Run(end, _isolation(worker, settings, end, len(logs.text) + logs.dropped_bytes), load, logs.text)


def start_candidate(candidate: Candidate, terms: Terms) -> Worker:
    """Return a worker that has loaded the application and waits for batches: in a trial as in service.

    Raises as `start_worker`.
    """
    form = candidate.submission.application.form
    settings = box_settings(candidate, terms)
    folder, environment = candidate.submission.folder, candidate.environment
    return candidate.engine.start_worker(folder, form, terms.contract, environment, settings)


def box_settings(candidate: Candidate, terms: Terms) -> BoxSettings:
    """Return how the application's box is started under ``terms``."""
    threads = candidate.submission.application.resources.threads
    limits = terms.limits.model_copy(update={"threads": threads})
    return BoxSettings(limits=limits, level=terms.isolation, uid=candidate.uid, logs=terms.logs)


def _isolation(worker: Worker, settings: BoxSettings, end: End, log_bytes: int) -> Isolation:
    facts = worker.facts
    return Isolation(
        level=facts.level,
        start=facts.start,
        memory_watch=facts.memory_watch.value,
        limits=settings.limits,
        end=end.reason,
        detail=end.detail,
        log_bytes=log_bytes,
    )


def _unstarted(settings: BoxSettings, end: End) -> Isolation:
    return Isolation(
        level=settings.level, start="", memory_watch="", limits=settings.limits, end=end.reason, detail=end.detail
    )
