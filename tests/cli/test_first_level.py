"""What is listed loads nothing, a command loads what it needs alone, and a wrong value is told in our words."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
import typer

from pilotbase.cli import app
from pilotbase.cli.first_level import FIRST, FIRST_LEVEL
from pilotbase.documents.catalogues import catalogue
from tests.cli.test_command_line import run

LOADED = """
import json, sys
from pilotbase.cli import app
try:
    app()
except SystemExit:
    print(json.dumps([name for name in sys.modules if name.startswith("pilotbase.cli.")]), file=sys.stderr)
"""


def test_what_is_listed_is_what_stands_there():
    whole = typer.main.get_command(app).commands
    assert {name: (one.name, one.help) for name, one in whole.items()} == {
        name: (name, catalogue("command", "en")[f"command.{name}"]) for name in FIRST_LEVEL
    }
    assert not [name for name, one in whole.items() if one.hidden or one.deprecated or one.rich_help_panel]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("words", "module"), [(("log", "--help"), "base"), (("work", "--help"), "hub_records"), (("--help",), "")]
)
def test_a_command_loads_its_own_module_alone(words, module):
    done = subprocess.run([sys.executable, "-c", LOADED, *words], check=True, capture_output=True, text=True)
    loaded = {name.split(".")[2] for name in json.loads(done.stderr.splitlines()[-1])}
    assert loaded - {"framework", "first_level"} == ({module} if module else set())


def test_the_first_help_shows_nine_commands_and_how_to_see_all():
    shown = run("--help").stdout
    assert [name for name in FIRST_LEVEL if f"│ {name} " in shown] == [name for name in FIRST_LEVEL if name in FIRST]
    assert f"All {len(FIRST_LEVEL)} commands: pilotbase --all" in shown and len(FIRST) == 9
    assert [name for name in FIRST_LEVEL if f"│ {name} " in run("--all").stdout] == list(FIRST_LEVEL)
    assert f"全部 {len(FIRST_LEVEL)} 个命令：pilotbase --all" in run("--help", language="zh").stdout


def test_who_mistypes_is_told_what_may_be_meant():
    for typed, meant in (("scenaro", "scenario"), ("roadmpa", "roadmap")):
        told = run(typed, "check")
        assert told.exit_code == 2 and f"Did you mean '{meant}'" in told.stderr


ASKED = {
    "bash": """
eval "$(pilotbase --completion bash)"
COMP_WORDS=(pilotbase certificate ver) COMP_CWORD=2
_pilotbase_completion pilotbase
echo "${COMPREPLY[@]}"
""",
    "fish": """
pilotbase --completion fish | source
complete --do-complete "pilotbase certificate ver"
""",
}
SHELLS_IN_PROVE = [pytest.param(one, marks=pytest.mark.prove) for one in ("zsh", "fish")]


@pytest.mark.parametrize("shell", ["bash", *SHELLS_IN_PROVE])
def test_a_shell_completes_our_commands(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine: its completion was not tried")
    said = typed_into_zsh() if shell == "zsh" else asked_of(shell)
    assert "verify" in said.split(), said


def asked_of(shell):
    done = subprocess.run([shell, "-c", ASKED[shell]], capture_output=True, text=True, env=with_our_command())
    return done.stdout + done.stderr


def typed_into_zsh():
    """Zsh completes only what is typed at a terminal: type a tab into one, and return what it shows."""
    keyboard, terminal = pty.openpty()
    zsh = subprocess.Popen(
        ["zsh", "-f", "-i"], stdin=terminal, stdout=terminal, stderr=terminal, env=with_our_command(),
        start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    try:
        setup = 'autoload -Uz compinit; compinit -u -D; eval "$(pilotbase --completion zsh)"; print REA""DY\n'
        os.write(keyboard, setup.encode())
        shown_until(keyboard, "READY\r")
        os.write(keyboard, b"pilotbase certificate ver\t")
        return shown_until(keyboard, "verify ")
    finally:
        zsh.kill()
        zsh.wait()
        os.close(keyboard)


def shown_until(keyboard, mark):
    shown = ""
    while mark not in shown and select.select([keyboard], [], [], 60)[0]:
        shown += os.read(keyboard, 4096).decode(errors="replace")
    return shown


def with_our_command():
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TERM": "dumb"}


TABLES, STORE = {"scipy", "polars", "django"}, {"sqlalchemy", "cryptography", "django"}
SPARED = {
    **dict.fromkeys(("trials.certificates", "operations.services"), TABLES),
    "operations.ledger": {"polars", "django", "scipy.sparse", "scipy.optimize"},
    **dict.fromkeys(("datasets.in_box", "intake.boxed_tables", "intake.scenarios_in_box"), STORE),
    "reactions.noticing": {"scipy.sparse", "scipy.optimize"},
}
"""What opens a base without a table, a box and a worker load → what would only cost them time."""


QUICK = ("trials.certificates", "intake.scenarios_in_box", "reactions.noticing")


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    "module", [pytest.param(one, marks=[] if one in QUICK else pytest.mark.prove) for one in SPARED]
)
def test_what_is_not_needed_is_not_loaded(module):
    program = f"import sys, pilotbase.worker.{module}; print({SPARED[module]} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


EACH_ALONE = """
import importlib, os, sys, traceback
import cryptography, django.forms, numpy, polars, pydantic, scipy.stats, sqlalchemy, typer
for name in sys.argv[1:]:
    if not os.fork():
        try:
            importlib.import_module(name)
        except BaseException:
            print(name, traceback.format_exc().splitlines()[-1], flush=True)
        os._exit(0)
    os.wait()
