"""Reactions: what the base does by itself after a change, and whom it notifies."""
