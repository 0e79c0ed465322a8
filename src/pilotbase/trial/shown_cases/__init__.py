"""Cases of a rehearsal to look at: the worst ones and a few right ones, with images, boxes and differences.

    shown_cases(looked_at, rules) -> tuple[ShownCase, ...]

Made for whoever may hold the rows (`pilotbase.trial.entering.may_show_sample`); never of hidden cases.
"""

from pilotbase.trial.shown_cases.showing import CaseGallery, shown_cases

__all__ = ["CaseGallery", "shown_cases"]
