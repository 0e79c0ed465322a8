"""Every sentence a person reads, named by a code and rendered at the edge in the reader's language.

Catalogues are gettext files, one per domain: the text ``box.no_level`` is in ``locale/<language>/box.po``.
English and 中文 are equal catalogues: the code is the message id in both.
A plug-in may add to a domain; if both have a code, our own sentence wins.

The template contains a number's plural: ``{cases:hidden case|hidden cases}`` is *1 hidden case* or *2 hidden cases*.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pilotbase.documents.catalogues import catalogue

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Categories of controls, format characters (right-to-left overrides, zero-width joiners), surrogates, private and
unassigned characters."""
_HIDDEN_CATEGORIES = UNSEEN | {"Zl", "Zp"}
"""Line and paragraph separators too."""
_KEPT = frozenset("\n\t")
_MARKS_IN_A_ROW = 4
"""Combining marks stacked higher than this would paint over neighbouring lines."""


CONTINUED = "\n  │ "
"""Prefix of continuation lines of untrusted text, so that nobody takes them for one of our sentences."""


def make_visible(content: str) -> str:
    """Return ``content`` with each hidden or reordering character spelled as ``⟨U+202E⟩``."""
    if content.isascii() and content.isprintable():
        return content
    spelled: list[str] = []
    marks = 0
    for character in content:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        hidden = (category in _HIDDEN_CATEGORIES and character not in _KEPT) or marks > _MARKS_IN_A_ROW
        spelled.append(f"⟨U+{ord(character):04X}⟩" if hidden else character)
    return "".join(spelled)


def format_for_terminal(content: str) -> str:
    """Return ``content`` without terminal control characters, and with continuation lines marked as untrusted."""
    visible = make_visible(content)
    return visible if visible.isprintable() else CONTINUED.join(visible.rstrip("\n").expandtabs(4).split("\n"))


Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
Spell = Callable[[str], str]
"""How untrusted words inside a sentence are written for display."""
_STOPS: Mapping[Language, str] = {"en": ".", "zh": "。"}
_ENDS = (".", "!", "?", ":", "…", "。", "！", "？", "：")
_FIRST = re.compile(r"\{(\w+)[^}]*\}")
_SEAM = "\ufdd0"
"""Stands where one of our own texts begins or ends inside another: no character, so nobody writes it."""
_HAN, _LATIN = "[\u4e00-\u9fff]", "[0-9A-Za-z%]"
_TOO_WIDE = re.compile(f"(?<={_HAN}) {_SEAM}+(?={_HAN})|(?<={_HAN}){_SEAM}+ (?={_HAN})")
_TOO_NARROW = re.compile(f"(?<={_HAN}){_SEAM}+(?={_LATIN})|(?<={_LATIN}){_SEAM}+(?={_HAN})")


class _Counting(string.Formatter):
    """Templates in which ``{cases:case|cases}`` is a number with the noun or words in the matching form."""

    def format_field(self, value: Any, format_spec: str) -> str:
        one, counted, many = format_spec.partition("|")
        return f"{value} {one if str(value) == '1' else many}" if counted else format(value, format_spec)


_COUNTING = _Counting()


class Text(BaseModel):
    """A translatable sentence: a code of the catalogue and the values that its template names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    params: dict[str, Text | bool | int | float | str | None] = {}

    @property
    def hint(self) -> Text:
        """Return the sentence that says what to do about this one."""
        return Text(code=f"{self.code}.hint", params=self.params)

    def render(self, language: Language = "en", spell: Spell = str) -> str:
        """Return the sentence in ``language``; nested texts are rendered in the same language.

        ``spell``, such as `format_for_terminal`, is applied to every value that isn't one of our own texts.

        Raises:
            KeyError: the catalogue has no such code, or the template has a parameter without a value.
        """
        words = template(self.code, language)
        if "{" not in words and "}" not in words:
            return words
        values = {name: _render_value(value, language, spell) for name, value in self.params.items()}
        said = _COUNTING.vformat(words, (), values)
        return _spaced(said) if _SEAM in said else said


def sentence(said: Text, language: Language = "en", spell: Spell = str) -> str:
    """Return a text as a sentence of its own: with a capital, unless it begins with a given value, and a full stop.

    Inside another sentence, after a colon, it is rendered unchanged.
    """
    words = said.render(language, spell)
    if language == "en" and not _begins_with_given(said):
        words = words[:1].upper() + words[1:]
    return words if not words or words.endswith(_ENDS) else words + _STOPS[language]


def _begins_with_given(said: Text) -> bool:
    """Return whether a sentence begins with a given value; one of our own texts in its place doesn't count."""
    first = _FIRST.match(template(said.code, "en"))
    return first is not None and not isinstance(said.params.get(first[1]), Text)


def text(code: str, /, **params: object) -> Text:
    """Return a `Text`; values that aren't plain scalars (paths, digests, decimals) become strings."""
    return Text(code=code, params={name: _plain(value) for name, value in params.items()})


def percent(share: float, digits: str = ".0f") -> Text:
    """Return a share as a percentage, as its reader's language spells it: "95 %" (ISO 80000-1), 中文 "95%"."""
    return text("counted.percent", value=format(100 * share, digits))


def template(code: str, language: Language) -> str:
    """Return the template of ``code``; raises `KeyError` naming the code if the catalogue lacks it."""
    domain = code.partition(".")[0]
    return catalogue(domain, language)[code]


def has_text(code: str) -> bool:
    """Return whether there is a text of that code."""
    return code in catalogue(code.partition(".")[0], "en")


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
        words = value.render(language, spell)
        return f"{_SEAM}{words}{_SEAM}" if language == "zh" else words
    return spell(value) if isinstance(value, str) else value


def _spaced(words: str) -> str:
    """Return Chinese with a space where it meets Latin at a seam, and none between Chinese: no template can know."""
    return _TOO_NARROW.sub(" ", _TOO_WIDE.sub("", words)).replace(_SEAM, "")
