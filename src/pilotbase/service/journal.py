"""The journal of a desk: what it reserves and settles, on disk before an answer goes out; and what it gives back.

    <folder>/<desk>/lock              held (flock) as long as the desk lives
    <folder>/<desk>/reader            held by whoever reads
    <folder>/<desk>/00000001.jsonl    segments: whole lines, only ever appended to

One write(2) a record, and no fsync in the way of an answer: a killed process loses nothing that it has written. What a
machine loses that stops, the header tells: the boot in which a segment was written is not the present one. A segment
begins with the header and every reservation that is still open, so that the last one alone says what is open.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
import threading
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, select

from pilotbase.documents.vocabularies import CallEnd
from pilotbase.service import budgets
from pilotbase.service.calls import NOTHING, Admission, BudgetHold, BudgetPeriod, CallObservation, Cost, ShadowOutcome
from pilotbase.workspace import tables as tables
from pilotbase.workspace.engine import machine_failure
from pilotbase.workspace.failures import DiskFullError
from pilotbase.workspace.store import View

SEGMENT_BYTES = 16 << 20
LOCK, READER = "lock", "reader"
Desk = Literal["living", "ended", "gone"]
_BOOT = Path("/proc/sys/kernel/random/boot_id")
Fields = Mapping[str, Any]
"""A record: plain JSON, read and written on the way of every call."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BEGINNING = (0, 0)


@dataclass(frozen=True)
class JournalRecord:
    """One record as it stands in a segment."""

    segment: int
    start: int
    end: int
    """Where the next begins."""
    fields: Fields


