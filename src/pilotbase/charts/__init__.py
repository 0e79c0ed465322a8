"""Charts of a report as inline SVG: functions from documents to an ``<svg>`` element in one language.

    verdict_strip(sections, language, stacked=False)       five verifications as shape, word and colour
    criterion_chart(result, language)                   score with interval against the threshold, baseline below
    confidence_sequence_chart(result, language)         bounds over scored cases ("" without a path)
    group_chart(scores, language)                       one column and measure, with intervals
    latency_chart(performance, language)                histogram with quantiles ("" without one)
    status_mark(outcome)                                the mark alone; put the word beside it

Each is self-contained: text stays text, `<title>` and `<desc>` for readers, no scripts, no styles, no identifiers, the
same bytes on every machine. ``spell_number`` and kin spell numbers as the charts do; ``make_visible`` shows what
hides in strangers' text.
"""

from pilotbase.charts.confidence_sequence import confidence_sequence_chart
from pilotbase.charts.criterion import criterion_chart
from pilotbase.charts.groups import group_chart
from pilotbase.charts.latency import latency_chart
from pilotbase.charts.marks import OUTCOME_OF, outcome_word, status_mark
from pilotbase.charts.numbers import spell_bytes, spell_count, spell_number, spell_seconds
from pilotbase.charts.verdict_strip import verdict_strip
from pilotbase.documents.visible_text import make_visible

__all__ = [
    "OUTCOME_OF",
    "confidence_sequence_chart",
    "criterion_chart",
    "group_chart",
    "latency_chart",
    "make_visible",
    "outcome_word",
    "spell_bytes",
    "spell_count",
    "spell_number",
    "spell_seconds",
    "status_mark",
    "verdict_strip",
]
