"""What is listed loads nothing, a command loads what it needs alone, and a wrong value is told in our words."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import typer

from pilotbase.cli import app
from pilotbase.cli.first_level import FIRST_LEVEL
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


@pytest.mark.parametrize(
    ("words", "module"), [(("log", "--help"), "base"), (("work", "--help"), "hub_records"), (("--help",), "")]
)
def test_a_command_loads_its_own_module_alone(words, module):
    done = subprocess.run([sys.executable, "-c", LOADED, *words], check=True, capture_output=True, text=True)
    loaded = {name.split(".")[2] for name in json.loads(done.stderr.splitlines()[-1])}
    assert loaded - {"framework", "first_level"} == ({module} if module else set())


def test_who_mistypes_is_told_what_may_be_meant():
    told = run("scenaro", "check")
    assert told.exit_code == 2 and "Did you mean 'scenario'" in told.stderr


@pytest.mark.parametrize("module", ["trials.certificates", "operations.services", "operations.ledger"])
def test_who_opens_a_base_loads_no_statistics_and_no_tables(module):
    program = f"import sys, pilotbase.worker.{module}; print({{'scipy', 'polars', 'django'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


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
