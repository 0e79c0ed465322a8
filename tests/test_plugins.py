"""A plug-in is found with nothing wired: `tests/plugins` holds one as small as can be. Without any, the core works."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

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
from pilotbase.hub.presenters.navigation import items

call_command("check")
call_command("migrate", verbosity=0)
there = lambda address: Client().get(address, headers={"host": "127.0.0.1"})
pages = {address: there(address) for address in ("/", "/greetings/", "/pools/")}
from pilotbase.workspace import tables
print(json.dumps({
    "status": {address: page.status_code for address, page in pages.items()},
    "home": pages["/"].content.decode(),
    "greetings": pages["/greetings/"].content.decode(),
    "navigation": [entry.name for entry in items()],
    "paths": sorted(api.get_openapi_schema(path_prefix="/api/")["paths"]),
    "tables": sorted(tables.metadata.tables),
}))
"""


RUN = """
import contextlib, io, json, os, sys
from pilotbase.cli import main

ended = []
for home, language, words in json.load(sys.stdin):
    os.environ |= {"PILOTBASE_HOME": home, "PILOTBASE_LANGUAGE": language}
    sys.argv, out, said, code = ["pilotbase", *words], io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    ended.append([code, out.getvalue(), said.getvalue()])
print(json.dumps(ended))
"""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    said: str


def _python(home: Path, chosen: str, program: str, given: str = "", folder: Path = FOLDER) -> str:
    """Run a program with the chosen plug-ins installed; return what it printed last."""
    environment = os.environ | {
        "PILOTBASE_HOME": str(home),
        "PILOTBASE_PLUGINS": chosen,
        "PYTHONPATH": str(folder),
        "DJANGO_SETTINGS_MODULE": "pilotbase.hub.settings",
    }
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, env=environment, input=given, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def _pilotbase(
    home: Path, chosen: str, *commands: str | list[str], language: str = "en", folder: Path = FOLDER
) -> list[Ended]:
    """Run commands one after the other in one process."""
    given = [(str(home), language, words.split() if isinstance(words, str) else words) for words in commands]
    return [Ended(*one) for one in json.loads(_python(home, chosen, RUN, json.dumps(given), folder))]


def _hub(home: Path, chosen: str) -> dict:
    return json.loads(_python(home, chosen, HUB))


@pytest.mark.prove
def test_a_plug_in_is_found_with_nothing_wired(tmp_path):
    helped, _, greeted = _pilotbase(tmp_path, "tiny", "--all", "init", "greetings greet plant")
    assert "Greet somebody." in helped.out
    assert json.loads(greeted.out) == {"said": "Hello, plant", "times": 1}
    (again,) = _pilotbase(tmp_path, "tiny", "greetings greet plant", language="zh")
    assert json.loads(again.out) == {"said": "你好，plant", "times": 2}
    seen = _hub(tmp_path, "tiny")
    assert seen["status"] == {"/": 200, "/greetings/": 200, "/pools/": 404}
    assert "Hello, world" in seen["greetings"] and '<a href="/greetings/"' in seen["home"]
    assert "/api/greetings/{name}" in seen["paths"]


@pytest.mark.prove
def test_the_core_alone_has_no_estate(tmp_path):
    (helped,) = _pilotbase(tmp_path, "none", "--help")
    assert not {"compute", "voucher"} & set(helped.out.split()) and "scenario" in helped.out.split()
    seen = _hub(tmp_path, "none")
    assert seen["status"] == {"/": 200, "/greetings/": 404, "/pools/": 404}
    assert not {"pools", "wallet", "greetings"} & set(seen["navigation"])
    assert [path for path in seen["paths"] if "pool" in path or "voucher" in path] == []
    assert [name for name in seen["tables"] if name.startswith(("compute_", "voucher"))] == []


@pytest.mark.prove
def test_the_core_alone_runs_a_trial(tmp_path):
    days = [(number * 37 % 211, number * 53 % 199) for number in range(400)]
    rows = [f"{wind}.5,{delay}.5,{'late' if wind + delay > 200 else 'early'}" for wind, delay in days]
    cases, flights, own = tmp_path / "cases.csv", str(tmp_path / "flights"), str(tmp_path / "own")
    cases.write_text("\n".join(["wind,delay,outcome", *rows]))
    draft = ["--problem", "Late flights", "--target", "outcome", "--group-or-time", "", "--miss", "1"]
    answers = [*draft, "--false-alarm", "1", "--contact", "acme a@example.org", "--out", flights]
    *_, ran, worked = _pilotbase(
        tmp_path / "home",
        "none",
        ["scenario", "new", "--from", str(cases), *answers],
        f"application new {flights} --out {own}",
        "init",
        f"trial run {flights} {own}",
        "worker --once --engine ray",
    )
    assert "own 0.1.0: " in ran.out, ran.said
    assert worked.code == 2 and "computing estate" in worked.said


