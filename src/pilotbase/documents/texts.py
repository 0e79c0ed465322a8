"""Every sentence a person reads, named by a code and rendered at the edge in the reader's language.

Catalogues are gettext files, one a domain: the text ``box.no_level`` stands in ``locale/<language>/box.po``.
English and 中文 are equal catalogues: the code is the message id in both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Literal

from babel.messages.pofile import read_po
from pydantic import BaseModel, ConfigDict

from pilotbase.documents.visible_text import make_visible

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
Spell = Callable[[str], str]
"""How the words of strangers inside a sentence are written where it is shown."""
_STOPS: Mapping[Language, str] = {"en": ".", "zh": "。"}
_ENDS = (".", "!", "?", ":", "…", "。", "！", "？", "：")
_DOMAIN = re.compile(r"[a-z_]{1,40}")
_FIRST = re.compile(r"\{(\w+)[^}]*\}")


class Text(BaseModel):
    """A translatable sentence: a code of the catalogue and the values that its template names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    params: dict[str, Text | bool | int | float | str | None] = {}

    def render(self, language: Language = "en", spell: Spell = str) -> str:
        """Return the sentence in ``language``; nested texts are rendered in the same language.

        ``spell`` is applied to every word that is given and none of ours, such as `spell_for_terminal`.

        Raises:
            KeyError: the catalogue has no such code, or the template names a parameter that is not given.
        """
        values = {name: _render_value(value, language, spell) for name, value in self.params.items()}
        return template(self.code, language).format_map(values)


def sentence(said: Text, language: Language = "en", spell: Spell = str) -> str:
    """Return a text that stands by itself: with a capital, unless it begins with what was given, and a full stop.

    Inside another sentence, after a colon, it is rendered as it is.
    """
    words = said.render(language, spell)
    if language == "en" and not _begins_with_given(said):
        words = words[:1].upper() + words[1:]
    return words if not words or words.endswith(_ENDS) else words + _STOPS[language]


def _begins_with_given(said: Text) -> bool:
    """Return whether a sentence begins with a value that was given; a text of ours in its place is none."""
    first = _FIRST.match(template(said.code, "en"))
    return first is not None and not isinstance(said.params.get(first[1]), Text)


def text(code: str, /, **params: object) -> Text:
    """Return a `Text`, taking values that are no plain scalars (paths, digests, decimals) as their string."""
    return Text(code=code, params={name: _plain(value) for name, value in params.items()})


def template(code: str, language: Language) -> str:
    """Return the template of ``code``; raises `KeyError` naming the code when the catalogue lacks it."""
    domain = code.partition(".")[0]
    return catalogue(domain, language)[code]


@cache
def catalogue(domain: str, language: Language) -> Mapping[str, str]:
    """Return code → template of one domain; an unknown domain is an empty catalogue, and a path is no domain."""
    if _DOMAIN.fullmatch(domain) is None:
        return {}
    file = resources.files("pilotbase.documents") / "locale" / language / f"{domain}.po"
    if not file.is_file():
        return {}
    with file.open("rb") as stream:
        parsed = read_po(stream, locale=language, domain=domain)
    return {str(message.id): str(message.string) for message in parsed if message.id and message.string}


def _plain(value: object) -> Text | bool | int | float | str | None:
    if value is None or isinstance(value, Text | bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return _encodable(", ".join(str(item) for item in value))
    return _encodable(str(value))


def _encodable(value: str) -> str:
    """Return ``value``, its lone surrogates (names that are no UTF-8) spelled out: JSON has no place for them."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return make_visible(value)
    return value


def _render_value(value: Text | bool | int | float | str | None, language: Language, spell: Spell) -> object:
    if isinstance(value, Text):
        return value.render(language, spell)
    return spell(value) if isinstance(value, str) else value
