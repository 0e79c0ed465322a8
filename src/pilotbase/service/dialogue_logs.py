"""Logs of dialogues with agents in service, from which another process plays them again and goes on.

    <folder>/<service>/<dialogue>.jsonl     held (flock) by the process that leads the dialogue

A log holds what cannot be derived again, in the order in which it came: what the agent said, what its model and its
caller answered, what was decided; and by which history the next request finds it. Lines are those of a journal: one
write(2) each, no fsync. A log is kept for the idle time of its service after its last line, and no longer.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pilotbase.service.journal import Fields, read_record, spell_record, write_whole
from pilotbase.workspace.engine import machine_failure

MOST_BYTES = 8 << 20
"""A dialogue whose log would grow beyond this goes on without one, and ends with its process."""
MOST_ENDED = 64
"""Dialogues of one service that have ended whose last answer is kept, for requests that are sent again."""
EVENTS = ("agent", "model", "lost", "heard", "decided")
"""Lines that are played again; the others say how the dialogue stands."""
_log = logging.getLogger("pilotbase.service")


@dataclass(frozen=True)
class DialogueState:
    """How a dialogue stands by its log."""

    service: str
    identity: str
    key: str
    """Identity of the key that began it."""
    task: str
    language: str
    route: Fields
    """The certified route that answers."""
    idle_seconds: float
    at: datetime
    """When it was last heard of."""
    first: str = ""
    """What the caller called the message that began it, in protocols whose messages have names."""
    message: str = ""
    """The same of the last message."""
    asked: str = ""
    """Digest of the history of the last request."""
    followed: str = ""
    """Digest of the history that the last request went on with."""
    expects: str = ""
    """Digest of the history with which the next request has to begin; empty: the last one waits for its answer."""
    warned: frozenset[str] = frozenset()
    """Detectors of dialogues by which somebody was warned."""
    over: bool = False

    @property
    def version(self) -> str:
        """Return the digest of the agent."""
        return str(self.route["application"]["digest"])

    @property
    def rests(self) -> bool:
        """Return whether the agent waits for its caller, or has ended."""
        return self.over or bool(self.expects)

    @property
    def kept_until(self) -> datetime:
        return self.at + timedelta(seconds=self.idle_seconds)

    def after(self, fields: Fields) -> DialogueState:
        """Return the state once a line was written."""
        told: dict[str, Any] = {}
        if "asked" in fields:
            told = {"asked": fields["asked"], "message": fields["message"], "followed": self.expects, "expects": ""}
        if "expects" in fields:
            told["expects"] = fields["expects"]
        if "warned" in fields:
            told["warned"] = self.warned | {fields["warned"]}
        return replace(self, at=datetime.fromisoformat(fields["at"]), over=self.over or "over" in fields, **told)


@dataclass(frozen=True)
class _Read:
    """What a file holds: whole lines up to the first that is torn or damaged."""

    state: DialogueState
    events: tuple[Fields, ...]
    size: int


class DialogueLog:
    """The log of one dialogue, held by this process. Safe to share between threads."""

    def __init__(self, path: Path, file: int, found: _Read, clock: Callable[[], datetime]) -> None:
        self.state = found.state
        self._path, self._file, self._size, self._clock = path, file, found.size, clock
        self._events = deque(found.events)
        self.goes_on = bool(found.events)
        """It was found, and is no beginning."""
        self._lock = threading.Lock()

    def again(self, *kinds: str) -> Fields | None:
        """Return the next line to be played again, which has to be of one of these kinds; None: there is none left."""
        if not self._events:
            return None
        found = self._events.popleft()
        if not any(kind in found for kind in kinds):
            raise ValueError(f"the log of dialogue {self.state.identity} does not fit its dialogue")
        return found

    def add(self, **fields: Any) -> None:
        """Write a line; raises `DiskFullError`, and then the log is as it was."""
        with self._lock:
            line = {**fields, "at": self._clock().isoformat()}
            if self._file >= 0:
                self._append(spell_record(line))
            self.state = self.state.after(line)

    def close(self) -> None:
        """Let go of it: whoever comes next goes on."""
        with self._lock:
            self._close()

    def forget(self) -> None:
        """Remove it."""
        with self._lock:
            self._forget()

    def _append(self, line: bytes) -> None:
        if self._size + len(line) > MOST_BYTES:
            _log.warning("the log of dialogue %s is too long: it will end with this process", self.state.identity)
            self._forget()
            return
        try:
            write_whole(self._file, line)
        except OSError as error:
            os.ftruncate(self._file, self._size)
            raise machine_failure(error, self._path) from error
        self._size += len(line)

    def _forget(self) -> None:
        if self._file >= 0:
            self._path.unlink(missing_ok=True)
            self._close()

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


@dataclass
class DialogueLogs:
    """The logs of a home; used by one thread."""

    folder: Path
    clock: Callable[[], datetime]
    _seen: dict[Path, tuple[tuple[int, int], DialogueState]] = field(default_factory=dict)
    """What was read of a file when it was as large and as old."""

    def begin(self, **head: Any) -> DialogueLog:
        """Return a new log; raises `DiskFullError` where there is no room for one."""
        path = self.folder / head["service"] / f"{head['identity']}.jsonl"
        beside, line = path.with_suffix(".new"), spell_record({**head, "at": self.clock().isoformat()})
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                write_whole(file, line)
                beside.rename(path)  # seen by others only when it is whole, and held
            except OSError:
                beside.unlink(missing_ok=True)
                os.close(file)
                raise
        except OSError as error:
            raise machine_failure(error, path) from error
        return DialogueLog(path, file, _parse([line]), self.clock)

    def find(self, service: str, wanted: Callable[[DialogueState], bool]) -> DialogueLog | None:
        """Return the log of a dialogue that is as wanted and that no process leads, now held by this one."""
        for path in self._paths(service):
            state = self._state(path)
            if state is not None and wanted(state) and (log := self._taken(path)) is not None:
                if wanted(log.state):
                    return log
                log.close()
        return None

    def overdue(self) -> Iterator[DialogueLog]:
        """Yield the logs that no process leads and that are kept no longer; they are held by this one."""
        now = self.clock()
        for service in self.folder.iterdir() if self.folder.is_dir() else ():
            states = {path: state for path in self._paths(service.name) if (state := self._state(path)) is not None}
            ended = sorted((path for path in states if states[path].over), key=lambda path: states[path].at)
            late = {path for path in states if states[path].kept_until < now} | set(ended[:-MOST_ENDED])
            yield from (log for path in late if (log := self._taken(path)) is not None)
        self._seen = {path: seen for path, seen in self._seen.items() if path.exists()}

    def _paths(self, service: str) -> list[Path]:
        return sorted((self.folder / service).glob("*.jsonl"))

    def _state(self, path: Path) -> DialogueState | None:
        """Return how a dialogue stands, None where its file is gone or holds no whole line."""
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if path not in self._seen or self._seen[path][0] != stamp:
                with path.open("rb") as stream:
                    self._seen[path] = (stamp, _parse(stream).state)
        except (FileNotFoundError, ValueError):
            return None
        return self._seen[path][1]

    def _taken(self, path: Path) -> DialogueLog | None:
        """Return the log, held by this process; None where another one holds it, or has removed it."""
        try:
            file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file).st_nlink:
                with os.fdopen(os.dup(file), "rb") as stream:
                    found = _parse(stream)
                os.ftruncate(file, found.size)
                return DialogueLog(path, file, found, self.clock)
        except BlockingIOError:
            pass
        os.close(file)
        return None


def dialogues_of(home: Path) -> Path:
    """Return the folder of the logs of all dialogues of the home at ``home``."""
    return home / "dialogues"


def _parse(lines: Iterable[bytes]) -> _Read:
    """Return what a log holds; raises `ValueError` where not even its head is whole."""
    state: DialogueState | None = None
    events, size = list[Fields](), 0
    for line in lines:
        fields = read_record(line) if line.endswith(b"\n") else {}
        if not fields:
            break
        if state is None:
            state = DialogueState(**{**fields, "at": datetime.fromisoformat(fields["at"])})
        else:
            state = state.after(fields)
            events += [fields] if any(kind in fields for kind in EVENTS) else []
        size += len(line)
    if state is None:
        raise ValueError("no head")
    return _Read(state, tuple(events), size)
