"""A page in one file: both languages included, no script, no external resources, only its own style.

Its template extends ``one_file.html.jinja``, which shows ``page.html.jinja`` once for each of ``languages``; its
stylesheet follows ``one_file.css``.
"""

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pilotbase.charts.drawing import tokens_sheet
from pilotbase.documents.texts import Language, Text, make_visible, text

_PACKAGE = "pilotbase.charts"


@dataclass(frozen=True)
class PageWording:
    """The words of a page in ``language``; its methods are what templates call."""

    language: Language

    def t(self, code: str, /, **params: object) -> str:
        """Return our own sentence ``code``; raises `KeyError` when a catalogue lacks it."""
        return text(code, **params).render(self.language)

    def say(self, sentence: Text) -> str:
        """Return a sentence that a document carries, or its code and values where the catalogue lacks it."""
        try:
            return sentence.render(self.language)
        except (KeyError, IndexError, ValueError):
            values = ", ".join(f"{name}={value}" for name, value in sentence.params.items())
            return f"{sentence.code} ({values})" if values else sentence.code


def capital(sentence: str) -> str:
    """Return ``sentence`` with its first letter as a capital; 中文 stays as it is."""
    return sentence[:1].upper() + sentence[1:]


def page_environment(package: str) -> Environment:
    """Return the templates of ``package``: they escape all that is not `Markup`, and show what hides in it."""
    return Environment(
        autoescape=True,
        finalize=lambda value: value if isinstance(value, Markup) else make_visible(str(value)),
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(_PACKAGE)]),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )


@cache
def page_style(package: str, sheet: str, alone: bool = False) -> dict[str, str]:
    """Return ``style``, of all such pages and of ``package``, and ``style_hash``, with which a page allows only that.

    ``alone``: of ``package`` only; colours and fonts are the hub's. The hash is a source expression (CSP Level 3).
    """
    style = tokens_sheet() + ("" if alone else _sheet(_PACKAGE, "one_file.css")) + _sheet(package, sheet)
    digest = b64encode(sha256(style.encode()).digest()).decode("ascii")
    return {"style": Markup(style), "style_hash": f"sha256-{digest}"}  # noqa: S704 - our own files


def _sheet(package: str, name: str) -> str:
    return (files(package) / "templates" / name).read_text("utf-8")