class Journal:
    """The journal of one living desk. Safe to share between threads."""

    def __init__(self, folder: Path, desk: str, lock: int) -> None:
        self.desk = desk
        self._folder = folder
        self._held = lock
        self._lock = threading.Lock()
        self._open: dict[int, bytes] = {}
        self._segment = 0
        self._file = -1
        self._size = 0

    @classmethod
    def begin(cls, folder: Path) -> Journal:
        """Return a new journal under ``folder``, made on first use; raises `DiskFullError`, `PilotbaseError`."""
        desk = secrets.token_hex(8)
        hidden = folder / f".{desk}"
        try:
            hidden.mkdir(mode=0o700, parents=True)
            lock = os.open(hidden / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            hidden.rename(folder / desk)  # seen by others only when it is held
        except OSError as error:
            raise machine_failure(error, folder) from error
        journal = cls(folder / desk, desk, lock)
        journal._turn_page()
        return journal

    def reserve(self, admission: Admission) -> None:
        """Write down what was taken for a call; raises `DiskFullError` when it cannot be, and nothing was."""
        caller = {"key": admission.key, "service": admission.service.name}
        line = spell_record({"reserved": admission.number, **caller, **_holds("held", admission.holds)})
        with self._lock:
            if self._size >= SEGMENT_BYTES:
                self._turn_page()
            self._append(line)
            self._open[admission.number] = line

    def settle(
        self, admission: Admission, used: Cost, charged: Sequence[BudgetHold], came: CallObservation | datetime
    ) -> None:
        """Write down what came of a call; of one that nobody answered, when it ended.

        Raises:
            DiskFullError: it cannot be written down; the call stays open.
        """
        caller = {"key": admission.key, "service": admission.service.name}
        fields = {"settled": admission.number, **caller, **_cost("used", used), **_holds("charged", charged)}
        line = spell_record({**fields, **(_observation(came) if isinstance(came, CallObservation) else _nobody(came))})
        with self._lock:
            self._append(line)
            self._open.pop(admission.number, None)

    def observe(
        self,
        number: int,
        caller: tuple[str, str],
        observed: CallObservation,
        used: Cost,
        charged: Sequence[BudgetHold],
    ) -> None:
        """Write down a case that took several calls, of a ``caller`` (key, service); raises `DiskFullError`.

        ``used``: beside what its calls have settled.
        """
        key, service = caller
        fields = {"observed": number, "key": key, "service": service, **_cost("used", used)}
        fields |= _holds("charged", charged)
        line = spell_record({**fields, **_observation(observed)})
        with self._lock:
            self._append(line)

    def compare(self, outcome: ShadowOutcome) -> None:
        """Write down what a shadow call has shown; raises `DiskFullError`."""
        line = spell_record({"release": vars(outcome)})
        with self._lock:
            self._append(line)

    def close(self) -> None:
        """Let go of it: whoever comes next takes it for the journal of a desk that has ended."""
        with self._lock:
            os.close(self._file)
            os.close(self._held)

    def _turn_page(self) -> None:
        """Begin the next segment: written beside, then renamed, so that it is there whole or not at all."""
        number = self._segment + 1
        path = self._folder / _segment_name(number)
        beside = path.with_suffix(".new")
        beginning = spell_record({"journal": 1, "desk": self.desk, "boot": boot()}) + b"".join(self._open.values())
        try:
            file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                write_whole(file, beginning)
                beside.rename(path)
            except OSError:
                os.close(file)
                raise
        except OSError as error:
            raise _failure(error, path) from error
        if self._file >= 0:
            os.close(self._file)
        self._segment, self._file, self._size = number, file, len(beginning)

    def _append(self, line: bytes) -> None:
        try:
            write_whole(self._file, line)
        except OSError as error:
            os.ftruncate(self._file, self._size)  # nothing half-written before the next record
            raise _failure(error, self._folder) from error
        self._size += len(line)


def journals_of(home: Path) -> Path:
    """Return the folder of all journals of the home at ``home``."""
    return home / "journals"


def boot() -> str:
    """Return what names the time since this machine was started."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""


def desks(folder: Path) -> list[str]:
    """Return the desks that have a journal under ``folder``, living or not."""
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if (entry / LOCK).exists() and entry.name[0] != ".")


@contextmanager
def reading(folder: Path, desk: str) -> Iterator[Desk]:
    """Look at a journal as the only one who does, and yield how its desk is."""
    try:
        turn = os.open(folder / desk / READER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        yield "gone"
        return
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield _how_is(folder / desk / LOCK)
    finally:
        os.close(turn)


def segments(folder: Path, desk: str) -> list[int]:
    """Return the numbers of the segments that are there, in order."""
    return sorted(int(path.stem) for path in (folder / desk).glob("*.jsonl"))


def read_lines(
    folder: Path, desk: str, segment: int, start: int = 0, limit: int | None = None
) -> Iterator[JournalRecord]:
    """Iterate whole lines of a segment from byte ``start``, of about ``limit`` bytes; a torn last one is left out.

    A line whose check sum is wrong, as a machine that stopped may leave, has no fields.
    """
    with (folder / desk / _segment_name(segment)).open("rb") as stream:
        stream.seek(start)
        for line in stream:
            if not line.endswith(b"\n"):
                return
            end = start + len(line)
            yield JournalRecord(segment, start, end, read_record(line))
            start = end
            if limit is not None and (limit := limit - len(line)) <= 0:
                return


def open_calls(folder: Path, desk: str) -> dict[int, Fields]:
    """Return number → fields of the reservations that were never settled."""
    found: dict[int, Fields] = {}
    for line in read_lines(folder, desk, segments(folder, desk)[-1]):
        if "reserved" in line.fields:
            found[line.fields["reserved"]] = line.fields
        found.pop(line.fields.get("settled", 0), None)
    return found


def _is_of_this_boot(folder: Path, desk: str) -> bool:
    """Return whether the machine has run on since the journal was written: then all that was written is there."""
    header = next(read_lines(folder, desk, segments(folder, desk)[-1], limit=1), None)
    return header is not None and bool(boot()) and header.fields.get("boot") == boot()


def drop_segment(folder: Path, desk: str, segment: int) -> None:
    """Remove a segment that has been taken in."""
    (folder / desk / _segment_name(segment)).unlink(missing_ok=True)


def drop_journal(folder: Path, desk: str) -> None:
    """Remove the journal of a desk that has been taken in."""
    shutil.rmtree(folder / desk, ignore_errors=True)


def cost_in(fields: Fields, name: str) -> Cost:
    """Return a cost that a record holds under ``name``."""
    return Cost(*fields[name])


def holds_in(records: Iterable[Fields], name: str) -> Iterator[BudgetHold]:
    """Yield what records hold of budgets under ``name``."""
    for fields in records:
        yield from (BudgetHold(BudgetPeriod(*account), Cost(*cost)) for account, cost in fields.get(name, ()))


def recover(view: View, folder: Path) -> int:
    """Give back what desks that have ended held beyond their calls; return how many there were.

    Their journals stay until they are taken in (`draining`), and may be recovered again: nothing is given back twice.
    """
    found = 0
    for desk in desks(folder):
        with reading(folder, desk) as its:
            if its == "ended":
                settle_up(view, folder, desk)
                found += 1
    return found


def settle_up(view: View, folder: Path, desk: str) -> None:
    """Give back what an ended desk held beyond its calls; the caller is reading its journal."""
    if not segments(folder, desk):
        return  # killed before it held anything
    lines = [line for number in segments(folder, desk) for line in read_lines(folder, desk, number)]
    still_open = open_calls(folder, desk).values()
    with view.store.database.write() as connection:
        if not _is_of_this_boot(folder, desk):
            budgets.count_as_used(connection, desk)  # what it wrote last may be lost
            return
        place = taken_in(connection, desk)
        paid = (line.fields for line in lines if (line.segment, line.start) >= place)
        used = _by_account([*holds_in(paid, "charged"), *holds_in(still_open, "held")])
        now = view.store.clock()
        for account in budgets.accounts_of(connection, desk):
            held = budgets.held_by(connection, desk, account) or NOTHING
            budgets.give_back(connection, desk, account, held - used.get(account, NOTHING), now)


def taken_in(connection: Connection, desk: str) -> tuple[int, int]:
    """Return up to which segment and byte the journal of a desk has been taken in."""
    rows = tables.service_journals.c
    row = connection.execute(select(rows.segment, rows.place).where(rows.desk == desk)).one_or_none()
    return _BEGINNING if row is None else (row.segment, row.place)


def _how_is(lock: Path) -> Desk:
    try:
        held = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return "gone"  # whoever looked before us had done with it
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "living"
    else:
        return "ended"
    finally:
        os.close(held)


def _cost(name: str, cost: Cost) -> dict[str, Any]:
    return {name: (cost.calls, cost.tokens, cost.billionths)}


def _holds(name: str, holds: Sequence[BudgetHold]) -> dict[str, Any]:
    found = []
    for hold in holds:
        account, cost = hold.account, hold.cost
        found.append(((account.service, account.budget, account.period), (cost.calls, cost.tokens, cost.billionths)))
    return {name: found}


def _nobody(at: datetime) -> dict[str, Any]:
    return {"end": CallEnd.FAILED.value, "at": at.isoformat()}


def _observation(observed: CallObservation) -> dict[str, Any]:
    return {
        "ids": list(observed.ids),
        "inputs": {name: list(column) for name, column in observed.inputs.items()},
        "answers": list(observed.answers),
        "end": observed.end.value,
        "version": observed.version,
        "milliseconds": observed.milliseconds,
        "at": observed.at.isoformat(),
        **({} if observed.outcome is None else {"release": vars(observed.outcome)}),
    }


def spell_record(fields: Fields) -> bytes:
    """Return a line with its check sum."""
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return b"%08x %b\n" % (zlib.crc32(body), body)


def read_record(line: bytes) -> Fields:
    """Return what a line spells; nothing where its check sum is wrong."""
    checked, _, body = line.rstrip(b"\n").partition(b" ")
    if checked != b"%08x" % zlib.crc32(body):
        return {}
    fields: Fields = json.loads(body.decode("utf-8", "surrogatepass"))
    return fields


def write_whole(file: int, data: bytes) -> None:
    """Append all of ``data``; raises `OSError`."""
    written = os.write(file, data)
    while written < len(data):  # the next write says why
        written += os.write(file, data[written:])


def _failure(error: OSError, path: Path) -> Exception:
    if error.errno in _FULL:
        return DiskFullError("service.journal_full", folder=path.parent)
    return machine_failure(error, path)


def _segment_name(number: int) -> str:
    return f"{number:08d}.jsonl"


def _by_account(holds: Iterable[BudgetHold]) -> dict[BudgetPeriod, Cost]:
    found: defaultdict[BudgetPeriod, Cost] = defaultdict(lambda: NOTHING)
    for hold in holds:
        found[hold.account] = found[hold.account] + hold.cost
    return dict(found)
