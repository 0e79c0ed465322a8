"""The measures of data quality as a page, written from their registry."""

from __future__ import annotations

from collections.abc import Iterator

from pilotbase.data.quality.measures import QUALITY_MEASURES
from pilotbase.data.quality.profiling import DEFAULTS
from pilotbase.documents.quality import METHOD
from pilotbase.documents.texts import LANGUAGES

DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "neither": "neither good nor bad"}


def quality_lines() -> Iterator[str]:
    """Yield every measure with its names, codes and formula, then what each purpose asks for."""
    yield "What `pilotbase data quality` measures, aligned with ISO/IEC 5259-2; no conformity is claimed. "
    yield f"Method {METHOD}.\n"
    yield "How a table is measured, and against what: [measure the quality of data](../measure-data-quality.md).\n"
    yield "| measure | name | ISO/IEC 5259-2 | TC609-5-2025-04 | GB/T 36344 | formula | |"
    yield "|---|---|---|---|---|---|---|"
    for measure in QUALITY_MEASURES:
        names = " ".join(measure.title.render(language) for language in LANGUAGES)
        codes = (code or "–" for code in (measure.codes.iso, measure.codes.tc609, measure.codes.gbt))
        formula = measure.formula.replace("|", "\\|")
        cells = (f"`{measure.name}`", names, *codes, f"`{formula}`", DIRECTIONS[measure.direction])
        yield f"| {' | '.join(cells)} |"
    yield "\n## What a purpose asks for\n\n| purpose | measure | at least | at most |\n|---|---|---|---|"
    for purpose, required in DEFAULTS.items():
        for one in required:
            bounds = ("" if bound is None else f"{bound:g}" for bound in (one.at_least, one.at_most))
            yield f"| {purpose} | `{one.measure}` | {' | '.join(bounds)} |"
    yield ""
