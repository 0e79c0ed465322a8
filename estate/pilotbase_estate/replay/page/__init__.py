"""Policies side by side as one self-contained HTML file: both languages inside, no script, nothing loaded."""

from pilotbase_estate.replay.page.rendering import render_replay

__all__ = ["render_replay"]
