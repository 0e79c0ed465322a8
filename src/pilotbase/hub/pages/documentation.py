"""The documentation for users, inside the hub: the Markdown that comes with the software, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from posixpath import normpath

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

import pilotbase.hub
from pilotbase.documents.texts import Language, text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.caching import revalidated, shared
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.routing import EVERYBODY, page
from pilotbase.worker.operations.binding import there

_PACKAGED = Path(pilotbase.hub.__file__).parent / "docs"
FOLDER = _PACKAGED if _PACKAGED.is_dir() else Path(pilotbase.hub.__file__).parents[3] / "docs"
"""In a wheel beside this package; in a working copy its folder ``docs``."""
START = "index"
_NOT_FOR_USERS = frozenset({"contribute", "evidence", "measured", "threats"})
_NAME = r"(?:tasks/)?[a-z0-9-]+"
_LINK = re.compile(rf"({_NAME})(\.zh)?\.md(#.*)?")
_PICTURE = re.compile(r"(evidence|images)/([a-z0-9.-]+\.svg)")
_ELSEWHERE: dict[str, Callable[[], str]] = {
    "reference/operations": lambda: reverse("api-docs"),
    "reference/measures": lambda: f"{reverse('standards')}#measures",
    "reference/vocabularies": lambda: reverse("standards"),
}
"""Pages of the reference that the hub has in a form of its own."""
_LEFT_OUT = re.compile(r'^(?:\* )?\[(?:中文|English)\]\([^)]*\)$|^<a id="[^"]*"></a>$|<!--.*?-->', re.M | re.S)
"""Links to the other language, which the hub's header offers, and what only readers of the file need."""


@dataclass(frozen=True)
class Documented:
    """One page of the documentation."""

    title: str
    body: SafeString
    headings: tuple[tuple[str, str], ...]
    """Anchor and words of each heading of the second level."""


@page("docs/", "documentation-start", EVERYBODY)
@revalidated
def start(request: HubRequest) -> HttpResponse:
    """Show what there is to read, by role."""
    return _shown(request, START)


@page("docs/<name:name>/", "documentation", EVERYBODY)
@revalidated
def show(request: HubRequest, name: str) -> HttpResponse:
    """Show one page."""
    return _shown(request, name)


@page("docs/<str:folder>/<str:name>.svg", "documentation-picture", EVERYBODY)
def picture(request: HttpRequest, folder: str, name: str) -> HttpResponse:
    """Give a picture of a page."""
    there(_PICTURE.fullmatch(f"{folder}/{name}.svg"))
    path = FOLDER / folder / f"{name}.svg"
    return shared(request, there(path.read_bytes() if path.is_file() else None), "image/svg+xml")


def _shown(request: HubRequest, name: str) -> HttpResponse:
    found = documented(there(name if name in names() else None), language())
    crumbs = [crumb("documentation-start", text("hub.docs"))] if name != START else []
    return render(request, "hub/documentation.html", {"title": found.title, "found": found, "crumbs": crumbs})


@cache
def names() -> frozenset[str]:
    """Return the name of every page."""
    found = (path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.md"))
    return frozenset(name for name in found if re.fullmatch(_NAME, name)) - _NOT_FOR_USERS


@cache
def documented(name: str, reader: Language) -> Documented:
    """Return the page ``name``, one of `names`, in the language ``reader``, or in English where it has no other."""
    translated = FOLDER / f"{name}.zh.md"
    path = translated if reader == "zh" and translated.is_file() else FOLDER / f"{name}.md"
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_LEFT_OUT.sub("", path.read_text("utf-8")))
    title, tokens = _words(tokens[1]), tokens[3:]
    headings = tuple(_anchored(tokens))
    for one in tokens:
        one.children = list(_led(one.children, path)) if one.children is not None else None
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    body = parser.renderer.render(_captioned(tokens, title), parser.options, {}).replace("<th></th>", "<td></td>")
    return Documented(title, mark_safe(body), headings)  # noqa: S308 - Markdown of ours, without HTML


def _words(inline: Token) -> str:
    return "".join(one.content for one in inline.children or ())


def _anchored(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Give each heading the anchor that links name; yield those of the second level."""
    known: set[str] = set()
    for one, inline in pairwise(tokens):
        if one.type == "heading_open":
            words = _words(inline)
            anchor = base = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            number = 0
            while anchor in known:
                number, anchor = number + 1, f"{base}-{number + 1}"
            known.add(anchor)
            one.attrSet("id", anchor)
            if one.tag == "h2":
                yield anchor, words


def _led(tokens: Iterable[Token], page: Path) -> Iterator[Token]:
    """Yield the tokens of a paragraph; links lead into the hub, or become plain words if the hub has no such page."""
    led: list[bool] = []
    for one in tokens:
        if one.type == "link_open":
            address = _address(str(one.attrGet("href")), page)
            led.append(address is not None)
            one.attrs = {"href": address} if address is not None else {}
        if one.type == "image":
            found = _PICTURE.fullmatch(_from(str(one.attrGet("src")), page))
            if found is None:
                continue
            one.attrSet("src", f"{reverse('documentation-start')}{found[0]}")
        if one.type not in ("link_open", "link_close") or led[-1]:
            yield one
        if one.type == "link_close":
            led.pop()


def _address(link: str, page: Path) -> str | None:
    """Return where a link of ``page`` leads; None: nowhere on a hub, or into the other language."""
    if link.startswith(("#", "https://", "http://")):
        return link
    wanted = _from(link, page)
    found = _LINK.fullmatch(wanted)
    if found is not None and found[1] in names():
        is_here = bool(found[2]) == page.stem.endswith(".zh")
        return f"{reverse('documentation', kwargs={'name': found[1]})}{found[3] or ''}" if is_here else None
    known = _ELSEWHERE.get(wanted.partition(".md")[0])
    return known() if known is not None else None


def _from(link: str, page: Path) -> str:
    return normpath(f"{page.parent.relative_to(FOLDER).as_posix()}/{link}")


def _captioned(tokens: list[Token], title: str) -> list[Token]:
    """Give each table the heading above it as its caption."""
    for before, one in pairwise(tokens):
        title = _words(one) if before.type == "heading_open" else title
        if one.type == "table_open":
            one.meta["caption"] = title
    return tokens


def _open_table(_renderer: object, tokens: Sequence[Token], place: int, *_: object) -> str:
    called = escape(tokens[place].meta.get("caption", ""))
    around = f'<div class="table-scroll" tabindex="0" role="group" aria-label="{called}">'
    return f'{around}<table><caption class="unseen">{called}</caption>'
