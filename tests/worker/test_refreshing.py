"""A hidden set is refreshed from a source that grew: new cases only, budgets apart, and again without effect."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.progress import ignore_progress
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.sealing import hidden_rows, rows_shown, versions_of
from pilotbase.vault.attempts import remaining
from pilotbase.worker.intake.refreshing import refreshing
from pilotbase.worker.trials.hidden_budgets import sealed_versions
from pilotbase.worker.trials.kits import seal_in
from pilotbase.worker.trials.proving import prove
from tests.trial.conftest import GOOD, base, home, write_application, write_scenario

__all__ = ["base", "home", "write_application", "write_scenario"]


PROGRAM = str(Path(sys.executable).with_name("pilotbase"))


def grown(folder: Path, rows: int, start: int = 9000, seed: int = 11, shift: float = 0.0) -> Path:
    """Return a file that holds the cases of the scenario, one of them with another cell, one gone, and new ones."""
    draw = random.Random(seed)
    lines = (folder / "cases.csv").read_text().splitlines()
    changed = lines[1].split(",")
    lines[1] = ",".join([changed[0], "9.999", *changed[2:]])
    del lines[2]
    for number in range(rows):
        pressure = min(10.0, draw.uniform(0, 10) + shift)
        state = "broken" if (pressure > 6) != (draw.random() < 0.03) else "fine"
        site = draw.choice(["north", "south"])
        lines.append(f"c{start + number},{pressure:.3f},{draw.randrange(900)},{site},{state}")
    path = folder.parent / f"grown-{start}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def refresh(base, folder, source, **options):
    with refreshing(base, str(folder), str(source), **options) as opened:
        lines = [line.render() for line in opened.looked.lines(base)]
        assert all(line.render("zh") for line in opened.looked.lines(base))
        return lines, opened.carry_out().render()


@pytest.fixture
def sealed(base, write_scenario):
    """A scenario whose first version is sealed."""
    folder = write_scenario(cases=150)
    assert seal_in(base, folder, Step.FREEZE, ignore_progress).record.version == 1
    return folder


def versions(base, folder):
    return versions_of(base.lab.view, load_scenario(folder, Step.DRAFT)[0])


@pytest.mark.prove
def test_new_cases_make_the_next_version_and_the_earlier_one_keeps_what_it_has_spent(base, sealed, write_application):
    assert prove(base, sealed, write_application(GOOD)).report.scenario.hidden_version == 1
    (first,) = versions(base, sealed)
    before = remaining(base.lab.vault, first.hidden)
    lines, done = refresh(base, sealed, grown(sealed, 600))
    assert "Of 1299 cases, 600 are new; 698 are in a version already, 1 have changed since" in lines[1]
    assert "1 of the newest version are no longer" in lines[1]
    assert done.startswith("Version 2 is sealed")
    old, new = versions(base, sealed)
    assert old.hidden == first.hidden
    assert remaining(base.lab.vault, old.hidden) == before
    left = remaining(base.lab.vault, new.hidden)
    assert (left.next_number, left.scored, left.spent_alpha, left.fresh) == (1, 0, 0.0, new.hidden.rows)
    cases = [set(hidden_rows(base.lab, one.hidden)["case_id"]) for one in (old, new)]
    shown = [set(rows_shown(base.lab, one.record)["case_id"]) for one in (old, new)]
    assert all(int(case[1:]) >= 9000 for case in cases[1])
    assert shown[0] < shown[1]
    assert not cases[1] & (cases[0] | shown[0] | shown[1])
    assert len(cases[1]) + len(shown[1] - shown[0]) == 600
    assert 0.5 < len(cases[1]) / 600 < 0.7
    report = prove(base, sealed, write_application(GOOD + "# again\n", "second")).report
    assert (report.attempt.number, report.scenario.hidden_version) == (1, 2)
    told = sealed_versions(base, load_scenario(sealed, Step.DRAFT)[0])
    assert [(one.number, one.used, len(one.certificates)) for one in told] == [(2, 1, 1), (1, 1, 1)]


@pytest.mark.prove
def test_the_same_source_again_changes_nothing(base, sealed):
    source = grown(sealed, 600)
    refresh(base, sealed, source)
    found, files = versions(base, sealed), sorted(path.name for path in sealed.iterdir())
    lines, done = refresh(base, sealed, source)
    assert "No new cases among 1299" in lines[-1]
    assert done == "Nothing was changed: version 2 is the newest"
    assert versions(base, sealed) == found
    assert sorted(path.name for path in sealed.iterdir()) == files
    assert "file: cases-v2.parquet" in (sealed / "scenario.yaml").read_text()
    _, done = refresh(base, sealed, grown(sealed, 900))
    assert done.startswith("Version 3 is sealed")
    assert [one.number for one in versions(base, sealed)] == [1, 2, 3]
    assert (sealed / "cases-v3.parquet").is_file()


def test_looking_changes_nothing(base, sealed):
    position = base.lab.view.changes(0, 10_000)[-1]
    manifest = (sealed / "scenario.yaml").read_text()
    with refreshing(base, str(sealed), str(grown(sealed, 600, shift=3))) as opened:
        lines = [line.render() for line in opened.looked.lines(base)]
    assert any(line.startswith("The distribution of pressure differs") for line in lines)
    assert not any(line.startswith("The distribution of age differs") for line in lines)
    assert (sealed / "scenario.yaml").read_text() == manifest
    assert len(versions(base, sealed)) == 1
    assert base.lab.view.changes(0, 10_000)[-1] == position, "openings of hidden rows stand in the log, no document"


@pytest.mark.prove
def test_cases_live_in_a_table_of_a_database_too(base, sealed):
    source = sealed.parent / "plant.sqlite"
    with sqlite3.connect(source) as database:
        rows = pl.read_csv(grown(sealed, 600)).rows()
        database.execute("create table cases (case_id text, pressure real, age integer, site text, failure text)")
        database.execute("create table notes (note text)")
        database.execute("insert into notes values ('x')")
        database.executemany("insert into cases values (?, ?, ?, ?, ?)", rows)
    with pytest.raises(InputError, match="several tables"):
        refresh(base, sealed, source)
    lines, done = refresh(base, sealed, source, table="cases")
    assert "600 are new; 698 are in a version already" in lines[1]
    assert done.startswith("Version 2 is sealed")


def test_hidden_cases_that_copy_what_was_shown_are_refused(base, sealed):
    shown = rows_shown(base.lab, versions(base, sealed)[0].record)
    lines = grown(sealed, 300).read_text().splitlines()
    lines += [f"k{number},{row[1]},{row[2]},{row[3]},{row[4]}" for number, row in enumerate(shown.rows())]
    source = sealed.parent / "copied.csv"
    source.write_text("\n".join(lines) + "\n")
    manifest = (sealed / "scenario.yaml").read_text()
    with pytest.raises(RefusedError) as refused:
        refresh(base, sealed, source)
    assert "exact copies" in str(refused.value) or "same features" in str(refused.value)
    assert (sealed / "scenario.yaml").read_text() == manifest
    assert len(versions(base, sealed)) == 1


def test_what_does_not_fit_what_is_sealed_is_refused(base, sealed, write_scenario):
    fresh = write_scenario(name="fresh", change=lambda content: content.replace("small-alarm", "other-alarm"))
    with pytest.raises(InputError) as unsealed:
        refresh(base, fresh, grown(sealed, 600))
    assert unsealed.value.code == "worker.refresh_unsealed"
    manifest = sealed / "scenario.yaml"
    kept = manifest.read_text()
    manifest.write_text(kept.replace("hidden: 0.6", "hidden: 0.9"))
    with pytest.raises(InputError) as split:
        refresh(base, sealed, grown(sealed, 600))
    assert split.value.code == "worker.refresh_other_split"
    manifest.write_text(kept.replace("name: age, dataType: sc:Integer", "name: age, dataType: sc:Float"))
    with pytest.raises(InputError) as columns:
        refresh(base, sealed, grown(sealed, 600))
    assert columns.value.code == "worker.refresh_other_columns"
    assert "age" in str(columns.value)


@pytest.mark.prove
@pytest.mark.parametrize("seconds", [0.8, 1.2, 1.6, 2.0, 2.4, 2.8, 3.2])
def test_a_kill_leaves_what_the_same_command_finishes(base, sealed, write_application, seconds):
    source = grown(sealed, 600)
    command = [PROGRAM, "scenario", "refresh", str(sealed), "--from", str(source), "--yes"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    first = versions(base, sealed)[0]
    assert remaining(base.lab.vault, first.hidden).fresh >= 0
    finished = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert finished.returncode == 0, finished.stderr
    assert [one.number for one in versions(base, sealed)] == [1, 2]
    left = remaining(base.lab.vault, versions(base, sealed)[1].hidden)
    assert (left.next_number, left.scored, left.spent_alpha) == (1, 0, 0.0)
    report = prove(base, sealed, write_application(GOOD + "# again\n", "second")).report
    assert report.scenario.hidden_version == 2
    verified = subprocess.run([PROGRAM, "log", "verify"], capture_output=True, env=dict(os.environ), check=False)
    assert verified.returncode == 0


@pytest.mark.prove
def test_the_command_says_what_would_happen_and_does_it_when_told(base, sealed, monkeypatch):
    def run(*words, language="en"):
        monkeypatch.setenv("PILOTBASE_LANGUAGE", language)
        done = CliRunner().invoke(app, ["scenario", *words])
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    source = str(grown(sealed, 600))
    asked = ("refresh", str(sealed), "--from", source)
    assert "Add --yes to apply" in run(*asked)
    assert "版本 2 将隐藏" in run(*asked, language="zh")
    assert len(json.loads(run("versions", str(sealed), "--json"))) == 1
    assert "Version 2 is sealed" in run(*asked, "--yes")
    assert "Nothing was changed" in run(*asked, "--yes")
    assert "Version 2, sealed" in run("versions", str(sealed))
