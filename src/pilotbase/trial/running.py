"""One application in a box on given cases: environment, worker, answers, and the properties of the box.

The environment is its locked requirements, its image, or what loads its model.
"""

from __future__ import annotations

import contextlib
import hmac
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

from pilotbase.catalogue.applications import Submission, read_application
from pilotbase.documents.base import Part
from pilotbase.documents.contract import Contract
from pilotbase.documents.door import ModelDoor
from pilotbase.documents.endpoint import Endpoint, EndpointUse
from pilotbase.documents.errors import InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.extras import packages_of
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.report import Isolation
from pilotbase.documents.texts import Text
from pilotbase.sandbox.adapters.registry import Adapter, adapter_of
from pilotbase.sandbox.box.ends import END_TEXTS, BoxEnd, BoxEnded, WorkerLostError
from pilotbase.sandbox.box.environments import (
    INSTALLED,
    Environment,
    build_environment,
    image_environment,
    installed_environment,
    missing_packages,
)
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.sandbox.endpoints.calls import CallLog, endpoint_use
from pilotbase.sandbox.endpoints.worker import start_endpoint
from pilotbase.sandbox.engines import LOCAL, Engine, Worker
from pilotbase.trial.answering import AnswerLog, answer_cases
from pilotbase.trial.arena.shelf import WorldShelf, shelf_of, start_in_service
from pilotbase.trial.delivering import CaseDelivery, SecretDelivery
from pilotbase.trial.lab import TrialRuntime, organisation_uid
from pilotbase.trial.performance import Load
from pilotbase.workspace.keys import write_private


def environment_of(lab: TrialRuntime, submission: Submission, uid: int) -> Environment:
    """Return the environment of an application, built by a box of ``uid`` if it is not there; raises as running does.

    Raises:
        InputError: the lock is refused, or something in it cannot be had as a wheel of that hash; the image is refused.
        PilotbaseError: what loads its model is not installed here.
    """
    application = submission.application
    adapter, cache = adapter_of(application.runtime), lab.folder("environments", application.supplier.organisation)
    if adapter is not None and adapter.needs:
        return _loading_environment(lab, adapter)
    if application.image is not None:
        return image_environment(submission.folder / application.image, cache, BoxSettings(uid=uid))
    return build_environment(submission.lock, application.requirements, cache, BoxSettings(uid=uid))


def _loading_environment(lab: TrialRuntime, adapter: Adapter) -> Environment:
    missing = missing_packages(adapter.needs)
    if missing:
        names = ", ".join(missing)
        packages = packages_of(adapter.extra)
        raise PilotbaseError("compute.runtime_missing", runtime=adapter.runtime, lacking=names, packages=packages)
    return installed_environment(adapter.needs, lab.folder("environments", INSTALLED))


MOST_LOSSES = 3
"""Machines that may go under one run, and boxes that somebody may kill, before it is given up."""
_WRITE_SECONDS, _LOOK_SECONDS = 1.0, 0.01
AnyPart = TypeVar("AnyPart", bound=Part)


@dataclass(frozen=True)
class PreparedApplication:
    """An application ready to run: its immutable copy and its installed requirements."""

    submission: Submission
    environment: Environment
    """Its installed requirements, or what loads its model."""
    uid: int
    """Real uid of its boxes when started as root: one per supplier."""
    engine: Engine = LOCAL
    """Where its boxes are opened."""
    shelf: WorldShelf | None = None
    """The worlds in which it may act."""

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
    def endpoint(self) -> Endpoint | None:
        """Where its supplier keeps it; None: it runs in a box."""
        return self.submission.application.endpoint

    @property
    def runtime(self) -> str:
        """Name what runs it: Python and this machine, and the libraries that load a model, with their versions."""
        if self.endpoint is not None:
            return " ".join(filter(None, (self.endpoint.url, self.endpoint.model, self.endpoint.version)))
        python = f"CPython {platform.python_version()} {platform.machine()}"
        form = self.submission.application.form
        if form.image is not None:
            return " ".join((form.image, *(form.command or ()), f"({platform.machine()})"))
        if form.command is not None:
            return f"{' '.join(form.command)} ({python})"
        adapter = adapter_of(form.runtime)
        libraries = adapter.needs if adapter is not None else ()
        versions = dict(package.split("==") for package in self.environment.packages)
        return ", ".join([*(f"{name} {versions[name]}" for name in libraries), python])


