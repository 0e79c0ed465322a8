"""The docs say what the code says: the reference is complete, links lead somewhere, commands in the text exist."""

import re
import sys
from pathlib import Path

import pytest
import typer

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))

import generate  # noqa: E402
import raised  # noqa: E402

from pilotbase.cli import app  # noqa: E402
from pilotbase.data.quality.measures import QUALITY_MEASURES  # noqa: E402
from pilotbase.documents.catalogues import read_messages  # noqa: E402
from pilotbase.documents.schema import KINDS  # noqa: E402
from pilotbase.documents.texts import LANGUAGES  # noqa: E402
from pilotbase.documents.vocabularies import VOCABULARIES  # noqa: E402
from pilotbase.measures import measures, resource_measures  # noqa: E402
from pilotbase.measures.perturbations import PERTURBATIONS  # noqa: E402

PAGES = sorted(
    page
    for page in (*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md"))
    if page.parent != generate.REFERENCE
)
ONE = {"glossary.md", "threats.md"}
"""Without a twin: the glossary is in both languages; the threats are a list of tests, read beside them."""
WRITTEN = sorted(
    page
    for page in DOCS.glob("*.md")
    if ".zh" not in page.name and page.name not in ONE and not page.read_text("utf-8").startswith("<!-- Written by")
)


def paths(command, path=()):
    if hasattr(command, "commands"):
        yield path
        for name, inner in command.commands.items():
            yield from paths(inner, (*path, name))
    else:
        yield path


COMMANDS = set(paths(typer.main.get_command(app)))
LEAVES = {path for path in COMMANDS if path and not any(other[:-1] == path for other in COMMANDS)}


CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def reference():
    """Path → text of what `make docs` builds; of the operations, which need a hub, the place alone."""
    return {**generate.reference(), generate.OPERATIONS: ""}


def test_generated_pages_that_are_committed_are_fresh():
    stale = [path.name for path, text in generate.committed().items() if path.read_text("utf-8") != text]
    assert stale == [], "run: make docs"


def links(text):
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    return [target for target in found if not target.startswith(("http://", "https://", "mailto:"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page, reference):
    for target in links(page.read_text("utf-8")):
        place = (page.parent / target).resolve()
        assert place in reference or (place.exists() and not place.is_relative_to(generate.REFERENCE)), target


def test_links_of_the_reference_lead_somewhere(reference):
    for path, text in reference.items():
        for target in links(text) if path.suffix == ".md" else ():
            place = (path.parent / target).resolve()  # in a fresh clone the folder of the reference is not there
            assert place in reference or place.exists(), (path.name, target)


def test_every_command_has_its_entry(reference):
    named = re.findall(r"^## `pilotbase ([^`]+)`$", reference[generate.REFERENCE / "commands.md"], re.M)
    whole = typer.main.get_command(app)
    assert sorted(named) == sorted(" ".join(path) for path in paths(whole) if path and is_leaf(path, whole))


def is_leaf(path, command):
    for name in path:
        command = command.commands[name]
    return not hasattr(command, "commands")


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("errors", lambda: (code for code, found in raised.error_codes().items() if any(one.kind for one in found))),
        ("measures", lambda: [*measures(), *resource_measures()]),
        ("quality-measures", lambda: [one.name for one in QUALITY_MEASURES]),
        ("perturbations", lambda: PERTURBATIONS),
        ("vocabularies", lambda: [value for vocabulary in VOCABULARIES.values() for value in vocabulary]),
    ],
)
def test_each_has_its_row_in_both_languages(reference, page, names):
    rows = re.findall(r"^\| `([^`]+)` \|(.*)$", reference[generate.REFERENCE / f"{page}.md"], re.M)
    assert {str(name) for name in names()} <= {name for name, _ in rows}
    said = {name: re.sub(r"\{\w+\}|<br>|\W|\d", "", words) for name, words in rows}
    assert [name for name, words in said.items() if words and not CHINESE.search(words)] == []


def test_every_document_has_its_fields_and_its_schema(reference):
    named = re.findall(r"^## (\S+)$", reference[generate.REFERENCE / "fields.md"], re.M)
    assert named == list(KINDS)
    assert {path.stem for path in reference if path.parent == generate.SCHEMAS} == set(KINDS)


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


def test_commands_in_the_docs_exist():
    for page in PAGES:
        for words in re.findall(r"^\s*(?:\$ )?pilotbase ((?:[a-z]+ ?)+)", page.read_text("utf-8"), re.M):
            command = tuple(words.split())
            assert any(command[:length] in COMMANDS for length in (1, 2)), f"{page.name}: pilotbase {words}"


def test_readme_names_what_only_sets_up():
    first_steps = (ROOT / "README.md").read_text("utf-8").partition("```\n")[2].partition("```")[0]
    assert "make setup " in first_steps
    rule = re.search(r"^setup:(.*)\n((?:\t.*\n)*)", (ROOT / "Makefile").read_text("utf-8"), re.M)
    said = rule[2].splitlines()
    assert rule[1].strip() == "$(VENV)/.base" and all(line.startswith("\t@echo ") for line in said), "it runs nothing"
    assert all(command in rule[2] for command in ("make demo", "make hub", "/bin/activate", "pilotbase next"))


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


PACKAGES = (ROOT / "src" / "pilotbase", ROOT / "estate" / "pilotbase_estate")
PLACES = (
    *PACKAGES,
    *(package / "documents" for package in PACKAGES),
    *(package / "hub" / "templates" for package in PACKAGES),
)
NAMES = {
    path.name
    for folder in ("src", "estate", "tests", "docs", "benchmarks", "examples")
    for path in (ROOT / folder).rglob("*.py")
}
ROOMS = {path.name for folder in (ROOT, *PACKAGES) for path in folder.iterdir() if path.is_dir()} - {"build", "dist"}
OF_OTHERS = {"numpy.py"}


def spelled_out(span):
    """`a/{b,c}.py` is two files."""
    match = re.fullmatch(r"([^{}]*)\{([^{}]*)\}([^{}]*)", span)
    return [f"{match[1]}{one.strip()}{match[3]}" for one in match[2].split(",")] if match else [span]


def is_there(path):
    if "/" not in path:
        return path in NAMES | OF_OTHERS
    return any(
        (place / path).exists() or (place / f"{path}.py").exists() for place in (ROOT, DOCS, ROOT / "tests", *PLACES)
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_are_there(page):
    text = page.read_text("utf-8")
    if text.startswith("<!-- Written by"):
        return
    spans = re.findall(r"`([\w./{},-]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
    named = [path for span in spans for path in spelled_out(span)]
    named = [path for path in named if path.endswith(".py") or ("/" in path and path.split("/")[0] in ROOMS)]
    assert [path for path in named if "NNNN" not in path and not is_there(path)] == []


def labels(page):
    """What a page sets in italics as on a page of the hub: `*Inbox*`, `*Account → API tokens*`; not emphasis."""
    text = re.sub(r"^```.*?^```$|`[^`\n]*`|\*\*.*?\*\*|^\* ", "", page.read_text("utf-8"), flags=re.M | re.S)
    for marked in re.findall(r"(?<![*\w\\])\*([^*|\n]{2,40})\*(?!\*)", text):
        label = CHINESE if ".zh" in page.name else re.compile("[A-Z]")
        yield from (one for one in marked.split(" → ") if label.match(one) and not re.search("[….:：；;，,。=≤]", one))


@pytest.fixture(scope="module")
def said():
    """Language → what the catalogues say, whole and up to their first value, small and capital letters alike."""
    texts = {language: set() for language in LANGUAGES}
    for package in PACKAGES:
        for path in (package / "documents" / "locale").rglob("*.po"):
            for words in read_messages(path.read_text("utf-8")).values():
                texts[path.parent.name] |= {words.casefold(), words.partition("{")[0].strip(" :：(（").casefold()}
    return texts


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.stem)
def test_labels_of_a_page_are_what_the_hub_says(page, said):
    for one, language in ((page, "en"), (page.with_suffix(".zh.md"), "zh")):
        assert [label for label in labels(one) if label.casefold() not in said[language]] == [], one.name
