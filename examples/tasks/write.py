"""Writes the scenario of a task with its data: ``python examples/tasks/write.py detection my-folder``."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def write(task: str, folder: Path) -> Path:
    """Return ``folder``, new, with the scenario of ``task`` and the files that its ``make.py`` writes beside it."""
    shutil.copytree(HERE / task, folder, ignore=shutil.ignore_patterns("make.py", "expected.json", "__pycache__"))
    spec = importlib.util.spec_from_file_location(f"make_{task}", HERE / task / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write(folder)
    return folder


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]))
