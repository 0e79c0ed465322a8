"""Do the tests notice when the code is wrong? A drawn sample of mutations of each room, in copies of the tree.

We wrote our own because none of the three tools fits (November 2026). mutmut 3.8 runs the whole suite to learn which
tests touch what, replaces every function by a trampoline (signatures and types that pydantic, typer and pickle read are
lost) and draws no sample. cosmic-ray 8.7 rewrites the working tree itself and knows one test command for all modules.
mutatest's last release is from 2022 and needs a coverage version below 6.

A mutant meets the tests of its own room, first those named after its module, then those that import it, then the rest;
then the contracts that import the room, and any other tests that import its module. The first failure ends it. The
tests on PostgreSQL repeat those on SQLite and are left out. A mutant that fails none of them is either explained in
``survivors.toml`` or shows a hole in the tests.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
import venv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from queue import SimpleQueue

from benchmarks.house.mutations import Mutation, mutations
from benchmarks.publishing import ROOT

ROOMS = ("evidence", "measures", "trial", "vault", "certificate", "service")
SEED, PER_ROOM = 20261126, 30
KILLED_AT_LEAST = 0.85
SURVIVORS = Path(__file__).with_name("survivors.toml")
PYTEST = ("-m", "pytest", "-q", "-x", "-n", "0", "--no-header", "-p", "no:cacheprovider", "--hypothesis-seed", "0")
SELECTED = ("-m", "not prove", "-k", "not postgresql")
USAGE_ERROR, NO_TESTS = 4, 5
"""Exit codes of pytest that mean nothing about a mutant."""
PATIENCE = 4
"""A mutant that takes this many times as long as all tests of its room without it hangs, and counts as noticed."""


@dataclass(frozen=True)
class Mutant:
    """One mutation of one file."""

    room: str
    path: Path
    """From the root of the tree."""
    mutation: Mutation

    def __str__(self) -> str:
        return f"{self.path} {self.mutation.function or '(top)'}: `{self.mutation.line}`: {self.mutation.change}"

    def key(self) -> tuple[str, ...]:
        """Return the key by which an explanation names it: no path and no number, so that code can move."""
        return self.room, self.mutation.function, self.mutation.line, self.mutation.change


@dataclass(frozen=True)
class Fate:
    """The fate of a mutant."""

    mutant: Mutant
    killed: bool
    seconds: float
    how: str
    """The test that failed, or ``time-out``."""


def sample(rooms: Iterable[str] = ROOMS, per_room: int = PER_ROOM) -> list[Mutant]:
    """Return the drawn mutants. Changing code elsewhere in a room changes none of its others."""
    drawn: list[Mutant] = []
    for room in rooms:
        paths = sorted((ROOT / "src" / "pilotbase" / room).rglob("*.py"))
        every = [
            Mutant(room, path.relative_to(ROOT), mutation)
            for path in paths
            for mutation in mutations(path.read_bytes())
        ]
        drawn += _in_turn(sorted(every, key=lambda mutant: mutant.mutation.rank(SEED)))[:per_room]
    return drawn


def _in_turn(mutants: list[Mutant]) -> list[Mutant]:
    """Return the first of every kind, then the second of every kind: swaps are many and easily noticed."""
    taken: Counter[str] = Counter()
    turns = []
    for position, mutant in enumerate(mutants):
        turns.append((taken[mutant.mutation.kind], position, mutant))
        taken[mutant.mutation.kind] += 1
    return [mutant for *_, mutant in sorted(turns, key=lambda turn: turn[:2])]


def explanations() -> dict[tuple[str, ...], str]:
    """Return key → why no test can tell this mutant from the code."""
    entries = tomllib.loads(SURVIVORS.read_text("utf-8")).get("survivor", [])
    return {(each["room"], each["function"], each["line"], each["change"]): each["reason"] for each in entries}


def fates(mutants: list[Mutant], workers: int, told: Callable[[Fate], None] = lambda _: None) -> list[Fate]:
    """Return the fate of each, in the order given. Raises RuntimeError if tests fail without any mutation."""
    with _copies(workers) as free:
        limits = {room: _limit(room, free) for room in dict.fromkeys(mutant.room for mutant in mutants)}

        def fate(mutant: Mutant) -> Fate:
            copy = free.get()
            try:
                found = copy.fate(mutant, limits[mutant.room])
            finally:
                free.put(copy)
            told(found)
            return found

        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(fate, mutants))


def tests_of(path: Path, room: str, root: Path = ROOT) -> list[Path]:
    """Return the test files of ``root`` that a mutant of ``path`` meets, the nearest first."""
    module = ".".join(path.with_suffix("").parts[1:]).removesuffix(".__init__")
    met = []
    for test in sorted((root / "tests").rglob("test_*.py")):
        distance = _distance(test.relative_to(root / "tests"), _imported(test), module, room)
        if distance is not None:
            met.append((distance, test.relative_to(root)))
    return [test for _, test in sorted(met)]


def _distance(test: Path, imported: frozenset[str], module: str, room: str) -> int | None:
    """Return how close a test file is to ``module``; None: unrelated."""
    if test.parts[0] in module.split("."):  # its room's, or its sub-package's
        return 0 if module.rpartition(".")[2] in test.stem else 1 if module in imported else 2
    if test.parts[0] == "contracts" and any(f"{each}.".startswith(f"pilotbase.{room}.") for each in imported):
        return 3
    return 4 if module in imported else None


@cache
def _imported(test: Path) -> frozenset[str]:
    tree = ast.parse(test.read_text("utf-8"))
    return frozenset(node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module)


@dataclass
class _Copy:
    """A copy of the tree, one mutant at a time."""

    root: Path
    moments: Iterator[int] = field(default_factory=lambda: count(1))

    def fate(self, mutant: Mutant, limit: float) -> Fate:
        original = (self.root / mutant.path).read_bytes()
        self._write(mutant.path, mutant.mutation.of(original))
        try:
            code, seconds, output = self.run(tests_of(mutant.path, mutant.room, self.root), limit)
        finally:
            self._write(mutant.path, original)
        how = _first_failure(output) if code else ""
        self._require_sound(how, mutant.room, limit)
        return Fate(mutant, code != 0, seconds, how)

    def _require_sound(self, how: str, room: str, limit: float) -> None:
        """Return unless the failing test also fails without the mutation, which is unknown for tests of other rooms."""
        found = re.search(r"tests/[\w/]+\.py", how)
        if found is not None and not found[0].startswith(f"tests/{room}/"):
            code, _, output = self.run([Path(found[0])], limit)
            if code:
                raise RuntimeError(f"{found[0]} fails without any mutation:\n{output[-3000:]}")

    def _write(self, path: Path, content: bytes) -> None:
        """Write with a distinct time: Python detects a stale compiled file only by time (in seconds) and size."""
        (self.root / path).write_bytes(content)
        moment = next(self.moments)
        os.utime(self.root / path, (moment, moment))

    def run(self, tests: list[Path], limit: float) -> tuple[int, float, str]:
        """Return exit code, seconds and output."""
        scratch = self.root / "scratch"
        scratch.mkdir(exist_ok=True)
        environment = {**os.environ, "TMPDIR": str(scratch)}
        command = [str(self.root / ".venv" / "bin" / "python"), *PYTEST, *SELECTED, *(str(test) for test in tests)]
        start = time.monotonic()
        process = subprocess.Popen(
            command, cwd=self.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            output = "time-out"
        finally:
            _end(process)
            shutil.rmtree(scratch, ignore_errors=True)
        if process.returncode in (USAGE_ERROR, NO_TESTS):
            raise RuntimeError(f"pytest ran no test: {output[-1000:]}")
        return process.wait(), time.monotonic() - start, output


def _end(process: subprocess.Popen[str]) -> None:
    """Kill the processes that the tests left running."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@contextmanager
