"""The docs as a site: it builds, stands alone, and is searched in two languages; what leads nowhere ends the build."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "use": "href"}
"""What a browser asks for by itself, element → attribute."""
PAGES = {
    "index": "# Docs\n\n## Pages\n\n* [One](one.md)\n* [二](two.zh.md)\n",
    "one": "# One\n\nSuppliers rehearse: [a](gone.md), [b](two.zh.md#lost), ![c](drawn.svg), [d](../gone)\n",
    "two.zh": "# 二\n\n每次测试只用\n从未评过分的案例，`data_may_leave`。[回](one.md#one)\n",
}


def build(docs, out, builder="html"):
    """``dummy``: everything is read and every link followed as for a site, and no page is written."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", builder, "-d", out / "read", docs, out]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


class Page(HTMLParser):
    """What a page is named by, leads to, and fetches."""

    def __init__(self, path):
        super().__init__()
        self.names, self.links, self.fetched = set(), [], []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.names.add(found.get("id"))
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if FETCHED.get(tag) in found:
            self.fetched.append(found[FETCHED[tag]])


def elsewhere(address):
    return re.match(r"(?!data:)[a-z]+:|//", address) is not None


@pytest.fixture(scope="module")
def reference():
    """The pages that are not committed, built as `make docs` builds them."""
    subprocess.run([sys.executable, DOCS / "generate.py"], check=True)


@pytest.mark.prove
@pytest.mark.usefixtures("reference")
def test_the_site_builds_leads_somewhere_and_asks_nobody_else_for_anything(tmp_path):
    built = build(DOCS, tmp_path)
    assert (built.returncode, built.stderr) == (0, ""), "run: make docs"
    pages = {path: Page(path) for path in tmp_path.rglob("*.html")}
    assert len(pages) > len(list(DOCS.rglob("*.md")))
    for path, page in pages.items():
        assert [one for one in page.fetched if elsewhere(one)] == [], path
        for link in (one for one in (*page.links, *page.fetched) if not elsewhere(one) and not one.startswith("data:")):
            place, _, name = unquote(link).partition("#")
            target = (path.parent / place.partition("?")[0]).resolve() if place else path
            assert target.is_file(), (path, link)
            assert not name or target not in pages or name in pages[target].names, (path, link)
    for sheet in tmp_path.rglob("*.css"):
        assert not re.search(r"@import|url\(['\"]?(?:https?:)?//", sheet.read_text("utf-8")), sheet


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A site of three pages with every way to lead nowhere, by the same rules; what was said of it, and the pages."""
    docs, out = tmp_path_factory.mktemp("docs"), tmp_path_factory.mktemp("site")
    shutil.copy(DOCS / "conf.py", docs)
    shutil.copytree(DOCS / "site_of_docs", docs / "site_of_docs")
    for name, text in PAGES.items():
        (docs / f"{name}.md").write_text(text, "utf-8")
    return out, build(docs, out), docs


@pytest.mark.parametrize("builder", ["html", pytest.param("dummy", marks=pytest.mark.prove)])
def test_what_leads_nowhere_ends_the_build(small, builder, tmp_path):
    built = small[1] if builder == "html" else build(small[2], tmp_path, builder)
    assert built.returncode != 0
    for gone in ("gone.md", "lost", "drawn.svg", "../gone"):
        assert gone in built.stderr, gone
    assert built.stderr.count("WARNING") == 4, built.stderr


def test_a_chinese_page_says_so_and_its_lines_are_joined(small):
    page = (small[0] / "two.zh.html").read_text("utf-8")
    assert '<html class="no-js" lang="zh-CN"' in page and "搜索" in page
    assert "每次测试只用从未评过分的案例" in page
    assert 'lang="en"' in (small[0] / "one.html").read_text("utf-8")


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: nothing was searched for")
@pytest.mark.prove
def test_search_reads_english_and_chinese_from_the_disk(small):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as session:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = session.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))

        def found(words):
            page.goto(f"{(small[0] / 'search.html').as_uri()}?q={words}")
            page.wait_for_function("document.querySelector('#search-results p.search-summary')?.textContent")
            return page.locator("#search-results li a").all_inner_texts()

        assert found("rehearsal supplier") == ["One"]
        assert found("评过分") == found("从未 案例") == found("测") == found("data_may_leave") == ["二"]
        assert found("评案") == found("沙箱") == []
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        browser.close()
