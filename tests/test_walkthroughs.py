"""The pages that follow four things through the code: every function that they name is where they say."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE, CHINESE = ((ROOT / "docs" / f"walkthroughs{ending}").read_text("utf-8") for ending in (".md", ".zh.md"))
STEP = re.compile(r"^\| `([\w/]+\.py)` `(\w+)` \|", re.MULTILINE)
STEPS = STEP.findall(PAGE)
RESULTS = {name for cell in re.findall(r"\| ([^|]*) \|$", PAGE, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)}
FILES = sorted(set(re.findall(r"`([\w/]+\.py)`", PAGE)))


def functions_of(file):
    tree = ast.parse((ROOT / "src" / "pilotbase" / file).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_four_ways_are_told():
    assert PAGE.count("\n## ") == 4
    assert len(STEPS) == len(re.findall(r"^\| `", PAGE, re.MULTILINE)), "a row names no function"
    assert STEP.findall(CHINESE) == STEPS


@pytest.mark.parametrize(("file", "function"), STEPS, ids="::".join)
def test_a_step_is_where_the_page_says(file, function):
    assert function in functions_of(file), f"docs/walkthroughs.md: {file} has no function {function}"


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_there(file):
    assert (ROOT / "src" / "pilotbase" / file).is_file(), f"docs/walkthroughs.md: no file {file}"


def test_results_are_called_so():
    classes = {
        name
        for file in (ROOT / "src").rglob("*.py")
        for name in re.findall(r"^class (\w+)", file.read_text("utf-8"), re.MULTILINE)
    }
    assert RESULTS - classes == set()
