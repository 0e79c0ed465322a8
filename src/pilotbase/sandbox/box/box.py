"""A box: one stand-alone program of ours, and everything it loads, isolated.

The program sends STARTED before it has read a line of an application. Only then is the box checked from outside — uid,
capabilities, filter — and its scratch opened for counting; only then is it told what to load.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.protocols.frames import MAX_JSON_BYTES, FrameError, FrameKind, encode_json
from pilotbase.sandbox.box import seccomp, work_program
from pilotbase.sandbox.box.cgroups import ControlGroup, find_hierarchy
from pilotbase.sandbox.box.channel import BoxChannel, ChannelClosedError, DeadlinePassedError, SharedFile, open_pipe
from pilotbase.sandbox.box.command import (
    SCRATCH,
    SHARED_MEMORY,
    BoxProgram,
    Descriptors,
    Mount,
    Tools,
    box_arguments,
    boxed_command,
    constant_files,
    environment_variables,
    joined_command,
    launch_command,
    program_command,
    shown_of_host,
)
from pilotbase.sandbox.box.counts import CountedRun, note_hidden_run, settle
from pilotbase.sandbox.box.ends import CappedLog, ClosedAtEnd, Logs, WorkerLostError
from pilotbase.sandbox.box.probe import HostProbe, probe_host, require_level
from pilotbase.sandbox.box.settings import (
    BoxSettings,
    LogPolicy,
    MemoryWatch,
    Protection,
    StartMode,
    running_interpreter,
)
from pilotbase.sandbox.box.supervisor import BoxUsage, EnforcedLimits, Launch, Supervisor, children, status

_START_SECONDS = 20.0
_CRASHES = frozenset(
    {
        EndReason.APPLICATION_ERROR,
        EndReason.APPLICATION_EXIT,
        EndReason.LOAD_FAILED,
        EndReason.LOAD_TIMEOUT,
        EndReason.BATCH_TIMEOUT,
    }
)
"""Symptoms that an exceeded limit may cause."""
NO_REPORT = (FrameError, ValueError, KeyError, TypeError)
"""Errors of reading an untrusted report: it is none, or lacks required parts."""


class BoxStartError(PilotbaseError):
    """The box could not be set up: the fault is ours or the machine's, never the application's."""


@dataclass(frozen=True)
class BoxFacts:
    """The report's facts about the box."""

    level: IsolationLevel
    start: str
    """``C``, ``D``, or ``none`` at levels L0 and L1."""
    memory_watch: MemoryWatch
    uid: int
    start_seconds: float


