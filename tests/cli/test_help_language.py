"""Help and questions of every command in the reader's language."""

import inspect
import json
import os
import re
import subprocess
import sys

import pytest
import typer

from pilotbase.cli import app
from pilotbase.documents.catalogues import catalogue

TYPERS = {
    "Arguments", "Commands", "Options", "Show this message and exit.", "[default: {}]", "[env var: {}]", "[required]",
    "Aborted.", "Error", "Try [blue]'{command_path} {help_option}'[/] for help.",
}  # fmt: skip
"""Words that typer says, not a command."""
OF_USAGE = re.compile("Usage|Missing|No such|Got|Option {}|Argument {}|Invalid")
"""How what typer says of a command line begins; `test_first_level` says it."""


def spoken():
    """Every help text and question, by the command that says it."""

    def walk(command, path):
        yield path, command.help
        for parameter in command.params:
            yield f"{path} {parameter.name}", getattr(parameter, "help", None)
            yield f"{path} {parameter.name}", getattr(parameter, "prompt", None)
        for name, below in getattr(command, "commands", {}).items():
            yield from walk(below, f"{path} {name}")

    return [(path, inspect.cleandoc(words)) for path, words in walk(typer.main.get_command(app), "pilotbase") if words]


def spoken_in(language, plugins=""):
    """The same, and what is translated, of a process of its own: commands take their words once, as they are loaded."""
    environment = {**os.environ, "PILOTBASE_LANGUAGE": language, "PILOTBASE_PLUGINS": plugins}
    line = [sys.executable, __file__]
    return json.loads(subprocess.run(line, check=True, capture_output=True, encoding="utf-8", env=environment).stdout)


def test_every_command_speaks_chinese():
    found = spoken_in("zh")["spoken"]
    assert [(path, words) for path, words in found if not re.search(r"[\u4e00-\u9fff]", words)] == []


@pytest.mark.one_in(2)
@pytest.mark.parametrize("plugins", ["", "none"])
def test_no_words_of_help_are_left_over(plugins):
    found = spoken_in("en", plugins)
    left = set(found["translated"]) - {words for _, words in found["spoken"]} - TYPERS
    assert sorted(words for words in left if not OF_USAGE.match(words)) == []


def test_every_text_of_a_parameter_is_said_and_every_parameter_has_one():
    said = {words for _, words in spoken_in("en")["spoken"]}
    assert [code for code, words in catalogue("option", "en").items() if words not in said] == []
    whole = typer.main.get_command(app)

    def silent(command, path):
        yield from (f"{path} {one.name}" for one in command.params if not one.help)
        for name, below in getattr(command, "commands", {}).items():
            yield from silent(below, f"{path} {name}")

    assert list(silent(whole, "pilotbase")) == []


def test_commands_and_options_are_named_alike_in_both_languages():
    name = re.compile(r"--[a-z-]+|`[^`]+`|[a-z_]+\.(?:json|yaml|csv|txt)")
    said = catalogue("help", "zh") | {
        words: catalogue("option", "zh")[code] for code, words in catalogue("option", "en").items()
    }
    other = {words: one for words, one in said.items() if set(name.findall(words)) != set(name.findall(one))}
    assert other == {}


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("command", "language", "words"),
    [
        ("trial run --help", "zh_CN.UTF-8", ["选项", "显示本帮助并退出。", "冻结", "[必填]"]),
        ("trial run --help", "C.UTF-8", ["Options", "Show this message"]),
        ("--all", "zh_CN.UTF-8", ["─ 选项 ", "─ 命令 ", "[环境变量："]),
    ],
)
def test_help_is_drawn_in_the_language_of_the_terminal(command, language, words):
    environment = {**os.environ, "LANG": language, "LC_ALL": "", "PILOTBASE_LANGUAGE": "", "COLUMNS": "200"}
    line = [sys.executable, "-c", "from pilotbase.cli import main; main()", *command.split()]
    shown = subprocess.run(line, check=True, capture_output=True, text=True, env=environment, encoding="utf-8").stdout
    assert [one for one in words if one not in shown] == []


if __name__ == "__main__":
    print(json.dumps({"spoken": spoken(), "translated": list(catalogue("help", "zh"))}))
