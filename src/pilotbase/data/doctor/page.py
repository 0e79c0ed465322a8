"""An examination as one self-contained HTML file: both languages inside, no script, nothing loaded from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from pilotbase.charts.columns import RankedBar, ranked_chart
from pilotbase.charts.marks import status_mark
from pilotbase.charts.one_file import page_environment, page_style
from pilotbase.charts.scales import format_count
from pilotbase.data.doctor.examining import WORTH_TELLING, Examination
from pilotbase.documents.base import localized
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import LANGUAGES, Language, Text, percent, text

_PACKAGE = "pilotbase.data.doctor"
_BARS = 20


@dataclass(frozen=True)
class _Wording:
    """The words and the picture of one examination in one language; the template calls its methods."""

    language: Language
    scenario: Scenario
    found: Examination

    def t(self, code: str, /, **params: object) -> str:
        """Return our own sentence ``code``."""
        return text(code, **params).render(self.language)

    def say(self, sentence: Text) -> str:
        """Return a sentence."""
        return sentence.render(self.language)

    @property
    def title(self) -> str:
        return localized(self.scenario.title, self.language)

    @property
    def alone(self) -> Markup:
        return Markup(strengths_chart(self.found, self.language))  # noqa: S704 - our own drawing, which escapes


def strengths_chart(found: Examination, language: Language) -> str:
    """Draw how far each column alone comes, as bars; empty if none was judged."""
    judged = sorted((one for one in found.columns if one.alone), key=lambda one: -(one.alone or 0.0))[:_BARS]
    bars = [RankedBar(one.name, one.alone or 0.0, percent(one.alone or 0.0).render(language)) for one in judged]
    return ranked_chart(bars, text("doctor.page.alone").render(language), (WORTH_TELLING,), 1.0) if bars else ""


def render_examination(scenario: Scenario, found: Examination, shown: Language = "en") -> str:
    """Return the page of what was ``found`` in the cases of a scenario; ``shown``: the language shown first."""
    words = [(language, _Wording(language, scenario, found)) for language in LANGUAGES]
    page = _environment().get_template("doctor.html.jinja")
    values: dict[str, Any] = {"languages": words, "shown": shown, "scenario": scenario, "found": found}
    return page.render(**values, mark=_mark, **page_style(_PACKAGE, "doctor.css"))


@cache
def _environment() -> Environment:
    found = page_environment(_PACKAGE)
    found.filters["count"] = format_count
    return found


def _mark(outcome: Any) -> Markup:
    return Markup(status_mark(outcome))  # noqa: S704 - our own drawing