class Box(ClosedAtEnd):
    """A started box with its channel; a context manager that leaves nothing behind."""

    def __init__(self, program: BoxProgram, settings: BoxSettings, probe: HostProbe | None = None) -> None:
        probe = probe or probe_host()
        require_level(settings.level, probe)
        settings = replace(settings, interpreter=settings.interpreter or running_interpreter())
        self._start = probe.choose_start(settings, program)
        shown = () if self._start is None else shown_of_host(program, settings, probe.tools)
        self._hidden: CountedRun | None = None
        self.settings, self._group = _with_group(settings)
        self._log = CappedLog(settings.limits.log_bytes, settings.logs)
        began = time.monotonic()
        requests, answers, information, shared = open_pipe(), open_pipe(), os.pipe(), SharedFile()
        self.channel = BoxChannel(requests[1], answers[0], shared)
        passed = _Passed(requests[0], answers[1], shared.descriptor, information[1])
        launch = _launch((program, shown), self.settings, self._start, passed, probe.tools)
        if self._group is not None:
            launch = replace(launch, command=joined_command(self._group.join_files(), launch.command))
        self.supervisor = Supervisor(launch, settings.limits, self._group, self._log, _watch(settings))
        try:
            if settings.hidden:
                self._hidden = note_hidden_run()
            if settings.prints:
                settle()
            self.supervisor.launch()
            uid = self._admit(information[0])
        except BaseException:
            self.close()
            raise
        finally:
            os.close(information[0])
        watch = self.settings.memory_watch or MemoryWatch.SUPERVISOR
        start = self._start.value if self._start else "none"
        self.facts = BoxFacts(settings.level, start, watch, uid, time.monotonic() - began)

    def explain(self, symptom: EndReason) -> EndReason:
        """Return the reason behind ``symptom``: a limit that kernel or supervisor saw exceeded, else the symptom.

        Raises:
            WorkerLostError: someone outside killed the box.
        """
        reason = self._reason(symptom)
        if reason is EndReason.APPLICATION_EXIT and self._start is not None and self.supervisor.was_killed():
            raise WorkerLostError("box.killed")
        return reason

    def _reason(self, symptom: EndReason) -> EndReason:
        evidence = self.supervisor.evidence()
        if evidence.ended_by is not None:
            return evidence.ended_by
        if evidence.oom_kills:
            return EndReason.MEMORY_LIMIT
        if symptom not in _CRASHES:
            return symptom
        if evidence.cpu_exhausted:
            return EndReason.CPU_LIMIT
        if evidence.refused_forks:
            return EndReason.PROCESS_LIMIT
        if evidence.flooded and symptom in (EndReason.BATCH_TIMEOUT, EndReason.LOAD_TIMEOUT):
            return EndReason.OUTPUT_FLOOD
        return EndReason.SCRATCH_LIMIT if evidence.scratch_full else symptom

    def usage(self) -> BoxUsage:
        return self.supervisor.usage()

    def logs(self) -> Logs:
        """Return the output that the log policy releases."""
        return self._log.read()

    def close(self, reason: EndReason = EndReason.FINISHED) -> None:
        """End everything in the box and wait until it is gone."""
        self.supervisor.stop(reason)
        if self.supervisor.ident is not None:
            self.supervisor.join()
        self.channel.close()
        if self._hidden is not None:
            self._hidden.close()
            self._hidden = None

    def _admit(self, information: int) -> int:
        """Wait for STARTED, check the box from outside, and return its real uid."""
        try:
            header = self.channel.receive_header(time.monotonic() + _START_SECONDS)
        except (ChannelClosedError, DeadlinePassedError, FrameError):
            self.explain(EndReason.APPLICATION_EXIT)  # raises if someone killed it as it started
            self.supervisor.stop(EndReason.CANCELLED)
            self.supervisor.join()
            raise BoxStartError("box.start_failed", said=self._log.head()) from None
        if header.kind is not FrameKind.STARTED or header.length:
            raise BoxStartError("box.start_failed", said=header.kind.name)
        if self._start is None:
            return os.getuid()
        first = _first_process(information)
        root = Path(f"/proc/{first}/root")
        self.supervisor.follow(first, [root / folder.relative_to("/") for folder in (SCRATCH, SHARED_MEMORY)])
        return self._check_identity(first)

    def _check_identity(self, first: int) -> int:
        """Refuse a box that does not match its level; its only process is still our own program."""
        programs = children(first) or [first]
        found = status(programs[-1])
        uid = int(found["Uid"].split()[0])
        sealed = int(found["CapEff"], 16) == 0 and int(found["CapPrm"], 16) == 0 and found["NoNewPrivs"] == "1"
        filtered = found["Seccomp"] == "2" or Protection.SECCOMP in self.settings.removed
        if len(programs) != 1 or uid == 0 or not sealed or not filtered:
            raise BoxStartError("box.not_sealed", uid=uid, capabilities=found["CapEff"], seccomp=found["Seccomp"])
        return uid


@dataclass(frozen=True)
class _Passed:
    requests: int
    answers: int
    shared: int
    information: int


def _with_group(settings: BoxSettings) -> tuple[BoxSettings, ControlGroup | None]:
    hierarchy = None if settings.memory_watch is MemoryWatch.SUPERVISOR else find_hierarchy()
    if hierarchy is None:
        if settings.memory_watch not in (None, MemoryWatch.SUPERVISOR):
            raise BoxStartError("box.no_control_group", wanted=settings.memory_watch.value)
        return replace(settings, memory_watch=MemoryWatch.SUPERVISOR), None
    unlimited = settings.level is IsolationLevel.L0
    memory = None if unlimited or Protection.MEMORY in settings.removed else settings.limits.memory_bytes
    processes = None if unlimited or Protection.PROCESSES in settings.removed else settings.limits.processes
    return replace(settings, memory_watch=hierarchy.watch), hierarchy.make(memory, processes)


def _first_process(information: int) -> int:
    """Return the host's id of the first process in the box, which bubblewrap writes before anything else."""
    found = re.search(rb'"child-pid": *(\d+)', os.read(information, 4096))
    if found is None:
        raise BoxStartError("box.start_failed", said="child-pid")
    return int(found.group(1))


def _watch(settings: BoxSettings) -> EnforcedLimits:
    bounded, removed = settings.level is not IsolationLevel.L0, settings.removed
    return EnforcedLimits(
        memory=bounded and Protection.MEMORY not in removed,
        cpu=bounded,
        files=bounded and Protection.SCRATCH not in removed,
    )


