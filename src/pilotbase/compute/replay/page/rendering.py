"""Template and stylesheet joined into one file that nothing but its own stylesheet may be added to."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pilotbase import charts
from pilotbase.compute.replay.page.wording import Wording
from pilotbase.documents.pool_replay import PoolReplay
from pilotbase.documents.texts import LANGUAGES, Language

_PACKAGE = "pilotbase.compute.replay.page"


def render_replay(replay: PoolReplay, language: Language = "en") -> str:
    """Return ``replay`` as an HTML document in both languages, ``language`` shown first."""
    style = (files(_PACKAGE) / "templates" / "replay.css").read_text("utf-8")
    return (
        _environment()
        .get_template("replay.html.jinja")
        .render(
            languages=[(name, Wording(name, replay)) for name in LANGUAGES],
            shown=language,
            style=Markup(style),  # noqa: S704 - our own file
            style_hash=f"sha256-{b64encode(sha256(style.encode()).digest()).decode('ascii')}",
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True,
        finalize=lambda value: value if isinstance(value, Markup) else charts.make_visible(str(value)),
        loader=PackageLoader(_PACKAGE),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
