"""The command line that starts a box: bubblewrap in start C or D, resource limits, and who the program runs as.

A container image as root: its own entries are in place of a system's folders; the files that run Python are mounted
aside, with a loader and libraries of the host. Nothing of the image is loaded before every privilege has been given up
(`entering`).
"""

from __future__ import annotations

import os
import platform
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.limits import IsolationLevel, Limits
from pilotbase.sandbox.box import entering
from pilotbase.sandbox.box.copies import copy_of, shown_libraries
from pilotbase.sandbox.box.settings import BoxSettings, Interpreter, MemoryWatch, Protection, StartMode

APPLICATION = PurePosixPath("/application")
ENVIRONMENT = PurePosixPath("/environment")
SCRATCH = PurePosixPath("/tmp")  # noqa: S108 - the box's own, a tmpfs of bounded size
SHARED_MEMORY = PurePosixPath("/dev/shm")  # noqa: S108
PROGRAM = PurePosixPath("/pilotbase/program.py")
ADAPTERS = PurePosixPath("/pilotbase/adapters")
_INSIDE_UID = 1000
_OPEN_FILES = 1024
_SYSTEM_FOLDERS = ("/usr/lib", "/usr/lib64", "/lib", "/lib64")
_SYSTEM_DATA = ("/etc/ld.so.cache", "/usr/share/zoneinfo")
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)
_PYTHON_OPTIONS = ("-s", "-S", "-P", "-B", "-X", "utf8", "-X", "faulthandler")
"""Without site-packages, without the script's folder on its path, writing no bytecode."""
_JOIN = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 125; shift; done; shift; exec "$@"'
"""Shell: join every group named before ``--``, then exec the command after it."""
_PROC = PurePosixPath("/proc")
_KEPT = frozenset({"self", "thread-self", "mounts", "net", "filesystems", "sysvipc"})
"""Entries that show the box itself, or what the kernel can do."""
_FIRST_PROCESS = _PROC / "1"
"""bubblewrap in the box, whose command line names places of the host."""
HOST = PurePosixPath("/pilotbase/host")
"""The place of the host's interpreter and libraries, each at its own path beneath it."""
ENTERING = PurePosixPath("/pilotbase/entering.py")

_OURS = frozenset({"proc", "sys", "dev", "tmp", "pilotbase", "application", "environment"})
"""Entries of an image that are not shown: the box has its own there, or none."""
_HEAD = struct.Struct("<4sBB10xHHIQQQIHHH")
"""ELF header of 64 bits, little-endian, up to the number of program headers (System V ABI, chapter 4)."""
_SEGMENT = struct.Struct("<IIQQQQQQ")
_INTERPRETER = 3


@dataclass(frozen=True)
class Mount:
    """A folder of the host and its place in the box."""

    source: Path
    target: PurePosixPath
    writable: bool = False


@dataclass(frozen=True)
class BoxProgram:
    """A stand-alone Python program of ours, its inputs, and where it runs."""

    script: Path
    arguments: tuple[str, ...]
    mounts: tuple[Mount, ...]
    folder: PurePosixPath = SCRATCH
    root: Path | None = None
    """Files of a container image, in place of the system's folders."""


@dataclass(frozen=True)
class Descriptors:
    """Open descriptors that bubblewrap reads while it sets the box up."""

    script: int
    information: int
    seccomp: int | None
    constants: Mapping[PurePosixPath, int]
    """File of /proc → its replacement."""


@dataclass(frozen=True)
class Tools:
    """Programs of the host that start a box."""

    bwrap: str
    prlimit: str
    setpriv: str


def launch_command(tools: Tools, settings: BoxSettings, start: StartMode, arguments: int) -> list[str]:
    """Return the command that sets the box up; bubblewrap reads its other arguments from that descriptor."""
    command = [tools.bwrap, "--args", str(arguments)]
    if start is StartMode.C and os.getuid() == 0:
        return [*_drop_command(tools, settings.uid), *command]
    return command


def joined_command(join_files: Iterable[Path], command: list[str]) -> list[str]:
    """Return ``command`` so that it first joins the control groups."""
    files = [str(file) for file in join_files]
    return ["/bin/sh", "-c", _JOIN, "sh", *files, "--", *command] if files else command


