"""A report as one self-contained HTML file: both languages inside, no script, nothing loaded from elsewhere.

    render_report(report, certificate=None, language="en") -> str

``report`` may be the full one, a supplier's view or a rehearsal's; ``certificate`` adds its one-sentence claim and its
data; ``language`` is the one shown first (the reader switches by a click, by CSS alone).
"""

from pilotbase.trial.page.rendering import render_report

__all__ = ["render_report"]