@dataclass(frozen=True)
class BoxTerms:
    """Under which terms a box runs."""

    contract: Contract
    limits: Limits
    isolation: IsolationLevel
    batch_rows: int
    logs: LogPolicy
    may_leave: bool = False
    """Cases may be sent to an endpoint of the supplier's."""
    door: ModelDoor | None = None
    """The model that an application in a box may use while it acts."""

    def asked_of(self, candidate: PreparedApplication) -> Endpoint | None:
        """Return what a run of ``candidate`` calls: its own endpoint, or the model behind the door; None: nothing."""
        return candidate.endpoint or (None if self.door is None else self.door.endpoint)


def _ignore(_: object) -> None:
    return


@dataclass(frozen=True)
class Hooks:
    """Callbacks during a run."""

    before_first: Callable[[], None] = lambda: None
    """The application has loaded and the next batch is about to leave."""
    on_batch: Callable[[int], None] = _ignore
    """So many cases have an answer."""
    on_usage: Callable[[BoxUsage], None] = _ignore
    """Called with the box's use so far, after every batch."""
    on_more: Callable[[int, int], None] = lambda boxes, cases: None
    """So many more boxes will follow, with so many cases each: before, nobody knew whether they would."""
    keeps_usage: bool = False
    """On hidden cases, the use is kept beside the answers too, so that it counts after a kill."""


@dataclass(frozen=True)
class BoxRun:
    """The result: how it ended, the box's properties, the load, and the output (if released)."""

    end: BoxEnd
    isolation: Isolation
    load: Load
    log: str
    use: EndpointUse | None = None
    """The totals of the calls, if an endpoint answered or a model was asked."""

    @property
    def ending(self) -> Text:
        return END_TEXTS[self.end.reason]

    def measured(self, **found: object) -> BoxRun:
        """Return the run with further measurements of its load."""
        return replace(self, load=self.load.model_copy(update=found))


def prepare_candidate(lab: TrialRuntime, submission: Submission) -> PreparedApplication:
    """Return the application with its requirements installed, its image laid out, or with what loads its model.

    Raises:
        InputError: the lock is refused, or something in it cannot be had as a wheel of that hash; the image is refused.
        PilotbaseError: what loads its model is not installed here.
    """
    uid = organisation_uid(lab, submission.application.supplier.organisation)
    environment = environment_of(lab, submission, uid)
    return PreparedApplication(submission, environment, uid, lab.engine or LOCAL, shelf_of(lab))


def kept_candidate(lab: TrialRuntime, digest: str) -> PreparedApplication:
    """Return an application that the base keeps, by the digest of its folder; raises as `prepare_candidate`."""
    return prepare_candidate(lab, read_application(lab.application_folder(digest)))


def planned_candidate(lab: TrialRuntime, planned: ApplicationReference, plan: str) -> PreparedApplication:
    """Return the application that ``plan`` names; raises `InvalidProofError` if it or its environment is another."""
    candidate = kept_candidate(lab, planned.digest)
    if candidate.reference != planned:
        raise InvalidProofError("trial.not_as_planned", plan=plan)
    return candidate


def run_candidate(
    candidate: PreparedApplication,
    terms: BoxTerms,
    asked: CaseDelivery,
    log: AnswerLog,
    hooks: Hooks = Hooks(),
) -> BoxRun:
    """Answer all cases of ``asked`` that ``log`` has no answer for yet.

    An application that fails ends the run, with the reason; our own failures raise (`BoxStartError`, `OSError`). A
    machine that goes, or a box that is killed from outside, is no end: another box goes on where the committed answers
    end, `MOST_LOSSES` times; then `WorkerLostError`.
    """
    for _ in range(MOST_LOSSES):
        with contextlib.suppress(WorkerLostError):
            return _run_once(candidate, terms, asked, log, hooks)
    return _run_once(candidate, terms, asked, log, hooks)


def run_on_hidden(
    lab: TrialRuntime,
    candidate: PreparedApplication,
    terms: BoxTerms,
    asked: SecretDelivery,
    log: AnswerLog,
    hooks: Hooks = Hooks(),
) -> BoxRun:
    """Answer hidden cases as `run_candidate` answers others, while no run prints: no hidden case goes another way.

    How it ended is kept beside ``log``: a run that has ended is only read. Raises `InvalidProofError` if that was
    altered.
    """
    file = log.path.with_name("ended")
    ended = read_marked(EndedRun, file, log.key)
    if ended is None:
        usage = UsageFile(log.path.with_name("usage"), log.key) if hooks.keeps_usage else None

        def on_usage(so_far: BoxUsage) -> None:
            if usage is not None:
                usage.update(so_far)
            hooks.on_usage(so_far)

        with lab.hidden_run():
            run = run_candidate(candidate, terms, asked, log, replace(hooks, on_usage=on_usage))
        ended = EndedRun.of(run, UsedSoFar() if usage is None else usage.total)
        log.sync()
        write_marked(ended, file, log.key)
    return ended.restored(log)


