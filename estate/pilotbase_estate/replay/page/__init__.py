"""Policies side by side as one self-contained HTML file: both languages inside, no script, nothing loaded."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment

from pilotbase.charts.one_file import page_environment, page_style
from pilotbase.documents.texts import LANGUAGES, Language
from pilotbase_estate.documents.pool_replay import PoolReplay
from pilotbase_estate.replay.page.wording import ReplayWording

_PACKAGE = "pilotbase_estate.replay.page"


def render_replay(replay: PoolReplay, language: Language = "en") -> str:
    """Return ``replay`` as an HTML document in both languages, ``language`` shown first."""
    words = [(name, ReplayWording(name, replay)) for name in LANGUAGES]
    template = _environment().get_template("replay.html.jinja")
    return template.render(languages=words, shown=language, **page_style(_PACKAGE, "replay.css"))


@cache
def _environment() -> Environment:
    return page_environment(_PACKAGE)
