"""What the estate erases once its time is over."""

from __future__ import annotations

from pilotbase_estate.computing.keeping import forget_old_attempts
from pilotbase_estate.computing.what_if import erase_old_figures

ERASERS = (forget_old_attempts, erase_old_figures)
