"""What a report's pictures are drawn from: pure functions from scored cases to counts and means.

    figures_of(cases, rules) -> tuple[Figure, ...]

``cases``: as measures read them, in the order of scoring. A kind of answer is a row of `choosing`.
"""

from pilotbase.trial.figures.choosing import figures_of

__all__ = ["figures_of"]
