"""``--forks 4``: tests run in processes forked after one collection; each worker of xdist would load all of them anew.

A process takes one parcel of `scheduling` after the other. What its tests report goes through a pipe to the first
process, which shows and counts it as if the tests had run there.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pytest

from tests.scheduling import parcels

FORK = multiprocessing.get_context("fork")
Parcels = list[list[pytest.Item]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--forks", type=int, default=0, help="so many processes run the tests, forked when all are loaded")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    number = session.config.getoption("forks")
    if not number or session.config.option.collectonly or session.testsfailed:
        return None
    _require_no_pool()
    folder, hands, taken = session.config._tmp_path_factory.getbasetemp(), parcels(session.items), FORK.Value("i", 0)
    running: dict[Connection, Any] = {}
    for name in range(number):
        ours, theirs = FORK.Pipe(duplex=False)
        process = FORK.Process(target=_run, args=(session, hands, taken, theirs, folder / str(name)))
        process.start()
        theirs.close()
        running[ours] = process
    try:
        _listen(session, running)
    finally:
        for process in running.values():
            process.terminate()
    return True


def _require_no_pool() -> None:
    """Refuse to fork once polars has begun its threads, on which every forked process would wait for ever."""
    names = {task.read_text().strip() for task in Path("/proc/self/task").glob("*/comm")}
    if any(re.fullmatch(r"polars-\d+", name) for name in names):
        pytest.exit("a module of tests runs polars while it is loaded: make what it computes a fixture", returncode=3)


def _listen(session: pytest.Session, running: dict[Connection, Any]) -> None:
    """Pass on what the processes report until all have ended; one that breaks off fails the test it was at."""
    hook, at = session.config.hook, dict.fromkeys(running, ("before the first test", ("", None, "")))
    while running:
        for pipe in wait(list(running)):
            try:
                said, *what = pipe.recv()
            except EOFError:
                said, what = "broke off", []
            report = None
            if said == "started":
                at[pipe] = what
                hook.pytest_runtest_logstart(nodeid=what[0], location=what[1])
            elif said == "reported":
                report = hook.pytest_report_from_serializable(config=session.config, data=what[0])
            else:
                process = running.pop(pipe)
                process.join()
                if said == "broke off":
                    why = f"the process of this test ended with {process.exitcode}; what it had still to do is not done"
                    report = pytest.TestReport(*at[pipe], {}, "failed", why, "call")
            if report is not None:
                hook.pytest_runtest_logreport(report=report)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)


def _run(session: pytest.Session, hands: Parcels, taken: Any, pipe: Connection, folder: Any) -> None:
    plugins = session.config.pluginmanager
    capture = plugins.getplugin("capturemanager")
    capture.stop_global_capturing()  # its files are those of the first process
    capture.start_global_capturing()
    plugins.unregister(name="terminalreporter")
    plugins.register(_Teller(session.config, pipe))
    folder.mkdir(0o700)
    session.config._tmp_path_factory._basetemp = folder
    items = _taken(hands, taken)
    item = next(items, None)
    while item is not None:
        following = next(items, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        item = following
    pipe.send(("ended",))


def _taken(hands: Parcels, taken: Any) -> Iterator[pytest.Item]:
    while True:
        with taken.get_lock():
            number, taken.value = taken.value, taken.value + 1
        if number >= len(hands):
            return
        yield from hands[number]


class _Teller:
    """Sends what the first process shows."""

    def __init__(self, config: pytest.Config, pipe: Connection) -> None:
        self.config, self.pipe = config, pipe

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        self.pipe.send(("started", nodeid, location))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
        self.pipe.send(("reported", data))
