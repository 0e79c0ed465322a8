"""Reactions: what the base does by itself when something changed, and whom it tells."""
