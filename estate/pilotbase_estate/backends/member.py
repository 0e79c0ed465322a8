"""What the process of an attempt does: it opens the box, follows it to its end, and records how it ended.

Forked by the launcher. With a parent it ends when that process ends, as on a node of a cluster; without one it outlives
its starter. A second one on the same folder does nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.frames import MAX_JSON_BYTES, FrameError, FrameKind, encode_json
from pilotbase.sandbox.box.box import NO_REPORT, Box
from pilotbase.sandbox.box.channel import ChannelClosedError, DeadlinePassedError
from pilotbase.sandbox.box.command import APPLICATION, ENVIRONMENT, BoxProgram, Mount
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.box.trees import check_folder, readable_folder
from pilotbase_estate.backends import job_program
from pilotbase_estate.backends.attempt_folder import AttemptFolder
from pilotbase_estate.backends.backend import AttemptPhase, EndCause, JobSpec, Metered, Status

DATA = PurePosixPath("/data")
_TICK_SECONDS = 0.1
_PATIENCE_SECONDS = 1.0
_FRAME_SECONDS = 30.0
_MIB_MILLISECONDS = 1000 / (1 << 20)


def main(folder: AttemptFolder, parent: int | None, on_begun: Callable[[], None]) -> int:
    """Do the work of ``folder`` unless another process is doing it or has done it; return the exit code."""
    with folder.held(_PATIENCE_SECONDS) as free:
        if not free:
            return 0
        if folder.begun():
            folder.end(Status(AttemptPhase.ENDED, EndCause.LOST, metered=folder.used()))
            return 0
        folder.begin()
        on_begun()
        folder.end(_done(folder, folder.spec(), parent))
    return 0


def _done(folder: AttemptFolder, spec: JobSpec, parent: int | None) -> Status:
    try:
        check_folder(spec.work.folder)
        with readable_folder(spec.work.folder) as files, Box(_program(spec, files), _settings(spec)) as box:
            return _Following(folder, spec, box, parent).status()
    except (PilotbaseError, OSError) as error:
        return Status(AttemptPhase.ENDED, EndCause.FAILED, detail=str(error)[:500])


def _settings(spec: JobSpec) -> BoxSettings:
    settings = BoxSettings(limits=spec.limits, level=spec.level, logs=LogPolicy.FULL)
    return settings if spec.uid is None else BoxSettings(spec.limits, spec.level, spec.uid, LogPolicy.FULL)


def _program(spec: JobSpec, files: Path) -> BoxProgram:
    mounts = [Mount(files, APPLICATION)]
    if spec.work.environment is not None:
        mounts.append(Mount(spec.work.environment, ENVIRONMENT))
    mounts += [Mount(folder, DATA / name) for name, folder in sorted(spec.work.data.items())]
    return BoxProgram(Path(job_program.__file__), (), tuple(mounts), APPLICATION)


def _greeting(spec: JobSpec) -> bytes:
    greeting = {
        "folder": str(APPLICATION),
        "environment": str(ENVIRONMENT) if spec.work.environment is not None else "",
        "entry": list(spec.work.entry),
        "most_bytes": spec.limits.scratch_bytes,
        "variables": {
            "PILOTBASE_MEMBER": str(spec.attempt.member),
            "PILOTBASE_MEMBERS": str(spec.members),
            "PILOTBASE_OUTPUT": str(job_program.OUTPUT),
            "PILOTBASE_DATA": str(DATA),
        },
    }
    return json.dumps(greeting).encode()


class _Following:
    """One box, from its greeting to its end."""

    def __init__(self, folder: AttemptFolder, spec: JobSpec, box: Box, parent: int | None) -> None:
        self._folder, self._spec, self._box, self._parent = folder, spec, box, parent
        self._output = bytearray()

    def status(self) -> Status:
        """Return how the box came to its end."""
        try:
            box, code = self._followed()
            cause = EndCause.STOPPED if box is EndReason.CANCELLED else EndCause.RAN
        except (ChannelClosedError, DeadlinePassedError):
            box, code, cause = self._box.explain(EndReason.APPLICATION_EXIT), None, EndCause.RAN
        except NO_REPORT:
            box, code, cause = EndReason.BROKEN_PROTOCOL, None, EndCause.RAN
        self._box.close(box)
        metered = self._note()
        if self._output and box is EndReason.FINISHED:
            self._folder.keep_output(bytes(self._output))
        return Status(AttemptPhase.ENDED, cause, box, exit_code=code, metered=metered)

    def _followed(self) -> tuple[EndReason, int | None]:
        channel, now = self._box.channel, time.monotonic
        channel.send(encode_json(FrameKind.HELLO, _greeting(self._spec)), now() + _FRAME_SECONDS)
        while True:
            while not channel.has_unread(_TICK_SECONDS):
                if self._unwanted():
                    return EndReason.CANCELLED, None
                self._note()
            header = channel.receive_header(now() + _FRAME_SECONDS)
            if (
                header.kind is FrameKind.ANSWER
                and len(self._output) + header.length <= 2 * self._spec.limits.scratch_bytes
            ):
                self._output += channel.receive(header.length, now() + _FRAME_SECONDS)
                continue
            if header.kind not in (FrameKind.READY, FrameKind.ERROR) or header.length > MAX_JSON_BYTES:
                raise FrameError(EndReason.BROKEN_PROTOCOL)
            code = int(json.loads(bytes(channel.receive(header.length, now() + _FRAME_SECONDS)))["code"])
            return (EndReason.FINISHED, 0) if code == 0 else (self._box.explain(EndReason.APPLICATION_ERROR), code)

    def _unwanted(self) -> bool:
        return self._folder.wants_stop() or (self._parent is not None and os.getppid() != self._parent)

    def _note(self) -> Metered:
        usage = self._box.usage()
        metered = Metered(
            wall_ms=round(usage.wall_seconds * 1000),
            cpu_ms=round(usage.cpu_seconds * 1000),
            memory_mib_ms=round(usage.memory_byte_seconds * _MIB_MILLISECONDS),
            memory_peak_bytes=usage.memory_peak_bytes,
        )
        self._folder.note_used(metered)
        self._folder.keep_log(self._box.logs().text.encode())
        return metered
