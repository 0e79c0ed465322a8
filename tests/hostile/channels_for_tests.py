"""Pairs of applications that pass a number through what the kernel counts, and how much of it arrives.

A sender moves a count by as many steps as its number says; a receiver that prints reads the count before and after it.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy, Protection
from pilotbase.sandbox.box.warm_worker import WarmWorker

SYMBOLS = 16
"""A sender sends one of so many numbers: four bits."""
_NAMED = """
import ctypes, os, platform, socket, struct, time
libc = ctypes.CDLL(None, use_errno=True)
ARM = platform.machine() == "aarch64"

def times(action, count):
    for _ in range(count):
        action()

def child(action=lambda: None):
    process = os.fork()
    if process == 0:
        action()
        os._exit(0)
    os.waitpid(process, 0)

def number_of(descriptors):
    number = os.fstat(descriptors[0]).st_ino
    for one in descriptors:
        os.close(one)
    return number

def make(maker):
    for one in maker():
        os.close(one)

def process_number():
    descriptor = os.pidfd_open(os.getpid())
    return number_of([descriptor])

def session_number():
    ours, theirs = os.pipe()
    child(lambda: (os.setsid(), os.write(theirs, open("/proc/self/autogroup", "rb").read())))
    said = os.read(ours, 100)
    os.close(ours), os.close(theirs)
    return int(said.split()[0].rpartition(b"-")[2])

def cookie():
    one, other = socket.socketpair()
    told = one.getsockopt(socket.SOL_SOCKET, 57, 8)
    one.close(), other.close()
    return struct.unpack("<Q", told)[0]

def system(place):
    said = ctypes.create_string_buffer(128)
    if libc.syscall(179 if ARM else 99, said):
        raise OSError(ctypes.get_errno(), "sysinfo")
    return struct.unpack_from("<10QH", said.raw)[place]

def spin(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass

def heavy(number):
    kept = [bytearray(1 << 20) for _ in range(number)]
    return len(kept)

def free_space():
    found = os.statvfs(os.path.dirname(os.__file__))
    return found.f_bfree

def mount_number():
    said = ctypes.create_string_buffer(256)
    if libc.syscall(291 if ARM else 332, -100, b"/", 0, 0x4000, said):
        raise OSError(ctypes.get_errno(), "statx")
    mask, = struct.unpack_from("<I", said.raw)
    if not mask & 0x4000:
        raise OSError("not told")
    return struct.unpack_from("<Q", said.raw, 144)[0]

def host_text(path):
    with open(path) as file:
        found = file.read()
    return int("".join(filter(str.isdigit, found))[:15] or 0)
"""


@dataclass(frozen=True)
class Channel:
    """How a number is sent, and how the count is read."""

    send: str
    """Given ``number``."""
    read: str
    """An expression; where it raises `OSError`, the receiver hears nothing."""


CHANNELS = {
    "numbers of sessions": Channel("times(lambda: child(os.setsid), 4 * number)", "session_number()"),
    "numbers of processes": Channel("times(child, 8 * number)", "process_number()"),
    "inodes of pipes": Channel("times(lambda: make(os.pipe), 4096 * number)", "number_of(os.pipe())"),
    "inodes of memory files": Channel(
        "times(lambda: make(lambda: [os.memfd_create('x')]), 1024 * number)", "number_of([os.memfd_create('x')])"
    ),
    "cookies of sockets": Channel("times(cookie, 64 * number)", "cookie()"),
    "load": Channel("spin(number / 100)", "system(1)"),
    "free memory": Channel("heavy(number)", "system(5)"),
    "processes now": Channel("times(child, number)", "system(10)"),
    "free space of the disk": Channel("heavy(number)", "free_space()"),
    "numbers of mounts": Channel("times(child, number)", "mount_number()"),
    "load in `/proc`": Channel("spin(number / 100)", "host_text('/proc/loadavg')"),
    "memory in `/proc`": Channel("heavy(number)", "host_text('/proc/meminfo')"),
}
SENDER = (
    _NAMED
    + """
def predict(batch):
    for number in batch["x"]:
        number = int(number)
        try:
            SEND
        except OSError:
            pass
    return [0.5] * batch.rows
"""
)
RECEIVER = (
    _NAMED
    + """
def predict(batch):
    try:
        print("heard", READ)
    except OSError:
        print("heard nothing")
    return [0.5] * batch.rows
"""
)


Start = Callable[[str, BoxSettings], WarmWorker]
OPEN = frozenset({Protection.SECCOMP, Protection.SETTLING})
"""What keeps counts from telling anything; without both, a receiver reads most of them."""


def carried(start: Start, settings: BoxSettings, channel: Channel, rounds: int) -> float:
    """Return how many bits a run on hidden cases passes on to a box that prints, measured over so many runs."""

    def count() -> int | None:
        with start(receiver(channel), replace(settings, logs=LogPolicy.FULL)) as worker:
            worker.predict(FeatureBatch({"x": np.zeros(1)}, 1))
            worker.close()
            return heard(worker.logs().text)

    sent, moved = [random.randrange(SYMBOLS) for _ in range(rounds)], list[int | None]()
    for number in sent:
        before = count()
        with start(sender(channel), replace(settings, logs=LogPolicy.WITHHELD)) as worker:
            worker.predict(FeatureBatch({"x": np.array([float(number)])}, 1))
        after = count()
        moved.append(None if before is None or after is None else after - before)
    return bits_through(sent, moved)


def sender(channel: Channel) -> str:
    """Return an application that sends each number that it is given."""
    return SENDER.replace("SEND", channel.send)


def receiver(channel: Channel) -> str:
    """Return an application that prints the count whenever it is asked."""
    return RECEIVER.replace("READ", channel.read)


def heard(log: str) -> int | None:
    """Return the last count that a receiver has printed; None: it heard nothing."""
    found = re.findall(r"heard (\d+)", log)
    return int(found[-1]) if found else None


def bits_through(sent: Sequence[int], moved: Sequence[int | None]) -> float:
    """Return what a move of the count tells of the number sent, in bits a run.

    Of a line through both and what is scattered about it: the information of a Gaussian channel of that correlation,
    which is no more than the sender's numbers hold.
    """
    told = [(number, move) for number, move in zip(sent, moved, strict=True) if move is not None]
    if len(told) < 3 or len({move for _, move in told}) == 1:
        return 0.0
    count = len(told)
    numbers, moves = [one for one, _ in told], [other for _, other in told]
    mean, middle = sum(numbers) / count, sum(moves) / count
    both = sum((one - mean) * (other - middle) for one, other in told)
    square = both**2 / (sum((one - mean) ** 2 for one in numbers) * sum((other - middle) ** 2 for other in moves))
    unexplained = max(1 - square, 2.0 ** (-2 * math.log2(SYMBOLS)))
    return max(0.0, -math.log2(unexplained) / 2 - _by_chance(count))


def _by_chance(count: int) -> float:
    """Return how many bits numbers that have nothing to do with each other seem to tell, on average."""
    return 1 / (2 * math.log(2) * (count - 2))