"""
"""Imports each module in a process that has loaded what others made, and nothing of ours."""


@pytest.mark.prove
@pytest.mark.parametrize("package", ["pilotbase", "pilotbase_estate"])
def test_every_file_can_be_the_first_that_is_loaded(package):
    """Else who loads another one first, as a benchmark or a worker may, meets a half-loaded list."""
    names = [one.name for one in walk_packages(import_module(package).__path__, f"{package}.")]
    needing_others = (".hub", ".locale", ".migrations.env")  # Django's settings, Alembic's run
    alone = [name for name in names if not any(part in name for part in needing_others)]
    command = [sys.executable, "-c", EACH_ALONE, *alone]
    assert len(alone) > 50 and subprocess.run(command, check=True, capture_output=True, text=True).stdout == ""


WRONG = {
    ("scenario", "new", "--from", "x.csv", "--miss", "many"): ("--miss", "many", "must be a number", "须为数字"),
    ("service", "budget", "a", "b", "--calls", "1.5"): ("--calls", "1.5", "must be a whole number", "须为整数"),
    ("serve", "--port", "70000"): ("--port", "70000", "must be at most 65535", "不得大于 65535"),
    ("incident", "show", "first"): ("number", "first", "must be a whole number", "须为整数"),
    ("data", "terms", "opened", "plant/milling"): ("level", "opened", "allowed: open, on_terms", "允许：open,"),
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_value_that_cannot_be_read_is_told_in_our_words(words, language):
    option, found, english, chinese = WRONG[words]
    told = run(*words, language=language)
    assert told.exit_code == 2 and not told.stdout
    command, *rest = told.stderr.splitlines()
    assert command.startswith(f"pilotbase {words[0]}") and option in rest[0] and found in rest[0]
    assert (english if language == "en" else chinese) in rest[0]
    assert "Input should be" not in told.stderr and "Usage" not in told.stderr


def test_what_is_no_value_is_told_with_how_a_command_is_used():
    told = run("scenario", "new", "--form", "x.csv")
    assert told.exit_code == 2 and "--from" in told.stderr and "Usage" in told.stderr


USAGE = {
    ("trial", "run"): "缺少参数 'scenario'。",
    ("trial", "board"): "缺少参数 'scenario'。",
    ("data", "profile", "plant/milling", "rows.csv"): "缺少选项 '--epsilon'。",
    ("trial", "list", "--nothing"): "没有选项 --nothing",
    ("scenaro", "check"): "没有命令 'scenaro'。您要用的是 'scenario' 吗？",
    ("service", "nothing"): "没有命令 'nothing'。",
    ("service", "list", "more"): "多出的参数：more",
    ("watch", "drill", "milling", "--patience"): "选项 '--patience' 需要一个值。",
    ("service", "list", "--json=yes"): "选项 '--json' 不带值。",
    ("--nothing", "service", "list"): "没有选项 --nothing",
}


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_what_typer_says_of_usage_is_chinese(words):
    told = run(*words, language="zh")
    assert told.exit_code == 2 and not told.stdout
    assert USAGE[words] in told.stderr and "错误" in told.stderr
    assert not [english for english in ("Usage", "Try", "Error", "No such", "Missing") if english in told.stderr]


def test_a_usage_error_in_chinese_leaves_the_next_in_english():
    run("trial", "run", language="zh")
    told = run("trial", "run")
    assert "Missing argument 'scenario'." in told.stderr and "Usage" in told.stderr
