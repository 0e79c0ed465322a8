"""Pages stay Markdown as GitHub shows it; this makes of it, as each is read, what Sphinx needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sphinx.application import Sphinx

LISTS = ("index", "index.zh", "decisions/README", "tasks", "tasks.zh")
"""Pages whose lists of links are the navigation."""
_ANCHOR = re.compile(r'^<a id="([^"]+)"></a>$', re.M)
_ELSEWHERE = re.compile(r"\[([^\]]*)\]\(((?:\.\./)+[^)#\s]+|[\w./-]+/)(?:#[^)]*)?\)")
"""Links that lead up, perhaps out of the docs, and links to folders."""
_CHINESE = "[\u3000-\u9fff\uff00-\uffef]"
_SOFT_BREAK = re.compile(f"(?<={_CHINESE})\n(?={_CHINESE})")
_HEADING = re.compile(r"^(#{2,3}) (.+)$")
_ENTRY = re.compile(r"^[*-] \[([^\]]+)\]\(([^)#:]+)\.md\)")


class Entry(NamedTuple):
    """One line of the navigation: the heading it stands under, its title, the page that it leads to."""

    caption: str
    title: str
    page: str


def setup(app: Sphinx) -> None:
    """Let every page pass through `read`; long references show two levels beside the page."""
    app.connect("source-read", read)
    app.connect("doctree-read", lambda app, _: _shorten_contents(app))


def read(app: Sphinx, page: str, source: list[str]) -> None:
    """Rewrite a page: anchors become targets, links that leave the docs become paths, lists become navigation.

    Chinese lines that are broken for the editor are joined, or a browser would put a space there.
    """
    here = Path(app.srcdir, page).parent
    text = _ANCHOR.sub(r"(\1)=", source[0])
    text = _SOFT_BREAK.sub("", text)
    text = _ELSEWHERE.sub(lambda link: _led_back(link, here, Path(app.srcdir)), text)
    if page in LISTS:
        text += "\n\n" + "\n\n".join(_toctrees(entries(text)))
    source[0] = text


def _led_back(link: re.Match[str], here: Path, docs: Path) -> str:
    """Return a link to the page of a folder; of what the site does not hold, the path; else the link as it is."""
    target = (here / link[2]).resolve()
    inside = target.is_relative_to(docs)
    if not target.exists() or (inside and target.is_file()):
        return link[0]
    if inside and (target / "README.md").exists():
        return f"[{link[1]}]({link[2]}README.md)"
    path = str(target.relative_to(docs.parent))
    return f"`{path}`" if link[1].strip("`/") in path else f"{link[1]} (`{path}`)"


def entries(text: str) -> Iterator[Entry]:
    """Yield what a page lists, each page once: the first heading under which it stands is its place."""
    seen: set[str] = set()
    heads = ["", ""]
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            heads = [heading[2], ""] if heading[1] == "##" else [heads[0], heading[2]]
        elif (found := _ENTRY.match(line)) and found[2] not in seen:
            seen.add(found[2])
            above, below = heads
            yield Entry(f"{above.split()[0]} · {below}" if below else above, found[1], found[2])


def _toctrees(listed: Iterator[Entry]) -> Iterator[str]:
    captions: dict[str, list[str]] = {}
    for entry in listed:
        captions.setdefault(entry.caption, []).append(f"{entry.title} <{entry.page}>")
    for caption, lines in captions.items():
        head = [":hidden:", f":caption: {caption}"] if caption else [":hidden:"]
        yield "\n".join(["```{toctree}", *head, "", *lines, "```"])


def _shorten_contents(app: Sphinx) -> None:
    page = app.env.docname
    if page.startswith("reference/"):
        app.env.metadata[page]["tocdepth"] = 2