def box_arguments(
    program: BoxProgram, shown: Iterable[Mount], settings: BoxSettings, start: StartMode, descriptors: Descriptors
) -> list[str]:
    """Return bubblewrap's arguments: namespaces, the ``shown`` parts of the host, mounts and seals, the filter."""
    interpreter = settings.interpreter
    assert interpreter is not None
    arguments = [*_namespaces(settings, start), "--die-with-parent", "--new-session", "--clearenv"]
    for name, value in environment_variables(settings.limits, program, settings.hash_seed).items():
        arguments += ["--setenv", name, value]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    arguments += _masks(descriptors.constants)
    arguments += _scratch(settings)
    arguments += _system_links() if program.root is None else root_arguments(program.root)
    for mount in (*shown, *program.mounts):
        arguments += _parents(mount.target)
        arguments += ["--bind" if mount.writable else "--ro-bind", str(mount.source), str(mount.target)]
    for empty in emptied_of_the_host(interpreter):
        arguments += _emptied(PurePosixPath(empty) if program.root is None else aside(empty))
    arguments += _parents(PROGRAM)
    arguments += ["--perms", "0444", "--ro-bind-data", str(descriptors.script), str(PROGRAM)]
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/"]
    arguments += ["--chdir", str(program.folder), "--info-fd", str(descriptors.information)]
    if descriptors.seccomp is not None:
        arguments += ["--seccomp", str(descriptors.seccomp)]
    return arguments


def shown_of_host(program: BoxProgram, settings: BoxSettings, tools: Tools) -> tuple[Mount, ...]:
    """Return the parts of the host that a box sees, besides its own mounts: the files themselves, or copies of them.

    An image takes the system's place; the files that run Python are then mounted aside. Raises as `copy_of`.
    """
    interpreter = settings.interpreter
    assert interpreter is not None
    loading = [Path(tools.prlimit), Path(tools.setpriv)]
    shown = {folder: shown_libraries(folder, interpreter, loading) for folder in _library_folders()}
    shown |= {path: path for path in _of_interpreter(interpreter)}
    if program.root is None:
        shown |= {path: path for path in (*_system_data(), *loading)}
        mounts = [Mount(source, PurePosixPath(path)) for path, source in shown.items()]
    else:
        mounts = [Mount(source, aside(path)) for path, source in shown.items()]
        mounts.append(Mount(Path(entering.__file__), ENTERING))
    if settings.copies is None:
        return tuple(mounts)
    empty = emptied_of_the_host(interpreter)
    return tuple(Mount(copy_of(mount.source, settings.copies, empty), mount.target) for mount in mounts)


def emptied_of_the_host(interpreter: Interpreter) -> list[Path]:
    """Return the folders beneath the interpreter that are empty in a box.

    Packages installed there are not part of Python itself; its own tests, half of its files, are never run, and nothing
    is linked with it.
    """
    if interpreter.prefix == Path("/usr"):
        return []
    found = [
        folder
        for name in ("*-packages", "test", "config-*")
        for folder in interpreter.prefix.glob(f"lib/python3*/{name}")
    ]
    return [folder for folder in found if folder.is_dir() and not folder.is_symlink()]


def boxed_command(program: BoxProgram, settings: BoxSettings, start: StartMode, tools: Tools) -> list[str]:
    """Return the command that runs in the box: limits first, then dropping every privilege, then Python.

    In an image Python comes first, and does both itself: other tools would load libraries of the image.
    """
    assert settings.interpreter is not None
    if program.root is not None:
        uid = settings.uid if start is StartMode.D else None
        entered = entering_words(uid, _limit_command(tools, settings)[1:], [str(PROGRAM), *program.arguments])
        return [*python_words(settings.interpreter, _library_folders()), *_PYTHON_OPTIONS, *entered]
    drop = _drop_command(tools, settings.uid) if start is StartMode.D else []
    return [*_limit_command(tools, settings), *drop, *_python(settings, PROGRAM, program)]


def program_command(
    program: BoxProgram, script: int, settings: BoxSettings, seccomp: int | None, tools: Tools
) -> list[str]:
    """Return the command without a box: Python alone at level L0; limits, filter and another user (if root) at L1.

    ``script``: descriptor of the program, whose file that user may be unable to reach.
    """
    python = _python(settings, PurePosixPath(f"/proc/self/fd/{script}"), program)
    if settings.level is IsolationLevel.L0:
        return python
    drop = _drop_command(tools, settings.uid) if os.getuid() == 0 else [tools.setpriv, "--no-new-privs", "--"]
    if seccomp is not None:
        drop[-1:] = ["--seccomp-filter", f"/proc/self/fd/{seccomp}", "--"]
    return [*_limit_command(tools, settings), *drop, *python]


