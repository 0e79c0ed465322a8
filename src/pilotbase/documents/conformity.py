"""Conformity matrix 符合性矩阵: how a trial stands to each requirement of the standards that its scenario names.

Every row is *aligned with* its source. None says that the source is met: whether it is, a body that may say so decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pilotbase.documents.base import Localized, Name, Part
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Conformity, StandardStatus


class ConformityRow(Part):
    """One requirement and what the trial says of it."""

    profile: Name
    version: str
    requirement: Name
    clause: str = ""
    asks: Localized | str
    source: str
    status: StandardStatus
    """The worse of the source's and the requirement's own."""
    mandatory: bool
    outcome: Conformity
    sentence: Text
    vouched_by: Literal["trial", "owner", "supplier", "base"] | None = None
    """Who vouches for it; None: nobody has shown anything."""
    estimate: float | None = None
    """The figure that was compared."""
    lower: float | None = None
    """Ends of its interval, where it has one; full view only, as ``upper``."""
    upper: float | None = None


def coarse_rows(rows: Sequence[ConformityRow] | None) -> tuple[ConformityRow, ...] | None:
    """Return the rows as a supplier may see them: outcomes, and figures in two digits without bounds."""
    return None if rows is None else tuple(_coarse(row) for row in rows)


def without_figures(rows: Sequence[ConformityRow] | None) -> tuple[ConformityRow, ...] | None:
    """Return the rows with their outcomes alone: what may leave a site, where a figure might rest on a few cases."""
    bare = {"estimate": None, "lower": None, "upper": None}
    return None if rows is None else tuple(row.model_copy(update=bare) for row in rows)


def _coarse(row: ConformityRow) -> ConformityRow:
    estimate = None if row.estimate is None else float(f"{row.estimate:.2g}")
    return row.model_copy(update={"estimate": estimate, "lower": None, "upper": None})
