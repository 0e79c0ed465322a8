"""Charts of reports and of the hub as inline SVG: functions from documents to an ``<svg>`` element in one language.

    verdict_strip(sections, language, stacked=False)       five verifications as shape, word and colour
    criterion_chart(result, language)                   score with interval against the threshold, baseline below
    confidence_sequence_chart(result, language)         bounds over scored cases ("" without a path)
    group_chart(scores, language)                       one column and measure, with intervals
    latency_chart(performance, language)                histogram with quantiles ("" without one)
    load_blocks_chart(figures, language)                a load test block by block ("" of one block)
    funnel_chart(stages, language, theme=LIGHT)         how many reached each stage
    way_chart(legs, language, theme=LIGHT)              days of each step from demand to use
    bar_chart(bars, legend, language, theme=LIGHT)      groups: a part of a whole, and the target
    usage_chart(bands, since, until, title, promise)    who used how much of a pool over time ("" without a band)
    strips_chart(strips, title, labels)                 a share over time, one strip per name ("" without a point)
    grouped_chart(groups, title, ticks)                 the same names in every group, as bars ("" without a group)
    grid_chart(grid, language, theme=LIGHT)             the count where a row meets a column
    candidates_chart(rows, language)                    one criterion, one row per candidate ("" without a score)
    leader_chart(steps, language)                       a board's leader, step by step ("" without one)
    gap_chart(squares, language, theme=LIGHT)           sectors × actions: unmatched demand and supply
    watch_path_chart(path, language)                    a detector's evidence against its line ("" without a point)
    drift_chart(strips, begins, ends, language)         when each column had which colour ("" without a column)
    ranked_chart(bars, title, lines=())                 one figure per name, and lines where figures become meaningful
    confusion_chart(figure, language, theme=LIGHT)      true against answered classes
    calibration_chart, probability_chart (…)            whether probabilities come true; how often each was answered
    answer_grid(figure, language, theme=LIGHT)          numbers against truth; histogram_chart for the differences
    time_chart, interval_chart, coverage_chart (…)      truth and answers over time; intervals ("" without a group)
    class_chart(figure, language, theme=LIGHT)          recall and precision of each class ("" without one)
    boxed_image(image, boxes, title, language)          an image with boxes found, missed and false
    column_chart(columns, title, reached="", theme)     counts by name, and the share reached so far
    histogram_chart(bins, title, unit="", times=False)  how many values fall into each bin, a part of them darker
    qr_code(content, title)                             an address for a phone
    status_mark(outcome)                                the mark alone; put the word beside it

Each chart is self-contained: text stays text, `<title>` and `<desc>` for readers, no scripts, no styles, no
identifiers, the same bytes on every machine; `one_file` builds self-contained pages, too. ``format_number`` and related
functions spell numbers as the charts do; ``make_visible`` shows invisible characters in untrusted text.
"""

from pilotbase.charts.against_truth import answer_grid, coverage_chart, format_at, interval_chart, time_chart
from pilotbase.charts.bars import Bar, Legend, RankedBar, bar_chart, ranked_chart
from pilotbase.charts.boxed_image import boxed_image, format_box
from pilotbase.charts.classes import class_chart, class_name, confusion_chart, confusion_names, format_share
from pilotbase.charts.columns import Bin, ChartColumn, column_chart, format_time, histogram_chart
from pilotbase.charts.confidence_sequence import confidence_sequence_chart
from pilotbase.charts.criterion import CandidateRow, candidates_chart, criterion_chart, group_chart
from pilotbase.charts.grids import GapSquare, Grid, gap_chart, grid_chart
from pilotbase.charts.grouped_bars import BarGroup, GroupedBar, Tick, grouped_chart
from pilotbase.charts.latency import latency_chart, load_blocks_chart
from pilotbase.charts.leader_steps import LeaderStep, leader_chart
from pilotbase.charts.marks import OUTCOME_OF, status_mark, verdict_strip
from pilotbase.charts.palette import DARK, LIGHT, Theme
from pilotbase.charts.probabilities import calibration_chart, probability_chart
from pilotbase.charts.qr_code import qr_code
from pilotbase.charts.scales import format_count, format_number
from pilotbase.charts.stages import FunnelStage, Leg, funnel_chart, way_chart
from pilotbase.charts.strips import Strip, strips_chart
from pilotbase.charts.usage_bands import Promise, UsageBand, usage_chart
from pilotbase.charts.watch import DriftStrip, Spell, WatchedPath, WatchedPoint, drift_chart, watch_path_chart
from pilotbase.documents.visible_text import make_visible

__all__ = [
    "DARK",
    "LIGHT",
    "OUTCOME_OF",
    "Bar",
    "BarGroup",
    "Bin",
    "CandidateRow",
    "ChartColumn",
    "DriftStrip",
    "FunnelStage",
    "GapSquare",
    "Grid",
    "GroupedBar",
    "LeaderStep",
    "Leg",
    "Legend",
    "Promise",
    "RankedBar",
    "Spell",
    "Strip",
    "Theme",
    "Tick",
    "UsageBand",
    "WatchedPath",
    "WatchedPoint",
    "answer_grid",
    "bar_chart",
    "boxed_image",
    "calibration_chart",
    "candidates_chart",
    "class_chart",
    "class_name",
    "column_chart",
    "confidence_sequence_chart",
    "confusion_chart",
    "confusion_names",
    "coverage_chart",
    "criterion_chart",
    "drift_chart",
    "format_at",
    "format_box",
    "format_count",
    "format_number",
    "format_share",
    "format_time",
    "funnel_chart",
    "gap_chart",
    "grid_chart",
    "group_chart",
    "grouped_chart",
    "histogram_chart",
    "interval_chart",
    "latency_chart",
    "leader_chart",
    "load_blocks_chart",
    "make_visible",
    "probability_chart",
    "qr_code",
    "ranked_chart",
    "status_mark",
    "strips_chart",
    "time_chart",
    "usage_chart",
    "verdict_strip",
    "watch_path_chart",
    "way_chart",
]
