"""The example scenarios of tasks: where they are, and what is expected of each application there."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.examples.examples_for_tests import EXAMPLES, load_module

TASK_EXAMPLES = EXAMPLES / "tasks"
FOLDERS = sorted(path.parent for path in TASK_EXAMPLES.glob("*/scenario.yaml"))


def write(task: str, folder: Path) -> Path:
    """Return the folder of a scenario with its data; skips where its ``make.py`` says that something is missing."""
    make = load_module(TASK_EXAMPLES / task / "make.py")
    if hasattr(make, "missing") and (reason := make.missing()):
        pytest.skip(reason)
    return load_module(TASK_EXAMPLES / "write.py").write(task, folder)


@dataclass(frozen=True)
class Expected:
    """An application of an example, its verdict, and the rules that it fails; None where the verdict alone is told."""

    task: str
    name: str
    verdict: str
    fails: frozenset[str] | None = field(default=None)

    @property
    def folder(self) -> Path:
        return TASK_EXAMPLES / self.task / "applications" / self.name

    @property
    def is_packaged(self) -> bool:
        """Tell whether packages are fetched for it, models among them: then it is proven by ``make prove``."""
        return (self.folder / "requirements.lock").stat().st_size > 0


def expected_of(task: Path) -> list[Expected]:
    """Return what ``expected.json`` says: ``{"<application>": "accept"}`` or ``{"verdict": …, "fails": [rules]}``."""
    found = []
    for name, told in json.loads((task / "expected.json").read_text("utf-8")).items():
        told = {"verdict": told} if isinstance(told, str) else told
        fails = frozenset(told["fails"]) if "fails" in told else None
        found.append(Expected(task.name, name, told["verdict"], fails))
    return found


EXPECTED = [one for task in FOLDERS for one in expected_of(task)]
