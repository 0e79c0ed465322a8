"""The catalogues of our sentences: gettext files, ``locale/<language>/<domain>.po``, read by ourselves.

A plug-in may add to a domain; if both have a code, our own sentence wins. This module imports only the standard
library, so that ``pilotbase --help`` stays fast in 中文 too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

from pilotbase.documents.plugins import packages

_DOMAIN = re.compile(r"[a-z_]{1,40}")
_MESSAGE = re.compile(r'msgid ((?:"[^\n]*"\n)+)msgstr ((?:"[^\n]*"\n)+)')
_QUOTED = re.compile(r'^"(.*)"$', re.MULTILINE)
_ESCAPED = re.compile(r"\\(.)")


def wanted_language() -> Literal["en", "zh"]:
    """Return the reader's language: PILOTBASE_LANGUAGE, else the locale's, else English."""
    wanted = os.environ.get("PILOTBASE_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh" if wanted.lower().startswith("zh") else "en"


@cache
def catalogue(domain: str, language: str) -> Mapping[str, str]:
    """Return code → template of one domain; empty for an unknown domain or a path."""
    if _DOMAIN.fullmatch(domain) is None:
        return {}
    files = (resources.files(one) / "locale" / language / f"{domain}.po" for one in reversed(packages("documents")))
    found: dict[str, str] = {}
    for file in files:
        found |= read_messages(file.read_text("utf-8")) if file.is_file() else {}
    return found


def read_messages(source: str) -> dict[str, str]:
    """Return code → template of a gettext file. It reads only what ours use: messages with one form and no context.

    Raises:
        ValueError: a line belongs to no message.
    """
    apart, end = source.replace("\r\n", "\n") + "\n", 0
    found: dict[str, str] = {}
    for message in _MESSAGE.finditer(apart):
        _refuse_words(apart[end : message.start()])
        found[_unquoted(message[1])], end = _unquoted(message[2]), message.end()
    _refuse_words(apart[end:])
    return {code: words for code, words in found.items() if code and words}


def _refuse_words(between: str) -> None:
    for line in between.splitlines():
        if line.strip() and not line.startswith("#"):
            raise ValueError(f"part of no message: {line}")


def _unquoted(lines: str) -> str:
    joined = "".join(_QUOTED.findall(lines))
    return _ESCAPED.sub(lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), joined)
