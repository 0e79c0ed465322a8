"""A quality report as one self-contained HTML file: both languages inside, no script, nothing loaded from elsewhere."""

from pilotbase.data.quality.page.rendering import render_quality

__all__ = ["render_quality"]