def start_candidate(candidate: PreparedApplication, terms: BoxTerms, calls: CallLog | None = None) -> Worker:
    """Return a worker that has loaded the application and waits for batches, in a trial as in service.

    ``calls``: where calls to an endpoint, or to a model, are logged; None: nowhere.

    Raises as `start_worker`, and `RefusedError` if cases may not be sent to an endpoint, or it may not be called.
    """
    application, settings = candidate.submission.application, box_settings(candidate, terms)
    world = terms.contract.world
    if application.acts != (world is not None):
        raise RefusedError("trial.other_interface", application=application.name, found=application.interface)
    if application.endpoint is not None and not terms.may_leave:
        raise RefusedError("trial.endpoint_not_here", application=application.name)
    called = calls or CallLog(None, b"")
    start = partial(_start_worker, candidate, called)
    if world is not None and candidate.shelf is not None:
        door = terms.door if candidate.endpoint is None else None
        return candidate.shelf.stage(world, start, settings, door, called)
    return start(terms.contract, settings)


def start_player(candidate: PreparedApplication, terms: BoxTerms, seconds: float) -> Worker:
    """Return a fresh box for one dialogue in service, in which the application may take so many seconds itself.

    Raises as `start_worker`.
    """
    start = partial(_start_worker, candidate, CallLog(None, b""))
    return start_in_service(start, box_settings(candidate, terms), seconds)


def _start_worker(candidate: PreparedApplication, calls: CallLog, contract: Contract, settings: BoxSettings) -> Worker:
    application = candidate.submission.application
    if application.endpoint is not None:
        return start_endpoint(application.endpoint, application.supplier.organisation, contract, settings, calls)
    folder = candidate.submission.folder
    return candidate.engine.start_worker(folder, application.form, contract, candidate.environment, settings)


def box_settings(candidate: PreparedApplication, terms: BoxTerms) -> BoxSettings:
    """Return how the application's box is started under ``terms``."""
    threads = candidate.submission.application.resources.threads
    limits = terms.limits.model_copy(update={"threads": threads})
    return BoxSettings(limits=limits, level=terms.isolation, uid=candidate.uid, logs=terms.logs)


class UsedSoFar(Part):
    """CPU seconds and peak memory of the boxes that answered so far."""

    cpu_seconds: float = 0.0
    memory_peak_bytes: int = 0

    def plus(self, usage: BoxUsage) -> UsedSoFar:
        return UsedSoFar(
            cpu_seconds=self.cpu_seconds + usage.cpu_seconds,
            memory_peak_bytes=max(self.memory_peak_bytes, usage.memory_peak_bytes),
        )


class UsageFile:
    """Keeps the use of the boxes of one attempt, written at most once a second."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Go on from what ``path`` holds; raises `InvalidProofError` when it was altered."""
        self._path, self._key = path, key
        self._earlier = read_marked(UsedSoFar, path, key) or UsedSoFar()
        self._written = time.monotonic()
        self.total = self._earlier

    def update(self, usage: BoxUsage) -> None:
        self.total = self._earlier.plus(usage)
        if time.monotonic() - self._written > _WRITE_SECONDS:
            write_marked(self.total, self._path, self._key)
            self._written = time.monotonic()


class EndedRun(Part):
    """How answering ended; once written, no box is started for this attempt."""

    reason: EndReason
    detail: str
    isolation: Isolation
    batch_rows: int
    load_seconds: float
    cpu_seconds: float | None
    memory_peak_bytes: int | None
    use: EndpointUse | None = None

    @classmethod
    def of(cls, run: BoxRun, total: UsedSoFar) -> EndedRun:
        return cls(
            reason=run.end.reason,
            detail=run.end.detail,
            isolation=run.isolation,
            batch_rows=run.load.batch_rows,
            load_seconds=run.load.load_seconds,
            cpu_seconds=total.cpu_seconds or run.load.cpu_seconds,
            memory_peak_bytes=total.memory_peak_bytes or run.load.memory_peak_bytes,
            use=run.use,
        )

    def restored(self, log: AnswerLog) -> BoxRun:
        """Return the run with the latencies of its committed batches."""
        load = Load(
            batch_seconds=log.seconds(),
            cases=log.answered,
            batch_rows=self.batch_rows,
            load_seconds=self.load_seconds,
            cpu_seconds=self.cpu_seconds,
            memory_peak_bytes=self.memory_peak_bytes,
            spent=None if self.use is None else self.use.spent,
        )
        return BoxRun(BoxEnd(self.reason, detail=self.detail), self.isolation, load, "", self.use)


