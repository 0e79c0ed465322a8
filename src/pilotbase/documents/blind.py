"""What blind baselines 盲基线 score on hidden cases: programs that answer without reading a feature as a feature."""

from __future__ import annotations

from pilotbase.documents.base import Part
from pilotbase.documents.texts import Text


class BlindScore(Part):
    """The best score of any blind baseline for one criterion, and what that one answers."""

    rule: str
    score: float
    program: Text


class BlindMeets(Part):
    """A program that meets all criteria together, with its score for each: (rule, score)."""

    program: Text
    scores: tuple[tuple[str, float | None], ...]

    def told(self, digits: int) -> str:
        """Return each criterion with the score, in so many digits; a criterion on the run has none."""
        known = [(rule, score) for rule, score in self.scores if score is not None]
        return "; ".join(f"{rule} ({score:.{digits}g})" for rule, score in known) or "–"


class BlindFindings(Part):
    """What blind baselines came to on ``cases`` hidden cases."""

    cases: int
    best: tuple[BlindScore, ...]
    """For each criterion on answers; no program need reach all of these at once."""
    meets: BlindMeets | None = None
    """Why nothing may be certified by these criteria on these cases; None: no such program meets them all."""
    easy: BlindMeets | None = None
    """A program that copies the most similar public case meets them all, and not by duplicates: told, no bar."""
