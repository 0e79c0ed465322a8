"""Whole trials under attack: a hostile supplier, a hostile owner, and a holder of files without keys.

An attack that still gets through is marked ``xfail(strict=True)`` with its reason; mending it makes the mark fail.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app as command_line
from pilotbase.documents.plan import TrialPlan
from pilotbase.trial.scorer import score_trial
from pilotbase.worker.base import Base, open_base
from pilotbase.worker.trials.proving import ProvenTrial, prove
from tests.trial.conftest import GOOD, MANIFEST, base, home, write_application, write_scenario

__all__ = ["base", "home", "write_application", "write_scenario"]


@dataclass(frozen=True)
class Trial:
    """A trial that was accepted, its base, and the application's folder as it was submitted."""

    base: Base
    proven: ProvenTrial
    scenario: Path
    application: Path


@pytest.fixture
def trial(base, write_scenario, write_application) -> Trial:
    scenario, application = write_scenario(rows=300, cases=60), write_application(name="trusted")
    return Trial(base, prove(base, scenario, application), scenario, application)


@pytest.fixture
def pilotbase(home) -> Callable[..., object]:
    """Run the command line in this process; ``result.exception`` is what no sentence was made of."""

    def run(*words: object) -> object:
        return CliRunner().invoke(command_line, [str(word) for word in words])

    return run


class KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.fixture
def killed_before(monkeypatch) -> Callable[[Base, TrialPlan, str], None]:
    """Score a plan in this process until it would call a function of a phase, and no further."""

    def run(base: Base, plan: TrialPlan, name: str) -> None:
        def stop(*_: object, **__: object) -> None:
            raise KilledError

        with monkeypatch.context() as patch:
            patch.setattr(f"pilotbase.trial.phases.{name}", stop)
            with pytest.raises(KilledError):
                score_trial(base.lab, plan, lambda _: None)

    return run


@pytest.fixture
def other_home(tmp_path, monkeypatch) -> Iterator[Path]:
    """A second, fresh home."""
    path = tmp_path / "other-home"
    monkeypatch.setenv("PILOTBASE_HOME", str(path))
    yield path


def manifest(name: str = "odd", supplier: str = "acme", extra: str = "", version: str = "1.0.0") -> str:
    """The manifest of an application, with one line more."""
    return MANIFEST.format(name=name, supplier=supplier).replace("1.0.0", version) + extra


def write_odd(folder: Path, content: str, program: str = GOOD) -> Path:
    """An application with this manifest."""
    folder.mkdir()
    (folder / "application.yaml").write_text(content)
    (folder / "app.py").write_text(program)
    return folder


def reopened(name: str = "test-base") -> Base:
    """The base as the next command opens it."""
    return open_base(create=True, name=name)