def read_marked(kind: type[AnyPart], path: Path, key: bytes) -> AnyPart | None:
    """Return what `write_marked` wrote, or None if nothing was written; raises `InvalidProofError` if altered."""
    if not path.exists():
        return None
    mark, _, body = path.read_bytes().partition(b"\n")
    if not hmac.compare_digest(mark, _mark(kind, body, key)):
        raise InvalidProofError("trial.run_altered", file=path.name)
    return kind.model_validate_json(body)


def write_marked(part: Part, path: Path, key: bytes) -> None:
    """Put ``part`` on the disk under a mark that only a holder of ``key`` can make."""
    body = part.model_dump_json().encode()
    write_private(path, _mark(type(part), body, key) + b"\n" + body)


@lru_cache(maxsize=256)
def threads_of(folder: Path) -> int:
    """Return the numerical threads that the application kept in ``folder`` has in its box.

    Raises as `read_application`.
    """
    return read_application(folder).application.resources.threads


def _run_once(
    candidate: PreparedApplication, terms: BoxTerms, asked: CaseDelivery, log: AnswerLog, hooks: Hooks
) -> BoxRun:
    asks = terms.asked_of(candidate) is not None
    with CallLog(*log.beside("calls")) if asks else CallLog(None, b"") as calls:
        try:
            worker = start_candidate(candidate, terms, calls)
        except BoxEnded as ended:
            return _with_use(_unstarted(candidate, terms, log, ended.end), candidate, terms, calls)
        with worker:
            if log.answered < len(asked.order):
                hooks.before_first()

            looked = 0.0

            def on_batch(done: int) -> None:
                nonlocal looked
                if hooks.on_usage is not _ignore or time.monotonic() - looked > _LOOK_SECONDS:
                    hooks.on_usage(worker.usage())
                    looked = time.monotonic()
                hooks.on_batch(done)

            end = answer_cases(worker, asked, log, on_batch)
            worker.close(end.reason)
            return _with_use(_ended(candidate, terms, log, end, worker), candidate, terms, calls)


def _ended(candidate: PreparedApplication, terms: BoxTerms, log: AnswerLog, end: BoxEnd, worker: Worker) -> BoxRun:
    usage, logs, settings = worker.usage(), worker.logs(), box_settings(candidate, terms)
    measured = candidate.endpoint is None  # what an endpoint uses is not seen, and is no pass
    load = Load(
        batch_seconds=log.seconds(),
        cases=log.answered,
        batch_rows=terms.batch_rows,
        load_seconds=worker.load_seconds,
        cpu_seconds=usage.cpu_seconds if measured else None,
        memory_peak_bytes=usage.memory_peak_bytes if measured else None,
    )
    return BoxRun(end, _isolation(worker, settings, end, len(logs.text) + logs.dropped_bytes), load, logs.text)


def _with_use(run: BoxRun, candidate: PreparedApplication, terms: BoxTerms, calls: CallLog) -> BoxRun:
    """Return ``run`` with the totals of the calls to an endpoint or a model; an episode of many calls is one case."""
    asked = terms.asked_of(candidate)
    if asked is None:
        return run
    total = replace(calls.total, cases=run.load.cases) if candidate.submission.application.acts else calls.total
    use = endpoint_use(asked, total, calls.digest)
    if candidate.endpoint is None and use.prompt_tokens is None:  # of a model that was never asked, none is known
        use = use.model_copy(update={"prompt_tokens": 0, "completion_tokens": 0})
    return replace(run.measured(spent=use.spent), use=use)


def _isolation(worker: Worker, settings: BoxSettings, end: BoxEnd, log_bytes: int) -> Isolation:
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


def _unstarted(candidate: PreparedApplication, terms: BoxTerms, log: AnswerLog, end: BoxEnd) -> BoxRun:
    settings = box_settings(candidate, terms)
    level = settings.level if candidate.endpoint is None else IsolationLevel.L0
    isolation = Isolation(
        level=level, start="", memory_watch="", limits=settings.limits, end=end.reason, detail=end.detail
    )
    load = Load(batch_seconds=log.seconds(), cases=log.answered, batch_rows=terms.batch_rows, load_seconds=0)
    return BoxRun(end, isolation, load, "")


def _mark(kind: type[Part], body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, kind.__name__.encode() + b"\n" + body, "sha256").hex().encode()
