"""Hostile applications: each attack is first shown to succeed where its protection is taken away, then to fail.

An attack is a function ``attack()`` that returns whether it got through; the application answers 1.0 if it did and 0.0
if it was denied. An attack that is ended by a limit never answers.
"""

from __future__ import annotations

import tempfile
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.copies import remove_folder
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.sandbox.box.environments import Environment, build_environment
from pilotbase.sandbox.box.probe import probe_host
from pilotbase.sandbox.box.settings import BoxSettings, Interpreter, LogPolicy, MemoryWatch, Protection, StartMode
from pilotbase.sandbox.box.warm_worker import WarmWorker, start_worker

MEBIBYTE = 1 << 20
CONTRACT = Contract(features=(Field(name="x", dataType="sc:Float"),), prediction=Prediction(kind="probability"))
LIMITS = Limits(
    memory_bytes=160 * MEBIBYTE,
    cpu_seconds=20,
    wall_seconds=30,
    load_seconds=10,
    batch_seconds=10,
    processes=20,
    scratch_bytes=16 * MEBIBYTE,
    file_bytes=8 * MEBIBYTE,
    log_bytes=4096,
)
ATTACK = """
{source}

def predict(batch):
    return [1.0 if attack() else 0.0] * batch.rows
"""


@dataclass(frozen=True)
class Outcome:
    """What the host saw of an attack."""

    reason: EndReason | None
    """None if the application answered."""
    succeeded: bool
    text: str = ""
    dropped_bytes: int = 0
    detail: str = ""


def batch(rows: int = 3) -> FeatureBatch:
    return FeatureBatch({"x": np.arange(rows, dtype=np.float64)}, rows)


@pytest.fixture
def batch_of() -> Callable[[int], FeatureBatch]:
    return batch


def ways() -> list[str]:
    """Every way in which this host can start a box: start and who bounds its memory."""
    probe = probe_host()
    watches = sorted({probe.memory_watch, MemoryWatch.SUPERVISOR})
    return [f"{start}-{watch}" for start in probe.starts for watch in watches]


@pytest.fixture(params=ways())
def settings(request: pytest.FixtureRequest, own_uid: int) -> BoxSettings:
    """Settings for one way of starting a box, under small limits."""
    start, _, watch = request.param.partition("-")
    settings = BoxSettings(limits=LIMITS, uid=own_uid, start=StartMode(start), memory_watch=MemoryWatch(watch))
    if probe_host().is_root and start == "C":
        settings = replace(settings, interpreter=readable_interpreter())
    return settings


@pytest.fixture
def default(own_uid: int) -> BoxSettings:
    """Settings for the way that this host takes by itself, for what does not depend on the way."""
    return BoxSettings(limits=LIMITS, uid=own_uid)


def readable_interpreter() -> Interpreter:
    """A Python that an ordinary user can read, for start C as root."""
    for path in map(Path, ("/usr/bin/python3", "/usr/local/bin/python3")):
        if path.exists():
            return Interpreter(path.resolve(), path.parent.parent, "unknown")
    pytest.skip("start C as root needs a Python outside root's home; this host has none")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the box's user can reach, whatever the user of the tests."""
    path = Path(tempfile.mkdtemp(prefix="pilotbase-hostile-"))
    path.chmod(0o755)
    yield path
    remove_folder(path)


@pytest.fixture
def environment(folder: Path) -> Environment:
    return build_environment(b"", "requirements.lock", folder / "cache")


@pytest.fixture
def write_application(folder: Path) -> Callable[[str], Path]:
    """Write the folder of an application with this ``app.py``."""

    def write(source: str) -> Path:
        application = folder / "application"
        application.mkdir(exist_ok=True)
        (application / "app.py").write_text(textwrap.dedent(source))
        return application

    return write


@pytest.fixture
def start(
    write_application: Callable[[str], Path], environment: Environment
) -> Callable[[str, BoxSettings], WarmWorker]:
    """Start a worker for an application with this ``app.py``."""

    def begin(source: str, settings: BoxSettings) -> WarmWorker:
        return start_worker(write_application(source), Form(), CONTRACT, environment, settings)

    return begin


@pytest.fixture
def launch(start: Callable[[str, BoxSettings], WarmWorker]) -> Callable[[str, BoxSettings], Outcome]:
    """Let an attack run and say what came of it."""

    def run(source: str, settings: BoxSettings) -> Outcome:
        whole = ATTACK.format(source=textwrap.dedent(source))
        try:
            with start(whole, settings) as worker:
                answers = worker.predict(batch()).values
        except BoxEnded as ended:
            return Outcome(ended.reason, False, detail=ended.detail)
        logs = worker.logs()
        return Outcome(None, bool(answers.all()), logs.text, logs.dropped_bytes)

    return run


@pytest.fixture
def unprotected(settings: BoxSettings) -> BoxSettings:
    """Level L0: the application runs as we do."""
    return replace(
        settings, level=IsolationLevel.L0, start=None, interpreter=None, logs=LogPolicy.FULL,
        removed=frozenset({Protection.ENVIRONMENT, Protection.DESCRIPTORS}),
    )  # fmt: skip


@pytest.fixture
def without(settings: BoxSettings) -> Callable[..., BoxSettings]:
    """The same box with some protections taken away."""

    def remove(*protections: Protection) -> BoxSettings:
        return replace(settings, removed=frozenset(protections))

    return remove