def _limit_command(tools: Tools, settings: BoxSettings) -> list[str]:
    """Return the prefix that sets resource limits of each process; a control group limits the whole box."""
    limits, removed = settings.limits, settings.removed
    command = [tools.prlimit, "--core=0", f"--nofile={_OPEN_FILES}", "--memlock=65536", "--msgqueue=0"]
    command.append(f"--cpu={limits.cpu_seconds + 2}:{limits.cpu_seconds + 3}")
    if Protection.SCRATCH not in removed:
        command.append(f"--fsize={limits.file_bytes}")
    if settings.memory_watch is MemoryWatch.SUPERVISOR:
        if Protection.PROCESSES not in removed:
            command.append(f"--nproc={limits.processes}")
        if Protection.MEMORY not in removed:
            command.append(f"--as={_address_space(limits)}")
    return command


def _address_space(limits: Limits) -> int:
    """Return the address-space limit of a process if the supervisor counts memory; libraries reserve without using."""
    return limits.memory_bytes + (4 << 30)


def environment_variables(limits: Limits, program: BoxProgram | None = None, hash_seed: int = 0) -> Mapping[str, str]:
    """Return the whole environment of the box; it passes on nothing of ours, and reads no locale of an image."""
    return {
        "PATH": "/usr/bin",
        "HOME": str(SCRATCH),
        "TMPDIR": str(SCRATCH),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "USER": "box",
        "PYTHONHASHSEED": str(hash_seed),
        **({"LC_ALL": "C"} if program is not None and program.root is not None else {}),
        **dict.fromkeys(_THREAD_VARIABLES, str(limits.threads)),
    }


def _python(settings: BoxSettings, script: PurePosixPath, program: BoxProgram) -> list[str]:
    assert settings.interpreter is not None
    return [str(settings.interpreter.executable), *_PYTHON_OPTIONS, str(script), *program.arguments]


def _drop_command(tools: Tools, uid: int) -> list[str]:
    identity = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all"]
    return [tools.setpriv, *identity, "--no-new-privs", "--"]


