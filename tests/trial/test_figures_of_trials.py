"""Figures of whole trials: over time where hidden is what comes later, for the owner only, and derived again."""

import json
import shutil

import pytest

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.site import Release
from pilotbase.worker.base import open_base
from pilotbase.worker.sites.releases import permitted
from pilotbase.worker.trials.proving import prove
from pilotbase.worker.trials.replaying import replay_trial
from tests.trial.conftest import MANIFEST

SCENARIO = """
document: scenario/1
name: load-forecast
title: {en: Load, zh: 负荷}
owner: {organisation: plant}
action: industry
problem: {en: A test., zh: 测试。}
intended_use: {en: A test., zh: 测试。}
data:
  file: cases.csv
  licence: CC0-1.0
  fields:
    - {name: id, dataType: sc:Text}
    - {name: at, dataType: sc:DateTime}
    - {name: step, dataType: sc:Float}
    - {name: load, dataType: sc:Float, unit: MW}
  target: load
  key: id
  withheld: [at]
  split: {method: time, column: at, hidden_from: '2026-02-01T00:00:00Z'}
task: forecasting
baseline: {kind: constant, value: 20}
criteria: [{rule: capped_mae(cap=30) <= 1.5}]
trial: {cases_per_attempt: 27, stop: full, limits: {load_seconds: 60, batch_seconds: 30}}
"""
FORECAST = "def predict(batch):\n    return [None if s // 1 == 34 else 10.0 + s // 1 % 7 for s in batch['step']]\n"


@pytest.fixture(scope="module")
def proven(tmp_path_factory):
    place = tmp_path_factory.mktemp("forecast")
    scenario, application = place / "scenario", place / "app"
    scenario.mkdir(), application.mkdir()
    lines = ["id,at,step,load"]
    for step in range(58):
        month, day = (1, step + 1) if step < 31 else (2, step - 30)
        lines.append(
            f"d{step},2026-{month:02}-{day:02}T06:00:00Z,{step}.{300 + step * 37 % 97},{10 + step % 7 + step / 1000}"
        )
    (scenario / "cases.csv").write_text("\n".join(lines) + "\n")
    (scenario / "scenario.yaml").write_text(SCENARIO, "utf-8")
    (application / "application.yaml").write_text(MANIFEST.format(name="forecast", supplier="acme"))
    (application / "app.py").write_text(FORECAST)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PILOTBASE_HOME", str(place / "home"))
        base = open_base(create=True, name="base")
        yield prove(base, scenario, application, place / "out")
        base.lab.close()


def test_a_forecast_is_shown_over_time(proven):
    grid, off, course = proven.report.figures
    assert grid.absent == 1 and sum(count for *_, count in grid.cells) == sum(off.counts) == 26
    assert course.seconds and [point.cases for point in course.points] == [6, 6, 5, 5, 5]
    first = course.points[0]
    assert first.at == 1769925600.0, "2026-02-01 06:00 UTC"
    # steps 31 to 36: 10 + (3, 4, 5, 6, 0, 1), and a thousandth of the step; of step 34 there is no answer
    assert first.truth == pytest.approx(10 + 19 / 6 + 0.0335, abs=5e-5) and first.answered == pytest.approx(10 + 13 / 5)


def test_neither_supplier_nor_site_lets_figures_out(proven):
    supplier = json.loads((proven.folder / "supplier" / "report.json").read_text())
    assert "figures" not in supplier and proven.report.supplier_view().figures is None
    assert permitted(proven.report, Release(figures="bounds")).figures is None
    assert not list((proven.folder / "supplier").glob("shown*"))


def test_figures_are_derived_again_and_altered_ones_are_named(proven, tmp_path):
    replayed = replay_trial(proven.folder)
    assert {"figures[0]", "figures[1]", "figures[2]"} <= set(replayed.compared)
    altered = tmp_path / "altered"
    shutil.copytree(proven.folder, altered)
    report = json.loads((altered / "report.json").read_text())
    report["figures"][2]["points"][1]["truth"] += 1
    (altered / "report.json").write_text(json.dumps(report))
    with pytest.raises(InvalidProofError, match=r"figures\[2\]"):
        replay_trial(altered)
    report["figures"] = [*json.loads((proven.folder / "report.json").read_text())["figures"], report["figures"][0]]
    (altered / "report.json").write_text(json.dumps(report))
    with pytest.raises(InvalidProofError, match=r"figures\[3\]"):
        replay_trial(altered)
    report["figures"] = None  # a report of before pictures were drawn
    (altered / "report.json").write_text(json.dumps({name: part for name, part in report.items() if part is not None}))
    assert "figures[0]" in replay_trial(altered).absent
