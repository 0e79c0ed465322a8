"""Applications and environments for honest use of the box."""

from __future__ import annotations

import shutil
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract
from pilotbase.documents.limits import Limits
from pilotbase.sandbox.box.copies import remove_folder
from pilotbase.sandbox.box.environments import Environment, build_environment
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.box.trees import digest_tree
from pilotbase.sandbox.box.warm_worker import WarmWorker, start_worker

LIMITS = Limits(memory_bytes=256 << 20)


@pytest.fixture(scope="session")
def shared_folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="pilotbase-compute-"))
    path.chmod(0o755)
    yield path
    remove_folder(path)


@pytest.fixture(scope="session")
def plain(shared_folder: Path) -> Environment:
    """The environment of an application that needs no package."""
    return build_environment(b"", "requirements.lock", shared_folder / "cache")


@pytest.fixture(scope="session")
def with_numpy(shared_folder: Path) -> Environment:
    """An environment that holds the numpy of the running Python."""
    tree = shared_folder / "numpy-tree"
    packages = Path(np.__file__).parent.parent
    unwanted = shutil.ignore_patterns("tests", "*.pyi", "f2py", "*.a")
    for name in ("numpy", "numpy.libs"):
        if (packages / name).exists():
            shutil.copytree(packages / name, tree / name, ignore=unwanted)
    return Environment("sha256:" + "0" * 64, tree, (f"numpy=={np.__version__}",), digest_tree(tree))


@pytest.fixture
def start(tmp_path: Path, own_uid: int) -> Callable[..., WarmWorker]:
    """Start a worker for an application with this ``app.py``."""
    usual = BoxSettings(limits=LIMITS, uid=own_uid, logs=LogPolicy.FULL)

    def begin(source: str, contract: Contract, environment: Environment, settings: BoxSettings = usual) -> WarmWorker:
        application = tmp_path / "application"
        application.mkdir(exist_ok=True)
        (application / "app.py").write_text(textwrap.dedent(source))
        return start_worker(application, Form(), contract, environment, settings)

    return begin
