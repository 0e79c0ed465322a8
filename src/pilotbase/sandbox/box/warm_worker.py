"""A warm worker: an application loaded once in a box, answering batch after batch.

The same worker serves rehearsal, trial and service. Answers are checked on this side of the wall, because the program
on the other side runs beside hostile code.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.limits import EndReason, IsolationLevel
from pilotbase.protocols.frames import (
    MAX_JSON_BYTES,
    AnswerBatch,
    Buffer,
    FeatureBatch,
    Following,
    FrameError,
    FrameKind,
    Header,
    check_answer_header,
    decode_answers,
    encode_batch,
    encode_json,
)
from pilotbase.sandbox.adapters.registry import Adapter, loader_of
from pilotbase.sandbox.box import runner
from pilotbase.sandbox.box.box import Box, BoxFacts
from pilotbase.sandbox.box.channel import ChannelClosedError, DeadlinePassedError
from pilotbase.sandbox.box.command import ADAPTERS, APPLICATION, ENVIRONMENT, BoxProgram, Mount
from pilotbase.sandbox.box.copies import copy_of
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded, ClosedAtEnd, Logs
from pilotbase.sandbox.box.environments import ROOT, START, Environment
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.sandbox.box.trees import check_folder, readable_folder

_LAST_WORDS = 2000
_REPORTABLE = frozenset(
    {
        EndReason.LOAD_FAILED,
        EndReason.MODEL_UNREADABLE,
        EndReason.MODEL_TOO_NEW,
        EndReason.MODEL_REFUSED,
        EndReason.MODEL_MISFIT,
        EndReason.APPLICATION_ERROR,
        EndReason.APPLICATION_EXIT,
        EndReason.MEMORY_LIMIT,
        EndReason.PROCESS_LIMIT,
        EndReason.SCRATCH_LIMIT,
        EndReason.WRONG_COUNT,
        EndReason.WRONG_TYPE,
        EndReason.UNKNOWN_CLASS,
    }
)
"""Reasons that the program in the box may report; any other is a broken protocol."""


@dataclass(frozen=True)
class WorkerSetup:
    """An application in its environment, under a contract."""

    application: Path
    form: Form
    contract: Contract
    environment: Environment
    copies: str | None = None
    """The copies that its box reads, if it reads copies."""

    @property
    def adapter(self) -> Adapter | None:
        """The adapter that loads it in the box; None: the runner, which imports its code."""
        return loader_of(self.form)

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """The mounts of its box other than its folder."""
        scripts = () if self.adapter is None else self.adapter.scripts
        return (*self._environment, *(Mount(self._read(one), ADAPTERS / one.name) for one in scripts))

    @property
    def root(self) -> Path | None:
        """The image that is the root of its box, if its form is one."""
        return self.environment.path / ROOT if self.form.image is not None else None

    def _read(self, file: Path) -> Path:
        return file if self.copies is None else copy_of(file, self.copies)

    @property
    def _environment(self) -> tuple[Mount, ...]:
        if self.root is None:
            return (Mount(self.environment.path, ENVIRONMENT),)
        return (Mount(self.environment.path / START, ENVIRONMENT / START),)


def start_worker(
    application: Path, form: Form, contract: Contract, environment: Environment, settings: BoxSettings
) -> WarmWorker:
    """Return a worker that has loaded the application and waits for batches; close it after use.

    Raises:
        InputError: the folder holds links or special files, or too much.
        RefusedError: the host does not give the level, or an image cannot be a root at that level.
        BoxEnded: the application did not load (with the reason, and its own words if the log policy releases them).
        BoxStartError: the box could not be set up.
    """
    check_folder(application)
    if settings.copies is not None:
        environment = replace(environment, path=copy_of(environment.path, settings.copies))
    environment.verify()
    work = WorkerSetup(application.resolve(), form, contract, environment, settings.copies)
    if work.root is not None and settings.level in (IsolationLevel.L0, IsolationLevel.L1):
        raise RefusedError("box.image_needs_box", level=settings.level.value)
    return WarmWorker(work, settings)


class WarmWorker(ClosedAtEnd):
    """A loaded application; one thread uses it, any thread may `cancel` it."""

    def __init__(self, work: WorkerSetup, settings: BoxSettings) -> None:
        self._contract, self._limits, self._policy = work.contract, settings.limits, settings.logs
        self._sequence = 0
        self._ready: tuple[FeatureBatch, Sequence[Buffer]] | None = None
        self._end: BoxEnd | None = None
        with contextlib.ExitStack() as stack:
            application = stack.enter_context(readable_folder(work.application, copied=work.copies is not None))
            mounts = (Mount(application, APPLICATION), *work.mounts)
            program = BoxProgram(Path(runner.__file__), (), mounts, APPLICATION, work.root)
            self._box = stack.enter_context(Box(program, settings))
            started = time.monotonic()
            self._load(_greeting(work, settings))
            self._held = stack.pop_all()
        self.load_seconds = self._box.facts.start_seconds + time.monotonic() - started
        """From the start of the box until the application was ready."""

    @property
    def facts(self) -> BoxFacts:
        """Level, start, memory watch and uid, for the report."""
        return self._box.facts

    @property
    def end(self) -> BoxEnd | None:
        """How the box ended; None while it runs."""
        return self._end

    @property
    def running(self) -> bool:
        """Return whether the box is still there; if it ended between two batches, the next `predict` reports it."""
        return self._end is None and self._box.supervisor.is_alive()

    def predict(self, batch: FeatureBatch, following: Following = lambda: None) -> AnswerBatch:
        """Return one answer for each case of ``batch``, in its order.

        ``following``: called while the box works; the batch that it returns is encoded, and not sent yet.

        Raises:
            InputError: the batch does not fit the contract; the box keeps running.
            BoxEnded: the box has ended; its reason says why.
        """
        if self._end is not None:
            raise BoxEnded(self._end)
        frame = self._frame(batch)
        self._sequence += 1
        deadline = time.monotonic() + self._limits.batch_seconds
        channel = self._box.channel
        try:
            if channel.has_unread():
                self._refuse_unasked(deadline)
            channel.send(frame, deadline)
            self._make_ready(following())
            header = channel.receive_header(deadline)
            self._raise_reported(header, deadline)
            check_answer_header(header, self._contract.prediction, batch.rows, self._sequence)
            answered = channel.receive(header.length, deadline)
            return decode_answers(answered, self._contract.prediction, batch.rows)
        except DeadlinePassedError:
            self._fail(EndReason.BATCH_TIMEOUT)
        except ChannelClosedError:
            self._fail(EndReason.APPLICATION_EXIT)
        except FrameError as problem:
            self._fail(problem.reason)

    def usage(self) -> BoxUsage:
        """Return wall and CPU seconds and the peak memory of the whole box, until now or until its end."""
        return self._box.usage()

    def logs(self) -> Logs:
        """Return what the application printed, as far as the log policy releases it."""
        return self._box.logs()

    def cancel(self) -> None:
        """End the box from another thread: a `predict` under way raises `BoxEnded`; `close` must still be called."""
        self._box.supervisor.stop(EndReason.CANCELLED)

    def close(self, reason: EndReason = EndReason.FINISHED) -> None:
        """End the box and leave nothing of it behind; harmless when repeated."""
        if self._end is None:
            self._end = BoxEnd(reason, self._sequence, "")
        self._box.close(reason)
        self._held.close()

    def _make_ready(self, following: FeatureBatch | None) -> None:
        """Encode the next batch; if it does not fit the contract, the error is raised when it is sent."""
        if following is not None:
            with contextlib.suppress(InputError):
                self._ready = (following, self._frame(following))

    def _frame(self, batch: FeatureBatch) -> Sequence[Buffer]:
        """Return the next frame, of ``batch``; a frame encoded ahead for another batch is not used."""
        ready, self._ready = self._ready, None
        if ready is not None and ready[0] is batch:
            return ready[1]
        return self._box.channel.share(encode_batch(batch, self._contract, self._sequence + 1))

    def _load(self, greeting: bytes) -> None:
        deadline = time.monotonic() + self._limits.load_seconds
        channel = self._box.channel
        try:
            channel.send(encode_json(FrameKind.HELLO, greeting), deadline)
            header = channel.receive_header(deadline)
            self._raise_reported(header, deadline)
            if header.kind is not FrameKind.READY or header.length > MAX_JSON_BYTES:
                raise FrameError(EndReason.BROKEN_PROTOCOL)
            channel.receive(header.length, deadline)
        except DeadlinePassedError:
            self._fail(EndReason.LOAD_TIMEOUT)
        except ChannelClosedError:
            self._fail(EndReason.APPLICATION_EXIT)
        except FrameError as problem:
            self._fail(problem.reason)

    def _raise_reported(self, header: Header, deadline: float) -> None:
        """End the box if the program in it reports a failure."""
        if header.kind is not FrameKind.ERROR:
            return
        if header.length > MAX_JSON_BYTES:
            raise FrameError(EndReason.BROKEN_PROTOCOL)
        try:
            report = json.loads(bytes(self._box.channel.receive(header.length, deadline)))
            # An unpaired surrogate, which JSON can spell and no report can hold, becomes a question mark.
            reason, message = EndReason(report["reason"]), str(report["message"]).encode(errors="replace").decode()
        except (ValueError, TypeError, KeyError, RecursionError):
            raise FrameError(EndReason.BROKEN_PROTOCOL) from None
        if reason not in _REPORTABLE:
            raise FrameError(EndReason.BROKEN_PROTOCOL)
        self._fail(reason, message)

    def _refuse_unasked(self, deadline: float) -> None:
        """Distinguish an application that has ended between batches from one that speaks out of turn."""
        header = self._box.channel.receive_header(deadline)
        self._raise_reported(header, deadline)
        raise FrameError(EndReason.BROKEN_PROTOCOL)

    def _fail(self, symptom: EndReason, message: str = "") -> NoReturn:
        reason = self._box.explain(symptom)
        self._box.close(reason)
        if reason is EndReason.APPLICATION_EXIT and not message:  # what it printed last may tell why
            message = self._box.logs().text[-_LAST_WORDS:].strip()
        detail = message if self._policy is LogPolicy.FULL else ""
        self._end = BoxEnd(reason, self._sequence, detail)
        raise BoxEnded(self._end)


def _greeting(work: WorkerSetup, settings: BoxSettings) -> bytes:
    inside = settings.level not in (IsolationLevel.L0, IsolationLevel.L1)
    prediction, features = work.contract.prediction, work.contract.features
    script = None if work.adapter is None else work.adapter.script
    return json.dumps(
        {
            "application": str(APPLICATION if inside else work.application),
            "environment": str(ENVIRONMENT if inside else work.environment.path),
            "form": work.form.to_json_value(),
            "adapter": None if script is None else str(ADAPTERS / script.name if inside else script),
            "features": [field.name for field in features],
            "types": [field.data_type.value for field in features],
            "kind": prediction.kind,
            "classes": list(prediction.classes),
            "positive": prediction.positive,
            "threads": settings.limits.threads,
        }
    ).encode()
