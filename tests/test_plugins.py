"""A plug-in is found with nothing wired: `tests/plugins` holds one as small as can be. Without any, the core works."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pilotbase.documents import plugins

FOLDER = Path(__file__).parent / "plugins"
HUB = """
import json, os
import django
from pilotbase.worker.base import open_base

base = open_base(create=True)
django.setup(set_prefix=False)
from django.core.management import call_command
from django.test import Client
from pilotbase.hub.api.routes import api
from pilotbase.hub.presenters.navigation import entries

call_command("check")
call_command("migrate", verbosity=0)
there = lambda address: Client().get(address, headers={"host": "127.0.0.1"})
pages = {address: there(address) for address in ("/", "/greetings/", "/pools/")}
from pilotbase.workspace import tables
print(json.dumps({
    "status": {address: page.status_code for address, page in pages.items()},
    "home": pages["/"].content.decode(),
    "greetings": pages["/greetings/"].content.decode(),
    "navigation": [entry.name for entry in entries()],
    "paths": sorted(api.get_openapi_schema(path_prefix="/api/")["paths"]),
    "tables": sorted(tables.metadata.tables),
}))
"""


def _run(home: Path, chosen: str, *words: str, language: str = "en") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PILOTBASE_HOME": str(home),
        "PILOTBASE_PLUGINS": chosen,
        "PILOTBASE_LANGUAGE": language,
        "PYTHONPATH": str(FOLDER),
        "DJANGO_SETTINGS_MODULE": "pilotbase.hub.settings",
    }
    return subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def _pilotbase(home: Path, chosen: str, *words: str, language: str = "en") -> str:
    done = _run(home, chosen, "-c", "from pilotbase.cli import main; main()", *words, language=language)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _hub(home: Path, chosen: str) -> dict:
    done = _run(home, chosen, "-c", HUB)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_plug_in_is_found_with_nothing_wired(tmp_path):
    assert "Greet somebody." in _pilotbase(tmp_path, "tiny", "--help")
    _pilotbase(tmp_path, "tiny", "init")
    assert json.loads(_pilotbase(tmp_path, "tiny", "greetings", "greet", "plant")) == {
        "said": "Hello, plant",
        "times": 1,
    }
    again = _pilotbase(tmp_path, "tiny", "greetings", "greet", "plant", language="zh")
    assert json.loads(again) == {"said": "你好，plant", "times": 2}
    seen = _hub(tmp_path, "tiny")
    assert seen["status"] == {"/": 200, "/greetings/": 200, "/pools/": 404}
    assert "Hello, world" in seen["greetings"] and '<a href="/greetings/"' in seen["home"]
    assert "/api/greetings/{name}" in seen["paths"]


def test_the_core_alone_has_no_estate(tmp_path):
    assert not {"compute", "voucher"} & set(_pilotbase(tmp_path, "none", "--help").split())
    seen = _hub(tmp_path, "none")
    assert seen["status"] == {"/": 200, "/greetings/": 404, "/pools/": 404}
    assert not {"pools", "wallet", "greetings"} & set(seen["navigation"])
    assert [path for path in seen["paths"] if "pool" in path or "voucher" in path] == []
    assert [name for name in seen["tables"] if name.startswith(("compute_", "voucher"))] == []


def test_the_core_alone_runs_a_trial(tmp_path):
    days = [(number * 37 % 211, number * 53 % 199) for number in range(400)]
    rows = [f"{wind}.5,{delay}.5,{'late' if wind + delay > 200 else 'early'}" for wind, delay in days]
    cases, flights, own = tmp_path / "cases.csv", str(tmp_path / "flights"), str(tmp_path / "own")
    cases.write_text("\n".join(["wind,delay,outcome", *rows]))
    draft = ["--problem", "Late flights", "--target", "outcome", "--group-or-time", "", "--miss", "1"]
    answers = [*draft, "--false-alarm", "1", "--contact", "acme a@example.org", "--out", flights]
    home = tmp_path / "home"
    _pilotbase(home, "none", "scenario", "new", "--from", str(cases), *answers)
    _pilotbase(home, "none", "application", "new", flights, "--out", own)
    _pilotbase(home, "none", "init")
    ran = _run(home, "none", "-c", "from pilotbase.cli import main; main()", "trial", "run", flights, own)
    assert "own 0.1.0: " in ran.stdout, ran.stderr
    asked = _run(home, "none", "-c", "from pilotbase.cli import main; main()", "worker", "--once", "--engine", "ray")
    assert asked.returncode == 2 and "computing estate" in asked.stderr


def test_a_store_without_the_tables_of_a_plug_in_asks_for_an_upgrade(tmp_path):
    _pilotbase(tmp_path, "none", "init")
    refused = _run(tmp_path, "tiny", "-c", "from pilotbase.cli import main; main()", "greetings", "greet", "plant")
    assert refused.returncode == 2 and "pilotbase upgrade" in refused.stderr
    _pilotbase(tmp_path, "tiny", "upgrade")
    assert '"times": 1' in _pilotbase(tmp_path, "tiny", "greetings", "greet", "plant")


def test_a_backup_leaves_out_no_rows_of_a_plug_in(tmp_path):
    home, whole, program = tmp_path / "home", tmp_path / "whole", "from pilotbase.cli import main; main()"
    _pilotbase(home, "tiny", "init")
    _pilotbase(home, "tiny", "greetings", "greet", "plant")
    refused = _run(home, "none", "-c", program, "backup", str(tmp_path / "lost"))
    assert refused.returncode == 1 and "pilotbase_tiny" in refused.stderr and not (tmp_path / "lost").exists()
    _pilotbase(home, "tiny", "backup", str(whole))
    refused = _run(tmp_path / "elsewhere", "none", "-c", program, "restore", str(whole))
    assert refused.returncode == 2 and "PILOTBASE_PLUGINS" in refused.stderr
    back = tmp_path / "back"
    _pilotbase(back, "tiny", "restore", str(whole))
    shutil.copytree(home / "keys", back / "keys", dirs_exist_ok=True)
    assert '"times": 2' in _pilotbase(back, "tiny", "greetings", "greet", "plant")


def test_a_backup_from_before_a_plug_in_is_restored_beside_it(tmp_path):
    home, back, kept = tmp_path / "home", tmp_path / "back", str(tmp_path / "kept")
    _pilotbase(home, "none", "init")
    _pilotbase(home, "none", "backup", kept)
    _pilotbase(back, "tiny", "restore", kept)
    shutil.copytree(home / "keys", back / "keys", dirs_exist_ok=True)
    assert '"times": 1' in _pilotbase(back, "tiny", "greetings", "greet", "plant")


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    for one in (plugins.plugins, plugins.packages):
        one.cache_clear()
    yield lambda chosen: monkeypatch.setenv("PILOTBASE_PLUGINS", chosen)
    monkeypatch.undo()
    for one in (plugins.plugins, plugins.packages):
        one.cache_clear()


@pytest.mark.parametrize(
    ("chosen", "found"),
    [("none", ()), ("tiny", ("pilotbase_tiny",)), ("tiny, estate", ("pilotbase_tiny", "pilotbase_estate"))],
)
def test_the_environment_chooses(installed, chosen, found):
    installed(chosen)
    assert plugins.plugins() == found


def test_all_that_are_installed_are_found_without_a_choice(installed):
    installed("")
    assert plugins.plugins() == ("pilotbase_estate", "pilotbase_tiny")
    assert plugins.packages("cli.first_level") == (
        "pilotbase.cli.first_level",
        "pilotbase_estate.cli.first_level",
        "pilotbase_tiny.cli.first_level",
    )


def test_a_plug_in_that_is_not_installed_is_named(installed):
    installed("tiny,other")
    with pytest.raises(LookupError, match="not installed: other"):
        plugins.plugins()
