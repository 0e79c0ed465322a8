"""``--workers 4``: the tests run in four processes, forked when all tests are collected.

So each test file is imported once, and a worker costs next to nothing; what workers must not share, such as the user
of their boxes, a fixture makes. A worker is given one parcel at a time: what `scheduling` keeps together. What a worker
reports, the first process prints and counts, as if it had run it.
"""

import atexit
import os
import signal
import traceback
import warnings
from collections import deque
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NoReturn

import pytest

from tests.scheduling import parcels

Call = tuple[str, dict[str, object]]
"""A hook of pytest and what it is called with."""


@dataclass
class Worker:
    """A process that runs tests, seen from the first one."""

    pid: int
    channel: Connection
    ended: int
    """A descriptor that can be read once the process has ended."""
    number: int = 0
    size: int = 0
    parcel: deque[pytest.Item] = field(default_factory=deque)
    """What it was given and has not reported, of which parcel, of how many tests."""

    def give(self, number: int, start: int, dealt: list[list[pytest.Item]]) -> None:
        self.number, self.size = number, len(dealt[number])
        self.parcel.extend(dealt[number][start:])
        self.channel.send((number, start))

    def end(self) -> int:
        """Wait until it has torn down what it has made, once its channel is closed; return its exit code."""
        os.close(self.ended)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class ForkedWorkers:
    """The plugin that runs what was collected."""

    def __init__(self, count: int) -> None:
        self._count, self._made = count, 0
        self._workers: list[Worker] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.config.option.collectonly or session.testsfailed:
            return None
        _refuse_threads()
        session.config._tmp_path_factory.getbasetemp()
        try:
            self._run(session, parcels(session.items))
        finally:
            for worker in self._workers:
                worker.channel.close()
            for worker in self._workers:
                session.testsfailed += worker.end() != 0
        return True

    def _run(self, session: pytest.Session, dealt: list[list[pytest.Item]]) -> None:
        left = deque((number, 0) for number in range(len(dealt)))
        while left or any(worker.parcel for worker in self._workers):
            while len(self._workers) < min(self._count, len(left)):
                self._workers.append(self._start(session, dealt))
            for worker in self._workers:
                if left and not worker.parcel:
                    worker.give(*left.popleft(), dealt)
            speaking = wait([each for worker in self._workers for each in (worker.channel, worker.ended)])
            for worker in [one for one in self._workers if one.channel in speaking or one.ended in speaking]:
                if worker.channel in speaking and (told := _received(worker.channel)):
                    _report(session, worker.parcel.popleft(), told)
                elif worker.channel in speaking or not worker.channel.poll():
                    left.extendleft(self._bury(session, worker))
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)

    def _start(self, session: pytest.Session, dealt: list[list[pytest.Item]]) -> Worker:
        ours, theirs = Pipe()
        number, self._made = self._made, self._made + 1
        pid = os.fork()
        if pid == 0:
            for other in (ours, *(worker.channel for worker in self._workers)):
                other.close()
            _work(session, theirs, dealt, number)
        theirs.close()
        return Worker(pid, ours, os.pidfd_open(pid))

    def _bury(self, session: pytest.Session, worker: Worker) -> list[tuple[int, int]]:
        """Report the test that a worker has died of, and return what it has left of its parcel."""
        self._workers.remove(worker)
        worker.channel.close()
        code = worker.end()
        if not worker.parcel:
            session.testsfailed += code != 0
            return []
        item = worker.parcel.popleft()
        words = f"the worker ended with {signal.Signals(-code).name if code < 0 else code} in this test"
        report = pytest.TestReport(item.nodeid, item.location, {}, "failed", words, "call")
        session.config.hook.pytest_runtest_logreport(report=report)
        return [(worker.number, worker.size - len(worker.parcel))] if worker.parcel else []


def _report(session: pytest.Session, item: pytest.Item, told: list[Call]) -> None:
    hook = session.config.hook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for name, words in told:
        if name == "pytest_warning_recorded":
            words["warning_message"] = warnings.WarningMessage(*words["warning_message"])
            hook.pytest_warning_recorded.call_historic(kwargs=words)
        else:
            report = hook.pytest_report_from_serializable(config=session.config, data=words)
            hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def _received(channel: Connection) -> object:
    """Return what the other process has sent; None: it has closed the channel."""
    try:
        return channel.recv()
    except (EOFError, ConnectionError):
        return None


def _refuse_threads() -> None:
    """What is forked has no threads but its own: Polars would wait for ever for those it had."""
    names = [(thread / "comm").read_text().strip() for thread in Path("/proc/self/task").iterdir()]
    if any(name.startswith("polars-") and name[7:].isdigit() for name in names):
        raise pytest.UsageError("a test file computes with Polars while it is imported: let a test or a fixture do it")


def _work(session: pytest.Session, channel: Connection, dealt: list[list[pytest.Item]], worker: int) -> NoReturn:
    """Run parcel after parcel until the first process closes the channel; then tear down and end."""
    code = 1
    try:
        telling = _alone(session.config, worker)
        while given := _received(channel):
            parcel = dealt[given[0]][given[1] :]
            # After a parcel stays only what is made once a session: no other parcel shares what a file has made.
            for item, following in zip(parcel, [*parcel[1:], session], strict=True):
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                channel.send(telling.take())
        session._setupstate.teardown_exact(None)
        code = 0
    except BrokenPipeError:
        session._setupstate.teardown_exact(None)
    except BaseException:  # noqa: BLE001 - this process ends here, and the first one reports its code
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        os._exit(code)


class Telling:
    """Collects what pytest's hooks are called with about one test."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._calls: list[Call] = []

    def take(self) -> list[Call]:
        calls, self._calls = self._calls, []
        return calls

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._calls.append(("pytest_runtest_logreport", told))

    def pytest_warning_recorded(self, warning_message, when, nodeid, location) -> None:
        words = (str(warning_message.message), warning_message.category)
        place = (warning_message.filename, warning_message.lineno)
        told = {"warning_message": (*words, *place), "when": when, "nodeid": nodeid, "location": location}
        self._calls.append(("pytest_warning_recorded", told))


def _alone(config: pytest.Config, number: int) -> Telling:
    """Share neither files nor what is printed with the other processes."""
    manager, telling = config.pluginmanager, Telling(config)
    for name in ("terminalreporter", "lfplugin", "nfplugin", "stepwiseplugin"):
        if manager.has_plugin(name):
            manager.unregister(name=name)
    manager.register(telling)
    capturing, temporary = manager.get_plugin("capturemanager"), config._tmp_path_factory
    capturing.stop_global_capturing()
    capturing.start_global_capturing()
    capturing.suspend_global_capture()
    atexit.unregister(temporary._exit_stack.close)
    temporary._basetemp = temporary.getbasetemp() / f"w{number}"
    temporary._basetemp.mkdir(mode=0o700)
    return telling