def _namespaces(settings: BoxSettings, start: StartMode) -> list[str]:
    unshared = ["--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "box", "--cap-drop", "ALL"]
    if Protection.PROCESS_NAMESPACE not in settings.removed:
        unshared.append("--unshare-pid")
    if Protection.NETWORK not in settings.removed:
        unshared.append("--unshare-net")
    if start is StartMode.C:
        inside = ["--uid", str(_INSIDE_UID), "--gid", str(_INSIDE_UID)]
        return [*unshared, "--unshare-user", "--disable-userns", *inside]
    return [*unshared, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]


def _scratch(settings: BoxSettings) -> list[str]:
    size = [] if Protection.SCRATCH in settings.removed else ["--size", str(settings.limits.scratch_bytes)]
    return [
        *("--perms", "1777", *size, "--tmpfs", str(SCRATCH)),
        *("--perms", "1777", *size, "--tmpfs", str(SHARED_MEMORY)),
    ]


def _masks(constants: Mapping[PurePosixPath, int]) -> list[str]:
    """Hide what /proc shows of the host and of its first process, and terminals, which the whole host numbers."""
    arguments = _emptied(PurePosixPath("/dev/pts"))
    for file, descriptor in constants.items():
        arguments += ["--perms", "0444", "--ro-bind-data", str(descriptor), str(file)]
    for folder in (*_emptied_folders(), _FIRST_PROCESS):
        arguments += _emptied(folder)
    return arguments


def _emptied(folder: PurePosixPath) -> list[str]:
    return ["--perms", "0555", "--tmpfs", str(folder), "--remount-ro", str(folder)]


def _library_folders() -> list[Path]:
    folders = [Path(folder) for folder in _SYSTEM_FOLDERS]
    return [_libraries(folder) for folder in folders if folder.is_dir() and not folder.is_symlink()]


def _system_data() -> list[Path]:
    return [Path(file) for file in _SYSTEM_DATA if Path(file).exists()]


def _system_links() -> list[str]:
    links = [folder for folder in _SYSTEM_FOLDERS if Path(folder).is_symlink()]
    return [word for folder in links for word in ("--symlink", str(Path(folder).readlink()), folder)]


def _of_interpreter(interpreter: Interpreter) -> list[Path]:
    if interpreter.prefix == Path("/usr"):
        return [interpreter.executable, *Path("/usr/lib").glob("python3.*")]
    if interpreter.prefix == Path("/usr/local"):
        return [interpreter.executable, interpreter.prefix / "lib"]
    return [interpreter.prefix]


def _libraries(folder: Path) -> Path:
    """Return the folder of this machine's libraries within a system's folder: Debian keeps them apart."""
    apart = folder / f"{platform.machine()}-linux-gnu"
    return apart if apart.is_dir() else folder


def _parents(target: PurePosixPath) -> list[str]:
    arguments: list[str] = []
    for parent in reversed(target.parents[:-1]):
        arguments += ["--perms", "0755", "--dir", str(parent)]
    return arguments


def constant_files(limits: Limits) -> Mapping[PurePosixPath, bytes]:
    """Return the replaced files of /proc, and their contents in a box of these limits; most are empty.

    They show load, free memory, interrupts, locks and open files of the whole host, and so reveal to one box what
    another does. Every entry is masked unless it is known to reveal nothing of the kind; new ones of a kernel are
    masked too.
    """
    memory = f"{limits.memory_bytes >> 10:>11} kB"
    figures = {"MemTotal": memory, "MemFree": memory, "MemAvailable": memory}
    figures |= dict.fromkeys(("Buffers", "Cached", "SwapCached", "SwapTotal", "SwapFree"), f"{0:>11} kB")
    zeros = " 0" * 10
    processors = [f"cpu {zeros}", *(f"cpu{number}{zeros}" for number in range(os.cpu_count() or 1))]
    counters = ["intr 0", "ctxt 0", "btime 0", "processes 1", "procs_running 1", "procs_blocked 0"]
    texts = {
        "meminfo": "".join(f"{name}:{value}\n" for name, value in figures.items()),
        "stat": "".join(f"{line}\n" for line in processors + counters),
        "uptime": "0.00 0.00\n",
        "loadavg": "0.00 0.00 0.00 1/1 1\n",
        "version": "Linux\n",
    }
    contents = {name: content.encode() for name, content in texts.items()} | {"cpuinfo": _processors()}
    return {_PROC / name: contents.get(name, b"") for name, is_folder in _entries().items() if not is_folder}


def _emptied_folders() -> list[PurePosixPath]:
    """Return the folders of /proc that are empty in a box."""
    return [_PROC / name for name, is_folder in _entries().items() if is_folder]


@cache
def _entries() -> Mapping[str, bool]:
    """Return every entry that is neither a process nor kept, and whether it is a folder."""
    names = sorted(path.name for path in Path(_PROC).iterdir())
    return {name: (Path(_PROC) / name).is_dir() for name in names if not name.isdigit() and name not in _KEPT}


@cache
def _processors() -> bytes:
    """Return the host's processors as they were at the first box: their clock rates change with the load."""
    return (Path(_PROC) / "cpuinfo").read_bytes()


def root_arguments(root: Path) -> list[str]:
    """Return bubblewrap's arguments that show the image's files, read-only; links stay links."""
    arguments: list[str] = []
    for entry in sorted(root.iterdir()):
        if entry.name in _OURS:
            continue
        if entry.is_symlink():
            arguments += ["--symlink", str(entry.readlink()), f"/{entry.name}"]
        else:
            arguments += ["--ro-bind", str(entry), f"/{entry.name}"]
    return arguments


def aside(place: PurePosixPath | Path) -> PurePosixPath:
    """Return the place of a host file in the box."""
    return HOST / PurePosixPath(place).relative_to("/")


def python_words(interpreter: Interpreter, libraries: Iterable[Path]) -> list[str]:
    """Return the words that start Python: by the host's loader, with the host's ``libraries``, and no others.

    Raises:
        RefusedError: the interpreter is not started by a loader of glibc, the only one with this option.
    """
    loader = loader_of(interpreter.executable)
    if not loader.name.startswith("ld-linux"):
        raise RefusedError("box.image_no_loader", loader=loader)
    beneath = interpreter.prefix / "lib"
    places = ":".join(str(aside(place)) for place in (*libraries, beneath))
    without = ":".join(["", *(str(aside(one)) for one in sorted(beneath.glob("libpython*")))])
    options = ["--inhibit-cache", "--inhibit-rpath", without, "--library-path", places]
    return [str(aside(loader)), *options, str(aside(interpreter.executable))]


def entering_words(uid: int | None, limits: Sequence[str], script: Sequence[str]) -> list[str]:
    """Return the arguments of `entering`: the user (None: the present one), the limits, and the program to run."""
    return [str(ENTERING), "-" if uid is None else str(uid), *limits, "--", *script]


def loader_of(executable: Path) -> Path:
    """Return the loader that an ELF program names, links followed; an empty path if it names none."""
    content = executable.read_bytes()
    if content[:5] != b"\x7fELF\x02" or content[5] != 1:
        return Path()
    start, size, count = (_HEAD.unpack_from(content)[at] for at in (7, 11, 12))
    for number in range(count):
        kind, _, offset, _, _, length, _, _ = _SEGMENT.unpack_from(content, start + number * size)
        if kind == _INTERPRETER:
            return Path(content[offset : offset + length].rstrip(b"\0").decode()).resolve()
    return Path()
