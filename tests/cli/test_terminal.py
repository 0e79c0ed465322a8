"""What is printed never steers the terminal, and JSON stays the same JSON."""

import json

from rich.console import Console
from rich.table import Table

from pilotbase.cli.framework.terminal import _cell, print_json
from pilotbase.documents.texts import text


def test_json_is_printed_without_control_characters_and_reads_back(capsys):
    value = {"中文": "a\x1b\x7f\x9b\u202e\u2028\U000e0041\ud800é 😀\n"}
    print_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed) == value
    assert printed.replace("\n", "").isprintable()
    assert "中文" in printed
    assert "😀" in printed


def test_a_cell_of_the_table_is_no_markup(capsys):
    table = Table()
    table.add_column("x")
    table.add_row(_cell(text("input.no_file", file="[bold red]accept[/]\x1b[31m")))
    Console(width=100, force_terminal=False).print(table)
    printed = capsys.readouterr().out
    assert "[bold red]accept[/]" in printed
    assert "\x1b" not in printed
