"""The filter, run by a small interpreter of BPF: what it lets through and what it refuses, on both machines."""

from __future__ import annotations

import errno
import struct

import pytest

from pilotbase.sandbox.box.seccomp import filter_program, supported

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CALLS = {
    "x86_64": {"read": 0, "socket": 41, "socketpair": 53, "clone": 56, "memfd_create": 319, "unshare": 272},
    "aarch64": {"read": 63, "socket": 198, "socketpair": 199, "clone": 220, "memfd_create": 279, "unshare": 97},
}  # fmt: skip
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_VSOCK = 1, 2, 10, 16, 40
FORK, THREAD = 0x01200011, 0x3D0F00
NEW = {"ns": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000, "pid": 0x20000000,
       "net": 0x40000000}  # fmt: skip


def run(program: bytes, number: int, argument: int = 0, audit: int = AUDIT["x86_64"], place: int = 0) -> int:
    """Return what the kernel would do, after `Documentation/networking/filter.rst`, with ``argument`` at ``place``."""
    arguments = [argument if index == place else 0 for index in range(6)]
    data = struct.pack("<iIQ6Q", number, audit, 0, *arguments)
    steps = list(struct.iter_unpack("<HBBI", program))
    value, position = 0, 0
    while True:
        code, if_true, if_false, constant = steps[position]
        position += 1
        if code == 0x20:
            [value] = struct.unpack_from("<I", data, constant)
        elif code == 0x06:
            return constant
        else:
            holds = {0x15: value == constant, 0x35: value >= constant, 0x45: bool(value & constant)}[code]
            position += if_true if holds else if_false


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> str:
    return request.param


def verdict(machine: str, name: str, argument: int = 0, **options: bool) -> int:
    program = filter_program(options.pop("allow_memfd", False), machine=machine, **options)
    return run(program, CALLS[machine][name], argument, AUDIT[machine])


def test_ordinary_calls_pass(machine):
    assert verdict(machine, "read") == ALLOW
    assert verdict(machine, "clone", FORK) == ALLOW and verdict(machine, "clone", THREAD) == ALLOW


@pytest.mark.parametrize("family", [AF_INET, AF_INET6, AF_NETLINK, AF_VSOCK, 17, 38])
def test_only_unix_sockets(machine, family):
    for name in ("socket", "socketpair"):
        assert verdict(machine, name, family) == REFUSE | errno.EPERM
        assert verdict(machine, name, AF_UNIX) == ALLOW
    assert verdict(machine, "socket", family, allow_network=True) == ALLOW


@pytest.mark.parametrize("flag", NEW.values(), ids=NEW)
def test_no_new_namespaces(machine, flag):
    assert verdict(machine, "clone", FORK | flag) == REFUSE | errno.EPERM
    assert verdict(machine, "unshare", flag) == REFUSE | errno.EPERM


def test_clone3_is_unknown(machine):
    program = filter_program(False, machine=machine)
    assert run(program, 435, audit=AUDIT[machine]) == REFUSE | errno.ENOSYS


COUNTED = {"x86_64": [99, 137, 138], "aarch64": [179, 43, 44]}
"""sysinfo, statfs, fstatfs."""
SESSION = {"x86_64": 112, "aarch64": 157}


def test_what_the_kernel_counts_of_all_boxes_is_not_told_and_not_moved(machine):
    program = filter_program(True, machine=machine)
    for number in [*COUNTED[machine], 434]:  # pidfd_open
        assert run(program, number, audit=AUDIT[machine]) == REFUSE | errno.ENOSYS, number
    assert run(program, SESSION[machine], audit=AUDIT[machine]) == REFUSE | errno.EPERM


def test_memory_that_nobody_counts(machine):
    assert verdict(machine, "memfd_create") == REFUSE | errno.EPERM
    assert verdict(machine, "memfd_create", allow_memfd=True) == ALLOW


def test_another_machine_or_the_x32_numbers_kill(machine):
    program = filter_program(False, machine=machine)
    assert run(program, CALLS[machine]["read"], audit=0x40000003) == KILL
    assert run(program, 0x40000000 | 41, 2, audit=AUDIT[machine]) == KILL


