"""The docs say what the code says: generated pages are fresh, links lead somewhere, commands in the text exist."""

import re
import sys
from pathlib import Path

import pytest
import typer

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))

import generate  # noqa: E402

from pilotbase.cli import app  # noqa: E402
from pilotbase.documents.vocabularies import VOCABULARIES  # noqa: E402

PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")])
ONE = {"glossary.md", "threats.md"}
"""Without a twin: the glossary is in both languages; the threats are a list of tests, read beside them."""
WRITTEN = sorted(
    page
    for page in DOCS.glob("*.md")
    if ".zh" not in page.name and page.name not in ONE and not page.read_text("utf-8").startswith("<!-- Written by")
)


def test_generated_pages_are_fresh():
    pages = generate.generated()
    stale = [path.name for path, text in pages.items() if not path.is_file() or path.read_text("utf-8") != text]
    assert stale == [], "run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target


def outline(page):
    """The levels of a page's headings, and how many blocks of code and rows of tables it has."""
    text, blocks = re.subn(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S)
    return [len(marks) for marks in re.findall(r"^(#+) ", text, re.M)], blocks, len(re.findall(r"^\|", text, re.M))


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.stem)
def test_a_written_page_has_a_chinese_twin_of_the_same_outline(page):
    twin = page.with_suffix(".zh.md")
    assert twin.is_file()
    assert outline(twin) == outline(page)
    assert f"]({twin.name})" in page.read_text("utf-8")
    assert f"]({page.name})" in twin.read_text("utf-8")


def test_chinese_pages_lead_to_chinese_pages():
    for page in DOCS.glob("*.zh.md"):
        for title, target in re.findall(r"\[([^\]]*)\]\(([\w/-]+)\.md", page.read_text("utf-8")):
            assert title == "English" or not (DOCS / f"{target}.zh.md").is_file(), f"{page.name}: {target}"


def paths(command, path=()):
    if hasattr(command, "commands"):
        yield path
        for name, inner in command.commands.items():
            yield from paths(inner, (*path, name))
    else:
        yield path


def test_commands_in_the_docs_exist():
    known = set(paths(typer.main.get_command(app)))
    for page in PAGES:
        for words in re.findall(r"^\s*(?:\$ )?pilotbase ((?:[a-z]+ ?)+)", page.read_text("utf-8"), re.M):
            command = tuple(words.split())
            assert any(command[:length] in known for length in (1, 2)), f"{page.name}: pilotbase {words}"


def test_readme_names_what_only_sets_up():
    first_steps = (ROOT / "README.md").read_text("utf-8").partition("```\n")[2].partition("```")[0]
    assert "make setup " in first_steps
    rule = re.search(r"^setup:(.*)\n(.*)$", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert rule[1].strip() == "$(VENV)/.base" and not rule[2], "it runs nothing afterwards"


def test_every_command_and_option_has_help():
    whole = typer.main.get_command(app)
    for path in paths(whole):
        command = whole
        for name in path:
            command = command.commands[name]
        assert command.help, path
        for parameter in command.params:
            assert parameter.name == "help" or getattr(parameter, "help", None), (path, parameter.name)


def test_every_make_target_in_the_docs_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        for target in re.findall(r"(?:`|^|run: )make ([a-z-]+)", page.read_text("utf-8"), re.M):
            assert target in targets, f"{page.name}: make {target}"


def test_the_glossary_names_what_the_pages_name():
    glossary = (DOCS / "glossary.md").read_text("utf-8")
    for term in ("scenario", "application", "trial plan", "rehearsal", "verdict", "certificate", "box", "vault"):
        assert re.search(rf"^\| {term} \|", glossary, re.M), term
    assert {"verdict", "outcome", "role"} <= set(VOCABULARIES)


def test_documents_carry_no_absolute_path_and_no_index_address():
    for path in [*ROOT.glob("requirements/*.txt"), *PAGES, *ROOT.glob("examples/**/requirements.lock")]:
        content = path.read_text("utf-8")
        assert "/root/" not in content, path
        assert not re.search(r"--(extra-)?index-url|--find-links|https?://[^\s)]*pypi", content), path
