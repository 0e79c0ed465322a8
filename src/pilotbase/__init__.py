"""Pilotbase: publish a real scenario, prove AI applications on data they never see, keep watch, with evidence."""

__version__ = "0.1.0"
