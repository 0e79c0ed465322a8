"""Template and stylesheet joined into one file under a Content-Security-Policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pilotbase import charts
from pilotbase.data.quality.page.wording import Wording
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.texts import LANGUAGES, Language


def render_quality(report: QualityReport, language: Language = "en") -> str:
    """Return ``report`` as an HTML document in both languages, ``language`` shown first.

    Of very many measures, rules or fields the page folds some and leaves others to the document itself, so that it
    opens at once whatever the width of the table.
    """
    style = resources.files("pilotbase.data.quality.page").joinpath("templates/quality.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    words = [(name, Wording(name, report)) for name in LANGUAGES]
    template = _environment().get_template("quality.html.jinja")
    return template.render(
        report=report,
        languages=words,
        shown=language,
        style=Markup(style),  # noqa: S704 - our own file
        style_hash=f"sha256-{digest}",
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pilotbase.data.quality.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else charts.make_visible(str(value)),
    )
    environment.filters["count"] = charts.spell_count
    environment.globals["mark"] = lambda outcome: Markup(charts.status_mark(outcome))  # noqa: S704 - built as an XML tree
    return environment
