"""Two languages in one site: a search that reads both, and the words around a Chinese page in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

CHINESE = r"\u3400-\u9fff"
_RUN = re.compile(rf"[{CHINESE}]+|[^\W{CHINESE}]+")
WORDS = {
    "Next": "下一页",
    "Previous": "上一页",
    "Home": "首页",
    "Search": "搜索",
    "On this page": "本页内容",
    "Back to top": "回到顶部",
    "Made with ": "本站由以下工具生成：",
}
"""What Furo says around a page."""


class Bilingual(SearchEnglish):
    """English by its stems; Chinese by every two characters that stand together, and by each alone."""

    lang = "en-zh"
    language_name = "English"
    """Of the stemmer."""
    js_splitter_code = """
function splitQuery(query) {
  return (query.match(/[CHINESE]+|(?:(?![CHINESE])[\\p{L}\\p{N}_])+/gu) || []).flatMap((run) =>
    /[CHINESE]/.test(run) && run.length > 2
      ? Array.from({ length: run.length - 1 }, (_, start) => run.slice(start, start + 2))
      : [run]
  );
}
""".replace("CHINESE", CHINESE)

    def split(self, input: str) -> list[str]:
        """Return the words of ``input`` that are kept."""
        return [word for run in _RUN.findall(input) for word in _words(run)]


def _words(run: str) -> Iterator[str]:
    if not re.match(f"[{CHINESE}]", run):
        yield run
        return
    yield from run
    yield from (run[start : start + 2] for start in range(len(run) - 1))


def setup(app: Sphinx) -> None:
    """Add the search, and the words around Chinese pages."""
    app.add_search_language(Bilingual)
    app.connect("html-page-context", _speak_chinese)


def _speak_chinese(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    if page.endswith(".zh"):
        context["language"] = "zh-CN"
        context["_"] = context["gettext"] = lambda message: WORDS.get(message.strip(), message)