@pytest.mark.prove
def test_a_store_without_the_tables_of_a_plug_in_asks_for_an_upgrade(tmp_path):
    _pilotbase(tmp_path, "none", "init")
    refused, _, greeted = _pilotbase(tmp_path, "tiny", "greetings greet plant", "upgrade", "greetings greet plant")
    assert refused.code == 2 and "pilotbase upgrade" in refused.said
    assert '"times": 1' in greeted.out


@pytest.mark.prove
def test_a_backup_leaves_out_no_rows_of_a_plug_in(tmp_path):
    home, whole, back = tmp_path / "home", tmp_path / "whole", tmp_path / "back"
    _pilotbase(home, "tiny", "init", "greetings greet plant", f"backup {whole}")
    (refused,) = _pilotbase(home, "none", f"backup {tmp_path / 'lost'}")
    assert refused.code == 1 and "pilotbase_tiny" in refused.said and not (tmp_path / "lost").exists()
    (refused,) = _pilotbase(tmp_path / "elsewhere", "none", f"restore {whole}")
    assert refused.code == 1 and "not installed: pilotbase_tiny" in refused.said
    assert not (tmp_path / "elsewhere").exists()
    _restore(whole, back, home)
    assert '"times": 2' in _pilotbase(back, "tiny", "greetings greet plant")[0].out


@pytest.mark.prove
def test_a_backup_from_before_a_plug_in_is_restored_beside_it(tmp_path):
    home, back, kept = tmp_path / "home", tmp_path / "back", tmp_path / "kept"
    _pilotbase(home, "none", "init", f"backup {kept}")
    _restore(kept, back, home)
    assert '"times": 1' in _pilotbase(back, "tiny", "greetings greet plant")[0].out


def _restore(kept: Path, back: Path, home: Path, folder: Path = FOLDER) -> None:
    (restored,) = _pilotbase(back, "tiny", f"restore {kept}", folder=folder)
    assert restored.code == 0, restored.said
    shutil.copytree(home / "keys", back / "keys", dirs_exist_ok=True)


@pytest.mark.prove
def test_a_backup_says_which_plug_in_is_too_old_for_it(tmp_path):
    newer, home, back = tmp_path / "newer", tmp_path / "home", tmp_path / "back"
    shutil.copytree(FOLDER, newer, ignore=shutil.ignore_patterns("__pycache__"))
    (newer / "pilotbase_tiny" / "workspace" / "migrations" / "versions" / "0002_second.py").write_text(
        'revision = "0002"\ndown_revision = "0001"\n\n\ndef upgrade() -> None:\n    pass\n'
    )
    old, new = tmp_path / "old", tmp_path / "new"
    _pilotbase(home, "tiny", "init", f"backup {old}")
    _pilotbase(home, "tiny", "upgrade", f"backup {new}", folder=newer)
    (refused,) = _pilotbase(back, "tiny", f"restore {new}")
    assert refused.code == 1 and "pilotbase_tiny is too old" in refused.said, refused.said
    assert "schema 0002; the plug-in knows 0001" in refused.said and not back.exists()
    (refused,) = _pilotbase(home, "tiny", f"backup {tmp_path / 'lost'}")
    assert refused.code == 1 and "pilotbase_tiny is too old" in refused.said
    _restore(old, back, home, newer)
    assert '"times": 1' in _pilotbase(back, "tiny", "greetings greet plant", folder=newer)[0].out


KINDS = """
import json
from pilotbase.documents.notice import NoticeKind
from pilotbase.documents.vocabularies import VOCABULARIES, WorkKind
from pilotbase.notices.rows import count_unread, list_notices
from pilotbase.worker.base import open_base
from pilotbase.worker.jobs.handlers import HANDLERS
from pilotbase.workspace.actors import Actor

view = open_base().lab.store.as_actor(Actor("plant", frozenset(), "plant-anna"))
try:
    NoticeKind("greeted")
    refused = ""
except ValueError as error:
    refused = str(error)
print(json.dumps({
    "kinds": [*NoticeKind, *WorkKind],
    "unhandled": sorted(set(WorkKind) ^ set(HANDLERS)),
    "domains": list(VOCABULARIES),
    "told": [one.sentence.render("en") for one in list_notices(view)[0]],
    "unread": count_unread(view),
    "refused": refused,
}))
"""


@pytest.mark.prove
def test_a_plug_in_adds_to_the_closed_lists_of_the_core(tmp_path):
    _pilotbase(tmp_path, "estate,tiny", "init", "greetings greet plant")
    core, tiny, both = (json.loads(_python(tmp_path, chosen, KINDS)) for chosen in ("none", "tiny", "estate,tiny"))
    assert (core["told"], core["unread"], core["refused"]) == ([], 0, "'greeted' is not a valid NoticeKind")
    assert (tiny["told"], tiny["unread"], tiny["refused"]) == (["Hello, plant"], 1, "")
    assert set(tiny["kinds"]) - set(core["kinds"]) == {"greeted"}
    assert set(both["kinds"]) - set(tiny["kinds"]) == {"claim", "what_if"}
    assert set(both["domains"]) - set(core["domains"]) == {"pool.kind", "pool.wait"}
    assert [one["unhandled"] for one in (core, tiny, both)] == [[], [], []]


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
