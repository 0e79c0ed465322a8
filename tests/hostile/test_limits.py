"""Attacks on limits: each ends with a reason of its own, and only that box."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pilotbase.documents.limits import EndReason
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy, MemoryWatch, Protection

MEBIBYTE = 1 << 20
RESOURCES = (Protection.MEMORY, Protection.PROCESSES, Protection.SCRATCH)


def limited(settings: BoxSettings, **changes: float) -> BoxSettings:
    return replace(settings, limits=settings.limits.model_copy(update=changes))


FORKS = """
import os, signal, time
def attack():
    children = []
    try:
        for _ in range(100):
            child = os.fork()
            if child == 0:
                time.sleep(30)
                os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
    return True
"""
FORKS_FOR_EVER = """
import os, time
def attack():
    while True:
        try:
            if os.fork() == 0:
                time.sleep(30)
        except OSError:
            time.sleep(0.01)
"""
THREADS = """
import threading, time
def attack():
    for _ in range(100):
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
    return True
"""


@pytest.mark.one_in(4)
@pytest.mark.parametrize("source", [FORKS, THREADS], ids=["processes", "threads"])
def test_too_many_processes(launch, settings, without, source):
    assert launch(source, without(Protection.PROCESSES)).succeeded
    assert launch(source, settings).reason is EndReason.PROCESS_LIMIT


def test_forking_without_end(launch, settings):
    outcome = launch(FORKS_FOR_EVER, limited(settings, batch_seconds=0.5))
    assert outcome.reason is EndReason.PROCESS_LIMIT


HEAP = """
def attack():
    held = [bytes(b"x") * (1 << 20) for _ in range(240)]
    return len(held) == 240
"""
HEAP_OF_MANY = """
import os, time
def attack():
    for _ in range(6):
        if os.fork() == 0:
            held = [bytes(b"x") * (1 << 20) for _ in range(40)]
            time.sleep(1)
            os._exit(0)
    time.sleep(0.7)
    return True
"""


@pytest.mark.one_in(4)
@pytest.mark.parametrize("source", [HEAP, HEAP_OF_MANY], ids=["one", "many"])
def test_filling_memory(launch, settings, without, source):
    assert launch(source, without(Protection.MEMORY)).succeeded
    assert launch(source, settings).reason is EndReason.MEMORY_LIMIT


MEMFD = """
import os
def attack():
    try:
        descriptors = [os.memfd_create(str(number)) for number in range(60)]
    except PermissionError:
        return False
    for descriptor in descriptors:
        os.write(descriptor, b"x" * (4 << 20))
    return True
"""


def test_filling_anonymous_files(launch, settings, without):
    assert launch(MEMFD, without(Protection.MEMORY, Protection.SECCOMP)).succeeded
    outcome = launch(MEMFD, settings)
    if settings.memory_watch is MemoryWatch.SUPERVISOR:
        assert outcome.reason is None and not outcome.succeeded, "nobody counts them, so there are none"
    else:
        assert outcome.reason is EndReason.MEMORY_LIMIT


FILL = """
import time
def attack():
    for number in range(50):
        with open(f"{place}/{{number}}", "wb") as stream:
            stream.write(b"x" * (4 << 20))
    time.sleep(0.2)
    return True
"""


@pytest.mark.one_in(4)
@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_filling_the_scratch(launch, settings, without, place):
    source = FILL.format(place=place)
    assert launch(source, without(*RESOURCES)).succeeded
    assert launch(source, settings).reason is EndReason.SCRATCH_LIMIT


def test_filling_scratch_counts_as_memory_too(launch, settings):
    roomy = limited(settings, scratch_bytes=512 * MEBIBYTE)
    assert launch(FILL.format(place="/tmp"), roomy).reason is EndReason.MEMORY_LIMIT


def test_one_huge_file(launch, settings, without):
    source = """
    def attack():
        with open("/tmp/huge", "wb") as stream:
            stream.write(b"x" * (12 << 20))
        return True
    """
    assert launch(source, without(Protection.SCRATCH)).succeeded
    assert launch(source, settings).reason is EndReason.SCRATCH_LIMIT


INODES = """
import os
def attack():
    for number in range(30_000):
        os.close(os.open(f"/tmp/{number}", os.O_CREAT | os.O_WRONLY))
    import time
    time.sleep(0.3)
    return True
