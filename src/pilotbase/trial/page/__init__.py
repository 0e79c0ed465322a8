"""A report as one self-contained HTML file: both languages included, no script, no external resources.

    render_report(report, certificate=None, language="en") -> str
    first_screen(report) -> FirstScreen       # what an owner reads first, which a hub's page of the trial shows too
    required_by(certificate) -> tuple[Text, ...]

``report`` may be the full one, a supplier's view or a rehearsal's; ``certificate`` adds its one-sentence claim and its
data; ``language`` is the one shown first (the reader switches with a click, by CSS alone).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from pilotbase.charts.boxed_image import boxed_image, format_box
from pilotbase.charts.confidence_sequence import confidence_sequence_chart
from pilotbase.charts.criterion import criterion_chart, group_chart
from pilotbase.charts.latency import latency_chart, load_blocks_chart
from pilotbase.charts.marks import OUTCOME_OF, mark_symbols, qr_code, used_mark, verdict_strip
from pilotbase.charts.one_file import capital, page_environment, page_style
from pilotbase.charts.scales import format_bounds, format_count, format_number, format_score
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.figures import ShownCases
from pilotbase.documents.hashes import abbreviated
from pilotbase.documents.moments import format_for_machines
from pilotbase.documents.quantities import format_bytes, format_seconds
from pilotbase.documents.report import Report
from pilotbase.documents.texts import LANGUAGES, Language
from pilotbase.documents.vocabularies import Conformity, Outcome
from pilotbase.trial.page.first_screen import first_screen, required_by
from pilotbase.trial.page.wording import ReportWording

__all__ = ["first_screen", "render_report", "required_by"]
_CHARTS = (
    boxed_image,
    confidence_sequence_chart,
    criterion_chart,
    format_box,
    group_chart,
    latency_chart,
    load_blocks_chart,
    qr_code,
    used_mark,
    mark_symbols,
    verdict_strip,
)
"""What the templates draw with."""
_PACKAGE = "pilotbase.trial.page"
_OUTCOME_OF_ROW = {
    Conformity.MET: Outcome.PASS,
    Conformity.NOT_MET: Outcome.FAIL,
    Conformity.UNDECIDED: Outcome.INCONCLUSIVE,
    Conformity.NOT_MEASURED: Outcome.NOT_MEASURED,
    Conformity.EVIDENCE_LACKING: Outcome.NOT_MEASURED,
}
"""A row of the conformity matrix → the mark that it is drawn with."""


@dataclass(frozen=True)
class PlaceOnHub:
    """Where a report stands on a hub."""

    other: str
    """Address of the page in the other language."""
    ways: Sequence[tuple[str, str]] = ()
    """Breadcrumb: words and addresses."""


def render_report(
    report: Report,
    certificate: Certificate | None = None,
    language: Language = "en",
    check_at: str | None = None,
    place: PlaceOnHub | None = None,
    cases: ShownCases | None = None,
) -> str:
    """Return ``report`` as an HTML document in both languages, ``language`` first; on a hub in that alone.

    Text from suppliers and owners is escaped, and invisible characters in it (controls, right-to-left overrides) are
    spelled out. Sentence codes that this version's catalogues lack are shown as they are: an old report stays readable.
    ``check_at``: the address where anyone can check the certificate; it is shown as a QR code too. ``cases``: of a
    rehearsal, for readers who may hold its rows.
    """
    # The certificate names the full report, or the part that a site released.
    certified = report.digest() if report.view == "site" else report.full_report or report.digest()
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            first=first_screen(report),
            certificate=certificate,
            check_at=check_at,
            ways=place.ways if place is not None else (),
            cases=cases if cases is not None and cases.cases else None,
            digest_of_report=certified,
            languages=[(name, ReportWording(name)) for name in ([language] if place is not None else LANGUAGES)],
            other=place.other if place is not None else "",
            shown=language,
            own=ReportWording(language).own,
            **page_style(_PACKAGE, "report.css", alone=True),
        )
    )


@cache
def _environment() -> Environment:
    environment = page_environment(_PACKAGE)
    environment.filters |= {
        "bytes": format_bytes,
        "capital": capital,
        "count": format_count,
        "moment": format_for_machines,
        "probability": lambda value: f"{value:.4g}",
        "seconds": format_seconds,
        "short": abbreviated,
        "svg": Markup,
    }
    environment.globals |= {
        "charts": {chart.__name__: chart for chart in _CHARTS},
        "bounds_of": format_bounds,
        "number": format_number,
        "score": format_score,
        "outcome_of": OUTCOME_OF,
        "outcome_of_row": _OUTCOME_OF_ROW,
        "outcome_of_kept": {True: Outcome.PASS, False: Outcome.FAIL},
    }
    return environment