@pytest.mark.parametrize("number", [425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 447])
def test_calls_with_one_number_everywhere(machine, number):
    assert run(filter_program(True, machine=machine), number, audit=AUDIT[machine]) == REFUSE | errno.EPERM


QUESTIONS = {
    "x86_64": [27, 206, 209, 253, 254, 255, 294, 300, 301, 303, 321, 323, 298, 310, 311, 101, 250, 248, 103, 135],
    "aarch64": [232, 0, 2, 26, 27, 28, 262, 263, 264, 280, 282, 241, 270, 271, 117, 219, 217, 116, 92],
}
"""mincore, io_setup, io_submit, inotify_*, fanotify_*, name_to_handle_at, bpf, userfaultfd, perf_event_open, …"""
WISHES = {"x86_64": [221, 187, 73, 132, 235, 261, 280, 203], "aarch64": [223, 213, 32, 88, 122]}
"""fadvise64, readahead, flock, what sets the times of files, and sched_setaffinity."""
WITH_ARGUMENT = {
    "x86_64": {
        "fcntl": 72,
        "madvise": 28,
        "preadv2": 327,
        "pwritev2": 328,
        "setsockopt": 54,
        "getsockopt": 55,
        "statx": 332,
        "clone": 56,
    },
    "aarch64": {
        "fcntl": 25,
        "madvise": 233,
        "preadv2": 286,
        "pwritev2": 287,
        "setsockopt": 208,
        "getsockopt": 209,
        "statx": 291,
        "clone": 220,
    },
}


def test_questions_about_shared_files_are_refused(machine):
    program = filter_program(True, machine=machine)
    for number in [*QUESTIONS[machine], 451]:
        assert run(program, number, audit=AUDIT[machine]) == REFUSE | errno.EPERM, number


def test_wishes_about_shared_files_are_granted_and_not_made(machine):
    program = filter_program(True, machine=machine)
    for number in WISHES[machine]:
        assert run(program, number, audit=AUDIT[machine]) == REFUSE | 0, number


@pytest.mark.parametrize(
    ("name", "place", "value", "expected"),
    [
        *[("fcntl", 1, command, ALLOW) for command in (0, 1, 2, 3, 4, 5, 36, 1030, 1032, 1033)],
        *[("fcntl", 1, command, REFUSE | 0) for command in (6, 7, 37, 38)],
        *[("fcntl", 1, command, REFUSE | errno.EPERM) for command in (1024, 1026, 1031, 1036, 1038)],
        *[("madvise", 2, advice, ALLOW) for advice in (3, 4, 8, 14)],
        *[("madvise", 2, advice, REFUSE | errno.EINVAL) for advice in (20, 21)],
        *[(name, 5, 0, ALLOW) for name in ("preadv2", "pwritev2")],
        *[(name, 5, flags, REFUSE | errno.EOPNOTSUPP) for name in ("preadv2", "pwritev2") for flags in (1, 8, 0x80)],
        *[("getsockopt", 2, option, ALLOW) for option in (3, 4, 7, 8, 17)],
        *[("getsockopt", 2, option, REFUSE | errno.ENOPROTOOPT) for option in (55, 57, 71, 77)],
        *[("setsockopt", 2, option, REFUSE | 0) for option in (7, 8, 32, 33)],
        *[("setsockopt", 2, option, REFUSE | errno.ENOPROTOOPT) for option in (76,)],
        ("clone", 0, FORK | 0x1000, REFUSE | errno.EPERM),
        *[("statx", 3, mask, ALLOW) for mask in (0x7FF, 0x1FFF)],
        *[("statx", 3, mask, REFUSE | errno.ENOSYS) for mask in (0x4000, 0x47FF)],
    ],
)
def test_calls_judged_by_what_they_ask(machine, name, place, value, expected):
    program = filter_program(True, machine=machine)
    assert run(program, WITH_ARGUMENT[machine][name], value, AUDIT[machine], place) == expected
    assert run(program, CALLS[machine]["read"], value, AUDIT[machine], place) == ALLOW


def test_an_unknown_machine_has_no_filter():
    assert not supported("riscv64") and supported("x86_64") and supported("aarch64")
    with pytest.raises(KeyError):
        filter_program(False, machine="riscv64")