"""


@pytest.mark.one_in(4)
def test_many_empty_files(launch, settings, without):
    assert launch(INODES, without(*RESOURCES)).succeeded
    assert launch(INODES, settings).reason is EndReason.SCRATCH_LIMIT


FLOOD = """
import sys
def attack():
    for _ in range(24):
        sys.{stream}.write("y" * (1 << 20))
    sys.{stream}.flush()
    return True
"""


@pytest.mark.one_in(7)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_flooding_the_log(launch, default, stream):
    everything = replace(limited(default, log_bytes=64 * MEBIBYTE), logs=LogPolicy.FULL)
    outcome = launch(FLOOD.format(stream=stream), everything)
    assert outcome.succeeded and outcome.dropped_bytes == 0
    capped = launch(FLOOD.format(stream=stream), replace(default, logs=LogPolicy.FULL))
    assert capped.succeeded, "a flood of words is dropped; it does not end the application"
    assert capped.text == "y" * default.limits.log_bytes
    assert capped.dropped_bytes == 24 * MEBIBYTE - default.limits.log_bytes


def test_a_flood_that_never_answers_has_a_reason_of_its_own(launch, default):
    source = """
    import sys
    def attack():
        while True:
            sys.stdout.write("y" * (1 << 20))
    """
    assert launch(source, limited(default, batch_seconds=6, cpu_seconds=60)).reason is EndReason.OUTPUT_FLOOD


SLEEP = """
import time
def attack():
    time.sleep({seconds})
    return True
"""


def test_sleeping_over_a_batch(launch, default):
    assert launch(SLEEP.format(seconds=0.6), default).succeeded
    outcome = launch(SLEEP.format(seconds=1e6), limited(default, batch_seconds=0.4))
    assert outcome.reason is EndReason.BATCH_TIMEOUT


def test_sleeping_while_loading(launch, default):
    source = "import time\ntime.sleep({})\ndef attack(): return True"
    assert launch(source.format(0.6), default).succeeded
    assert launch(source.format(1e6), limited(default, load_seconds=0.4)).reason is EndReason.LOAD_TIMEOUT


def test_living_too_long(launch, default):
    assert launch(SLEEP.format(seconds=0.6), default).succeeded
    assert launch(SLEEP.format(seconds=1e6), limited(default, wall_seconds=2)).reason is EndReason.WALL_LIMIT


BURN = """
import os, time
def attack():
    for _ in range({children}):
        if os.fork() == 0:
            while True:
                pass
    end = time.process_time() + {seconds}
    while time.process_time() < end:
        pass
    return True
"""


def test_burning_cpu_time(launch, default):
    assert launch(BURN.format(seconds=0.4, children=0), default).succeeded
    outcome = launch(BURN.format(seconds=1e6, children=0), limited(default, cpu_seconds=1))
    assert outcome.reason is EndReason.CPU_LIMIT


def test_burning_the_cpu_time_of_many(launch, settings):
    outcome = launch(BURN.format(seconds=1e6, children=3), limited(settings, cpu_seconds=1))
    assert outcome.reason is EndReason.CPU_LIMIT


def test_ignoring_every_signal(launch, default):
    source = """
    import signal, time
    for number in set(range(1, 65)) - {9, 19, 32, 33}:
        signal.signal(number, signal.SIG_IGN)
    def attack():
        time.sleep(1e6)
    """
    assert launch(source, limited(default, batch_seconds=0.3)).reason is EndReason.BATCH_TIMEOUT


def test_swallowing_every_error(launch, settings):
    source = """
    def attack():
        held = []
        while True:
            try:
                held.append(b"x" * (1 << 20))
            except MemoryError:
                pass
    """
    outcome = launch(source, limited(settings, batch_seconds=3))
    assert outcome.reason is EndReason.MEMORY_LIMIT
