"""Pilotbase: publish a real scenario, prove AI applications on data they never see, keep watch, with evidence."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pilotbase.notebook import Scenario, TrialResult, rehearse, run

__all__ = ["Scenario", "TrialResult", "rehearse", "run"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load what is for notebooks when it is first asked for: commands start without it."""
    if name not in __all__:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.notebook"), name)