def _launch(
    what: tuple[BoxProgram, Sequence[Mount]],
    settings: BoxSettings,
    start: StartMode | None,
    passed: _Passed,
    tools: Tools,
) -> Launch:
    program, shown = what
    channel = (passed.requests, passed.answers, passed.shared)
    given = replace(program, arguments=(*map(str, channel), *program.arguments))
    descriptors = [*channel, passed.information]
    filtered = _filter(settings)
    descriptors += [filtered] if filtered is not None else []
    script = _memory_file(program.script.read_bytes())
    if start is None:
        words = program_command(given, script, settings, filtered, tools)
        return _open_launch(words, (*descriptors, script), settings)
    constants = {file: _memory_file(content) for file, content in constant_files(settings.limits).items()}
    setup = Descriptors(script, passed.information, filtered, constants)
    words = box_arguments(given, shown, settings, start, setup)
    arguments = _memory_file(b"".join(word.encode() + b"\0" for word in words))
    inside = boxed_command(given, settings, start, tools)
    command = [*launch_command(tools, settings, start, arguments), "--", *inside]
    return Launch(command, (*descriptors, arguments, script, *constants.values()))


def _open_launch(command: list[str], descriptors: tuple[int, ...], settings: BoxSettings) -> Launch:
    """Return the launch of a program without a box, levels L0 and L1."""
    inherits = Protection.ENVIRONMENT in settings.removed
    variables = os.environ if inherits else environment_variables(settings.limits, hash_seed=settings.hash_seed)
    return Launch(command, descriptors, variables, Protection.DESCRIPTORS in settings.removed)


def _filter(settings: BoxSettings) -> int | None:
    """Return an open descriptor of the system-call filter; each launch needs one of its own."""
    if settings.level is IsolationLevel.L0 or Protection.SECCOMP in settings.removed:
        return None
    counted = settings.memory_watch is not MemoryWatch.SUPERVISOR
    network = Protection.NETWORK in settings.removed
    return _memory_file(seccomp.filter_program(allow_memfd=counted, allow_network=network))


def _memory_file(content: bytes) -> int:
    descriptor = os.memfd_create("pilotbase", os.MFD_CLOEXEC)
    with contextlib.closing(os.fdopen(os.dup(descriptor), "wb")) as stream:
        stream.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def prepare_host(settings: BoxSettings) -> None:
    """Do what the first box of such settings would wait for: see what this host gives, and copy its files.

    Processes that are forked later do it no more.

    Raises:
        RefusedError: this host gives no box.
        PilotbaseError: ``box.no_copies``: copies cannot be written.
    """
    probe = probe_host()
    require_level(settings.level, probe)
    settings = replace(settings, interpreter=settings.interpreter or running_interpreter())
    shown_of_host(BoxProgram(Path(work_program.__file__), (), ()), settings, probe.tools)


def ask_box(box: Box, greeting: dict[str, Any], seconds: float) -> tuple[bool, Any]:
    """Return whether the program in ``box`` did what the greeting requests within ``seconds``, and its report.

    Raises:
        ChannelClosedError, DeadlinePassedError: the box ended first, or time ran out.
        FrameError, ValueError: the received bytes are no report.
    """
    deadline = time.monotonic() + seconds
    box.channel.send(encode_json(FrameKind.HELLO, json.dumps(greeting).encode()), deadline)
    header = box.channel.receive_header(deadline)
    if header.kind not in (FrameKind.READY, FrameKind.ERROR) or header.length > MAX_JSON_BYTES:
        raise FrameError(EndReason.BROKEN_PROTOCOL)
    report = json.loads(bytes(box.channel.receive(header.length, deadline)))
    return header.kind is FrameKind.READY, report


def program_of(work: ModuleType, mounts: Sequence[Mount]) -> BoxProgram:
    """Return the program that does the work of one of our modules that stand alone (`work_program`)."""
    here = Mount(Path(str(work.__file__)), PurePosixPath(work_program.WORK))
    return BoxProgram(Path(work_program.__file__), (), (here, *mounts))


def run_work(
    work: ModuleType, mounts: Sequence[Mount], greeting: dict[str, Any], limits: Limits
) -> tuple[dict[str, Any], str]:
    """Return what the work on a stranger's file reports from a box, and why the file is refused, or "".

    With a refusal, the report says what was ``found``. If a limit of the box has ended the work, it is "large".

    Raises:
        RefusedError: this host gives no box.
        PilotbaseError: ``box.start_failed``: the program has made no report.
    """
    settings = BoxSettings(limits=limits, level=IsolationLevel.L2, logs=LogPolicy.FULL)
    for mount in mounts:
        if mount.writable and os.getuid() == 0:
            os.chown(mount.source, settings.uid, settings.uid)
    with Box(program_of(work, mounts), settings) as box:
        try:
            done, report = ask_box(box, greeting, limits.wall_seconds)
            return (dict(report), "") if done else ({"found": str(report["found"])}, str(report["kind"]))
        except (ChannelClosedError, DeadlinePassedError):
            return {"found": ""}, "large"
        except NO_REPORT:
            raise PilotbaseError("box.start_failed", said=box.logs().text[-200:]) from None
