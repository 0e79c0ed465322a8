"""The system-call filter of a box, assembled by hand (classic BPF), so that no library is needed.

Everything that a box could use to leave it, to reach a network or to hold uncounted memory is refused: sockets other
than AF_UNIX, new namespaces, mounts, tracing, keys, io_uring (which opens sockets past a filter on ``socket``), BPF,
handles. ``clone3`` answers ENOSYS, because its flags are in memory that a filter cannot read; the C library then falls
back to ``clone``. Numbers are from the kernel's tables (asm-generic for aarch64).

Boxes share files of the host, read-only, so every way in which one box can change the state of such a file and another
can see it is closed, too. Queries about it are refused: what is cached (``mincore``, ``cachestat``, ``preadv2`` with
flags), who opened it (``inotify``, leases). Hints report success without effect, which no library minds: advice about
the cache, file locks, and times of files, which anyone may set to now on ``/dev/null``. Within a box, file locks
therefore exclude nobody.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENT_0_AT, _ARGUMENT_BYTES = 0, 4, 16, 8
_GRANTED = 0
"""As an error number: the call is skipped and reports success."""
_AF_UNIX = 1
_NEW_NAMESPACE_FLAGS = 0x7E020080
"""CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; in ``clone`` the low byte is a signal."""
_CLONE_PIDFD = 0x1000
_CLONE_FLAGS = _NEW_NAMESPACE_FLAGS & ~0xFF | _CLONE_PIDFD
_X32_BIT = 0x40000000
_LOCK_COMMANDS = (6, 7, 37, 38)
"""Of ``fcntl``: SETLK, SETLKW, OFD_SETLK, OFD_SETLKW."""
_LEASE_COMMANDS = (1024, 1026, 1036, 1038)
"""Of ``fcntl``: SETLEASE (shows who has a file open), NOTIFY, SET_RW_HINT, SET_FILE_RW_HINT."""
_RESIZING = (1031,)
"""Of ``fcntl``: SETPIPE_SZ."""
_EVICTIONS = (20, 21)
"""Of ``madvise``: COLD, PAGEOUT."""
_COUNTS = (55, 57, 71, 77)
"""Of ``getsockopt``: MEMINFO, COOKIE, NETNS_COOKIE, PEERPIDFD."""
_PASS_PIDFD = (76,)
_BUFFERS = (7, 8, 32, 33)
"""Of ``setsockopt``: SNDBUF, RCVBUF, and both by force."""
_UNIQUE_MOUNT = 0x4000
"""Of ``statx``: the number of the mount among all since the start of the kernel."""


@dataclass(frozen=True)
class Architecture:
    """Audit value and system-call numbers of one machine."""

    audit: int
    calls: Mapping[str, int]


_X86_64 = Architecture(
    0xC000003E,
    MappingProxyType(
        {
            "shmget": 29, "socket": 41, "socketpair": 53, "clone": 56, "semget": 64, "msgget": 68, "ptrace": 101,
            "syslog": 103, "uselib": 134, "personality": 135, "ustat": 136, "sysfs": 139, "vhangup": 153,
            "modify_ldt": 154, "pivot_root": 155, "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165,
            "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171,
            "iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176, "quotactl": 179,
            "lookup_dcookie": 212, "clock_settime": 227, "mbind": 237, "set_mempolicy": 238, "mq_open": 240,
            "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "migrate_pages": 256,
            "unshare": 272, "move_pages": 279, "perf_event_open": 298, "fanotify_init": 300,
            "name_to_handle_at": 303, "open_by_handle_at": 304, "clock_adjtime": 305, "setns": 308,
            "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "finit_module": 313,
            "memfd_create": 319, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323, "adjtimex": 159,
            "mincore": 27, "io_setup": 206, "io_submit": 209, "inotify_init": 253, "inotify_add_watch": 254,
            "inotify_rm_watch": 255, "inotify_init1": 294, "fanotify_mark": 301, "madvise": 28, "fcntl": 72,
            "preadv2": 327, "pwritev2": 328, "flock": 73, "utime": 132, "readahead": 187, "fadvise64": 221,
            "utimes": 235, "futimesat": 261, "utimensat": 280, "setsockopt": 54, "getsockopt": 55, "sysinfo": 99,
            "setsid": 112, "statfs": 137, "fstatfs": 138, "sched_setaffinity": 203, "statx": 332,
        }
    ),
)  # fmt: skip
_AARCH64 = Architecture(
    0xC00000B7,
    MappingProxyType(
        {
            "lookup_dcookie": 18, "umount2": 39, "mount": 40, "pivot_root": 41, "chroot": 51, "vhangup": 58,
            "quotactl": 60, "acct": 89, "personality": 92, "unshare": 97, "kexec_load": 104, "init_module": 105,
            "delete_module": 106, "clock_settime": 112, "syslog": 116, "ptrace": 117, "reboot": 142,
            "sethostname": 161, "setdomainname": 162, "settimeofday": 170, "adjtimex": 171, "mq_open": 180,
            "msgget": 186, "semget": 190, "shmget": 194, "socket": 198, "socketpair": 199, "add_key": 217,
            "request_key": 218, "keyctl": 219, "clone": 220, "swapon": 224, "swapoff": 225, "mbind": 235,
            "set_mempolicy": 237, "migrate_pages": 238, "move_pages": 239, "perf_event_open": 241,
            "fanotify_init": 262, "name_to_handle_at": 264, "open_by_handle_at": 265, "clock_adjtime": 266,
            "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "finit_module": 273,
            "memfd_create": 279, "bpf": 280, "userfaultfd": 282, "kexec_file_load": 294, "io_setup": 0, "io_submit": 2,
            "inotify_init1": 26, "inotify_add_watch": 27, "inotify_rm_watch": 28, "mincore": 232,
            "fanotify_mark": 263, "fcntl": 25, "madvise": 233, "preadv2": 286, "pwritev2": 287, "flock": 32,
            "utimensat": 88, "readahead": 213, "fadvise64": 223, "statfs": 43, "fstatfs": 44, "sched_setaffinity": 122,
            "setsid": 157, "sysinfo": 179, "setsockopt": 208, "getsockopt": 209, "statx": 291,
        }
    ),
)  # fmt: skip
_SAME_EVERYWHERE = MappingProxyType(
    {
        "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
        "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_open": 434, "clone3": 435,
        "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443, "memfd_secret": 447,
        "process_mrelease": 448, "set_mempolicy_home_node": 450, "cachestat": 451, "statmount": 457, "listmount": 458,
        "open_tree_attr": 467,
    }
)  # fmt: skip
_ARCHITECTURES = MappingProxyType({"x86_64": _X86_64, "aarch64": _AARCH64})
_ADVICE = frozenset(
    {"fadvise64", "readahead", "flock", "utime", "utimes", "futimesat", "utimensat", "sched_setaffinity"}
)
_ABSENT = frozenset({"clone3", "pidfd_open", "sysinfo", "statfs", "fstatfs"})
_BY_ARGUMENT = frozenset(
    {"socket", "socketpair", "getsockopt", "setsockopt", "clone", "fcntl", "madvise", "preadv2", "pwritev2", "statx"}
)


def filter_program(allow_memfd: bool, allow_network: bool = False, machine: str | None = None) -> bytes:
    """Return the BPF program for ``machine`` (default: this one), as bubblewrap's ``--seccomp`` reads it.

    ``allow_memfd`` only if a control group counts the memory behind such descriptors.

    Raises:
        KeyError: no table for this machine; see `supported`.
    """
    architecture = _ARCHITECTURES[machine or platform.machine()]
    calls = {**architecture.calls, **_SAME_EVERYWHERE}
    refused = sorted(
        number
        for name, number in calls.items()
        if name not in _BY_ARGUMENT | _ADVICE | _ABSENT and not (allow_memfd and name == "memfd_create")
    )
    program = [
        _statement(_LOAD, _ARCHITECTURE_AT),
        _jump(_JUMP_EQUAL, architecture.audit, 1, 0),
        _statement(_RETURN, _KILL),
        _statement(_LOAD, _NUMBER_AT),
        _jump(_JUMP_GREATER_EQUAL, _X32_BIT, 0, 1),
        _statement(_RETURN, _KILL),
    ]
    for name in sorted(_ABSENT):
        program += _refuse(calls[name], errno.ENOSYS)
    for number in refused:
        program += _refuse(number, errno.EPERM)
    for name in sorted(_ADVICE & calls.keys()):
        program += _refuse(calls[name], _GRANTED)
    program += _refuse_values(calls["fcntl"], 1, _LEASE_COMMANDS, errno.EPERM)
    program += _refuse_values(calls["fcntl"], 1, _LOCK_COMMANDS, _GRANTED)
    program += _refuse_values(calls["fcntl"], 1, _RESIZING, errno.EPERM)
    program += _refuse_values(calls["madvise"], 2, _EVICTIONS, errno.EINVAL)
    program += _refuse_values(calls["getsockopt"], 2, _COUNTS, errno.ENOPROTOOPT)
    program += _refuse_values(calls["setsockopt"], 2, _PASS_PIDFD, errno.ENOPROTOOPT)
    program += _refuse_values(calls["setsockopt"], 2, _BUFFERS, _GRANTED)
    for name in ("preadv2", "pwritev2"):
        program += _decide(calls[name], 5, _jump(_JUMP_EQUAL, 0, 1, 0), errno.EOPNOTSUPP)
    program += _decide(calls["statx"], 3, _jump(_JUMP_BITS, _UNIQUE_MOUNT, 0, 1), errno.ENOSYS)
    program += _decide(calls["clone"], 0, _jump(_JUMP_BITS, _CLONE_FLAGS, 0, 1), errno.EPERM)
    for name in () if allow_network else ("socket", "socketpair"):
        program += _decide(calls[name], 0, _jump(_JUMP_EQUAL, _AF_UNIX, 1, 0), errno.EPERM)
    program.append(_statement(_RETURN, _ALLOW))
    return b"".join(program)


def supported(machine: str | None = None) -> bool:
    """Return whether there is a filter for ``machine`` (default: this one)."""
    return (machine or platform.machine()) in _ARCHITECTURES


def _refuse(number: int, error: int) -> list[bytes]:
    return [_jump(_JUMP_EQUAL, number, 0, 1), _statement(_RETURN, _ERRNO | error)]


def _refuse_values(number: int, argument: int, values: Sequence[int], error: int) -> list[bytes]:
    """Answer ``error`` if the lower half of an argument is one of ``values``; all of them are ints to the kernel."""
    checks: list[bytes] = []
    for value in values:
        checks += _refuse(value, error)
    restored = _statement(_LOAD, _NUMBER_AT)
    loaded = _statement(_LOAD, _ARGUMENT_0_AT + argument * _ARGUMENT_BYTES)
    return [_jump(_JUMP_EQUAL, number, 0, len(checks) + 2), loaded, *checks, restored]


def _decide(number: int, argument: int, allowed: bytes, error: int) -> list[bytes]:
    """Answer ``error`` unless ``allowed``, a jump over one statement, holds for the lower half of an argument."""
    return [
        _jump(_JUMP_EQUAL, number, 0, 4),
        _statement(_LOAD, _ARGUMENT_0_AT + argument * _ARGUMENT_BYTES),
        allowed,
        _statement(_RETURN, _ERRNO | error),
        _statement(_RETURN, _ALLOW),
    ]


def _statement(code: int, value: int) -> bytes:
    return struct.pack("<HBBI", code, 0, 0, value)


def _jump(code: int, value: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