def _copies(workers: int) -> Iterator[SimpleQueue[_Copy]]:
    """Yield copies of the files that git tracks or would track, as they are in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    free: SimpleQueue[_Copy] = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for number in range(workers):
            root = Path(folder) / str(number)
            for name in filter(lambda name: (ROOT / name).is_file(), listed.split("\0")):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
            _make_environment(root)
            free.put(_Copy(root))
        yield free


def _make_environment(root: Path) -> None:
    """Give the copy a Python of its own that finds the copy first: a test may start programs with an empty path."""
    venv.create(root / ".venv", symlinks=True)
    site_packages = next((root / ".venv").glob("lib/python*/site-packages"))
    ours = sysconfig.get_path("purelib")
    (site_packages / "copy.pth").write_text(f"{root / 'src'}\nimport site; site.addsitedir({ours!r})\n")


def _limit(room: str, free: SimpleQueue[_Copy]) -> float:
    """Return the seconds that a mutant of ``room`` gets."""
    copy = free.get()
    code, seconds, output = copy.run([Path("tests") / room], 3600)
    free.put(copy)
    if code:
        raise RuntimeError(f"the tests of {room} fail without any mutation:\n{output[-3000:]}")
    return PATIENCE * seconds + 120


def _first_failure(output: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return lines[0] if lines else output[-200:].strip()


def _tell(fate: Fate) -> None:
    mark = "killed  " if fate.killed else "SURVIVED"
    print(mark, f"{fate.seconds:5.1f} s", fate.mutant, fate.how[:110], sep="  ", flush=True)


def main() -> None:
    """Print the fate of each mutant of the rooms named on the command line."""
    rooms = sys.argv[1:] or ROOMS
    told = fates(sample(rooms), 1, _tell)
    for room in rooms:
        own = [fate for fate in told if fate.mutant.room == room]
        print(room, sum(fate.killed for fate in own), "of", len(own), "killed")


if __name__ == "__main__":
    main()
