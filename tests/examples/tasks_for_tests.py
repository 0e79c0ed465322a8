"""The example scenarios of tasks: where they are, and what is expected of each application there."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from tests.examples.examples_for_tests import EXAMPLES, load_module

TASK_EXAMPLES = EXAMPLES / "tasks"
FOLDERS = sorted(path.parent for path in TASK_EXAMPLES.glob("*/scenario.yaml"))
write = load_module(TASK_EXAMPLES / "write.py").write


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


def expected_of(task: Path) -> list[Expected]:
    """Return what ``expected.json`` says: ``{"<application>": "accept"}`` or ``{"verdict": …, "fails": [rules]}``."""
    found = []
    for name, told in json.loads((task / "expected.json").read_text("utf-8")).items():
        told = {"verdict": told} if isinstance(told, str) else told
        fails = frozenset(told["fails"]) if "fails" in told else None
        found.append(Expected(task.name, name, told["verdict"], fails))
    return found


EXPECTED = [one for task in FOLDERS for one in expected_of(task)]
