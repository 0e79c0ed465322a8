"""A small scenario and applications with empty locks, so that a whole trial takes a second or two."""

import random
from pathlib import Path

import pytest

from pilotbase.worker.base import open_base

SCENARIO = """
document: scenario/1
name: small-alarm
title: {{en: Small alarm, zh: 小型预警}}
owner: {{organisation: plant}}
sector: manufacturing
action: industry
problem: {{en: The pump fails., zh: 水泵会失效。}}
intended_use: {{en: Warn the shift., zh: 提醒当班人员。}}
data:
  file: cases.csv
  licence: CC0-1.0
  fields:
    - {{name: case_id, dataType: sc:Text}}
    - {{name: pressure, dataType: sc:Float, unit: bar}}
    - {{name: age, dataType: sc:Integer, unit: d}}
    - {{name: site, dataType: sc:Text}}
    - {{name: failure, dataType: sc:Text}}
  target: failure
  key: case_id
  split: {{method: hash, hidden: 0.6, by: case_id}}
task: classification
positive: broken
baseline: {{kind: rule, rule: pressure > 8}}
criteria:
  - {{rule: recall(broken) >= 0.7}}
  - {{rule: accuracy >= 0.7}}
  - {{rule: memory.peak <= 512 MiB}}
trial:
  asked_again: 0
  attempts: 6
  cases_per_attempt: {cases}
  batch_rows: 20
  limits: {{load_seconds: 60, batch_seconds: 30, memory_bytes: 256 MiB}}
"""

MANIFEST = """
document: application/1
name: {name}
version: 1.0.0
title: {name}
supplier: {{organisation: {supplier}}}
licence: MIT
model_card: {{summary: A test., training_data: None., limitations: All., human_oversight: The shift.}}
"""

GOOD = "def predict(batch):\n    return ['broken' if p > 6 else 'fine' for p in batch['pressure']]\n"
BAD = "def predict(batch):\n    return ['fine'] * batch.rows\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    path = tmp_path / "home"
    monkeypatch.setenv("PILOTBASE_HOME", str(path))
    return path


@pytest.fixture
def base(home):
    base = open_base(create=True, name="test-base")
    yield base
    base.lab.close()


@pytest.fixture
def write_scenario(tmp_path):
    return writing_scenario(tmp_path)


def writing_scenario(place: Path):
    """Return a function that writes a scenario's folder into ``place``."""

    def write(rows=700, cases=100, change=lambda content: content, name="scenario", noise=0.03) -> Path:
        folder = place / name
        folder.mkdir()
        (folder / "scenario.yaml").write_text(change(SCENARIO.format(cases=cases)))
        draw = random.Random(7)
        lines = ["case_id,pressure,age,site,failure"]
        for number in range(rows):
            pressure = draw.uniform(0, 10)
            broken = (pressure > 6) != (draw.random() < noise)
            site = "north" if draw.random() < 0.5 else "south"
            lines.append(f"c{number},{pressure:.3f},{draw.randrange(900)},{site},{'broken' if broken else 'fine'}")
        (folder / "cases.csv").write_text("\n".join(lines) + "\n")
        return folder

    return write


@pytest.fixture
def write_application(tmp_path):
    return writing_application(tmp_path)


def writing_application(place: Path):
    """Return a function that writes an application's folder into ``place``."""

    def write(program: str = GOOD, name: str = "alarm", supplier: str = "acme") -> Path:
        folder = place / name
        folder.mkdir()
        (folder / "application.yaml").write_text(MANIFEST.format(name=name, supplier=supplier))
        (folder / "app.py").write_text(program)
        return folder

    return write


@pytest.fixture(autouse=True, scope="module")
def copied_stores(ready_stores: None) -> None:
    """Homes are made here to be used: their stores are copied."""
