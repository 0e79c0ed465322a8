"""A report on quality as a page that is one file."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from pilotbase import charts
from pilotbase.charts.one_file import page_environment, page_style
from pilotbase.data.quality.page.wording import QualityWording
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.texts import LANGUAGES, Language

_PACKAGE = "pilotbase.data.quality.page"


def render_quality(report: QualityReport, language: Language = "en") -> str:
    """Return ``report`` as an HTML document in both languages, ``language`` shown first.

    Of very many measures, rules or fields the page folds some and leaves others to the document itself, so that it
    opens at once whatever the width of the table.
    """
    words = [(name, QualityWording(name, report)) for name in LANGUAGES]
    template = _environment().get_template("quality.html.jinja")
    return template.render(report=report, languages=words, shown=language, **page_style(_PACKAGE, "quality.css"))


@cache
def _environment() -> Environment:
    environment = page_environment(_PACKAGE)
    environment.filters["count"] = charts.format_count
    environment.globals["mark"] = lambda outcome: Markup(charts.status_mark(outcome))  # noqa: S704 - built as an XML tree
    return environment
